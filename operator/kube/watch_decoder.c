#include <stdlib.h>

#include "lib/base/memory.h"
#include "operator/kube/list_text.h"
#include "operator/kube/watch.h"

#define HELD_BYTES_MAX ((size_t)256 * 1024) /* between two events */

void watch_decoder_init(struct watch_decoder *decoder, const struct kube_watch *watch, const char *request)
{
	*decoder = (struct watch_decoder){.watch = watch, .request = request};
	buffer_init(&decoder->line);
	buffer_init(&decoder->scratch);
	decoder->line.max = watch->event_bytes_max ? watch->event_bytes_max : KUBE_WATCH_EVENT_BYTES_MAX;
}

void watch_decoder_release(struct watch_decoder *decoder)
{
	buffer_release(&decoder->line);
	buffer_release(&decoder->scratch);
}

static enum kube_event event_of(const char *type)
{
	static const struct {
		const char *name;
		enum kube_event event;
	} events[] = {
	        {"ADDED", KUBE_EVENT_ADDED},
	        {"MODIFIED", KUBE_EVENT_MODIFIED},
	        {"DELETED", KUBE_EVENT_DELETED},
	        {"BOOKMARK", KUBE_EVENT_BOOKMARK},
	};

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (strcmp(type, events[i].name) == 0)
			return events[i].event;
	return KUBE_EVENT_UNKNOWN;
}

static int decode(struct watch_decoder *decoder, const char *line, size_t size)
{
	static const char *const managed_fields[] = {"object", "metadata", "managedFields", NULL};
	const struct kube_watch *watch = decoder->watch;
	json_error_t why = {.text = "something else"};
	json_t *event = object_text_parse((struct slice){line, size}, managed_fields, &decoder->scratch, &why);
	json_t *object = json_object_get(event, "object");
	const char *type = json_string_value(json_object_get(event, "type"));
	int failed;

	if (!type || !json_is_object(object))
		failed = kube_fail(&decoder->error, KUBE_MALFORMED, "%s: a line of the watch is no event: %s",
		                   decoder->request, event ? "type or object is missing" : why.text);
	else if (strcmp(type, "ERROR") == 0)
		failed = kube_fail_event(&decoder->error, decoder->request, object);
	else
		failed = watch->event(watch->context, event_of(type), object, &decoder->error);
	json_decref(event);
	return failed;
}

/* A watch lasts minutes, and few events are large. */
static void give_back(struct buffer *buffer)
{
	size_t max = buffer->max;

	buffer_clear(buffer);
	if (buffer->capacity <= HELD_BYTES_MAX)
		return;
	buffer_release(buffer);
	buffer->max = max;
}

static bool blank(const struct buffer *line)
{
	return strspn(line->data ? line->data : "", " \r\t") == line->size;
}

bool watch_decoder_feed(struct watch_decoder *decoder, const char *data, size_t size)
{
	while (size && !decoder->failed) {
		const char *end = memchr(data, '\n', size);
		size_t piece = end ? (size_t)(end - data) : size;

		buffer_append(&decoder->line, data, piece);
		if (decoder->line.overflow) {
			kube_fail(&decoder->error, KUBE_TOO_LARGE, "%s: an event is larger than %zu bytes",
			          decoder->request, decoder->line.max);
			decoder->failed = true;
			break;
		}
		data += piece + (end != NULL);
		size -= piece + (end != NULL);
		if (!end)
			break;
		if (!blank(&decoder->line))
			decoder->failed = decode(decoder, decoder->line.data, decoder->line.size) < 0;
		give_back(&decoder->line);
		give_back(&decoder->scratch);
	}
	return !decoder->failed;
}

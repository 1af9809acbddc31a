#include "operator/reconcile/container.h"

#include <string.h>

#include "operator/reconcile/names.h"

#define LAST_WORDS_BYTES 1024

const json_t *container_status(const json_t *pod)
{
	size_t index;
	json_t *one;

	json_array_foreach(object_at(pod, "status", "containerStatuses", NULL), index, one)
	{
		if (!strcmp(object_text(one, "name", NULL), RUNTIME_CONTAINER))
			return one;
	}
	return NULL;
}

const char *container_running_since(const json_t *pod)
{
	return object_text(container_status(pod), "state", "running", "startedAt", NULL);
}

int64_t container_restarts(const json_t *pod)
{
	return object_integer(container_status(pod), "restartCount", NULL);
}

/* The end of what the container said last. */
static const char *last_words(const json_t *ended)
{
	const char *text = object_text(ended, "message", NULL);
	size_t size = strlen(text);
	const char *line;

	if (size <= LAST_WORDS_BYTES)
		return text;
	text += size - LAST_WORDS_BYTES;
	line = strchr(text, '\n');
	while (!line && ((unsigned char)*text & 0xc0) == 0x80)
		text++; /* within a character */
	return line ? line + 1 : text;
}

void container_print_end(const json_t *pod, const json_t *container, const json_t *ended, struct buffer *text)
{
	const char *words = last_words(ended);

	buffer_printf(text, "container %s of pod %s ended (%s, exit code %lld, %lld restarts)%s%s",
	              object_text(container, "name", NULL), object_name(pod), object_text(ended, "reason", NULL),
	              (long long)object_integer(ended, "exitCode", NULL),
	              (long long)object_integer(container, "restartCount", NULL), words[0] ? ": " : "", words);
}

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "operator/kube/watch.h"

#define EVENT_BYTES_MAX 200

static int note_event(void *context, enum kube_event event, json_t *object, struct kube_error *err)
{
	static const char letters[] = {'A', 'M', 'D', 'B', '?'};
	char *events = context;
	const char *name = json_string_value(json_object_get(object, "n"));

	if (name && strcmp(name, "refuse") == 0)
		return kube_fail(err, KUBE_TOO_LARGE, "refused");
	snprintf(events + strlen(events), 8, "%c%s", letters[event], name ? name : "");
	return 0;
}

struct decoder_case {
	const char *name, *text, *events;
	int reason; /* -1: none */
	const char *words;
};

static const struct decoder_case cases[] = {
        {"nothing", "", "", -1, NULL},
        {"each type",
         "{\"type\":\"ADDED\",\"object\":{\"n\":\"1\"}}\n{\"type\":\"MODIFIED\",\"object\":{\"n\":\"2\"}}\n"
         "{\"type\":\"DELETED\",\"object\":{\"n\":\"3\"}}\n{\"type\":\"BOOKMARK\",\"object\":{}}\n"
         "{\"type\":\"NEW\",\"object\":{}}\n",
         "A1M2D3B?", -1, NULL},
        {"the end of a line may be missing: no event yet", "{\"type\":\"ADDED\",\"object\":{\"n\":\"1\"}}", "", -1,
         NULL},
        {"CR LF and empty lines", "\r\n\n{\"type\":\"ADDED\",\"object\":{\"n\":\"1\"}}\r\n \n", "A1", -1, NULL},
        {"not JSON, after an event",
         "{\"type\":\"ADDED\",\"object\":{\"n\":\"1\"}}\n{]\n{\"type\":\"ADDED\",\"object\":{}}\n", "A1",
         KUBE_MALFORMED, "W: a line of the watch is no event: "},
        {"no object", "{\"type\":\"ADDED\"}\n", "", KUBE_MALFORMED,
         "W: a line of the watch is no event: type or object is missing"},
        {"an error", "{\"type\":\"ERROR\",\"object\":{\"code\":410,\"message\":\"old\"}}\n", "", KUBE_GONE,
         "W: the API server answered 410: old"},
        {"the receiver's failure", "{\"type\":\"ADDED\",\"object\":{\"n\":\"refuse\"}}\n", "", KUBE_TOO_LARGE,
         "refused"},
        {"larger than the cap",
         "{\"type\":\"ADDED\",\"object\":{\"n\":\"1\"}}\n"
         "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
         "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
         "0123456789",
         "A1", KUBE_TOO_LARGE, "W: an event is larger than 200 bytes"},
};

/* However the bytes are cut, the events are the same. */
static void decoder_test(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t piece = 1; piece < 260; piece += 1 + piece / 8) {
			size_t size = strlen(cases[i].text), at = 0;
			char events[64] = "";
			struct kube_watch watch = {
			        .event = note_event, .context = events, .event_bytes_max = EVENT_BYTES_MAX};
			struct watch_decoder decoder;
			bool going = true;

			watch_decoder_init(&decoder, &watch, "W");
			for (; at < size && going; at += piece)
				going = watch_decoder_feed(&decoder, cases[i].text + at,
				                           piece < size - at ? piece : size - at);
			if (strcmp(events, cases[i].events) != 0)
				fail_msg("%s, by %zu bytes: %s, not %s", cases[i].name, piece, events, cases[i].events);
			if (going != (cases[i].reason < 0))
				fail_msg("%s, by %zu bytes: %s", cases[i].name, piece, going ? "goes on" : "failed");
			if (!going && (decoder.error.reason != (enum kube_reason)cases[i].reason ||
			               strncmp(decoder.error.error.text, cases[i].words, strlen(cases[i].words)) != 0))
				fail_msg("%s, by %zu bytes: %s", cases[i].name, piece, decoder.error.error.text);
			watch_decoder_release(&decoder);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(decoder_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

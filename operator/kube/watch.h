/*
 * Watches: one request whose answer is a line of JSON an event, for as long as it lasts.
 *
 * Complete events are delivered as they come, however the bytes are cut; a line that is no event, or is longer than its
 * cap, ends the watch after those before it. A watch that is silent for longer than its limit ends with KUBE_SILENT: it
 * may be dead, or there was nothing to say; bookmarks come every minute or two.
 */
#ifndef STREAMJOB_KUBE_WATCH_H
#define STREAMJOB_KUBE_WATCH_H

#include "operator/kube/kube.h"

#define KUBE_WATCH_SERVER_S        290
#define KUBE_WATCH_IDLE_MS         150000
#define KUBE_WATCH_EVENT_BYTES_MAX KUBE_OBJECT_BYTES_MAX

enum kube_event { KUBE_EVENT_ADDED, KUBE_EVENT_MODIFIED, KUBE_EVENT_DELETED, KUBE_EVENT_BOOKMARK, KUBE_EVENT_UNKNOWN };

struct kube_watch {
	const char *label_selector, *field_selector; /* NULL: none */
	const char *resource_version;                /* events after it */
	bool metadata_only;                          /* the API server leaves out all else */
	int server_s;                                /* the server ends the watch after it; 0: KUBE_WATCH_SERVER_S */
	int64_t idle_ms;                             /* 0: KUBE_WATCH_IDLE_MS */
	size_t event_bytes_max;                      /* 0: KUBE_WATCH_EVENT_BYTES_MAX */
	/* `object` is borrowed. KUBE_EVENT_UNKNOWN: of a type that is none of ours. -1 with *err set ends the watch. */
	int (*event)(void *context, enum kube_event event, json_t *object, struct kube_error *err);
	void (*opened)(void *context); /* the server accepted the watch; may be NULL */
	void *context;
};

/* 0: the server ended the watch; go on from the last resourceVersion seen. KUBE_GONE, KUBE_VERSION_TOO_LARGE: list. */
int kube_watch(struct kube_client *client, const struct kube_resource *resource, const char *namespace,
               const struct kube_watch *watch, struct kube_error *err);

/* The decoder alone: bytes in, events out. Inside operator/kube and its tests. */
struct watch_decoder {
	const struct kube_watch *watch;
	const char *request; /* for sentences */
	struct buffer line, scratch;
	bool failed;
	struct kube_error error;
};
void watch_decoder_init(struct watch_decoder *decoder, const struct kube_watch *watch, const char *request);
void watch_decoder_release(struct watch_decoder *decoder);
/* False: the watch is over, and decoder->error says why. */
bool watch_decoder_feed(struct watch_decoder *decoder, const char *data, size_t size);

#endif

/*
 * An informer: a thread that keeps a store equal to what the API server has of one kind, by list and watch, and says
 * what changed. client-go's reflector and informer in one.
 *
 * - List in pages, then watch from the list's resourceVersion. A failed watch resumes from the last version seen,
 *   bookmarks included; 410 Gone in any of its forms and "too large resource version" list again, and what a list no
 *   longer has is said to be deleted.
 * - Every failure waits: 800 ms, doubled up to 30 s, with jitter, never less than the server's Retry-After; the
 * doubling starts anew after 120 s without one.
 * - 403, and 404 while there is no CRD, are waited out like the rest: `trouble` says them, and when they are over.
 */
#ifndef STREAMJOB_INFORMER_H
#define STREAMJOB_INFORMER_H

#include "operator/cache/store.h"
#include "operator/kube/watch.h"

enum change { CHANGE_ADDED, CHANGE_UPDATED, CHANGE_DELETED };

/* Zeros mean the values that stand here. */
struct informer_limits {
	int64_t backoff_ms_min;   /* 800 */
	int64_t backoff_ms_max;   /* 30000 */
	int64_t backoff_reset_ms; /* 120000 */
	int64_t watch_ms_min;     /* 1000: a watch that ends sooner without an event counts as failed */
	int64_t watch_idle_ms;    /* KUBE_WATCH_IDLE_MS */
	int watch_server_s;       /* KUBE_WATCH_SERVER_S, and up to a fifth less by jitter */
	int64_t relist_ms;        /* 0: only when needed; else also after so long: heals what an event stream lost */
	int64_t room_ms_min; /* 60000: while the store lacks objects a list is made so often, in case there is room */
	int64_t room_ms_max; /* 300000: to which that is doubled */
	int list_limit;      /* KUBE_LIST_LIMIT */
	size_t event_bytes_max; /* KUBE_WATCH_EVENT_BYTES_MAX */
};

struct informer_options {
	struct kube_cluster *cluster;
	struct kube_resource resource;
	const char *namespace;      /* NULL: all */
	const char *label_selector; /* NULL: none */
	bool metadata_only;         /* the rest of the objects is not even sent */
	struct store *store;        /* outlives the informer; may be shared by informers of other namespaces */
	/* Takes out of an object what nobody reads, before it is stored; managedFields go anyway. May be NULL. */
	void (*trim)(void *context, json_t *object);
	/* An object of which it is not true is as one that is not there; `context` is that of the options. May be NULL.
	 */
	bool (*wanted)(void *context, const json_t *object);
	/* Both borrowed; `before` NULL: added, `after` NULL: deleted. The store has the change already. */
	void (*changed)(void *context, enum change change, const json_t *before, const json_t *after);
	/* The store does not have all objects of this namespace any more: there is no room (store_left_out). May be
	 * NULL. */
	void (*left_out)(void *context, const char *namespace);
	/* Each failure; NULL: all is well (again): the list is there and the watch is open. May be NULL. */
	void (*trouble)(void *context, const struct kube_error *why);
	void *context; /* the callbacks run on the informer's thread and must not block for long */
	const struct clock *clock;
	struct informer_limits limits;
};

struct informer;
/* Texts are copied; the rest outlives the informer. */
struct informer *informer_start(const struct informer_options *options);
/*
 * Lists anew, at once: until that is done it is not synced. For who begins to act on a store that was only kept warm: a
 * watch may be late, or silently dead, and what another has done meanwhile would be undone. From any thread.
 */
void informer_relist(struct informer *informer);
/* The store has had a whole list, begun after the last informer_relist. From any thread. */
bool informer_synced(const struct informer *informer);
/* Lists, watches and failures so far, for /metrics. From any thread. */
struct informer_counts {
	uint64_t lists, watches, events, failures;
	int64_t alive_ms; /* monotonic: when the thread last came around; within watch_idle_ms + backoff_ms_max of now
	                   */
};
struct informer_counts informer_counts(const struct informer *informer);
/* Ends the thread, within the time of one callback; frees it. NULL is allowed. */
void informer_stop(struct informer *informer);

#endif

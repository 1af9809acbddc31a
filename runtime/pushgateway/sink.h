/*
 * The sink's own state, and its requests. Inside runtime/pushgateway only; the sink's thread.
 */
#ifndef STREAMJOB_PUSHGATEWAY_SINK_H
#define STREAMJOB_PUSHGATEWAY_SINK_H

#include "runtime/port/wait.h"
#include "runtime/pushgateway/families.h"
#include "runtime/pushgateway/held.h"
#include "runtime/pushgateway/http.h"

struct pushgateway {
	struct sink sink;
	const struct jobspec *job;
	const struct pushgateway_sink *spec;
	const char *secrets_dir;
	const struct clock *clock;
	struct stop *stop;
	struct http *http;
	struct sink_start start;
	struct families *families;
	bool restored;     /* what the gateway holds was read, or does not count */
	uint64_t accepted; /* the counters have every window up to this one */
	bool merged_said;
	bool text;       /* messages were not understood: the text format from now on */
	bool wants_text; /* said so with the newest answer */
	struct staged staged;
	struct held held;
	struct former *former; /* stale.c */
	size_t former_count;
	struct backoff backoff;
	struct error last_error;    /* of the newest attempt that failed */
	int last_status;            /* HTTP, of the newest attempt; 0: there was no answer */
	int64_t conflicts_until_ms; /* monotonic: until then what is marked in families is not pushed */
	char *target;
	struct buffer url, list_url, page_url, base_url, body, answer;
	/* The last request that was accepted: made once more when the process before this one is quiet. */
	const char *repeat_method; /* NULL: there is none */
	struct buffer repeat_body;
};

/* One attempt under the lease. SINK_RETRY: not before the back-off says so. */
enum sink_outcome push_attempt(struct pushgateway *push, const char *method, const char *url, struct slice body,
                               struct error *err);
/* Attempts until one is accepted or refused, or the round's deadline is over. */
enum sink_outcome push_request(struct pushgateway *push, const char *method, const char *url, struct slice body,
                               struct error *err);
/* What that URL has, in push->answer, in one attempt that needs no lease. */
enum sink_outcome push_get(struct pushgateway *push, const char *url, struct error *err);
/* The gateway's list of all groups, in push->answer, in one attempt that needs no lease. */
int push_list(struct pushgateway *push, struct error *err);

#endif

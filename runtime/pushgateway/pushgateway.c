/*
 * The sink: count, render, PUT, retry.
 *
 * Order: a window that timed out may still be on its way. The next one comes only after this one was accepted or
 * refused, that is after a later request of ours was answered; a request that was cut off can be applied after that
 * only if the gateway had read it whole and still held it back, and it would then carry the same or an older window for
 * one scrape at most, until the next PUT. A failed transfer closes its connection, so nothing is left in it.
 */
#include "runtime/pushgateway/pushgateway.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/hash.h"
#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "runtime/pushgateway/group.h"
#include "runtime/pushgateway/http.h"
#include "runtime/pushgateway/snapshot.h"

#define BACKOFF_MS_MIN     100
#define BACKOFF_MS_MAX     5000
#define PAUSE_STEP_MS      50
#define REJECTION_TEXT_MAX 768

struct pushgateway {
	struct sink sink;
	const struct pushgateway_sink *spec;
	const char *secrets_dir;
	const struct clock *clock;
	struct stop *stop;
	struct http *http;
	struct metric_columns *columns;
	struct totals *totals; /* of each metric; used where it is a counter */
	bool has_counters, restored;
	uint64_t gateway_sequence; /* the totals have every window up to this one */
	uint64_t next_sequence;    /* of the first window of this run */
	uint64_t random;
	char *target;
	struct buffer url, list_url, body, answer;
};

static struct pushgateway *self(struct sink *sink)
{
	return (struct pushgateway *)sink;
}

static int64_t now_ms(const struct pushgateway *push)
{
	return clock_monotonic_ms(push->clock);
}

static void report(struct pushgateway *push, const struct error *err)
{
	if (push->sink.report)
		push->sink.report(push->sink.report_context, err);
}

static int pushgateway_open(struct sink *sink, const struct sink_start *start, struct stop *stop, struct error *err)
{
	struct pushgateway *push = self(sink);

	(void)err;
	push->next_sequence = start->next_sequence;
	push->stop = stop;
	push->http = http_new(push->spec, push->secrets_dir, stop);
	push->restored = !start->resumable || !push->has_counters;
	return 0; /* a gateway that is away now may be there for the first window */
}

static void pause_ms(struct pushgateway *push, int64_t ms)
{
	int64_t until_ms = now_ms(push) + ms;

	while (now_ms(push) < until_ms && !stop_deadline_passed(push->stop))
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_STEP_MS * 1000000L}, NULL);
}

/* Full jitter: anywhere between nothing and the doubled bound. */
static int64_t backoff_ms(struct pushgateway *push, unsigned attempt)
{
	int64_t bound = attempt < 6 ? BACKOFF_MS_MIN << attempt : BACKOFF_MS_MAX;

	return 1 + (int64_t)(hash_next(&push->random) % (uint64_t)(bound < BACKOFF_MS_MAX ? bound : BACKOFF_MS_MAX));
}

static void describe(struct pushgateway *push, const char *method, int status, struct error *err)
{
	struct slice body = buffer_slice(&push->answer);

	while (body.size && (body.data[body.size - 1] == '\n' || body.data[body.size - 1] == ' '))
		body.size--;
	if (body.size > REJECTION_TEXT_MAX)
		body.size = REJECTION_TEXT_MAX;
	error_set(err, "%s %s: the gateway answered %d%s%.*s", method, push->target, status, body.size ? ": " : "",
	          SLICE_ARG(body));
}

/* One request, again and again until it is accepted, refused, or the round's deadline is over. */
static enum sink_outcome request(struct pushgateway *push, const char *method, const char *url, struct slice body,
                                 struct error *err)
{
	int64_t deadline_ms = now_ms(push) + push->spec->retry_deadline_ms, retry_after_ms;

	for (unsigned attempt = 0;; attempt++) {
		struct error why;
		int status = http_request(push->http, method, url, body, &push->answer, &retry_after_ms, &why);
		int64_t pause;

		if (status >= 200 && status < 300) {
			report(push, NULL);
			return SINK_ACCEPTED;
		}
		if (status)
			describe(push, method, status, err);
		else
			error_set(err, "%s %s: %s", method, push->target, why.text);
		if (status == 400)
			return SINK_REJECTED;
		pause = retry_after_ms ? retry_after_ms : backoff_ms(push, attempt);
		if (now_ms(push) + pause >= deadline_ms || stop_deadline_passed(push->stop))
			return SINK_RETRY;
		report(push, err);
		pause_ms(push, pause);
	}
}

/* What the gateway holds, before the first window is counted. */
static enum sink_outcome restore(struct pushgateway *push, struct error *err)
{
	enum sink_outcome outcome;

	if (push->restored)
		return SINK_ACCEPTED;
	outcome = request(push, "GET", push->list_url.data, (struct slice){"", 0}, err);
	if (outcome != SINK_ACCEPTED)
		return SINK_RETRY;
	if (totals_restore(push->spec, buffer_slice(&push->answer), push->totals, &push->gateway_sequence, err) < 0) {
		for (size_t m = 0; m < push->spec->metrics_count; m++)
			totals_release(&push->totals[m]);
		return SINK_RETRY;
	}
	if (push->gateway_sequence > push->next_sequence) {
		/* Another life of the job pushed these: its totals go on, its numbers do not count. */
		log_warn("the gateway is ahead of the job: its source was set back",
		         "sink=\"%s\" gateway=%" PRIu64 " job=%" PRIu64, push->target, push->gateway_sequence,
		         push->next_sequence);
		push->gateway_sequence = push->next_sequence - 1;
	}
	push->restored = true;
	buffer_release(&push->answer);
	log_info("counters restored", "sink=\"%s\" sequence=%" PRIu64, push->target, push->gateway_sequence);
	return SINK_ACCEPTED;
}

/* A window is added to the totals once, whatever happens to its requests afterwards. */
static int count_window(struct pushgateway *push, const struct window_result *result, struct error *err)
{
	size_t refused = 0;

	if (result->sequence <= push->gateway_sequence)
		return 0;
	push->gateway_sequence = result->sequence;
	if (snapshot_count(push->spec, push->columns, result, push->totals, &refused, err) < 0)
		return -1;
	if (refused)
		log_warn("negative or NaN increments of counters left out", "sink=\"%s\" samples=%zu", push->target,
		         refused);
	return 0;
}

static enum sink_outcome pushgateway_write(struct sink *sink, const struct window_result *result, struct stop *stop,
                                           struct error *err)
{
	struct pushgateway *push = self(sink);
	enum sink_outcome outcome = restore(push, err);

	(void)stop;
	if (outcome != SINK_ACCEPTED)
		return outcome;
	if (result->delete_group)
		return request(push, "DELETE", push->url.data, (struct slice){"", 0}, err);
	if (count_window(push, result, err) < 0)
		return SINK_REJECTED;
	buffer_clear(&push->body);
	snapshot_render(push->spec, push->columns, result, push->totals, &push->body);
	if (push->body.overflow) {
		error_set(err, "the window's snapshot is larger than %zu bytes; group by fewer values", push->body.max);
		return SINK_REJECTED;
	}
	return request(push, "PUT", push->url.data, buffer_slice(&push->body), err);
}

static void pushgateway_close(struct sink *sink)
{
	struct pushgateway *push = self(sink);

	http_free(push->http);
	for (size_t m = 0; m < push->spec->metrics_count; m++)
		totals_release(&push->totals[m]);
	free(push->totals);
	metric_columns_free(push->columns, push->spec);
	buffer_release(&push->url);
	buffer_release(&push->list_url);
	buffer_release(&push->body);
	buffer_release(&push->answer);
	free(push->target);
	free(push);
}

static const struct sink_ops pushgateway_ops = {
        .name = "pushgateway",
        .open = pushgateway_open,
        .write = pushgateway_write,
        .close = pushgateway_close,
};

struct sink *pushgateway_sink_new(const struct pushgateway_sink *spec, const struct schema *result,
                                  const char *secrets_dir, const struct clock *clock)
{
	struct pushgateway *push = xcalloc(1, sizeof(*push));
	struct buffer target;

	push->sink.ops = &pushgateway_ops;
	push->sink.fail_on_rejected = spec->on_rejected == REJECTED_FAIL;
	push->spec = spec;
	push->secrets_dir = secrets_dir;
	push->clock = clock;
	push->columns = metric_columns_new(spec, result);
	push->totals = xcalloc(spec->metrics_count, sizeof(struct totals));
	for (size_t m = 0; m < spec->metrics_count; m++)
		push->has_counters = push->has_counters || spec->metrics[m].type == METRIC_COUNTER;
	push->random = (uint64_t)clock_wall_ms(clock) ^ (uint64_t)(uintptr_t)push;
	buffer_init(&push->url);
	buffer_init(&push->list_url);
	buffer_init(&push->body);
	buffer_init(&push->answer);
	group_url(spec, true, &push->url);
	group_list_url(spec, &push->list_url);
	buffer_init(&target);
	buffer_append_text(&target, "pushgateway ");
	group_url(spec, false, &target);
	push->target = buffer_take(&target);
	push->sink.target = push->target;
	return &push->sink;
}

/* The sink: restore, stage, render, PUT; and what is due by time alone. */
#include "runtime/pushgateway/pushgateway.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "runtime/pushgateway/conflicts.h"
#include "runtime/pushgateway/group.h"
#include "runtime/pushgateway/sink.h"
#include "runtime/pushgateway/snapshot.h"
#include "runtime/pushgateway/stale.h"

#define CONFLICT_ROUNDS   2     /* looks at what others hold, a window */
#define CONFLICTS_KEPT_MS 60000 /* then the whole is tried again */

static struct pushgateway *self(struct sink *sink)
{
	return (struct pushgateway *)sink;
}

static void make_client(struct pushgateway *push, struct stop *stop)
{
	push->stop = stop;
	if (!push->http)
		push->http = http_new(push->spec, push->secrets_dir, stop);
}

static int pushgateway_inspect(struct sink *sink, struct stop *stop, struct sink_held *ret_held, struct error *err)
{
	struct pushgateway *push = self(sink);
	struct held held;
	enum held_read read;

	make_client(push, stop);
	if (push_list(push, err) < 0)
		return -1;
	read = held_read(push->job, push->spec, "", 1, buffer_slice(&push->answer), NULL, &held, err);
	if (read != HELD_READ)
		return (int)read; /* the same numbers */
	*ret_held = held.window;
	held_release(&held);
	return 0;
}

/* Totals go on over lives; numbers do not. */
static void judge(struct pushgateway *push)
{
	const struct sink_held *held = &push->held.window;
	const struct sink_start *start = &push->start;
	bool holds = sink_holds_next(start, held);

	push->accepted = holds ? start->next_sequence : start->next_sequence - 1;
	if (!strcmp(held->life, start->life) && held->sequence != push->accepted)
		log_warn(held->sequence > push->accepted
		                 ? "the gateway is ahead of the job: its source was set back"
		                 : "the gateway has lost the newest windows: its counters go on from an older state",
		         "sink=\"%s\" gateway=%" PRIu64 " job=%" PRIu64, push->target, held->sequence, push->accepted);
	log_info("counters restored", "sink=\"%s\" sequence=%" PRIu64 " replay=%s", push->target, held->sequence,
	         holds ? "true" : "false");
}

/* From the gateway's answer; what is written there by another version fails. */
static enum held_read restore(struct pushgateway *push, struct error *err)
{
	enum held_read read;

	read = held_read(push->job, push->spec, push->start.life, push->start.next_sequence,
	                 buffer_slice(&push->answer), push->families, &push->held, err);
	buffer_release(&push->answer);
	if (read != HELD_READ)
		return read;
	push->restored = true;
	judge(push);
	return HELD_READ;
}

static int pushgateway_open(struct sink *sink, const struct sink_start *start, struct stop *stop, struct error *err)
{
	struct pushgateway *push = self(sink);

	push->start = *start;
	push->accepted = start->next_sequence - 1;
	push->restored = !start->resumable;
	make_client(push, stop);
	/* A gateway that is away now may be there for the first window. */
	if (!push->restored && push_list(push, err) == 0 && restore(push, err) == HELD_FOREIGN)
		return -1;
	return 0;
}

/* What the gateway holds must be known, and no older request on its way. */
static enum sink_outcome prepare(struct pushgateway *push, const struct window_result *result, struct error *err)
{
	unsigned failures = push->backoff.failures;
	enum sink_outcome outcome;

	if (!push->start.pending || result->sequence != push->start.next_sequence) {
		outcome = wait_until_quiet(&push->sink, push->stop, err);
		if (outcome != SINK_ACCEPTED)
			return outcome;
	}
	if (push->restored)
		return SINK_ACCEPTED;
	outcome = push_request(push, "GET", push->list_url.data, (struct slice){"", 0}, err);
	if (outcome != SINK_ACCEPTED)
		return outcome == SINK_FENCED ? SINK_FENCED : SINK_RETRY;
	if (restore(push, err) == HELD_READ)
		return SINK_ACCEPTED;
	push->last_error = *err;
	push->backoff.failures = failures; /* it answers, but not with what is needed */
	backoff_failed(&push->backoff, 0);
	return SINK_RETRY;
}

static void leave_out(struct pushgateway *push, const struct window_result *result)
{
	for (size_t i = 0; push->sink.leave_out && i < push->staged.left_out_count; i++) {
		const struct left_out *left_out = &push->staged.left_out[i];
		struct error why;

		left_out_describe(push->families, left_out, &why);
		push->sink.leave_out(push->sink.report_context, result, left_out->row, why.text);
	}
}

static void say_merged(struct pushgateway *push)
{
	if (!push->staged.merged || push->merged_said)
		return;
	push->merged_said = true;
	log_warn("rows that have the same labels (NULL and \"\" are one to Prometheus) are one series: counters add "
	         "them up, of gauges the last one counts; said once",
	         "sink=\"%s\" samples=%zu", push->target, push->staged.merged);
}

/* Kept for once more where an older request may still come after it. */
static void keep_accepted(struct pushgateway *push, const char *method, bool was_quiet)
{
	struct buffer body = push->repeat_body;

	push->repeat_method = was_quiet ? NULL : method;
	if (was_quiet) {
		buffer_release(&push->repeat_body);
		return;
	}
	push->repeat_body = push->body;
	push->body = body;
}

/* What is staged. */
static enum sink_outcome put_snapshot(struct pushgateway *push, const struct window_result *result, struct error *err)
{
	buffer_clear(&push->body);
	snapshot_render(push->families, result, push->start.life, push->text, &push->body);
	if (push->body.overflow) {
		push->last_status = 0;
		error_set(err, "the window's snapshot is larger than %zu bytes; group by fewer values", push->body.max);
		return SINK_REJECTED;
	}
	return push_request(push, "PUT", push->url.data, buffer_slice(&push->body), err);
}

static void go_on_with_text(struct pushgateway *push)
{
	push->text = true;
	push->repeat_method = NULL;
	log_warn("the gateway, or what is before it, takes no protocol buffers: pushing text, of which a gateway may "
	         "take "
	         "half a request for a whole one",
	         "sink=\"%s\"", push->target);
}

/*
 * The gateway has refused the body as a whole. What others hold of it is looked up and marked, so that the next one is
 * without it. SINK_ACCEPTED: there is something; SINK_REJECTED: there is nothing, or it cannot be known.
 */
static enum sink_outcome find_conflicts(struct pushgateway *push)
{
	struct buffer list;
	struct error err;
	enum sink_outcome outcome = push_get(push, push->list_url.data, &err);
	int found = 0;

	if (outcome != SINK_ACCEPTED)
		return outcome;
	list = push->answer;
	buffer_init(&push->answer);
	outcome = push_get(push, push->page_url.data, &err);
	if (outcome == SINK_ACCEPTED)
		found = conflicts_read(push->spec, buffer_slice(&list), buffer_slice(&push->answer), push->families,
		                       &err);
	buffer_release(&list);
	buffer_release(&push->answer);
	push->conflicts_until_ms = clock_monotonic_ms(push->clock) + CONFLICTS_KEPT_MS;
	return outcome == SINK_ACCEPTED && found <= 0 ? SINK_REJECTED : outcome;
}

static enum sink_outcome put_once(struct pushgateway *push, const struct window_result *result, struct error *err)
{
	enum sink_outcome outcome;

	families_stage(push->families, result, result->sequence > push->accepted, &push->staged);
	outcome = put_snapshot(push, result, err);
	if (outcome == SINK_REJECTED && push->wants_text && !push->text) {
		go_on_with_text(push);
		outcome = put_snapshot(push, result, err);
	}
	if (outcome != SINK_ACCEPTED) {
		families_drop(push->families); /* a refused window adds nothing; another try stages it again */
		return outcome;
	}
	families_apply(push->families, result->sequence);
	say_merged(push);
	leave_out(push, result);
	return SINK_ACCEPTED;
}

/* A series that others hold does not cost the rest of the window; where a refusal is to fail the job, it does. */
static enum sink_outcome put(struct pushgateway *push, const struct window_result *result, struct error *err)
{
	enum sink_outcome outcome, found;

	if (clock_monotonic_ms(push->clock) >= push->conflicts_until_ms)
		conflicts_clear(push->families); /* they may be over */
	for (int round = 0;; round++) {
		outcome = put_once(push, result, err);
		if (outcome != SINK_REJECTED || push->last_status != 400 || push->sink.fail_on_rejected ||
		    round == CONFLICT_ROUNDS)
			return outcome;
		found = find_conflicts(push);
		if (found != SINK_ACCEPTED)
			return found == SINK_RETRY ? SINK_RETRY : outcome;
	}
}

static enum sink_outcome pushgateway_write(struct sink *sink, const struct window_result *result, struct stop *stop,
                                           struct error *err)
{
	struct pushgateway *push = self(sink);
	enum sink_outcome outcome = prepare(push, result, err);
	bool was_quiet = lease_quiet(sink->lease);

	(void)stop;
	if (outcome != SINK_ACCEPTED)
		return outcome;
	if (result->delete_group) {
		buffer_clear(&push->body);
		outcome = push_request(push, "DELETE", push->url.data, (struct slice){"", 0}, err);
	} else {
		outcome = put(push, result, err);
	}
	if (outcome != SINK_ACCEPTED)
		return outcome;
	if (result->sequence > push->accepted)
		push->accepted = result->sequence;
	keep_accepted(push, result->delete_group ? "DELETE" : "PUT", was_quiet);
	if (was_quiet)
		stale_delete(push);
	return SINK_ACCEPTED;
}

static void repeat(struct pushgateway *push)
{
	struct error err;
	enum sink_outcome outcome =
	        push_attempt(push, push->repeat_method, push->url.data, buffer_slice(&push->repeat_body), &err);

	if (outcome == SINK_ACCEPTED)
		log_info("the last window was pushed again: a request of the process before this one may have come "
		         "after it",
		         "sink=\"%s\"", push->target);
	if (push->sink.report && outcome != SINK_FENCED)
		push->sink.report(push->sink.report_context, outcome == SINK_ACCEPTED ? NULL : &err);
	if (outcome == SINK_RETRY || outcome == SINK_FENCED)
		return;
	push->repeat_method = NULL;
	buffer_release(&push->repeat_body);
}

static void pushgateway_idle(struct sink *sink, struct stop *stop)
{
	struct pushgateway *push = self(sink);

	(void)stop;
	if (!lease_quiet(sink->lease) || !backoff_wait(&push->backoff, push->stop, 0))
		return;
	if (push->repeat_method) {
		repeat(push);
		if (!push->repeat_method)
			stale_delete(push);
	} else if (push->accepted >= push->start.next_sequence) {
		stale_delete(push);
	}
}

static void pushgateway_close(struct sink *sink)
{
	struct pushgateway *push = self(sink);

	former_release(push);
	http_free(push->http);
	families_free(push->families);
	staged_release(&push->staged);
	held_release(&push->held);
	buffer_release(&push->url);
	buffer_release(&push->list_url);
	buffer_release(&push->page_url);
	buffer_release(&push->base_url);
	buffer_release(&push->body);
	buffer_release(&push->answer);
	buffer_release(&push->repeat_body);
	free(push->target);
	free(push);
}

static const struct sink_ops pushgateway_ops = {
        .name = "pushgateway",
        .inspect = pushgateway_inspect,
        .open = pushgateway_open,
        .write = pushgateway_write,
        .idle = pushgateway_idle,
        .close = pushgateway_close,
};

static char *target_of(const struct pushgateway_sink *spec)
{
	struct buffer target;

	buffer_init(&target);
	buffer_append_text(&target, "pushgateway ");
	group_url(spec, false, &target);
	return buffer_take(&target);
}

struct sink *pushgateway_sink_new(const struct jobspec *job, size_t index, const struct schema *result,
                                  const char *secrets_dir, const struct clock *clock)
{
	struct pushgateway *push = xcalloc(1, sizeof(*push));
	const struct pushgateway_sink *spec = &job->sinks[index].pushgateway;

	push->job = job;
	push->spec = spec;
	push->secrets_dir = secrets_dir;
	push->clock = clock;
	push->families = families_new(spec, result);
	push->target = target_of(spec);
	push->sink.ops = &pushgateway_ops;
	push->sink.fail_on_rejected = spec->on_rejected == REJECTED_FAIL;
	push->sink.request_timeout_ms = spec->timeout_ms;
	push->sink.target = push->target;
	backoff_init(&push->backoff, clock, (uint64_t)(uintptr_t)push);
	buffer_init(&push->url);
	buffer_init(&push->list_url);
	buffer_init(&push->page_url);
	buffer_init(&push->base_url);
	buffer_init(&push->body);
	buffer_init(&push->answer);
	buffer_init(&push->repeat_body);
	group_url(spec, true, &push->url);
	group_list_url(spec, &push->list_url);
	group_page_url(spec, &push->page_url);
	group_base_url(spec, &push->base_url);
	return &push->sink;
}

/*
 * Requests to the gateway.
 *
 * Order: a window that timed out may still be on its way. The next one comes only after this one was accepted or
 * refused, that is after a later request of ours was answered; a request that was cut off can be applied after that
 * only if the gateway had read it whole and still held it back, and it would then carry the same or an older window for
 * one scrape at most, until the next PUT. A failed transfer closes its connection, so nothing is left in it.
 */
#include "runtime/pushgateway/sink.h"

#define REJECTION_TEXT_MAX 768

static void report(struct pushgateway *push, const struct error *err)
{
	if (push->sink.report)
		push->sink.report(push->sink.report_context, err);
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

/* What waiting cannot mend, as it lies in the request itself: bad metrics, too large, not this kind of content. */
static bool is_refusal(int status)
{
	return status == 400 || status == 413 || status == 415 || status == 422;
}

/* The body was read as text: its type was lost on the way, or the server knows no other. */
static bool wants_text(int status, struct slice answer)
{
	static const char words[] = "text format parsing error";

	return status == 415 || (status == 400 && memmem(answer.data, answer.size, words, sizeof(words) - 1));
}

/* The HTTP status, or 0; with err where it is not one of success. */
static int exchange(struct pushgateway *push, const struct http_request *request, int64_t *ret_retry_after_ms,
                    struct error *err)
{
	struct error why;
	int status = http_request(push->http, request, &push->answer, ret_retry_after_ms, &why);

	push->wants_text = wants_text(status, buffer_slice(&push->answer));
	if (!status)
		error_set(err, "%s %s: %s", request->method, push->target, why.text);
	else if (status < 200 || status >= 300)
		describe(push, request->method, status, err);
	return status;
}

/* What the answer is for the sink, and when the next request may come. */
static enum sink_outcome conclude(struct pushgateway *push, int status, int64_t retry_after_ms, const struct error *err)
{
	push->last_status = status;
	if (status >= 200 && status < 300) {
		backoff_worked(&push->backoff);
		return SINK_ACCEPTED;
	}
	push->last_error = *err;
	backoff_failed(&push->backoff, retry_after_ms);
	if (!is_refusal(status))
		return SINK_RETRY;
	if (!retry_after_ms)
		backoff_worked(&push->backoff); /* the next window is another request */
	return SINK_REJECTED;
}

enum sink_outcome push_attempt(struct pushgateway *push, const char *method, const char *url, struct slice body,
                               struct error *err)
{
	const struct http_request request = {method, url, body, push->text, push->sink.lease};
	int64_t retry_after_ms = 0;
	int status = 0;

	switch (lease_take(push->sink.lease, err)) {
	case RENEWED_FENCED:
		return SINK_FENCED;
	case RENEWED_NOT:
		error_prefix(err, "%s %s: the job's lease cannot be renewed", method, push->target);
		break;
	case RENEWED:
		status = exchange(push, &request, &retry_after_ms, err);
		break;
	}
	return conclude(push, status, retry_after_ms, err);
}

enum sink_outcome push_request(struct pushgateway *push, const char *method, const char *url, struct slice body,
                               struct error *err)
{
	int64_t deadline_ms = clock_monotonic_ms(push->clock) + push->spec->retry_deadline_ms;

	for (;;) {
		enum sink_outcome outcome;

		if (!backoff_wait(&push->backoff, push->stop, deadline_ms)) {
			*err = push->last_error;
			return SINK_RETRY;
		}
		outcome = push_attempt(push, method, url, body, err);
		if (outcome == SINK_ACCEPTED)
			report(push, NULL);
		if (outcome != SINK_RETRY || push->backoff.next_ms >= deadline_ms || stop_deadline_passed(push->stop))
			return outcome;
		report(push, err);
	}
}

enum sink_outcome push_get(struct pushgateway *push, const char *url, struct error *err)
{
	const struct http_request request = {.method = "GET", .url = url};
	int64_t retry_after_ms;
	int status = exchange(push, &request, &retry_after_ms, err);

	return conclude(push, status, retry_after_ms, err);
}

int push_list(struct pushgateway *push, struct error *err)
{
	return push_get(push, push->list_url.data, err) == SINK_ACCEPTED ? 0 : -1;
}

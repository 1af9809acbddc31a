/*
 * The Kafka sink: one transaction a window. In the same transaction the window's sequence is committed as the offset of
 * the progress group at partition 0 of the sink's own topic, so the sink knows by itself what it has, whatever happened
 * to the reply of a commit, and whichever cluster the source is on.
 *
 * After any failure the producer is made anew: init_transactions fences and ends what was left, and only then the
 * progress is read, which is final by that. It is taken under the job's lease, so that no process that has lost the job
 * takes it from the one that has it. docs/decisions/kafka-sink-producer.md.
 */
#include "runtime/kafka/sink.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "runtime/kafka/kafka.h"
#include "runtime/kafka/refusal.h"

static struct kafka_sink *self(struct sink *sink)
{
	return (struct kafka_sink *)sink;
}

static int kafka_sink_inspect(struct sink *base, struct stop *stop, struct sink_held *ret_held, struct error *err)
{
	struct kafka_sink *sink = self(base);
	rd_kafka_conf_t *conf = sink_producer_conf(sink, err);

	(void)stop;
	if (!conf)
		return -2; /* as in open */
	rd_kafka_conf_destroy(conf);
	return (int)progress_read(&sink->spec->client, sink->id, sink->secrets_dir, false, ret_held,
	                          err); /* the same numbers */
}

/* What is there at the start: the window to come, an earlier one, or one that does not count. */
static void judge(struct kafka_sink *sink)
{
	const struct sink_start *start = &sink->start;

	sink->ahead = 0;
	if (strcmp(sink->held.life, start->life) != 0 || sink->held.sequence < start->next_sequence ||
	    sink_holds_next(start, &sink->held))
		return;
	sink->ahead = sink->held.sequence;
	log_warn("the sink is ahead of the job: its source was set back", "topic=%s sink=%" PRIu64 " job=%" PRIu64,
	         sink->spec->client.topic, sink->held.sequence, start->next_sequence);
}

static int kafka_sink_open(struct sink *base, const struct sink_start *start, struct stop *stop, struct error *err)
{
	struct kafka_sink *sink = self(base);
	rd_kafka_conf_t *conf = sink_producer_conf(sink, err);

	if (!conf)
		return -1; /* a wrong property or a missing secret: waiting does not mend it */
	rd_kafka_conf_destroy(conf);
	sink->stop = stop;
	sink->start = *start;
	backoff_init(&sink->backoff, stop->clock, (uint64_t)(uintptr_t)sink);
	for (;;) {
		enum progress_read read =
		        progress_read(&sink->spec->client, sink->id, sink->secrets_dir, false, &sink->held, err);

		if (read == PROGRESS_READ)
			break;
		if (read == PROGRESS_FOREIGN || atomic_load(&stop->requested))
			return -1;
		if (base->report)
			base->report(base->report_context, err);
		backoff_failed(&sink->backoff, 0);
		if (!backoff_wait(&sink->backoff, stop, INT64_MAX))
			return -1;
	}
	backoff_worked(&sink->backoff);
	judge(sink);
	if (base->report)
		base->report(base->report_context, NULL);
	return 0;
}

static void forget_window(struct kafka_sink *sink)
{
	free(sink->refused);
	sink->refused = NULL;
	sink->refused_rows = sink->refused_bytes = 0;
}

static void begin_window(struct kafka_sink *sink, const struct window_result *result)
{
	if (sink->sequence == result->sequence && sink->rows == result->rows.rows)
		return;
	forget_window(sink);
	sink->sequence = result->sequence;
	sink->rows = result->rows.rows;
}

static bool has(const struct kafka_sink *sink, const struct window_result *result)
{
	return !strcmp(sink->held.life, sink->start.life) && sink->held.sequence >= result->sequence &&
	       sink->held.sequence != sink->ahead;
}

static void describe_refused(const struct kafka_sink *sink, size_t row, struct error *err)
{
	rd_kafka_resp_err_t code = sink->refused[row];

	error_set(err, "topic %s does not take the row: %s; %s", sink->spec->client.topic, rd_kafka_err2str(code),
	          refusal_cure(code));
}

static void leave_out(struct kafka_sink *sink, const struct window_result *result)
{
	for (size_t row = 0; sink->sink.leave_out && row < sink->rows; row++) {
		struct error why;

		if (!sink->refused[row])
			continue;
		describe_refused(sink, row, &why);
		sink->sink.leave_out(sink->sink.report_context, result, row, why.text);
	}
}

static void accepted(struct kafka_sink *sink, const struct window_result *result)
{
	backoff_worked(&sink->backoff);
	sink->ahead = 0;
	if (sink->refused) {
		leave_out(sink, result);
		if (sink->single)
			sink_disconnect(sink); /* the next window goes in batches again */
		sink->single = false;
	} else if (sink->single && sink->producer) {
		static bool said;

		if (!said)
			log_warn("each row is taken, but a batch of them is too large for the topic: they go one by "
			         "one, which is slow; set properties batch.size to its max.message.bytes",
			         "topic=%s", sink->spec->client.topic);
		said = true;
	}
	forget_window(sink);
}

/* With onRejected: fail no row may be left out. */
static enum step check_refused(struct kafka_sink *sink, struct error *err)
{
	size_t row = 0;

	if (!sink->refused || !sink->sink.fail_on_rejected)
		return STEP_DONE;
	while (!sink->refused[row])
		row++;
	describe_refused(sink, row, err);
	return STEP_REFUSED;
}

static enum step attempt(struct kafka_sink *sink, const struct window_result *result, struct error *err)
{
	enum step step = STEP_DONE;

	if (!sink->producer) {
		switch (lease_take(sink->sink.lease, err)) {
		case RENEWED:
			step = sink_connect(sink, err);
			break;
		case RENEWED_NOT:
			error_prefix(err, "topic %s: the job's lease cannot be renewed", sink->spec->client.topic);
			return STEP_FAILED;
		case RENEWED_FENCED:
			return STEP_FENCED;
		}
	}
	if (step == STEP_DONE && !has(sink, result))
		step = sink_transaction(sink, result, err);
	if (step == STEP_DONE || step == STEP_AGAIN) {
		enum step refused = check_refused(sink, err);

		if (refused != STEP_DONE)
			step = refused;
	}
	if (step != STEP_DONE)
		sink_disconnect(sink);
	return step;
}

/* Another producer has the sink. Where the job is this process's, it is a stale one, and the sink is taken again. */
static enum sink_outcome fenced(struct kafka_sink *sink, const struct window_result *result, struct error *err)
{
	const struct lease *lease = sink->sink.lease;

	if (lease)
		return lease->renew(lease->context, err) == RENEWED_FENCED ? SINK_FENCED : SINK_RETRY;
	if (sink->fenced_sequence != result->sequence) {
		sink->fenced_sequence = result->sequence; /* perhaps the broker ended this one: it stood still */
		return SINK_RETRY;
	}
	sink->sink.fail_on_rejected = true; /* nobody can say whose the sink is: this window must not be skipped */
	error_prefix(err, "another process of this job writes this sink");
	return SINK_REJECTED;
}

static enum sink_outcome conclude(struct kafka_sink *sink, enum step step, const struct window_result *result,
                                  struct error *err)
{
	enum sink_outcome outcome = SINK_RETRY;

	switch (step) {
	case STEP_DONE:
		accepted(sink, result);
		return SINK_ACCEPTED;
	case STEP_REFUSED:
		backoff_worked(&sink->backoff);
		return SINK_REJECTED;
	case STEP_FENCED:
		outcome = fenced(sink, result, err);
		break;
	case STEP_FAILED:
	case STEP_AGAIN:
		break;
	}
	sink->last_error = *err;
	backoff_failed(&sink->backoff, 0);
	return outcome;
}

static enum sink_outcome kafka_sink_write(struct sink *base, const struct window_result *result, struct stop *stop,
                                          struct error *err)
{
	struct kafka_sink *sink = self(base);
	enum step step;

	begin_window(sink, result);
	if (!backoff_wait(&sink->backoff, stop, INT64_MAX)) {
		*err = sink->last_error;
		return SINK_RETRY;
	}
	do
		step = attempt(sink, result, err);
	while (step == STEP_AGAIN && !stop_deadline_passed(stop));
	if (step == STEP_AGAIN)
		error_set(err, "topic %s: out of time while rows that it does not take were found",
		          sink->spec->client.topic);
	return conclude(sink, step, result, err);
}

static void kafka_sink_close(struct sink *base)
{
	struct kafka_sink *sink = self(base);

	sink_disconnect(sink);
	forget_window(sink);
	buffer_release(&sink->key);
	buffer_release(&sink->value);
	free((char *)(uintptr_t)sink->id);
	free(sink->target);
	free(sink);
}

static const struct sink_ops kafka_sink_ops = {
        .name = "kafka",
        .inspect = kafka_sink_inspect,
        .open = kafka_sink_open,
        .write = kafka_sink_write,
        .close = kafka_sink_close,
};

struct sink *kafka_sink_new(const struct kafka_sink_spec *spec, const char *sink_id, const char *secrets_dir)
{
	struct kafka_sink *sink = xcalloc(1, sizeof(*sink));
	struct buffer target;

	buffer_init(&target);
	buffer_printf(&target, "kafka %s", spec->client.topic);
	sink->target = buffer_take(&target);
	sink->id = xstrdup(sink_id);
	sink->spec = spec;
	sink->peer = client_peer(&spec->client);
	sink->secrets_dir = secrets_dir;
	sink->sink.ops = &kafka_sink_ops;
	sink->sink.target = sink->target;
	sink->sink.fail_on_rejected = spec->on_rejected == REJECTED_FAIL;
	buffer_init(&sink->key);
	buffer_init(&sink->value);
	return &sink->sink;
}

#include "runtime/kafka/claim.h"

#include <inttypes.h>
#include <stdio.h>

#include "runtime/kafka/offsets.h"
#include "runtime/kafka/start.h"

#define LOOK_INTERVAL_MS 200
#define SETTLE_MS        1000 /* from fencing another process to a first mark */
#define JITTER_MS_MAX    500  /* several that stand by do not all take over at the same moment */

void claim_look(struct claim_watch *watch, const struct place *mark, int64_t now_ms)
{
	bool other = mark && (!watch->seen || strcmp(watch->process, mark->process) != 0);
	bool state = mark && (other || watch->state != mark->state);
	bool counter = mark && (other || watch->counter != mark->counter);

	if (!watch->looked)
		watch->first_ms = now_ms;
	watch->moved = watch->moved || (watch->looked && (state || counter));
	watch->looked = true;
	if (!mark)
		return;
	if (state)
		watch->state_since_ms = now_ms;
	if (counter)
		watch->counter_since_ms = now_ms;
	watch->seen = true;
	memcpy(watch->process, mark->process, sizeof(watch->process));
	watch->state = mark->state;
	watch->counter = mark->counter;
}

static bool is_told(const struct place *mark, const struct job_identity *identity)
{
	return identity->take_over && !strcmp(mark->owner, identity->take_over);
}

static bool is_ours(const struct place *mark, const struct job_identity *identity)
{
	return !strcmp(mark->owner, identity->owner) || is_told(mark, identity);
}

/* Is the mark of a later roll-out than this process? An order to take that owner's job over counts more. */
static bool claim_is_newer(const struct place *mark, const struct job_identity *identity)
{
	return mark->rollout > identity->rollout && !is_told(mark, identity);
}

static enum claim judge_mark(const struct claim_watch *watch, const struct place *mark,
                             const struct job_identity *identity, int64_t now_ms)
{
	if (!strcmp(mark->process, identity->process))
		return CLAIM_TAKE;
	if (claim_is_newer(mark, identity))
		return CLAIM_STAND_BY;
	if (mark->state == PLACE_ENDED)
		return CLAIM_TAKE;
	if (mark->state == PLACE_DRAINING && strcmp(mark->process, identity->passed) != 0 &&
	    now_ms - watch->state_since_ms < mark->drain_ms)
		return CLAIM_AFTER_DRAIN;
	if (!identity->fenced || mark->state == PLACE_DRAINING)
		return CLAIM_TAKE;
	return now_ms - watch->counter_since_ms < LEASES_TO_EXPIRE * mark->lease_ms ? CLAIM_STAND_BY : CLAIM_TAKE;
}

enum claim claim_judge(const struct claim_watch *watch, const struct place *mark, const struct job_identity *identity,
                       const char *group, int64_t now_ms, struct error *err)
{
	enum claim claim = CLAIM_TAKE;

	if (mark && !is_ours(mark, identity)) {
		error_write(err,
		            "group %s belongs to the job %s, and this is %s; use another source.kafka.groupId, or, "
		            "where this "
		            "job is to go on in its place, --take-over %s (in a cluster the annotation "
		            "streamjob.dev/take-over)",
		            group, mark->owner, identity->owner, mark->owner);
		return CLAIM_REFUSED;
	}
	if (mark)
		claim = judge_mark(watch, mark, identity, now_ms);
	if (claim == CLAIM_TAKE && identity->fenced && !watch->moved && now_ms - watch->first_ms < SETTLE_MS)
		return CLAIM_WAIT;
	return claim;
}

/* 1: `ret_mark` is the mark; 0: there is none; -1: not to be had now; -2: not to be touched. */
static int read_mark(struct kafka_reader *reader, struct place *ret_mark, struct error *err)
{
	rd_kafka_topic_partition_list_t *list = reader_offsets(reader, false, err);
	const rd_kafka_topic_partition_t *first;
	enum place_kind kind = PLACE_NONE;
	int64_t to;

	if (!list)
		return -1;
	first = &list->elems[0];
	if (first->offset >= 0)
		kind = place_parse((struct slice){first->metadata, first->metadata_size}, ret_mark, &to, err);
	rd_kafka_topic_partition_list_destroy(list);
	if (kind == PLACE_FOREIGN) {
		error_prefix(err, "group %s, topic %s, partition 0", reader->spec->group_id,
		             reader->spec->client.topic);
		return -2;
	}
	return kind == PLACE_WHOLE;
}

static void stand_by(struct kafka_reader *reader, enum claim claim, const struct place *mark)
{
	char reason[sizeof(((struct source_owner *)NULL)->reason)];
	const struct job_identity *identity = reader->identity;

	if (claim != CLAIM_AFTER_DRAIN && claim_is_newer(mark, identity))
		snprintf(reason, sizeof(reason),
		         "stands by: the job %s run by %.100s of roll-out %" PRId64 ", and this process is of roll-out "
		         "%" PRId64 ", an earlier one. Where no later one is to come (the cluster was restored from an "
		         "older state): --take-over %.120s, in a cluster the annotation streamjob.dev/take-over",
		         mark->state == PLACE_ENDED ? "was" : "is", mark->process, mark->rollout, identity->rollout,
		         mark->owner);
	else
		snprintf(reason, sizeof(reason), "%s %.120s",
		         claim == CLAIM_AFTER_DRAIN ? "waits for the drain of" : "stands by: the job is run by",
		         mark->process);
	reader_owner(reader, mark->process, reason);
}

static void pause_before_taking(const struct kafka_reader *reader)
{
	reader_pause(reader, clock_boot_ms(reader->clock) * 7919 % JITTER_MS_MAX);
}

int reader_claim(struct kafka_reader *reader, struct error *err)
{
	struct claim_watch watch = {0};
	bool waited = false;

	for (;;) {
		struct place mark;
		int read = read_mark(reader, &mark, err);
		enum claim claim;

		if (read < 0)
			return read;
		claim_look(&watch, read ? &mark : NULL, clock_boot_ms(reader->clock));
		claim = claim_judge(&watch, read ? &mark : NULL, reader->identity, reader->spec->group_id,
		                    clock_boot_ms(reader->clock), err);
		if (claim == CLAIM_REFUSED)
			return -2;
		if (claim == CLAIM_TAKE && !waited)
			return 0;
		if (claim == CLAIM_TAKE) {
			pause_before_taking(reader);
			waited = false;
			continue;
		}
		waited = true;
		if (claim != CLAIM_WAIT)
			stand_by(reader, claim, &mark);
		reader_pause(reader, LOOK_INTERVAL_MS);
		if (atomic_load(&reader->stop->requested))
			return error_set(err, "stopped while %s had the job",
			                 claim == CLAIM_WAIT ? "another process" : mark.process);
	}
}

/* The first commit of a process: from then on the mark says that the job is its. */
#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "runtime/kafka/start.h"

/* Which life of this place somebody knows; NULL: none. */
static const struct sink_held *life_before(const struct kafka_reader *reader, const struct sink_held *known,
                                           size_t count)
{
	const struct sink_held *of_operator = &reader->identity->known;

	for (size_t i = 0; i < count; i++)
		if (life_same_place(known[i].life, reader->place.life))
			return &known[i];
	return life_same_place(of_operator->life, reader->place.life) ? of_operator : NULL;
}

static int place_at_low(struct kafka_reader *reader, struct error *err)
{
	size_t count = reader->source.partitions;
	int64_t *low = xcalloc(count, sizeof(*low)), *high = xcalloc(count, sizeof(*high));
	int result = reader_ranges(reader, low, high, err);

	for (size_t p = 0; p < count && !result; p++)
		partition_place(&reader->partitions[p], low[p]);
	free(low);
	free(high);
	return result;
}

/* No offsets, though there was a life at this place: the broker forgot them, or the topic was made anew. */
static int judge_loss(struct kafka_reader *reader, const struct sink_held *before, struct error *err)
{
	const char *group = reader->spec->group_id, *topic = reader->spec->client.topic;

	if (reader->spec->on_offset_loss == OFFSET_LOSS_FAIL)
		return error_set(
		        err,
		        "group %s has no offsets for topic %s, but the job has run before: window %" PRIu64
		        " of the life %s is known. The broker forgot the offsets (offsets.retention.minutes), or "
		        "the topic or the group was deleted. Set source.kafka.onOffsetLoss: earliest to read all "
		        "that the topic has, or another groupId to begin anew",
		        group, topic, before->sequence, before->life);
	if (place_at_low(reader, err) < 0)
		return -1;
	atomic_fetch_add(&reader->source.offset_jumps, 1);
	log_warn("the job's offsets were lost, jumping to the earliest", "group=\"%s\" topic=\"%s\" life=%s", group,
	         topic, before->life);
	return 0;
}

int reader_begin(struct source *source, const struct sink_held *known, size_t count, struct error *err)
{
	struct kafka_reader *reader = (struct kafka_reader *)source;
	const struct sink_held *before = source->first_start ? life_before(reader, known, count) : NULL;
	int result;

	if (before && judge_loss(reader, before, err) < 0)
		return -1;
	if (committer_start(reader, err) < 0)
		return -1;
	result = reader_commit(source, &source->boundary, NULL, err);
	if (result < 0)
		return result;
	if (reader->jumped) {
		atomic_fetch_add(&source->offset_jumps, 1);
		log_warn("the topic was made anew: jumping to its earliest records", "topic=\"%s\"",
		         reader->spec->client.topic);
	}
	committer_settled(reader);
	atomic_store(&reader->identity->topic_anew, false);
	reader_owner(reader, reader->identity->process, NULL);
	if (reader_start_lanes(reader, err) < 0)
		return -1;
	reader_health(reader, NULL);
	if (reader_monitor_start(reader, err) < 0)
		return -1;
	log_info("source open",
	         "topic=\"%s\" partitions=%zu lanes=%u group=\"%s\" life=%s sequence=%" PRIu64 " pending=%d",
	         reader->spec->client.topic, source->partitions, reader->lanes_count, reader->spec->group_id,
	         source->life, source->boundary.sequence, source->boundary.pending);
	return 0;
}

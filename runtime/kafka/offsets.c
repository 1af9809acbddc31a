/* What the group holds: its offsets, their metadata, and what these say together of where the job stands. */
#include "runtime/kafka/offsets.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/log.h"
#include "runtime/kafka/start.h"

static rd_kafka_topic_partition_list_t *partition_list(struct kafka_reader *reader)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)reader->source.partitions);

	for (size_t p = 0; p < reader->source.partitions; p++)
		rd_kafka_topic_partition_list_add(list, reader->spec->client.topic, (int32_t)p);
	return list;
}

/* The event's offsets, copied; NULL and the code where it has none. */
static rd_kafka_topic_partition_list_t *event_offsets(rd_kafka_event_t *event, rd_kafka_resp_err_t *ret_code)
{
	const rd_kafka_ListConsumerGroupOffsets_result_t *result =
	        event ? rd_kafka_event_ListConsumerGroupOffsets_result(event) : NULL;
	const rd_kafka_topic_partition_list_t *list = NULL;
	const rd_kafka_group_result_t **groups;
	const rd_kafka_error_t *error = NULL;
	size_t count = 0;

	*ret_code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
	if (*ret_code || !result)
		return NULL;
	groups = rd_kafka_ListConsumerGroupOffsets_result_groups(result, &count);
	if (count == 1) {
		error = rd_kafka_group_result_error(groups[0]);
		list = rd_kafka_group_result_partitions(groups[0]);
	}
	*ret_code = error ? rd_kafka_error_code(error) : list ? 0 : RD_KAFKA_RESP_ERR__BAD_MSG;
	for (int i = 0; list && i < list->cnt && !*ret_code; i++)
		*ret_code = list->elems[i].err;
	return *ret_code ? NULL : rd_kafka_topic_partition_list_copy(list);
}

static rd_kafka_event_t *wait_for_answer(const struct kafka_reader *reader, rd_kafka_queue_t *queue)
{
	rd_kafka_event_t *event = NULL;

	for (int ms = 0; !event && ms < REQUEST_TIMEOUT_MS + RETRY_PAUSE_MS; ms += LOOK_MS) {
		if (ms >= reader->round_ms && atomic_load(&reader->stop->requested))
			break;
		event = rd_kafka_queue_poll(queue, LOOK_MS);
	}
	return event;
}

static int by_partition(const void *a, const void *b, void *context)
{
	const rd_kafka_topic_partition_t *left = a, *right = b;

	(void)context;
	return (left->partition > right->partition) - (left->partition < right->partition);
}

rd_kafka_topic_partition_list_t *reader_offsets(struct kafka_reader *reader, bool stable, struct error *err)
{
	rd_kafka_topic_partition_list_t *partitions = partition_list(reader), *list;
	rd_kafka_ListConsumerGroupOffsets_t *request =
	        rd_kafka_ListConsumerGroupOffsets_new(reader->spec->group_id, partitions);
	rd_kafka_AdminOptions_t *options =
	        rd_kafka_AdminOptions_new(reader->rk, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
	rd_kafka_queue_t *queue = rd_kafka_queue_new(reader->rk);
	rd_kafka_resp_err_t code;
	rd_kafka_event_t *event;
	char why[256];

	rd_kafka_AdminOptions_set_request_timeout(options, REQUEST_TIMEOUT_MS, why, sizeof(why));
	rd_kafka_error_destroy(rd_kafka_AdminOptions_set_require_stable_offsets(options, stable));
	rd_kafka_ListConsumerGroupOffsets(reader->rk, &request, 1, options, queue);
	event = wait_for_answer(reader, queue);
	list = event_offsets(event, &code);
	if (list)
		rd_kafka_topic_partition_list_sort(list, by_partition, NULL);
	if (list && (size_t)list->cnt != reader->source.partitions) {
		rd_kafka_topic_partition_list_destroy(list);
		list = NULL;
		code = RD_KAFKA_RESP_ERR__BAD_MSG;
	}
	if (!list)
		error_set(err, "cannot read the offsets of group %s: %s%s", reader->spec->group_id,
		          rd_kafka_err2str(code), client_cure(code));
	if (event)
		rd_kafka_event_destroy(event);
	rd_kafka_queue_destroy(queue);
	rd_kafka_AdminOptions_destroy(options);
	rd_kafka_ListConsumerGroupOffsets_destroy(request);
	rd_kafka_topic_partition_list_destroy(partitions);
	return list;
}

static int look_at(struct kafka_reader *reader, const rd_kafka_topic_partition_t *item, struct found *found,
                   struct error *err)
{
	struct partition *partition = &reader->partitions[item->partition];
	struct place place = {0};
	enum place_kind kind;

	partition->to = -1;
	atomic_store(&partition->committed, item->offset < 0 ? -1 : item->offset);
	if (item->offset < 0)
		return 0;
	found->with_offset++;
	kind = place_parse((struct slice){item->metadata, item->metadata_size}, &place, &partition->to, err);
	if (kind == PLACE_FOREIGN) {
		error_prefix(err, "group %s, topic %s, partition %d", reader->spec->group_id, item->topic,
		             (int)item->partition);
		return -2;
	}
	if (kind == PLACE_NONE) {
		found->by_hand++;
		return 0;
	}
	if (kind == PLACE_WHOLE) {
		found->whole = true;
		found->mark = place;
	}
	if (place.boundary.sequence != found->newest) {
		if (place.boundary.sequence < found->newest)
			return 0;
		found->newest = place.boundary.sequence;
		found->accepted = false;
		found->newest_count = 0;
	}
	found->newest_count++;
	found->accepted = found->accepted || !place.boundary.pending;
	if (!place.boundary.pending)
		partition->to = -1;
	return 0;
}

/*
 * Only without a fence can a commit have reached some partitions and not others. A boundary that is not everywhere was
 * seen by no sink; one that is accepted somewhere was accepted by all.
 */
static void settle_boundary(struct kafka_reader *reader, const struct found *found)
{
	struct boundary *boundary = &reader->place.boundary;
	bool whole = found->newest_count == found->with_offset;

	*boundary = found->mark.boundary;
	boundary->sequence = found->newest;
	boundary->pending = !found->accepted;
	if (boundary->pending && !whole) {
		boundary->pending = false;
		boundary->sequence--;
	}
	for (size_t p = 0; p < reader->source.partitions && !boundary->pending; p++) {
		struct partition *partition = &reader->partitions[p];

		if (found->accepted && partition->to > atomic_load(&partition->committed))
			atomic_store(&partition->committed, partition->to);
		partition->to = -1;
	}
}

static void new_life(struct kafka_reader *reader)
{
	reader->place.boundary = (struct boundary){0};
	life_new(reader->spec->group_id, reader->spec->client.topic, reader->place.life);
	for (size_t p = 0; p < reader->source.partitions; p++)
		reader->partitions[p].to = -1;
}

static int check_pending(struct kafka_reader *reader, const struct place *mark, struct error *err)
{
	const struct boundary *boundary = &reader->place.boundary;
	struct job_identity *identity = reader->identity;

	if (!boundary->pending || !strcmp(mark->query, identity->query))
		return 0;
	if (identity->drop_pending && (!identity->drop_query || !strcmp(identity->drop_query, mark->query))) {
		log_warn("a window that another query began is given up; its rows go into windows of this one",
		         "sequence=%" PRIu64, boundary->sequence);
		reader->place.boundary.pending = false;
		for (size_t p = 0; p < reader->source.partitions; p++)
			reader->partitions[p].to = -1;
		return 0;
	}
	snprintf(identity->pending_query, sizeof(identity->pending_query), "%s", mark->query);
	identity->pending_sequence = boundary->sequence;
	snprintf(identity->passed, sizeof(identity->passed), "%s", mark->process);
	error_set(err,
	          "window %" PRIu64 " was begun, and perhaps written to a sink, by another query of this job (%s; this "
	          "one is %s)",
	          boundary->sequence, mark->query, identity->query);
	return -2;
}

void reader_made_anew(const struct kafka_reader *reader, const char *why, struct error *err)
{
	error_write(err,
	            "topic %s was made anew, so the offsets of group %s are of another log: %s; set "
	            "source.kafka.onOffsetLoss: earliest to read all that the new topic has, or another groupId to "
	            "begin anew",
	            reader->spec->client.topic, reader->spec->group_id, why);
}

/* 1: what the group holds is of another log, and the policy says to read all of this one; 0: of this one. */
static int judge_topic(struct kafka_reader *reader, struct found *found, struct error *err)
{
	const char *before = found->whole ? found->mark.topic_id : "";
	bool other = (found->whole && found->mark.anew) ||
	             (before[0] && reader->topic_id[0] && strcmp(before, reader->topic_id) != 0);
	struct error why = {.text = "a run before this one has found that"};

	if (!other && !atomic_load(&reader->identity->topic_anew))
		return 0;
	if (before[0] && reader->topic_id[0])
		error_write(&why, "its id was %s and is %s", before, reader->topic_id);
	if (other && reader->spec->on_offset_loss == OFFSET_LOSS_FAIL) {
		reader_made_anew(reader, why.text, err);
		return -2;
	}
	log_warn("the offsets are of another log", "topic=\"%s\" group=\"%s\" why=\"%s\"", reader->spec->client.topic,
	         reader->spec->group_id, why.text);
	for (size_t p = 0; p < reader->source.partitions; p++)
		atomic_store(&reader->partitions[p].committed, -1);
	return 1;
}

/* The mark is what the job stands on: without it, offsets are where it goes on, and not what it had done. */
static int take_place(struct kafka_reader *reader, struct found *found, struct error *err)
{
	int anew = judge_topic(reader, found, err);

	reader->place = (struct place){0};
	if (anew) {
		found->jumped = anew > 0;
		new_life(reader);
		return anew < 0 ? anew : 0;
	}
	if (found->by_hand) {
		log_warn("offsets were set by hand: the job begins there, with a new life",
		         "group=\"%s\" topic=\"%s\" partitions=%zu given_up=%" PRIu64, reader->spec->group_id,
		         reader->spec->client.topic, found->by_hand,
		         found->newest && !found->accepted ? found->newest : 0);
		new_life(reader);
		return 0;
	}
	if (!found->whole && found->with_offset) {
		if (reader->spec->on_offset_loss == OFFSET_LOSS_FAIL) {
			error_set(err,
			          "the offset of partition 0 of topic %s is gone from group %s, and the job's mark "
			          "with it; set "
			          "source.kafka.onOffsetLoss: earliest to go on from the offsets that are left, or "
			          "another "
			          "groupId to begin anew",
			          reader->spec->client.topic, reader->spec->group_id);
			return -2;
		}
		atomic_fetch_add(&reader->source.offset_jumps, 1);
		new_life(reader);
		return 0;
	}
	if (!found->with_offset) {
		new_life(reader);
		return 0;
	}
	settle_boundary(reader, found);
	memcpy(reader->place.life, found->mark.life, sizeof(reader->place.life));
	return check_pending(reader, &found->mark, err);
}

int reader_find_place(struct kafka_reader *reader, struct found *found, struct error *err)
{
	rd_kafka_topic_partition_list_t *list = reader_offsets(reader, true, err);
	int result = 0;

	if (!list)
		return -1;
	for (int i = 0; i < list->cnt && !result; i++)
		result = look_at(reader, &list->elems[i], found, err);
	rd_kafka_topic_partition_list_destroy(list);
	return result ? result : take_place(reader, found, err);
}

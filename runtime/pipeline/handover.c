#include "runtime/pipeline/handover.h"

#include <limits.h>
#include <stdlib.h>

static void partial_clear(struct partial *partial, size_t partitions)
{
	keyed_table_clear(partial->table);
	partial->rows = 0;
	partial->replay = false;
	for (size_t p = 0; p < partitions; p++)
		partial->next_offset[p] = -1;
}

void handover_init(struct handover *handover, unsigned lanes_count, size_t partitions,
                   const struct aggregation *aggregations, size_t aggregations_count, const struct limits_spec *limits)
{
	memset(handover, 0, sizeof(*handover));
	pthread_mutex_init(&handover->mutex, NULL);
	pthread_cond_init(&handover->changed, NULL);
	handover->lanes_count = lanes_count;
	handover->partitions = partitions;
	for (unsigned l = 0; l < lanes_count; l++) {
		struct handover_lane *lane = &handover->lanes[l];

		lane->ready_tail = &lane->ready;
		lane->open_start_ms = INT64_MIN;
		for (size_t i = 0; i < PARTIALS_PER_LANE; i++) {
			struct partial *partial = &lane->partials[i];

			partial->lane = l;
			partial->budget.max_bytes = (size_t)limits->state_bytes;
			partial->table = keyed_table_new(aggregations, aggregations_count, &partial->budget,
			                                 (size_t)limits->groups, l * PARTIALS_PER_LANE + (unsigned)i);
			if (limits->on_limit == LIMIT_DROP_NEW_GROUPS)
				keyed_table_keep_smallest(partial->table);
			partial->next_offset = xmalloc((partitions ? partitions : 1) * sizeof(int64_t));
			partial_clear(partial, partitions);
			partial->next = lane->free;
			lane->free = partial;
		}
	}
}

void handover_release(struct handover *handover)
{
	for (unsigned l = 0; l < handover->lanes_count; l++) {
		for (size_t i = 0; i < PARTIALS_PER_LANE; i++) {
			keyed_table_free(handover->lanes[l].partials[i].table);
			free(handover->lanes[l].partials[i].next_offset);
		}
	}
	pthread_mutex_destroy(&handover->mutex);
	pthread_cond_destroy(&handover->changed);
}

struct partial *handover_open(struct handover *handover, unsigned lane_number, struct window window)
{
	struct handover_lane *lane = &handover->lanes[lane_number];
	struct partial *partial = NULL;

	pthread_mutex_lock(&handover->mutex);
	while (!lane->free && !handover->failed && !handover->interrupted)
		pthread_cond_wait(&handover->changed, &handover->mutex);
	if (!handover->failed && !handover->interrupted) {
		partial = lane->free;
		lane->free = partial->next;
		partial->next = NULL;
		partial->window = window;
		lane->open_start_ms = window.start_ms;
	}
	pthread_mutex_unlock(&handover->mutex);
	return partial;
}

void handover_put(struct handover *handover, unsigned lane_number, struct partial *partial)
{
	struct handover_lane *lane = &handover->lanes[lane_number];

	pthread_mutex_lock(&handover->mutex);
	*lane->ready_tail = partial;
	lane->ready_tail = &partial->next;
	lane->open_start_ms = partial->window.end_ms;
	pthread_cond_broadcast(&handover->changed);
	pthread_mutex_unlock(&handover->mutex);
}

void handover_finish(struct handover *handover, unsigned lane_number, struct partial *partial)
{
	struct handover_lane *lane = &handover->lanes[lane_number];

	pthread_mutex_lock(&handover->mutex);
	if (partial && partial->replay)
		handover->replay_abandoned = true;
	lane->finished = true;
	pthread_cond_broadcast(&handover->changed);
	pthread_mutex_unlock(&handover->mutex);
}

void handover_fail(struct handover *handover, const struct error *err)
{
	pthread_mutex_lock(&handover->mutex);
	if (!handover->failed) {
		handover->failed = true;
		handover->error = *err;
	}
	pthread_cond_broadcast(&handover->changed);
	pthread_mutex_unlock(&handover->mutex);
}

void handover_end_with(struct handover *handover, const struct error *err)
{
	pthread_mutex_lock(&handover->mutex);
	handover->end = *err;
	pthread_mutex_unlock(&handover->mutex);
}

void handover_interrupt(struct handover *handover)
{
	pthread_mutex_lock(&handover->mutex);
	handover->interrupted = true;
	pthread_cond_broadcast(&handover->changed);
	pthread_mutex_unlock(&handover->mutex);
}

bool handover_over(struct handover *handover)
{
	bool over;

	pthread_mutex_lock(&handover->mutex);
	over = handover->failed || handover->interrupted;
	pthread_mutex_unlock(&handover->mutex);
	return over;
}

bool handover_interrupted(struct handover *handover)
{
	bool interrupted;

	pthread_mutex_lock(&handover->mutex);
	interrupted = handover->interrupted && !handover->failed;
	pthread_mutex_unlock(&handover->mutex);
	return interrupted;
}

/* The oldest window that some lane has put. */
static bool oldest_ready(const struct handover *handover, int64_t *ret_start_ms)
{
	int64_t start_ms = INT64_MAX;
	bool found = false;

	for (unsigned l = 0; l < handover->lanes_count; l++) {
		const struct partial *ready = handover->lanes[l].ready;

		if (ready && ready->window.start_ms <= start_ms) {
			start_ms = ready->window.start_ms;
			found = true;
		}
	}
	if (found)
		*ret_start_ms = start_ms;
	return found;
}

static bool all_passed(const struct handover *handover, int64_t start_ms)
{
	for (unsigned l = 0; l < handover->lanes_count; l++) {
		const struct handover_lane *lane = &handover->lanes[l];

		if (!lane->finished && !lane->ready && lane->open_start_ms <= start_ms)
			return false;
	}
	return true;
}

static bool all_finished(const struct handover *handover)
{
	for (unsigned l = 0; l < handover->lanes_count; l++)
		if (!handover->lanes[l].finished || handover->lanes[l].ready)
			return false;
	return true;
}

static int take_ready(struct handover *handover, int64_t start_ms, struct partial **ret_partials)
{
	int count = 0;

	for (unsigned l = 0; l < handover->lanes_count; l++) {
		struct handover_lane *lane = &handover->lanes[l];
		struct partial *partial = lane->ready;

		if (!partial || partial->window.start_ms != start_ms)
			continue;
		lane->ready = partial->next;
		if (!lane->ready)
			lane->ready_tail = &lane->ready;
		partial->next = NULL;
		ret_partials[count++] = partial;
	}
	return count;
}

int handover_collect(struct handover *handover, struct partial **ret_partials, struct error *err)
{
	int64_t start_ms = 0;
	int count = 0;

	pthread_mutex_lock(&handover->mutex);
	for (;;) {
		if (handover->failed) {
			*err = handover->error;
			count = -1;
			break;
		}
		if (handover->interrupted) {
			count = HANDOVER_INTERRUPTED;
			break;
		}
		if (oldest_ready(handover, &start_ms) && all_passed(handover, start_ms)) {
			count = take_ready(handover, start_ms, ret_partials);
			if (ret_partials[0]->replay && handover->replay_abandoned)
				count = 0;
			break;
		}
		if (all_finished(handover)) {
			count = handover->end.text[0] ? -1 : 0;
			*err = handover->end;
			break;
		}
		pthread_cond_wait(&handover->changed, &handover->mutex);
	}
	pthread_mutex_unlock(&handover->mutex);
	return count;
}

void handover_return(struct handover *handover, struct partial **partials, size_t count)
{
	for (size_t i = 0; i < count; i++)
		partial_clear(partials[i], handover->partitions);
	pthread_mutex_lock(&handover->mutex);
	for (size_t i = 0; i < count; i++) {
		for (unsigned l = 0; l < handover->lanes_count; l++) {
			struct handover_lane *lane = &handover->lanes[l];

			if (partials[i] >= lane->partials && partials[i] < lane->partials + PARTIALS_PER_LANE) {
				partials[i]->next = lane->free;
				lane->free = partials[i];
			}
		}
	}
	pthread_cond_broadcast(&handover->changed);
	pthread_mutex_unlock(&handover->mutex);
}

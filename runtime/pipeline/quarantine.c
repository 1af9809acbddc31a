#include "runtime/pipeline/quarantine.h"

#include <stdlib.h>

#include <stdatomic.h>

#include "lib/base/memory.h"

void quarantine_init(struct quarantine *quarantine)
{
	*quarantine = (struct quarantine){.rows = NULL};
	pthread_mutex_init(&quarantine->mutex, NULL);
}

void quarantine_release(struct quarantine *quarantine)
{
	free(quarantine->rows);
	pthread_mutex_destroy(&quarantine->mutex);
}

bool quarantine_add(struct quarantine *quarantine, const struct poison *poison)
{
	bool room;

	pthread_mutex_lock(&quarantine->mutex);
	if (!quarantine->rows)
		quarantine->rows = xcalloc(QUARANTINE_ROWS_MAX, sizeof(*poison));
	room = quarantine->count < QUARANTINE_ROWS_MAX;
	if (room)
		quarantine->rows[quarantine->count++] = *poison;
	pthread_mutex_unlock(&quarantine->mutex);
	return room;
}

bool quarantine_find(struct quarantine *quarantine, const struct record *record, struct poison *ret_poison)
{
	bool found = false;

	if (!atomic_load_explicit(&quarantine->count, memory_order_relaxed))
		return false;
	pthread_mutex_lock(&quarantine->mutex);
	for (size_t i = 0; i < quarantine->count && !found; i++) {
		const struct poison *row = &quarantine->rows[i];

		found = row->offset == record->offset && row->partition == record->partition &&
		        row->element == record->element;
		if (found)
			*ret_poison = *row;
	}
	pthread_mutex_unlock(&quarantine->mutex);
	return found;
}

void quarantine_forget(struct quarantine *quarantine, const int64_t *to, size_t partitions)
{
	size_t kept = 0;

	if (!atomic_load_explicit(&quarantine->count, memory_order_relaxed))
		return;
	pthread_mutex_lock(&quarantine->mutex);
	for (size_t i = 0; i < quarantine->count; i++) {
		const struct poison *row = &quarantine->rows[i];

		if (row->partition >= partitions || row->offset >= to[row->partition])
			quarantine->rows[kept++] = *row;
	}
	quarantine->count = kept;
	pthread_mutex_unlock(&quarantine->mutex);
}

#include "tests/unit/runtime/pipeline/row_source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "lib/base/memory.h"

static int rows_open(struct source *source, unsigned *lanes, struct stop *stop, struct error *err)
{
	struct row_source *self = (struct row_source *)source;

	(void)stop;
	(void)err;
	*lanes = *lanes > source->partitions ? (unsigned)source->partitions : *lanes;
	self->lanes = *lanes;
	self->replaying = source->boundary.pending;
	assert_true(source->rewinds);
	return 0;
}

static enum take take_locked(struct row_source *self, unsigned lane, struct record_batch *batch)
{
	const struct source *source = &self->source;
	bool reached = true;

	batch->count = 0;
	for (size_t p = lane; p < source->partitions && !batch->count; p += self->lanes) {
		int64_t end = self->replaying ? self->to[p] : self->rows;
		char *text = self->texts[p];

		reached = reached && self->position[p] >= end;
		while (batch->count < self->batch && self->position[p] < end) {
			int64_t i = self->position[p]++;
			int size =
			        snprintf(text, 64, "{\"k\":\"k%d\",\"v\":%d,\"t\":%d}", (int)(i % 3), (int)i, (int)i);

			batch->records[batch->count++] = (struct record){.value = {text, (size_t)size},
			                                                 .offset = i,
			                                                 .timestamp_ms = -1,
			                                                 .partition = (uint32_t)p};
			text += 64;
		}
	}
	if (batch->count)
		return TAKE_RECORDS;
	if (!self->replaying)
		return TAKE_END;
	if (self->said[lane])
		return TAKE_NOTHING;
	self->said[lane] = true;
	return reached ? TAKE_BOUNDARY : TAKE_NOTHING;
}

static enum take rows_take(struct source *source, unsigned lane, struct record_batch *batch, int timeout_ms,
                           struct error *err)
{
	struct row_source *self = (struct row_source *)source;
	enum take take;

	(void)timeout_ms;
	(void)err;
	pthread_mutex_lock(&self->mutex);
	take = take_locked(self, lane, batch);
	pthread_mutex_unlock(&self->mutex);
	if (take == TAKE_NOTHING)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	return take;
}

static int go_back(struct row_source *self, bool replaying)
{
	pthread_mutex_lock(&self->mutex);
	self->replaying = replaying;
	for (size_t p = 0; p < self->source.partitions; p++) {
		self->position[p] = self->committed[p];
		self->said[p] = false;
	}
	pthread_mutex_unlock(&self->mutex);
	return 0;
}

static int rows_resume(struct source *source, struct error *err)
{
	(void)err;
	return go_back((struct row_source *)source, false);
}

static int rows_rewind(struct source *source, struct error *err)
{
	struct row_source *self = (struct row_source *)source;

	(void)err;
	self->rewinds++;
	return go_back(self, source->boundary.pending);
}

static int rows_commit(struct source *source, const struct boundary *boundary, const int64_t *to, struct error *err)
{
	struct row_source *self = (struct row_source *)source;

	(void)err;
	pthread_mutex_lock(&self->mutex);
	for (size_t p = 0; p < source->partitions; p++) {
		if (boundary->pending)
			self->to[p] = to[p];
		else if (to[p] >= 0)
			self->committed[p] = to[p];
	}
	pthread_mutex_unlock(&self->mutex);
	return 0;
}

static size_t rows_status(struct source *source, struct partition_status *ret_status, size_t max)
{
	(void)source;
	(void)ret_status;
	(void)max;
	return 0;
}

static int rows_healthy(struct source *source, struct error *err)
{
	(void)source;
	(void)err;
	return 0;
}

static void rows_close(struct source *source)
{
	atomic_fetch_add(&((struct row_source *)source)->witness->closed, 1);
}

static const struct source_ops rows_ops = {
        .name = "rows",
        .open = rows_open,
        .take = rows_take,
        .resume = rows_resume,
        .rewind = rows_rewind,
        .commit = rows_commit,
        .status = rows_status,
        .healthy = rows_healthy,
        .close = rows_close,
};

void row_source_init(struct row_source *source, size_t partitions, int64_t rows, struct witness *witness)
{
	*source = (struct row_source){
	        .source = {.ops = &rows_ops, .partitions = partitions, .resumable = true, .bounded = true},
	        .witness = witness,
	        .rows = rows,
	        .batch = 100,
	};
	pthread_mutex_init(&source->mutex, NULL);
	for (size_t p = 0; p < partitions; p++) {
		source->texts[p] = xmalloc(BATCH_ROWS_MAX * 64);
		source->to[p] = -1;
	}
}

void row_source_release(struct row_source *source)
{
	for (size_t p = 0; p < source->source.partitions; p++)
		free(source->texts[p]);
	pthread_mutex_destroy(&source->mutex);
}

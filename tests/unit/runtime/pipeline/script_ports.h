/* The source, the sink and the dead letter of function_script.h. */
#ifndef STREAMJOB_SCRIPT_PORTS_H
#define STREAMJOB_SCRIPT_PORTS_H

#include "tests/unit/runtime/pipeline/function_script.h"

static int64_t script_clock(void *context)
{
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The wall stands in the middle of a window, so that a test is not cut by its end. */
static int64_t script_wall(void *context)
{
	(void)context;
	return 43200000;
}

static const struct clock script_clocks = {script_wall, script_clock, NULL};

static int source_open(struct source *source, unsigned *lanes, struct stop *stop, struct error *err)
{
	struct scripted_source *self = (struct scripted_source *)source;

	(void)stop;
	(void)err;
	*lanes = *lanes > source->partitions ? (unsigned)source->partitions : *lanes;
	self->lanes = *lanes;
	self->replaying = source->boundary.pending;
	assert_true(source->rewinds);
	return 0;
}

/* The fire thread resumes and commits while lanes take. */
static pthread_mutex_t source_mutex = PTHREAD_MUTEX_INITIALIZER;

static enum take take_locked(struct scripted_source *self, unsigned lane, struct record_batch *batch)
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

static enum take source_take(struct source *source, unsigned lane, struct record_batch *batch, int timeout_ms,
                             struct error *err)
{
	enum take take;

	(void)timeout_ms;
	(void)err;
	pthread_mutex_lock(&source_mutex);
	take = take_locked((struct scripted_source *)source, lane, batch);
	pthread_mutex_unlock(&source_mutex);
	if (take == TAKE_NOTHING)
		nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	return take;
}

static int source_back(struct scripted_source *self, bool replaying)
{
	pthread_mutex_lock(&source_mutex);
	self->replaying = replaying;
	for (size_t p = 0; p < self->source.partitions; p++) {
		self->position[p] = self->committed[p];
		self->said[p] = false;
	}
	pthread_mutex_unlock(&source_mutex);
	return 0;
}

static int source_resume(struct source *source, struct error *err)
{
	struct scripted_source *self = (struct scripted_source *)source;

	(void)err;
	return source_back(self, false);
}

static int source_rewind(struct source *source, struct error *err)
{
	struct scripted_source *self = (struct scripted_source *)source;

	(void)err;
	self->rewinds++;
	return source_back(self, source->boundary.pending);
}

static int source_commit(struct source *source, const struct boundary *boundary, const int64_t *to, struct error *err)
{
	struct scripted_source *self = (struct scripted_source *)source;

	(void)err;
	pthread_mutex_lock(&source_mutex);
	self->commits++;
	for (size_t p = 0; p < source->partitions; p++) {
		if (boundary->pending)
			self->to[p] = to[p];
		else if (to[p] >= 0)
			self->committed[p] = to[p];
	}
	pthread_mutex_unlock(&source_mutex);
	return 0;
}

static size_t source_status(struct source *source, struct partition_status *ret_status, size_t max)
{
	(void)source;
	(void)ret_status;
	(void)max;
	return 0;
}

static int source_healthy(struct source *source, struct error *err)
{
	(void)source;
	(void)err;
	return 0;
}

/* Closing frees nothing: the test looks first. */
static void source_close(struct source *source)
{
	(void)source;
}

static const struct source_ops scripted_source_ops = {.name = "scripted",
                                                      .open = source_open,
                                                      .take = source_take,
                                                      .resume = source_resume,
                                                      .rewind = source_rewind,
                                                      .commit = source_commit,
                                                      .status = source_status,
                                                      .healthy = source_healthy,
                                                      .close = source_close};

static int sink_open(struct sink *sink, uint64_t next_sequence, bool resumable, struct stop *stop, struct error *err)
{
	(void)sink;
	(void)next_sequence;
	(void)resumable;
	(void)stop;
	(void)err;
	return 0;
}

static enum sink_outcome sink_write(struct sink *sink, const struct window_result *result, struct stop *stop,
                                    struct error *err)
{
	struct scripted_sink *self = (struct scripted_sink *)sink;

	(void)stop;
	(void)err;
	if (self->windows < SCRIPT_WINDOWS_MAX)
		self->sequences[self->windows++] = result->sequence;
	for (size_t r = 0; r < result->rows.rows; r++) {
		struct buffer row;
		const char *own;

		buffer_init(&row);
		result_row_json(result, r, &row);
		own = strstr(row.data, "\"window_end\":");
		own = own ? strchr(own, ',') : NULL;
		buffer_append_text(&self->rows, own ? own + 1 : row.data);
		buffer_append_char(&self->rows, '\n');
		buffer_release(&row);
	}
	return SINK_ACCEPTED;
}

static void sink_close(struct sink *sink)
{
	(void)sink;
}

static const struct sink_ops scripted_sink_ops = {
        .name = "scripted", .open = sink_open, .write = sink_write, .close = sink_close};

static int letters_open(struct dead_letter *letters, struct stop *stop, struct error *err)
{
	(void)letters;
	(void)stop;
	(void)err;
	return 0;
}

static int letters_write(struct dead_letter *letters, const struct record *record, const char *topic,
                         const char *reason, struct error *err)
{
	struct scripted_letters *self = (struct scripted_letters *)letters;

	(void)topic;
	(void)err;
	pthread_mutex_lock(&self->mutex);
	if (self->count < 64)
		self->offsets[self->count] = record->offset;
	self->count++;
	snprintf(self->reason, sizeof(self->reason), "%s", reason);
	pthread_mutex_unlock(&self->mutex);
	return 0;
}

static int letters_window(struct dead_letter *letters, const struct window_result *result, const char *sink,
                          const char *reason, struct error *err)
{
	(void)letters;
	(void)result;
	(void)sink;
	(void)reason;
	(void)err;
	return 0;
}

static int letters_flush(struct dead_letter *letters, struct stop *stop, struct error *err)
{
	return letters_open(letters, stop, err);
}

static void letters_close(struct dead_letter *letters)
{
	(void)letters;
}

static const struct dead_letter_ops scripted_letters_ops = {.name = "scripted",
                                                            .open = letters_open,
                                                            .write = letters_write,
                                                            .write_window = letters_window,
                                                            .flush = letters_flush,
                                                            .close = letters_close};

#endif

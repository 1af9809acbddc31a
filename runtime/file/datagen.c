/* The generator as a source: paced by the monotonic clock, a batch at a time. */
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/process/pause.h"
#include "runtime/file/file.h"
#include "runtime/file/generate.h"

#define PACE_MS   10 /* at a rate, rows come in steps of this length */
#define MARKS_MAX 1024

/* Where the random numbers stood at a row: a rewind makes the rows anew from the mark before. */
struct mark {
	int64_t row;
	struct random random;
};

struct datagen {
	struct source source;
	const struct datagen_source *spec;
	const struct clock *clock;
	struct generator_tree *tree;
	struct random random;
	struct buffer text; /* of the records that were taken last */
	int64_t row, began_ms;
	_Atomic int64_t committed;    /* the first row that is not; set by the fire thread */
	struct mark marks[MARKS_MAX]; /* ascending; where there are too many every second one goes */
	size_t marks_count;
	int64_t marks_apart;
};

static struct datagen *self(struct source *source)
{
	return (struct datagen *)source;
}

static int datagen_open(struct source *source, unsigned *lanes, struct stop *stop, struct error *err)
{
	struct datagen *datagen = self(source);

	(void)stop;
	(void)err;
	source->partitions = 1;
	*lanes = 1;
	datagen->began_ms = clock_monotonic_ms(datagen->clock);
	return 0;
}

/* How many rows are due by now, less those that were given. */
static int64_t rows_due(const struct datagen *datagen)
{
	const struct datagen_source *spec = datagen->spec;
	int64_t due = BATCH_ROWS_MAX;

	if (spec->rows_per_second > 0) {
		int64_t passed_ms = clock_monotonic_ms(datagen->clock) - datagen->began_ms;

		due = (int64_t)((double)passed_ms * spec->rows_per_second / 1000) - datagen->row;
	}
	if (spec->rows && due > spec->rows - datagen->row)
		due = spec->rows - datagen->row;
	return due > BATCH_ROWS_MAX ? BATCH_ROWS_MAX : due;
}

/* Marks stay from the last one at or before `row` on. */
static void forget_marks(struct datagen *datagen, int64_t row)
{
	size_t first = 0;

	while (first + 1 < datagen->marks_count && datagen->marks[first + 1].row <= row)
		first++;
	memmove(datagen->marks, datagen->marks + first, (datagen->marks_count - first) * sizeof(struct mark));
	datagen->marks_count -= first;
	if (datagen->marks_count < MARKS_MAX / 4)
		datagen->marks_apart = 0;
}

static void make_mark(struct datagen *datagen)
{
	size_t kept = 0;

	if (datagen->marks_count && datagen->row - datagen->marks[datagen->marks_count - 1].row < datagen->marks_apart)
		return;
	if (datagen->marks_count == MARKS_MAX)
		forget_marks(datagen, atomic_load(&datagen->committed));
	if (datagen->marks_count == MARKS_MAX) {
		for (size_t i = 0; i < MARKS_MAX; i += 2)
			datagen->marks[kept++] = datagen->marks[i];
		datagen->marks_count = kept;
		datagen->marks_apart = datagen->marks_apart ? datagen->marks_apart * 2 : BATCH_ROWS_MAX;
	}
	datagen->marks[datagen->marks_count++] = (struct mark){datagen->row, datagen->random};
}

/* Renders all records into one buffer, then cuts it: the buffer may move while it grows. */
static void generate(struct datagen *datagen, struct record_batch *batch, int64_t count)
{
	size_t ends[BATCH_ROWS_MAX], begin = 0;
	int64_t now_ms = clock_wall_ms(datagen->clock);

	buffer_clear(&datagen->text);
	for (int64_t i = 0; i < count; i++) {
		generator_tree_render(datagen->tree, &datagen->random, datagen->row + i, now_ms, &datagen->text);
		ends[i] = datagen->text.size;
	}
	for (int64_t i = 0; i < count; i++) {
		batch->records[i] = (struct record){.value = {datagen->text.data + begin, ends[i] - begin},
		                                    .offset = datagen->row + i,
		                                    .timestamp_ms = now_ms};
		begin = ends[i];
	}
	batch->count = (size_t)count;
	datagen->row += count;
}

static enum take datagen_take(struct source *source, unsigned lane, struct record_batch *batch, int timeout_ms,
                              struct error *err)
{
	struct datagen *datagen = self(source);
	int64_t due;

	(void)lane;
	(void)err;
	batch->count = 0;
	if (datagen->spec->rows && datagen->row >= datagen->spec->rows)
		return TAKE_END;
	for (int64_t waited_ms = 0; (due = rows_due(datagen)) < 1; waited_ms += PACE_MS) {
		if (waited_ms >= timeout_ms)
			return TAKE_NOTHING;
		pause_ms(timeout_ms - waited_ms < PACE_MS ? timeout_ms - waited_ms : PACE_MS);
	}
	if (source->rewinds)
		make_mark(datagen);
	generate(datagen, batch, due);
	return TAKE_RECORDS;
}

static int datagen_resume(struct source *source, struct error *err)
{
	(void)source;
	return error_set(err, "generated rows have no pending window to resume from");
}

/* Columns of `now` are the exception: they are of the time when the row is made. */
static int datagen_rewind(struct source *source, struct error *err)
{
	struct datagen *datagen = self(source);
	int64_t committed = atomic_load(&datagen->committed);

	(void)err;
	if (!datagen->marks_count)
		return 0; /* nothing was taken */
	forget_marks(datagen, committed);
	datagen->random = datagen->marks[0].random;
	for (int64_t row = datagen->marks[0].row; row < committed; row++) {
		buffer_clear(&datagen->text);
		generator_tree_render(datagen->tree, &datagen->random, row, 0, &datagen->text);
	}
	datagen->row = committed;
	datagen->marks_count = 1;
	datagen->marks[0] = (struct mark){datagen->row, datagen->random};
	return 0;
}

static int datagen_commit(struct source *source, const struct boundary *boundary, const int64_t *to, struct error *err)
{
	struct datagen *datagen = self(source);

	(void)err;
	if (!boundary->pending && to[0] >= 0)
		atomic_store(&datagen->committed, to[0]);
	return 0;
}

static size_t datagen_status(struct source *source, struct partition_status *ret_status, size_t max)
{
	(void)source;
	(void)ret_status;
	(void)max;
	return 0;
}

static int datagen_healthy(struct source *source, struct error *err)
{
	(void)source;
	(void)err;
	return 0;
}

static void datagen_close(struct source *source)
{
	struct datagen *datagen = self(source);

	generator_tree_free(datagen->tree);
	buffer_release(&datagen->text);
	free(datagen);
}

static const struct source_ops datagen_ops = {
        .name = "datagen",
        .open = datagen_open,
        .take = datagen_take,
        .resume = datagen_resume,
        .rewind = datagen_rewind,
        .commit = datagen_commit,
        .status = datagen_status,
        .healthy = datagen_healthy,
        .close = datagen_close,
};

struct source *datagen_source_new(const struct jobspec *job, const struct clock *clock)
{
	struct datagen *datagen = xcalloc(1, sizeof(*datagen));

	datagen->source.ops = &datagen_ops;
	datagen->source.bounded = job->source.datagen.rows > 0;
	datagen->spec = &job->source.datagen;
	datagen->clock = clock;
	datagen->tree = generator_tree_new(job);
	random_seed(&datagen->random, (uint64_t)datagen->spec->seed);
	buffer_init(&datagen->text);
	return &datagen->source;
}

/* Records of a file or a pipe, taken in large reads; they are slices of the read buffer until the next take. */
#include <pthread.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "runtime/record/cut.h"
#include "runtime/file/file.h"
#include "runtime/file/input.h"

#define READ_BYTES (1024 * 1024)

/* Where batches begin that are not committed yet, oldest first: to go back to. Lane and fire thread. */
struct places {
	pthread_mutex_t mutex;
	struct cut_place *items;
	size_t count, capacity;
};

struct file_source {
	struct source source;
	struct input input;
	struct cutter cutter; /* its place is that of buffer[begin] */
	bool ended;           /* nothing more to read */
	char *buffer;         /* bytes [begin, end) are not taken yet */
	size_t capacity, begin, end;
	struct places places;
	int64_t committed; /* one past the byte where the last committed record begins; 0: none */
	int64_t skip_to;   /* records that begin before it were accepted already */
};

static struct file_source *self(struct source *source)
{
	return (struct file_source *)source;
}

static int file_open(struct source *source, unsigned *lanes, struct stop *stop, struct error *err)
{
	(void)stop;
	source->partitions = 1;
	*lanes = 1;
	return input_open(&self(source)->input, source->rewinds, err);
}

/* Moves what is left to the front and makes room for more: the cutter leaves less than a record and its end. */
static void make_room(struct file_source *file)
{
	memmove(file->buffer, file->buffer + file->begin, file->end - file->begin);
	file->end -= file->begin;
	file->begin = 0;
	if (file->end < file->capacity)
		return;
	file->capacity *= 2;
	file->buffer = xrealloc(file->buffer, file->capacity);
}

static enum take read_more(struct file_source *file, int timeout_ms, struct error *err)
{
	ssize_t size;

	make_room(file);
	size = input_read(&file->input, file->buffer + file->end, file->capacity - file->end, timeout_ms, err);
	if (size == INPUT_NOTHING)
		return TAKE_NOTHING;
	if (size < 0)
		return TAKE_FAILED;
	file->ended = size == 0;
	file->end += (size_t)size;
	return TAKE_RECORDS;
}

/*
 * A byte order mark at the start: UTF-8's is passed over; another says that this is no UTF-8. 0: more must be read to
 * tell.
 */
static int pass_byte_order_mark(struct file_source *file, struct error *err)
{
	static const struct {
		const char *name;
		struct slice bytes;
	} marks[] = {{"UTF-8", SLICE_LITERAL("\xef\xbb\xbf")},
	             {"UTF-32", SLICE_LITERAL("\xff\xfe\0\0")},
	             {"UTF-32", SLICE_LITERAL("\0\0\xfe\xff")},
	             {"UTF-16", SLICE_LITERAL("\xff\xfe")},
	             {"UTF-16", SLICE_LITERAL("\xfe\xff")}};
	size_t size = file->end - file->begin;

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]) && file->cutter.place.offset == 0; i++) {
		struct slice mark = marks[i].bytes;
		const char *bytes = file->buffer + file->begin;

		if (!file->ended && size < mark.size && !memcmp(bytes, mark.data, size))
			return 0;
		if (size < mark.size || memcmp(bytes, mark.data, mark.size) != 0)
			continue;
		if (i)
			return error_set(err,
			                 "%s begins with the byte order mark of %s, but JSON is read as UTF-8; convert "
			                 "it: iconv -f %s -t UTF-8",
			                 file->input.path, marks[i].name, marks[i].name);
		file->begin += mark.size;
		file->cutter.place.offset += (int64_t)mark.size;
	}
	return 1;
}

static void add_place(struct places *places, const struct cut_place *place)
{
	pthread_mutex_lock(&places->mutex);
	if (places->count == places->capacity) {
		places->capacity = places->capacity ? 2 * places->capacity : 64;
		places->items = xrealloc(places->items, places->capacity * sizeof(*place));
	}
	places->items[places->count++] = *place;
	pthread_mutex_unlock(&places->mutex);
}

/* Records that were accepted already come again only because their batch does. */
static void drop_accepted(struct file_source *file, struct record_batch *batch)
{
	size_t kept = 0;

	for (size_t i = 0; i < batch->count; i++)
		if (batch->records[i].offset >= file->skip_to)
			batch->records[kept++] = batch->records[i];
	batch->count = kept;
}

static void cut(struct file_source *file, struct record_batch *batch)
{
	struct cut_place place = file->cutter.place;
	bool whole = !file->cutter.skipping;

	file->begin +=
	        cut_records(&file->cutter, file->buffer + file->begin, file->end - file->begin, file->ended, batch);
	if (batch->count && whole && file->source.rewinds)
		add_place(&file->places, &place);
	if (place.offset < file->skip_to)
		drop_accepted(file, batch);
}

static enum take file_take(struct source *source, unsigned lane, struct record_batch *batch, int timeout_ms,
                           struct error *err)
{
	struct file_source *file = self(source);

	(void)lane;
	batch->count = 0;
	for (;;) {
		int64_t before = file->cutter.place.offset;
		int marked = pass_byte_order_mark(file, err);
		enum take took;

		if (marked < 0)
			return TAKE_FAILED;
		if (marked)
			cut(file, batch);
		if (batch->count)
			return TAKE_RECORDS;
		if (file->ended && file->cutter.place.offset == before)
			return TAKE_END;
		if (file->ended)
			continue;
		took = read_more(file, timeout_ms, err);
		if (took != TAKE_RECORDS)
			return took;
	}
}

static int file_resume(struct source *source, struct error *err)
{
	(void)source;
	return error_set(err, "a file has no pending window to resume from");
}

/* The last place at or before the last committed record; the lane takes nothing. */
static struct cut_place place_to_go_to(struct file_source *file)
{
	struct cut_place place = {.line = 1};

	for (size_t i = 0; i < file->places.count && file->committed; i++)
		if (file->places.items[i].offset < file->committed)
			place = file->places.items[i];
	file->places.count = 0;
	if (file->committed)
		add_place(&file->places, &place);
	return place;
}

static int file_rewind(struct source *source, struct error *err)
{
	struct file_source *file = self(source);
	struct cut_place place = place_to_go_to(file);

	if (input_seek(&file->input, place.offset, err) < 0)
		return -1;
	file->begin = file->end = 0;
	file->ended = false;
	cutter_go_to(&file->cutter, &place);
	file->skip_to = file->committed;
	return 0;
}

/* Forgets the places that nobody will go back to. */
static int64_t forget_places(struct places *places, int64_t committed)
{
	size_t passed = 0;
	int64_t offset = 0;

	pthread_mutex_lock(&places->mutex);
	while (passed + 1 < places->count && places->items[passed + 1].offset < committed)
		passed++;
	if (places->count) {
		memmove(places->items, places->items + passed, (places->count - passed) * sizeof(*places->items));
		places->count -= passed;
		offset = places->items[0].offset;
	}
	pthread_mutex_unlock(&places->mutex);
	return offset;
}

static int file_commit(struct source *source, const struct boundary *boundary, const int64_t *to, struct error *err)
{
	struct file_source *file = self(source);

	(void)err;
	if (boundary->pending || to[0] < 0)
		return 0;
	file->committed = to[0];
	input_forget(&file->input, forget_places(&file->places, file->committed));
	return 0;
}

static size_t file_status(struct source *source, struct partition_status *ret_status, size_t max)
{
	(void)source;
	(void)ret_status;
	(void)max;
	return 0;
}

static int file_healthy(struct source *source, struct error *err)
{
	(void)source;
	(void)err;
	return 0;
}

static void file_close(struct source *source)
{
	struct file_source *file = self(source);

	input_close(&file->input);
	pthread_mutex_destroy(&file->places.mutex);
	free(file->places.items);
	free(file->buffer);
	free(file);
}

static const struct source_ops file_source_ops = {
        .name = "file",
        .open = file_open,
        .take = file_take,
        .resume = file_resume,
        .rewind = file_rewind,
        .commit = file_commit,
        .status = file_status,
        .healthy = file_healthy,
        .close = file_close,
};

struct source *file_source_new(const char *path, int64_t record_bytes)
{
	struct file_source *file = xcalloc(1, sizeof(*file));

	file->source.ops = &file_source_ops;
	file->source.bounded = true;
	input_init(&file->input, path);
	cutter_init(&file->cutter, record_bytes);
	pthread_mutex_init(&file->places.mutex, NULL);
	file->capacity = READ_BYTES;
	file->buffer = xmalloc(file->capacity);
	return &file->source;
}

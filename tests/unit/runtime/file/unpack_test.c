/* gzip and zstd inputs: the same records as unpacked, from a file and a pipe, once more after a rewind; one that is cut
 * off or damaged gives the whole records before that and says where it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "lib/base/buffer.h"
#include "runtime/file/file.h"

#define UNPACKED_FROM 4 /* bytes that tell the packing */

static struct record_batch records;
static char path[64];

static void add_gzip(struct buffer *out, const char *text, size_t size)
{
	z_stream stream = {0};
	char packed[8192];

	assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	stream.next_in = (Bytef *)(uintptr_t)text;
	stream.avail_in = (uInt)size;
	stream.next_out = (Bytef *)packed;
	stream.avail_out = sizeof(packed);
	assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
	buffer_append(out, packed, sizeof(packed) - stream.avail_out);
	deflateEnd(&stream);
}

static void add_zstd(struct buffer *out, const char *text, size_t size)
{
	ZSTD_CCtx *context = ZSTD_createCCtx();
	char packed[8192];
	size_t used;

	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	used = ZSTD_compress2(context, packed, sizeof(packed), text, size);
	assert_false(ZSTD_isError(used));
	buffer_append(out, packed, used);
	ZSTD_freeCCtx(context);
}

/* A frame that a reader skips, as pzstd writes. */
static void add_skippable(struct buffer *out)
{
	buffer_append(out, "\x50\x2a\x4d\x18\x04\0\0\0abcd", 12);
}

static const struct packer {
	const char *name;
	void (*add)(struct buffer *out, const char *text, size_t size);
} packers[] = {{"gzip", add_gzip}, {"zstd", add_zstd}};

/* A source of these bytes. */
static struct source *source_of(struct slice bytes)
{
	int fd;

	snprintf(path, sizeof(path), "/tmp/streamjob-unpack-XXXXXX");
	fd = mkstemp(path);
	assert_int_equal(write(fd, bytes.data, bytes.size), bytes.size);
	close(fd);
	return file_source_new(path, 1 << 20);
}

static void open_source(struct source *source, bool rewinds)
{
	unsigned lanes = 1;
	struct error err;

	source->rewinds = rewinds;
	assert_int_equal(source->ops->open(source, &lanes, NULL, &err), 0);
}

/* All records, a line each; how the takes ended. */
static enum take take_all(struct source *source, struct buffer *out, struct error *err)
{
	enum take took;

	while ((took = source->ops->take(source, 0, &records, 1000, err)) == TAKE_RECORDS)
		for (size_t i = 0; i < records.count; i++)
			buffer_printf(out, "%.*s\n", SLICE_ARG(records.records[i].value));
	return took;
}

static void close_source(struct source *source)
{
	source->ops->close(source);
	unlink(path);
}

static void make_text(struct buffer *out, int from, int to)
{
	for (int i = from; i < to; i++)
		buffer_printf(out, "{\"row\":%d,\"twice\":%d}\n", i, 2 * i * 7919 % 1000);
}

static void expect(const char *name, struct slice packed, const struct buffer *text)
{
	struct source *source = source_of(packed);
	struct buffer found;
	struct error err;

	buffer_init(&found);
	open_source(source, false);
	if (take_all(source, &found, &err) != TAKE_END)
		fail_msg("%s: %s", name, err.text);
	if (!slice_equal(buffer_slice(&found), buffer_slice(text)))
		fail_msg("%s: %.*s", name, SLICE_ARG(buffer_slice(&found)));
	close_source(source);
	buffer_release(&found);
}

static void whole_test(void **state)
{
	(void)state;
	for (size_t p = 0; p < sizeof(packers) / sizeof(packers[0]); p++) {
		struct buffer packed, text, half;

		buffer_init(&packed);
		buffer_init(&text);
		buffer_init(&half);
		packers[p].add(&packed, "", 0);
		expect("of nothing", buffer_slice(&packed), &text);
		buffer_clear(&packed);
		make_text(&text, 0, 50);
		make_text(&half, 0, 20);
		packers[p].add(&packed, text.data, text.size);
		expect("one", buffer_slice(&packed), &text);
		/* A line may begin in one member and end in the next. */
		buffer_clear(&packed);
		packers[p].add(&packed, text.data, half.size - 5);
		packers[p].add(&packed, "", 0);
		if (p)
			add_skippable(&packed);
		packers[p].add(&packed, text.data + half.size - 5, text.size - half.size + 5);
		if (!p)
			buffer_append(&packed, "\0\0\0\0\0", 5);
		expect("three", buffer_slice(&packed), &text);
		/* The byte order mark is the content's. */
		buffer_clear(&packed);
		packers[p].add(&packed, "\xef\xbb\xbf", 3);
		packers[p].add(&packed, text.data, text.size);
		expect("with a byte order mark", buffer_slice(&packed), &text);
		buffer_release(&packed);
		buffer_release(&text);
		buffer_release(&half);
	}
}

/* Wherever it is cut off: whole records, no half one, and an error with the place. */
static void cut_off_test(void **state)
{
	(void)state;
	for (size_t p = 0; p < sizeof(packers) / sizeof(packers[0]); p++) {
		struct buffer packed, text, found;
		size_t first;

		buffer_init(&packed);
		buffer_init(&text);
		buffer_init(&found);
		make_text(&text, 0, 60);
		packers[p].add(&packed, text.data, text.size / 2);
		first = packed.size;
		packers[p].add(&packed, text.data + text.size / 2, text.size - text.size / 2);
		for (size_t size = UNPACKED_FROM; size < packed.size; size++) {
			struct source *source = source_of((struct slice){packed.data, size});
			char words[64];
			struct error err;
			enum take took;

			buffer_clear(&found);
			buffer_append_text(&found, "");
			open_source(source, false);
			took = take_all(source, &found, &err);
			snprintf(words, sizeof(words), "the %s data is cut off at byte %zu of the file",
			         packers[p].name, size);
			if (size == first ? took != TAKE_END : took != TAKE_FAILED || !strstr(err.text, words))
				fail_msg("%s, %zu bytes: %d %s", packers[p].name, size, (int)took, err.text);
			if (size != first && memcmp(found.data, text.data, found.size) != 0)
				fail_msg("%s, %zu bytes: %s", packers[p].name, size, found.data);
			if (size > first && found.size < text.size / 2 - 40)
				fail_msg("%s, %zu bytes: the first member's records are not all there", packers[p].name,
				         size);
			close_source(source);
		}
		buffer_release(&packed);
		buffer_release(&text);
		buffer_release(&found);
	}
}

static void damaged_test(void **state)
{
	(void)state;
	for (size_t p = 0; p < sizeof(packers) / sizeof(packers[0]); p++) {
		struct buffer packed, text, found;
		struct source *source;
		struct error err;
		char words[64];
		size_t first;

		buffer_init(&packed);
		buffer_init(&text);
		buffer_init(&found);
		make_text(&text, 0, 60);
		packers[p].add(&packed, text.data, text.size);
		first = packed.size;
		packers[p].add(&packed, text.data, text.size);
		memset(packed.data + first + (packed.size - first) / 2, 0xff, 16);
		snprintf(words, sizeof(words), "the %s data is damaged (", packers[p].name);
		source = source_of(buffer_slice(&packed));
		open_source(source, false);
		assert_int_equal(take_all(source, &found, &err), TAKE_FAILED);
		assert_non_null(strstr(err.text, words));
		assert_true(found.size >= text.size);
		assert_memory_equal(found.data, text.data, text.size);
		close_source(source);
		/* Something else follows. */
		buffer_clear(&packed);
		buffer_clear(&found);
		packers[p].add(&packed, text.data, text.size);
		buffer_append_text(&packed, "something else");
		source = source_of(buffer_slice(&packed));
		open_source(source, false);
		assert_int_equal(take_all(source, &found, &err), TAKE_FAILED);
		assert_non_null(strstr(err.text, words));
		assert_true(slice_equal(buffer_slice(&found), buffer_slice(&text)));
		close_source(source);
		buffer_release(&packed);
		buffer_release(&text);
		buffer_release(&found);
	}
}

/* Half of the records committed, all taken; then the other half again. */
static void rewind_test(void **state)
{
	const struct boundary accepted = {.sequence = 1};

	(void)state;
	for (size_t p = 0; p < sizeof(packers) / sizeof(packers[0]); p++) {
		struct buffer packed, text, rest, found;
		struct source *source;
		struct error err;
		int64_t to;

		buffer_init(&packed);
		buffer_init(&text);
		buffer_init(&rest);
		buffer_init(&found);
		make_text(&text, 0, 100);
		make_text(&rest, 60, 100);
		packers[p].add(&packed, text.data, text.size);
		source = source_of(buffer_slice(&packed));
		open_source(source, true);
		assert_int_equal(source->ops->take(source, 0, &records, 1000, &err), TAKE_RECORDS);
		assert_int_equal(records.count, 100);
		to = records.records[59].offset + 1;
		assert_int_equal(source->ops->commit(source, &accepted, &to, &err), 0);
		for (int again = 0; again < 2; again++) {
			buffer_clear(&found);
			assert_int_equal(source->ops->rewind(source, &err), 0);
			assert_int_equal(take_all(source, &found, &err), TAKE_END);
			assert_true(slice_equal(buffer_slice(&found), buffer_slice(&rest)));
		}
		close_source(source);
		buffer_release(&packed);
		buffer_release(&text);
		buffer_release(&rest);
		buffer_release(&found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(whole_test), cmocka_unit_test(cut_off_test),
	                                   cmocka_unit_test(damaged_test), cmocka_unit_test(rewind_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

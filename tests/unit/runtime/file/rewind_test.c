/* What was taken and not committed comes again, from a file, a pipe and the generator: the same records, then the rest.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "lib/base/memory.h"
#include "runtime/file/file.h"
#include "runtime/file/spool.h"
#include "tests/unit/lib/spec/job_case.h"

#define RECORDS 5000 /* some batches; lines of up to 1000 bytes: more than one read */

#define RECORD_BYTES (16 << 20) /* limits.recordBytes by default */

static struct record_batch records;
static struct jobspecs jobs;
static char path[64];
static pid_t writer;

static int64_t fixed_ms(void *context)
{
	(void)context;
	return 1700000000123;
}

static const struct clock fixed = {fixed_ms, fixed_ms, NULL, NULL};

/* Lines of many lengths, some ended by CR LF, with empty ones in between; the last one has no end. */
static void make_lines(struct buffer *out)
{
	buffer_init(out);
	for (int i = 0; i < RECORDS; i++) {
		buffer_printf(out, "%d %0*d", i, i * 7919 % 1000, 1);
		if (i < RECORDS - 1)
			buffer_append_text(out, i % 5 == 0 ? "\r\n" : i % 7 == 0 ? "\n\n\n" : "\n");
	}
}

static struct source *file_input(void)
{
	struct buffer text;
	int fd;

	snprintf(path, sizeof(path), "/tmp/streamjob-rewind-XXXXXX");
	fd = mkstemp(path);
	make_lines(&text);
	assert_int_equal(write(fd, text.data, text.size), text.size);
	close(fd);
	buffer_release(&text);
	return file_source_new(path, RECORD_BYTES);
}

/* A FIFO that a process fills and closes. */
static struct source *pipe_input(void)
{
	struct buffer text;
	FILE *end;

	snprintf(path, sizeof(path), "/tmp/streamjob-rewind-%ld", (long)getpid());
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	writer = fork();
	if (writer == 0) {
		make_lines(&text);
		end = fopen(path, "w");
		_exit(end && fwrite(text.data, 1, text.size, end) == text.size && fclose(end) == 0 ? 0 : 1);
	}
	return file_source_new(path, RECORD_BYTES);
}

static struct source *generated_input(void)
{
	struct buffer text;

	buffer_init(&text);
	buffer_printf(&text,
	              "apiVersion: streamjob.dev/v1alpha1\nkind: StreamJob\nmetadata: {name: j}\nspec:\n"
	              "  source: {datagen: {rows: %d, rowsPerSecond: 0, seed: 3, columns: {\n"
	              "    q: {sequence: {start: 5, end: 8}}, g: {normal: {mean: 3, stddev: 2}},\n"
	              "    z: {uniform: {min: 0, max: 9}, nullProbability: 0.5}}}}\n"
	              "  columns: [{name: q, type: BIGINT}, {name: g, type: DOUBLE}, {name: z, type: INT}]\n"
	              "  window: {tumbling: {size: 1s}}\n  aggregates: [{name: k, expr: COUNT(*)}]\n"
	              "  sinks: [{stdout: {}}]\n",
	              RECORDS);
	jobs = good_jobs("datagen", buffer_slice(&text));
	buffer_release(&text);
	path[0] = 0;
	return datagen_source_new(jobs.items[0], &fixed);
}

static struct source *opened(struct source *source)
{
	unsigned lanes = 1;
	struct error err;

	source->rewinds = true;
	if (source->ops->open(source, &lanes, NULL, &err) < 0)
		fail_msg("%s", err.text);
	return source;
}

static void closed(struct source *source)
{
	int status = 0;

	source->ops->close(source);
	if (path[0])
		unlink(path);
	if (writer)
		assert_int_equal(waitpid(writer, &status, 0), writer);
	writer = 0;
	assert_int_equal(status, 0);
	jobspecs_release(&jobs);
	jobs = (struct jobspecs){0};
}

/* All records, read once: number i has offset offsets[i] and the text texts[i]. */
struct truth {
	int64_t offsets[RECORDS];
	char *texts[RECORDS];
};

static enum take take(struct source *source, const char *name)
{
	struct error err;
	enum take took = source->ops->take(source, 0, &records, 10000, &err);

	if (took == TAKE_FAILED)
		fail_msg("%s: %s", name, err.text);
	assert_true(took == TAKE_RECORDS || took == TAKE_END);
	return took;
}

static void read_truth(struct source *source, struct truth *ret_truth)
{
	size_t seen = 0;

	while (take(source, "truth") == TAKE_RECORDS) {
		assert_true(seen + records.count <= RECORDS);
		for (size_t i = 0; i < records.count; i++, seen++) {
			ret_truth->offsets[seen] = records.records[i].offset;
			ret_truth->texts[seen] = strndup(records.records[i].value.data, records.records[i].value.size);
		}
	}
	assert_int_equal(seen, RECORDS);
	closed(source);
}

/* Takes batches until at least `until` records were taken, beginning with number `from`; where it stands then. */
static size_t take_until(struct source *source, const struct truth *truth, size_t from, size_t until, const char *name)
{
	enum take took = TAKE_RECORDS;

	while (from < until && (took = take(source, name)) == TAKE_RECORDS) {
		for (size_t i = 0; i < records.count; i++, from++) {
			const struct record *record = &records.records[i];

			if (from >= RECORDS || record->offset != truth->offsets[from] ||
			    !slice_equal(record->value, slice_of(truth->texts[from])))
				fail_msg("%s: record %zu is %.40s at %lld", name, from, record->value.data,
				         (long long)record->offset);
		}
	}
	if (took == TAKE_END)
		assert_int_equal(from, RECORDS);
	return from;
}

static void commit(struct source *source, bool pending, int64_t to)
{
	struct boundary boundary = {.pending = pending, .sequence = 1};
	struct error err;

	assert_int_equal(source->ops->commit(source, &boundary, &to, &err), 0);
}

#define STEPS_MAX 12
#define ALL       (RECORDS + 1) /* to the end of the input */

/* take: until so many records are taken; commit: so many are accepted; rewind. */
struct step {
	enum { DONE, TAKE, PENDING, COMMIT, UNMOVED, REWIND } what;
	size_t count;
};

static const struct {
	const char *name;
	struct step steps[STEPS_MAX];
} scripts[] = {
        {"before anything was taken", {{REWIND, 0}, {TAKE, ALL}}},
        {"nothing is committed", {{TAKE, 1500}, {REWIND, 0}, {TAKE, ALL}}},
        {"to what is committed, in the middle of a batch", {{TAKE, 2500}, {COMMIT, 1234}, {REWIND, 0}, {TAKE, ALL}}},
        {"committed is all that was taken", {{TAKE, 1}, {COMMIT, 0}, {REWIND, 0}, {TAKE, ALL}}},
        {"the first record is committed", {{TAKE, 2500}, {COMMIT, 1}, {REWIND, 0}, {TAKE, ALL}}},
        {"twice at one place",
         {{TAKE, 3000}, {COMMIT, 700}, {REWIND, 0}, {REWIND, 0}, {TAKE, 2000}, {REWIND, 0}, {TAKE, ALL}}},
        {"on and on",
         {{TAKE, 2000},
          {COMMIT, 999},
          {REWIND, 0},
          {TAKE, 3000},
          {COMMIT, 2999},
          {REWIND, 0},
          {TAKE, 3500},
          {COMMIT, 3001},
          {REWIND, 0},
          {TAKE, ALL}}},
        {"less is read again than before",
         {{TAKE, 4000}, {REWIND, 0}, {TAKE, 1024}, {COMMIT, 1000}, {REWIND, 0}, {TAKE, ALL}}},
        {"a pending window moves nothing", {{TAKE, 2000}, {COMMIT, 500}, {PENDING, 1900}, {REWIND, 0}, {TAKE, ALL}}},
        {"a window of no rows moves nothing", {{TAKE, 2000}, {COMMIT, 500}, {UNMOVED, 0}, {REWIND, 0}, {TAKE, ALL}}},
        {"after the end", {{TAKE, ALL}, {COMMIT, 4000}, {REWIND, 0}, {TAKE, ALL}, {REWIND, 0}, {TAKE, ALL}}},
        {"after the end, all is committed", {{TAKE, ALL}, {COMMIT, RECORDS}, {REWIND, 0}, {TAKE, ALL}}},
        {"after the end, the last one is not", {{TAKE, ALL}, {COMMIT, RECORDS - 1}, {REWIND, 0}, {TAKE, ALL}}},
};

static void run_script(struct source *source, const struct truth *truth, const struct step *steps, const char *name)
{
	size_t at = 0, committed = 0;
	struct error err;

	for (; steps->what != DONE; steps++) {
		/* 0: all that was taken */
		size_t count = steps->what == COMMIT && !steps->count ? at : steps->count;

		if (steps->what == TAKE)
			at = take_until(source, truth, at, count, name);
		else if (steps->what == PENDING || steps->what == COMMIT)
			commit(source, steps->what == PENDING, truth->offsets[count - 1] + 1);
		else if (steps->what == UNMOVED)
			commit(source, false, -1);
		else if (source->ops->rewind(source, &err) < 0)
			fail_msg("%s: %s", name, err.text);
		committed = steps->what == COMMIT ? count : committed;
		at = steps->what == REWIND ? committed : at;
	}
	assert_int_equal(at, RECORDS);
}

static void run_scripts(struct source *(*input)(void), const char *kind)
{
	struct truth *truth = xcalloc(1, sizeof(*truth));
	char name[128];

	read_truth(opened(input()), truth);
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		struct source *source = opened(input());

		snprintf(name, sizeof(name), "%s, %s", kind, scripts[i].name);
		run_script(source, truth, scripts[i].steps, name);
		closed(source);
	}
	for (size_t i = 0; i < RECORDS; i++)
		free(truth->texts[i]);
	free(truth);
}

static void file_test(void **state)
{
	(void)state;
	run_scripts(file_input, "file");
}

static void pipe_test(void **state)
{
	(void)state;
	run_scripts(pipe_input, "pipe");
}

static void generator_test(void **state)
{
	(void)state;
	run_scripts(generated_input, "generator");
}

/* The end of a pipe is its end after a rewind too: a terminal would wait for somebody to type it once more. */
static void the_end_comes_once(void **state)
{
	struct source *source;
	struct error err;
	int end;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/streamjob-rewind-%ld", (long)getpid());
	unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	end = open(path, O_RDWR);
	assert_int_equal(write(end, "a\nb", 3), 3);
	source = opened(file_source_new(path, RECORD_BYTES));
	assert_int_equal(take(source, "a"), TAKE_RECORDS);
	assert_int_equal(records.count, 1);
	close(end);
	assert_int_equal(take(source, "b"), TAKE_RECORDS);
	assert_int_equal(take(source, "end"), TAKE_END);
	assert_int_equal(source->ops->rewind(source, &err), 0);
	end = open(path, O_WRONLY);
	assert_int_equal(write(end, "c\n", 2), 2);
	assert_int_equal(take(source, "a again"), TAKE_RECORDS);
	assert_int_equal(records.count, 1);
	assert_int_equal(take(source, "b again"), TAKE_RECORDS);
	assert_true(slice_equal(records.records[0].value, SLICE_LITERAL("b")));
	assert_int_equal(take(source, "end again"), TAKE_END);
	close(end);
	closed(source);
}

/* Only what may be needed again counts; what is beyond the cap is refused, and what was kept stays good. */
static void the_spool_has_a_cap(void **state)
{
	struct spool spool;
	struct error err;
	char bytes[8];

	(void)state;
	assert_int_equal(spool_open(&spool, &err), 0);
	spool.end = SPOOL_BYTES_MAX - 3; /* a hole, as good as so many bytes */
	assert_int_equal(spool_append(&spool, "abc", 3, &err), 0);
	assert_int_equal(spool_append(&spool, "d", 1, &err), -1);
	assert_non_null(strstr(err.text, "more than 1073741824 bytes of the input belong to windows that are not "
	                                 "accepted yet"));
	assert_non_null(strstr(err.text, "give the input as a file"));
	assert_int_equal(spool_read(&spool, SPOOL_BYTES_MAX - 3, bytes, sizeof(bytes), &err), 3);
	assert_memory_equal(bytes, "abc", 3);
	spool_forget(&spool, SPOOL_BYTES_MAX - 2);
	spool_forget(&spool, 5); /* never backwards */
	assert_int_equal(spool_append(&spool, "d", 1, &err), 0);
	assert_int_equal(spool_read(&spool, SPOOL_BYTES_MAX - 2, bytes, sizeof(bytes), &err), 3);
	assert_memory_equal(bytes, "bcd", 3);
	spool_close(&spool);
}

static void a_folder_that_cannot_be_written(void **state)
{
	struct spool spool;
	struct error err;

	(void)state;
	setenv("TMPDIR", "/proc/none", 1);
	assert_int_equal(spool_open(&spool, &err), -1);
	unsetenv("TMPDIR");
	assert_non_null(strstr(err.text, "cannot keep the input in /proc/none"));
	assert_non_null(strstr(err.text, "set TMPDIR"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(file_test),           cmocka_unit_test(pipe_test),
	        cmocka_unit_test(generator_test),      cmocka_unit_test(the_end_comes_once),
	        cmocka_unit_test(the_spool_has_a_cap), cmocka_unit_test(a_folder_that_cannot_be_written)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

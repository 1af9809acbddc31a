/*
 * Files that were cut, scrambled or stuffed never crash the loader, and what it says always has a place. Run under
 * sanitizers it is a small fuzzer with a fixed seed.
 */
#include "tests/unit/lib/spec/full_jobs.h"
#include "tests/unit/lib/spec/job_case.h"

#define SCRAMBLED_FILES 1500

static void load_any(struct slice text)
{
	struct problems problems;
	struct jobspecs jobs;
	int result;

	problems_init(&problems);
	result = jobspecs_load("job.yaml", text, &problems, &jobs);
	assert_int_equal(result == 0, problems.count == 0);
	for (size_t i = 0; i < problems.count; i++) {
		assert_string_equal(problems.items[i].file, "job.yaml");
		assert_true(problems.items[i].line > 0 && problems.items[i].column > 0);
	}
	if (problems.count)
		assert_true(jobs.count < jobs.found || jobs.found == 0 || jobs.documents < 2);
	jobspecs_release(&jobs);
	problems_release(&problems);
}

static void cut_test(void **state)
{
	static const char *const texts[] = {full_kafka, full_datagen, full_file};

	(void)state;
	for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++) {
		struct slice text = slice_of(texts[t]);

		for (size_t size = 0; size <= text.size; size += 3) {
			char *copy = malloc(size + 1); /* of that size, so that a read past the end is seen */

			memcpy(copy, text.data, size);
			load_any((struct slice){copy, size});
			free(copy);
		}
	}
}

static uint64_t next(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

static void scramble(struct buffer *text, uint64_t *seed)
{
	static const char *const stuffing[] = {
	        "{",  "}",     "[",     "]",      ":",        ": ", "- ", "\n",      "\n  ", "'", "\"",     "|\n",
	        ">",  "&a ",   "*a",    "!!str ", "#",        "\\", "%",  "null",    "~",    "0", "-1e999", "true",
	        "\t", "---\n", "...\n", "\xff",   "\xc3\xa9", "? ", "<<", "\\u0000", "$",    "''"};
	size_t at = next(seed) % (text->size + 1), cut = next(seed) % 4;
	const char *extra = stuffing[next(seed) % (sizeof(stuffing) / sizeof(stuffing[0]))];
	struct buffer out;

	if (cut > text->size - at)
		cut = text->size - at;
	buffer_init(&out);
	buffer_append(&out, text->data, at);
	buffer_append_text(&out, extra);
	buffer_append(&out, text->data + at + cut, text->size - at - cut);
	buffer_release(text);
	*text = out;
}

static void scrambled_test(void **state)
{
	static const char *const texts[] = {full_kafka, full_datagen, full_file, good_job};
	uint64_t seed = 20261124;

	(void)state;
	for (int i = 0; i < SCRAMBLED_FILES; i++) {
		struct buffer text;
		size_t times = 1 + next(&seed) % 6;

		buffer_init(&text);
		buffer_append_text(&text, texts[i % 4]);
		while (times--)
			scramble(&text, &seed);
		load_any(buffer_slice(&text));
		buffer_release(&text);
	}
}

static void stuffed_test(void **state)
{
	struct buffer text;
	char *found;

	(void)state;
	buffer_init(&text);
	buffer_append_text(&text, "apiVersion: streamjob.dev/v1alpha1\nkind: StreamJob\nmetadata: {name: j}\nspec:\n");
	for (int i = 0; i < 300; i++)
		buffer_printf(&text, "  field%d: x\n", i);
	found = problems_of(buffer_slice(&text));
	assert_non_null(strstr(found, "and 105 more problems\n"));
	free(found);
	buffer_clear(&text);
	buffer_append_text(&text, "apiVersion: streamjob.dev/v1alpha1\nkind: StreamJob\nmetadata: {name: j}\nspec:\n"
	                          "  groupBy: [");
	for (int i = 0; i < 5000; i++)
		buffer_printf(&text, "k%d, ", i);
	buffer_append_text(&text, "]\n");
	found = problems_of(buffer_slice(&text));
	assert_non_null(strstr(found, "job.yaml:5:12: spec.groupBy: has 5000 entries; at most 32\n"));
	free(found);
	buffer_release(&text);
}

static void too_large_test(void **state)
{
	size_t size = JOB_FILE_BYTES_MAX + 1;
	char *text = malloc(size);
	char *found;

	(void)state;
	memset(text, '#', size);
	found = problems_of((struct slice){text, size});
	assert_string_equal(found, "job.yaml: the file has more than 4 MiB; a job file is smaller\n");
	free(found);
	memset(text, ' ', size);
	found = problems_of((struct slice){text, JOB_FILE_BYTES_MAX});
	assert_string_equal(found, "");
	free(found);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(cut_test), cmocka_unit_test(scrambled_test),
	                                   cmocka_unit_test(stuffed_test), cmocka_unit_test(too_large_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

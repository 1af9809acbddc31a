/*
 * What a row costs in each stage of a lane, without source and sinks: decode, filter, key (row key and look-up),
 * aggregate. A job file and its events from memory, one batch at a time, the best of PASSES passes; nanoseconds a row
 * that enters the stage. Prints one JSON object.
 *
 *   stages JOB.yaml EVENTS.jsonl
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/spec/read/load.h"
#include "lib/spec/query/query.h"
#include "runtime/cli/cli.h"
#include "runtime/decode/json.h"
#include "runtime/window/keyed_table.h"

#define PASSES     5
#define CALLS_MAX  64
#define STATE_MAX  ((size_t)1 << 30)
#define GROUPS_MAX 10000000

enum stage { DECODE, FILTER, KEY, AGGREGATE, STAGES };
static const char *const stage_names[STAGES] = {"decode", "filter", "key", "aggregate"};

struct stages {
	struct query *query;
	struct json_decoder *decoder;
	struct batch batch;
	const struct column **keys;
	struct aggregation calls[CALLS_MAX];
	size_t calls_count;
	struct budget budget;
	struct keyed_table *table;
	struct bad_rows bad;
	struct row_failures failures;
	uint32_t rows[BATCH_ROWS_MAX], passing[BATCH_ROWS_MAX], present[BATCH_ROWS_MAX];
	struct slice key_bytes[BATCH_ROWS_MAX];
	uint64_t hashes[BATCH_ROWS_MAX];
	void *groups[BATCH_ROWS_MAX], *states[BATCH_ROWS_MAX];
	double ns[STAGES];
	uint64_t entered[STAGES];
};

static double now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void fail(const char *what)
{
	fprintf(stderr, "stages: %s\n", what);
	exit(2);
}

static void add_call(struct stages *s, const struct aggregate_call *call)
{
	s->calls[s->calls_count++] = (struct aggregation){call, aggregate_find(call->kind, call->argument_type), NULL};
}

static void prepare(struct stages *s, const struct jobspec *job)
{
	struct error err;
	bool *read;

	s->query = query_compile(job, NULL, NULL, &err);
	if (!s->query)
		fail("the job does not compile: run streamjob validate");
	read = xcalloc(s->query->row.count + 1, sizeof(bool));
	memcpy(read, s->query->read, (s->query->declared_count + s->query->source_count) * sizeof(bool));
	batch_init(&s->batch, &s->query->row, read, BATCH_ROWS_MAX);
	s->decoder = json_decoder_new(job->columns, job->columns_count, read, &job->json, job->limits.record_bytes);
	free(read);
	s->keys = xcalloc(s->query->keys_count + 1, sizeof(*s->keys));
	for (size_t k = 0; k < s->query->keys_count; k++)
		s->keys[k] = &s->batch.columns[s->query->key_columns[k]];
	for (size_t a = 0; a < s->query->aggregates_count; a++)
		for (size_t c = 0; c < s->query->aggregates[a]->calls_count && s->calls_count < CALLS_MAX; c++)
			add_call(s, &s->query->aggregates[a]->calls[c]);
	s->budget.max_bytes = STATE_MAX;
	s->table = keyed_table_new(s->calls, s->calls_count, &s->budget, GROUPS_MAX, 0);
}

static void lap(struct stages *s, enum stage stage, double *begin, size_t rows)
{
	double now = now_ns();

	s->ns[stage] += now - *begin;
	s->entered[stage] += rows;
	*begin = now;
}

static void update(struct stages *s, size_t c, size_t n)
{
	const struct aggregate_call *call = s->calls[c].call;
	const struct aggregate_run run = {.call = call, .budget = &s->budget};
	const uint32_t *rows = s->passing;
	const struct column *argument =
	        call->arguments_count ? program_run(call->arguments[0], &s->batch, rows, n, &s->failures) : NULL;
	size_t count = 0, done;
	struct error err;
	uint8_t *keep = NULL;
	static uint8_t filtered[BATCH_ROWS_MAX];
	static uint32_t by_filter[BATCH_ROWS_MAX];

	if (call->filter) {
		size_t kept = program_filter(call->filter, &s->batch, rows, n, by_filter, &s->failures);

		memset(filtered, 0, sizeof(filtered));
		for (size_t i = 0; i < kept; i++)
			filtered[by_filter[i]] = 1;
		keep = filtered;
	}
	for (size_t i = 0; i < n; i++) {
		if ((argument && !argument->valid[rows[i]]) || (keep && !keep[rows[i]]))
			continue;
		s->present[count] = rows[i];
		s->states[count++] = keyed_table_state(s->table, s->groups[i], c);
	}
	if (count && s->calls[c].aggregate->update(&run, s->states, &argument, s->present, count, &done, &err))
		fail("an aggregate failed");
}

static void run_batch(struct stages *s, const struct record_batch *records)
{
	size_t own = s->query->declared_count + s->query->source_count, n, passing;
	double begin = now_ns();

	batch_clear(&s->batch);
	s->failures.count = 0;
	n = json_decode(s->decoder, records, &s->batch, s->rows, &s->bad);
	lap(s, DECODE, &begin, records->count);
	passing = s->query->filter ? program_filter(s->query->filter, &s->batch, s->rows, n, s->passing, &s->failures)
	                           : n;
	if (!s->query->filter)
		memcpy(s->passing, s->rows, n * sizeof(*s->rows));
	for (size_t i = 0; i < s->query->select_count; i++)
		if (s->query->read[own + i])
			s->batch.columns[own + i] =
			        *program_run(s->query->select[i], &s->batch, s->passing, passing, &s->failures);
	lap(s, FILTER, &begin, n);
	row_key_encode(s->keys, s->query->keys_count, s->passing, passing, &s->batch.arena, s->key_bytes, s->hashes);
	if (keyed_table_lookup(s->table, s->key_bytes, s->hashes, passing, s->groups))
		fail("too many groups");
	lap(s, KEY, &begin, passing);
	for (size_t c = 0; c < s->calls_count; c++)
		update(s, c, passing);
	lap(s, AGGREGATE, &begin, passing);
}

/* Every line of the text as a record, a batch at a time. */
static void run_pass(struct stages *s, struct slice text)
{
	static struct record_batch records;
	const char *at = text.data, *end = text.data + text.size;

	memset(s->ns, 0, sizeof(s->ns));
	memset(s->entered, 0, sizeof(s->entered));
	keyed_table_clear(s->table);
	while (at < end) {
		records.count = 0;
		while (at < end && records.count < BATCH_ROWS_MAX) {
			const char *line_end = memchr(at, '\n', (size_t)(end - at));

			if (!line_end)
				line_end = end;
			records.records[records.count++] = (struct record){.value = {at, (size_t)(line_end - at)}};
			at = line_end + 1;
		}
		run_batch(s, &records);
	}
}

static void read_file(const char *path, struct buffer *out)
{
	FILE *file = fopen(path, "rb");
	char chunk[1 << 16];
	size_t size;

	if (!file)
		fail("cannot open a file");
	buffer_init(out);
	while ((size = fread(chunk, 1, sizeof(chunk), file)) > 0)
		buffer_append(out, chunk, size);
	fclose(file);
}

int main(int argc, char **argv)
{
	static struct stages stages;
	struct buffer job_text, events;
	struct problems problems;
	struct jobspecs jobs;
	double best[STAGES];

	if (argc != 3)
		fail("usage: stages JOB.yaml EVENTS.jsonl");
	read_file(argv[1], &job_text);
	read_file(argv[2], &events);
	problems_init(&problems);
	if (jobspecs_load(argv[1], buffer_slice(&job_text), &problems, &jobs) < 0 || jobs.count != 1)
		fail("the file holds no good StreamJob");
	prepare(&stages, jobs.items[0]);
	for (int pass = 0; pass <= PASSES; pass++) { /* the first warms up */
		run_pass(&stages, buffer_slice(&events));
		for (int i = 0; i < STAGES && pass; i++) {
			double ns = stages.ns[i] / (double)(stages.entered[i] ? stages.entered[i] : 1);

			best[i] = pass == 1 || ns < best[i] ? ns : best[i];
		}
	}
	for (int i = 0; i < STAGES; i++)
		printf("%s\"%s\": %.1f", i ? ", " : "{", stage_names[i], best[i]);
	printf(", \"groups\": %zu}\n", keyed_table_groups(stages.table));
	return 0;
}

/*
 * A source, a sink, dead letters and a clock that follow a script and write down what they are asked, so that a whole
 * pipeline runs without a file, a server or a real clock.
 */
#ifndef STREAMJOB_TEST_SCRIPTED_H
#define STREAMJOB_TEST_SCRIPTED_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "lib/jobspec/load.h"
#include "runtime/pipeline/pipeline.h"

#define WAIT_MS_MAX 20000

enum step_kind { STEP_RECORDS = 0, STEP_NOTHING, STEP_BOUNDARY, STEP_STOP, STEP_WAIT, STEP_FAIL, STEP_END };

/* One take: the wall clock becomes `ms`, then it gives what `kind` says. */
struct step {
	int64_t ms;
	const char *text; /* of RECORDS: keys, one letter a record, '!' for a bad one, or one whole record; of WAIT:
	                     what the log must have before it goes on */
	enum step_kind kind;
	unsigned lane;
};

#define STEPS_MAX 12

struct script {
	const struct step *steps; /* all lanes' */
	const char *outcomes;     /* of the sink's writes: 'a'ccepts, asks for 'r'etry, re'j'ects; then accepts */
	bool open_fails, stop_while_opening;
	bool fail_on_rejected;
	struct boundary boundary;
	size_t partitions;
};

struct scripted {
	struct source source;
	struct sink sink;
	struct dead_letter letters;
	struct clock clock;
	struct stop stop;
	struct status status;
	const struct script *script;
	_Atomic int64_t wall_ms;
	size_t next[LANES_MAX]; /* step of each lane */
	int64_t offsets[LANES_MAX];
	size_t writes;
	char texts[LANES_MAX][STEPS_MAX * 64];
	pthread_mutex_t mutex;
	struct buffer log;
	_Atomic int closed;
};

static struct scripted scripted;

static inline void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

static inline void note(const char *format, ...)
{
	char line[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	pthread_mutex_lock(&scripted.mutex);
	buffer_append_text(&scripted.log, line);
	pthread_mutex_unlock(&scripted.mutex);
}

static inline int64_t scripted_wall_ms(void *context)
{
	(void)context;
	return atomic_load(&scripted.wall_ms);
}

static inline int64_t scripted_monotonic_ms(void *context)
{
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static inline void wait_for(const char *text)
{
	bool found = false;

	for (int waited_ms = 0; !found && waited_ms < WAIT_MS_MAX; waited_ms++) {
		pthread_mutex_lock(&scripted.mutex);
		found = strstr(buffer_slice(&scripted.log).data, text) != NULL;
		pthread_mutex_unlock(&scripted.mutex);
		if (!found)
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	if (!found)
		note("waited in vain for \"%s\"\n", text);
}

static inline int scripted_open(struct source *source, unsigned *lanes, struct stop *stop, struct error *err)
{
	(void)stop;
	(void)err;
	source->partitions = scripted.script->partitions ? scripted.script->partitions : 1;
	source->boundary = scripted.script->boundary;
	source->resumable = true;
	*lanes = *lanes < source->partitions ? *lanes : (unsigned)source->partitions;
	return 0;
}

static inline void make_records(const struct step *step, struct record_batch *batch)
{
	char *text = scripted.texts[step->lane];
	size_t used = 0;

	batch->count = 0;
	for (const char *p = step->text; *p; p++) {
		size_t size = 0;

		if (*step->text == '{')
			size = (size_t)snprintf(text + used, 64, "%s", step->text);
		else if (*p == '!')
			size = (size_t)snprintf(text + used, 64, "{bad");
		else
			size = (size_t)snprintf(text + used, 64, "{\"k\":\"%c\"}", *p);
		batch->records[batch->count++] = (struct record){.value = {text + used, size},
		                                                 .offset = scripted.offsets[step->lane]++,
		                                                 .timestamp_ms = -1,
		                                                 .partition = step->lane};
		used += size;
		if (*step->text == '{')
			return;
	}
}

static inline enum take scripted_take(struct source *source, unsigned lane, struct record_batch *batch, int timeout_ms,
                                      struct error *err)
{
	const struct step *step = &scripted.script->steps[scripted.next[lane]];

	(void)source;
	(void)timeout_ms;
	while (step->lane != lane && step->kind != STEP_END)
		step++;
	scripted.next[lane] = (size_t)(step - scripted.script->steps) + (step->kind != STEP_END);
	batch->count = 0;
	if (step->kind == STEP_WAIT)
		wait_for(step->text);
	if (step->ms)
		atomic_store(&scripted.wall_ms, step->ms);
	switch (step->kind) {
	case STEP_RECORDS:
		make_records(step, batch);
		return TAKE_RECORDS;
	case STEP_BOUNDARY:
		return TAKE_BOUNDARY;
	case STEP_STOP:
		atomic_store(&scripted.stop.requested, true);
		return TAKE_NOTHING;
	case STEP_FAIL:
		error_set(err, "the log is on fire");
		return TAKE_FAILED;
	case STEP_END:
		return TAKE_END;
	default:
		return TAKE_NOTHING;
	}
}

static inline int scripted_resume(struct source *source, struct error *err)
{
	(void)source;
	(void)err;
	note("resume\n");
	return 0;
}

static inline int scripted_commit(struct source *source, const struct boundary *boundary, const int64_t *to,
                                  struct error *err)
{
	(void)err;
	note("%s %llu at", boundary->pending ? "pending" : "accepted", (unsigned long long)boundary->sequence);
	for (size_t p = 0; p < source->partitions; p++)
		note(" %lld", (long long)to[p]);
	note("\n");
	return 0;
}

static inline size_t scripted_status(struct source *source, struct partition_status *ret_status, size_t max)
{
	(void)source;
	(void)ret_status;
	(void)max;
	return 0;
}

static inline int scripted_healthy(struct source *source, struct error *err)
{
	(void)source;
	(void)err;
	return 0;
}

static inline void scripted_close(struct source *source)
{
	(void)source;
	atomic_fetch_add(&scripted.closed, 1);
}

static inline int sink_open(struct sink *sink, uint64_t next_sequence, bool resumable, struct stop *stop,
                            struct error *err)
{
	(void)sink;
	assert_true(resumable);
	assert_int_equal(next_sequence, scripted.script->boundary.sequence + !scripted.script->boundary.pending);
	if (scripted.script->stop_while_opening)
		atomic_store(&stop->requested, true);
	return scripted.script->open_fails || scripted.script->stop_while_opening ? error_set(err, "no such place") : 0;
}

static inline void note_rows(const struct window_result *result)
{
	for (size_t row = 0; row < result->rows.rows; row++) {
		struct value key = column_value(&result->rows.columns[0], row);
		struct value count = column_value(&result->rows.columns[1], row);

		note(" %.*s=%lld", key.null ? 4 : (int)key.string.size, key.null ? "NULL" : key.string.data,
		     (long long)count.bigint);
	}
	note("%s\n", result->delete_group ? " delete" : "");
}

static inline enum sink_outcome sink_write(struct sink *sink, const struct window_result *result, struct stop *stop,
                                           struct error *err)
{
	const char *outcomes = scripted.script->outcomes ? scripted.script->outcomes : "";
	char outcome = scripted.writes < strlen(outcomes) ? outcomes[scripted.writes] : 'a';

	(void)sink;
	(void)stop;
	scripted.writes++;
	note("sink %llu from %lld to %lld:", (unsigned long long)result->sequence, (long long)result->start_ms,
	     (long long)result->end_ms);
	note_rows(result);
	if (outcome == 'a')
		return SINK_ACCEPTED;
	error_set(err, "the sink says %c", outcome);
	return outcome == 'r' ? SINK_RETRY : SINK_REJECTED;
}

static inline void sink_close(struct sink *sink)
{
	(void)sink;
	atomic_fetch_add(&scripted.closed, 1);
}

static inline int letters_open(struct dead_letter *letters, struct stop *stop, struct error *err)
{
	(void)letters;
	(void)stop;
	(void)err;
	return 0;
}

static inline int letters_write(struct dead_letter *letters, const struct record *record, const char *topic,
                                const char *reason, struct error *err)
{
	(void)letters;
	(void)topic;
	(void)err;
	note("letter %lld: %s\n", (long long)record->offset, reason);
	return 0;
}

static inline int letters_window(struct dead_letter *letters, const struct window_result *result, const char *sink,
                                 const char *reason, struct error *err)
{
	(void)letters;
	(void)err;
	note("letter of window %llu, %s: %s\n", (unsigned long long)result->sequence, sink, reason);
	return 0;
}

static inline int letters_flush(struct dead_letter *letters, struct stop *stop, struct error *err)
{
	(void)letters;
	(void)stop;
	(void)err;
	return 0;
}

static inline void letters_close(struct dead_letter *letters)
{
	(void)letters;
	atomic_fetch_add(&scripted.closed, 1);
}

static const struct source_ops scripted_source = {
        .name = "scripted",
        .open = scripted_open,
        .take = scripted_take,
        .resume = scripted_resume,
        .commit = scripted_commit,
        .status = scripted_status,
        .healthy = scripted_healthy,
        .close = scripted_close,
};
static const struct sink_ops scripted_sink = {"scripted", sink_open, sink_write, sink_close};
static const struct dead_letter_ops scripted_letters = {"scripted",     letters_open,  letters_write,
                                                        letters_window, letters_flush, letters_close};

/* The job: window of 1 s, COUNT(*) by k; `more` is put into the spec, `window` into the window. */
static inline void load_job(const char *window, const char *more, struct jobspecs *ret_jobs)
{
	struct problems problems;
	struct buffer text, found;

	buffer_init(&text);
	buffer_init(&found);
	problems_init(&problems);
	buffer_printf(&text,
	              "apiVersion: streamjob.dev/v1alpha1\nkind: StreamJob\nmetadata: {name: j}\nspec:\n"
	              "  source: {stdin: {}}\n"
	              "  columns: [{name: k, type: STRING}, {name: t, type: TIMESTAMP, format: epochMillis}]\n"
	              "  window: {tumbling: {size: 1s%s}}\n  groupBy: [k]\n"
	              "  aggregates: [{name: c, expr: COUNT(*)}]\n  sinks: [{stdout: {}}]\n"
	              "  deadLetter: {file: {path: unused}}\n%s",
	              window ? window : "", more ? more : "");
	if (jobspecs_load("job.yaml", buffer_slice(&text), &problems, ret_jobs) < 0) {
		problems_print(&problems, &found);
		fail_msg("%s\n%s", found.data, text.data);
	}
	problems_release(&problems);
	buffer_release(&text);
	buffer_release(&found);
}

/* Runs the script; what pipeline_run returns. The log is scripted.log (buffer_release), the status stays readable. */
static inline int run_script(const struct script *script, const struct jobspec *job, const char *clock_column,
                             unsigned lanes, struct error *err)
{
	struct sink *sinks[] = {&scripted.sink};
	struct pipeline_options options = {.job = job,
	                                   .source = &scripted.source,
	                                   .sinks = sinks,
	                                   .sinks_count = 1,
	                                   .letters = &scripted.letters,
	                                   .lanes = lanes,
	                                   .clock_column = clock_column,
	                                   .clock = &scripted.clock,
	                                   .stop = &scripted.stop,
	                                   .status = &scripted.status};
	int outcome;

	memset(&scripted, 0, sizeof(scripted));
	pthread_mutex_init(&scripted.mutex, NULL);
	buffer_init(&scripted.log);
	scripted.script = script;
	scripted.source.ops = &scripted_source;
	scripted.sink = (struct sink){
	        .ops = &scripted_sink, .target = "scripted", .fail_on_rejected = script->fail_on_rejected};
	scripted.letters.ops = &scripted_letters;
	scripted.clock = (struct clock){scripted_wall_ms, scripted_monotonic_ms, NULL};
	scripted.stop.clock = &scripted.clock;
	atomic_store(&scripted.stop.deadline_ms, INT64_MAX);
	atomic_store(&scripted.wall_ms, script->steps[0].ms);
	status_init(&scripted.status, job, &scripted.clock);
	outcome = pipeline_run(&options, err);
	assert_int_equal(atomic_load(&scripted.closed), 3);
	pthread_mutex_destroy(&scripted.mutex);
	return outcome;
}

#endif

/* From the spec to the ports: the one place that knows every kind of source, sink and dead letter. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/spec/field/job_id.h"
#include "lib/spec/query/query.h"
#include "lib/process/system_clock.h"
#include "runtime/cli/run.h"
#include "runtime/file/file.h"
#include "runtime/kafka/kafka.h"
#include "runtime/pushgateway/pushgateway.h"

static bool reads_headers(const struct query *query)
{
	int index = schema_find(&query->row, SLICE_LITERAL("kafka_headers"));

	return index >= 0 && query->read[index];
}

static struct source *make_source(const struct jobspec *job, const struct source_spec *from, const struct query *query,
                                  const struct run_options *options, struct job_identity *identity)
{
	if (options->input)
		return file_source_new(options->input, job->limits.record_bytes);
	switch (from->kind) {
	case SOURCE_KAFKA:
		return kafka_source_new(&from->kafka, options->secrets, reads_headers(query), &system_clock, identity);
	case SOURCE_FILE:
		return file_source_new(from->file.path, job->limits.record_bytes);
	case SOURCE_STDIN:
		return file_source_new("-", job->limits.record_bytes);
	case SOURCE_DATAGEN:
		return datagen_source_new(job, &system_clock);
	case SOURCE_NONE:
		break;
	}
	abort(); /* the check lets no job without a source pass */
}

static struct sink *make_sink(const struct jobspec *job, size_t index, const struct query *query,
                              const struct run_options *options)
{
	const struct sink_spec *spec = &job->sinks[index];
	char id[JOB_ID_MAX + 1];

	switch (spec->kind) {
	case SINK_PUSHGATEWAY:
		return pushgateway_sink_new(job, index, &query->result, options->secrets, &system_clock);
	case SINK_KAFKA:
		job_sink_id(job, index, id);
		return kafka_sink_new(&spec->kafka, id, options->secrets);
	case SINK_FILE:
		return file_sink_new(spec->file.path);
	case SINK_STDOUT:
		return stdout_sink_new(spec->stdout_format);
	case SINK_NONE:
		break;
	}
	abort(); /* the check lets no such sink pass */
}

/* Others read what is there, and take it for what the job makes of its own source. */
static bool is_remote(const struct sink_spec *spec)
{
	switch (spec->kind) {
	case SINK_PUSHGATEWAY:
	case SINK_KAFKA:
		return true;
	case SINK_FILE:
	case SINK_STDOUT:
	case SINK_NONE:
		return false;
	}
	return false;
}

static void make_sinks(const struct jobspec *job, const struct query *query, const struct run_options *options,
                       struct pipeline_options *parts)
{
	size_t left_alone = 0;
	bool shown = false;

	for (size_t i = 0; i < job->sinks_count; i++) {
		if (options->input && is_remote(&job->sinks[i])) {
			left_alone++;
			continue;
		}
		shown = shown || job->sinks[i].kind == SINK_STDOUT;
		parts->sinks[parts->sinks_count++] = make_sink(job, i, query, options);
	}
	if (!left_alone)
		return;
	log_info("the servers of the job's sinks are left alone; results go to standard output", "sinks=%zu",
	         left_alone);
	if (!shown)
		parts->sinks[parts->sinks_count++] = output_sink_new("-");
}

static struct dead_letter *make_dead_letter(const struct jobspec *job, const struct run_options *options)
{
	switch (job->dead_letter.kind) {
	case SINK_FILE:
		return file_dead_letter_new(job->dead_letter.file.path);
	case SINK_KAFKA:
		if (options->letters_path[0])
			return file_dead_letter_new(options->letters_path);
		if (options->input || options->output)
			return NULL;
		return kafka_dead_letter_new(&job->dead_letter.kafka, options->secrets);
	case SINK_PUSHGATEWAY:
	case SINK_STDOUT:
	case SINK_NONE:
		break;
	}
	return NULL;
}

/* With what a file sink has beside it: runtime/file/side_file.h. */
static void put_output(struct buffer *paths, const char *path)
{
	if (path)
		buffer_printf(paths, "%s\n%s.streamjob\n%s.streamjob.new\n", path, path, path);
}

void run_outputs(const struct jobspec *job, const struct run_options *options, struct buffer *ret_paths)
{
	buffer_init(ret_paths);
	if (options->output && strcmp(options->output, "-"))
		put_output(ret_paths, options->output);
	if (options->letters_path[0])
		put_output(ret_paths, options->letters_path);
	for (size_t i = 0; i < job->sinks_count; i++)
		if (job->sinks[i].kind == SINK_FILE)
			put_output(ret_paths, job->sinks[i].file.path);
	if (job->dead_letter.kind == SINK_FILE)
		put_output(ret_paths, job->dead_letter.file.path);
}

void run_make_parts(const struct jobspec *job, const struct source_spec *from, const struct query *query,
                    const struct run_options *options, struct job_identity *identity, struct pipeline_options *parts)
{
	parts->sinks_count = 0;
	parts->sinks = xcalloc(STATUS_SINKS_MAX, sizeof(struct sink *));
	parts->source = make_source(job, from, query, options, identity);
	if (options->output)
		parts->sinks[parts->sinks_count++] = output_sink_new(options->output);
	else
		make_sinks(job, query, options, parts);
	parts->letters = make_dead_letter(job, options);
}

/*
 * streamjob cleanup FILE: deletes the groups that the job's Pushgateway sinks wrote, for a job that is gone for good.
 * The operator runs it once the pods have drained; see docs/decisions/cleanup.md.
 */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "lib/spec/query/query.h"
#include "lib/process/log_stderr.h"
#include "lib/process/system_clock.h"
#include "runtime/cli/cli.h"
#include "runtime/pushgateway/pushgateway.h"

#define TIMEOUT_MS 60000

struct cleanup_options {
	const char *file, *name, *secrets;
	int64_t timeout_ms;
	bool log_json;
};

static int usage(FILE *out, int code)
{
	fputs("usage: streamjob cleanup FILE [options]\n\n"
	      "  --timeout DURATION   for all sinks together (1m)\n"
	      "  --name JOB           the job, where the file has several\n"
	      "  --secrets DIR        where secrets are mounted (/etc/streamjob/secrets)\n"
	      "  --log-format FORMAT  logfmt or json\n\n"
	      "Deletes the groups that the job's Pushgateway sinks wrote. Exit 0: they are gone; 1: at least one may "
	      "be\n"
	      "left; 2: usage or an invalid file.\n",
	      out);
	return code + 1;
}

static int parse_one(int option, struct cleanup_options *options)
{
	struct error err;

	switch (option) {
	case 't':
		if (text_parse_duration(slice_of(optarg), &options->timeout_ms, &err) == 0)
			return 0;
		fprintf(stderr, "streamjob cleanup: --timeout \"%s\": %s\n", optarg, err.text);
		return EXIT_USAGE + 1;
	case 'n':
		options->name = optarg;
		return 0;
	case 's':
		options->secrets = optarg;
		return 0;
	case 'f':
		if (log_format_parse(optarg, &options->log_json))
			return 0;
		fprintf(stderr, "streamjob cleanup: --log-format \"%s\": " LOG_FORMATS "\n", optarg);
		return EXIT_USAGE + 1;
	case 'h':
		return usage(stdout, EXIT_OK);
	default:
		return usage(stderr, EXIT_USAGE);
	}
}

/* 0: go on; else the exit code plus 1. */
static int parse(int argc, char **argv, struct cleanup_options *options)
{
	static const struct option long_options[] = {
	        {"timeout", required_argument, NULL, 't'}, {"name", required_argument, NULL, 'n'},
	        {"secrets", required_argument, NULL, 's'}, {"log-format", required_argument, NULL, 'f'},
	        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
	int option, code = 0;

	*options = (struct cleanup_options){.secrets = "/etc/streamjob/secrets", .timeout_ms = TIMEOUT_MS};
	while (!code && (option = getopt_long(argc, argv, "h", long_options, NULL)) != -1)
		code = parse_one(option, options);
	if (!code && optind + 1 != argc)
		code = usage(stderr, EXIT_USAGE);
	options->file = argv[optind];
	return code;
}

static int64_t now_ms(void)
{
	return clock_monotonic_ms(&system_clock);
}

/* The sink's words on an attempt: the last one is cut off by the deadline and says only that. */
static void keep_words(void *context, const struct error *err)
{
	if (err)
		*(struct error *)context = *err;
}

/* Tries until the deadline in `stop`. */
static bool delete_group(struct sink *sink, const struct schema *schema, struct stop *stop)
{
	const struct window_result empty = {.sequence = 1, .schema = schema, .delete_group = true};
	const struct sink_start start = {.life = "cleanup", .next_sequence = 1};
	struct error err = {.text = "out of time"}, attempt = {.text = ""};
	enum sink_outcome outcome = SINK_RETRY;

	sink->report = keep_words;
	sink->report_context = &attempt;
	if (sink->ops->open(sink, &start, stop, &err) == 0)
		while (outcome == SINK_RETRY && !stop_deadline_passed(stop))
			outcome = sink->ops->write(sink, &empty, stop, &err);
	if (outcome == SINK_ACCEPTED)
		log_info("group deleted", "sink=\"%s\"", sink->target);
	else
		log_error("group not deleted", "sink=\"%s\" error=\"%s\"", sink->target,
		          attempt.text[0] ? attempt.text : err.text);
	return outcome == SINK_ACCEPTED;
}

static int64_t pushgateways(const struct jobspec *job)
{
	int64_t count = 0;

	for (size_t i = 0; i < job->sinks_count; i++)
		count += job->sinks[i].kind == SINK_PUSHGATEWAY;
	return count;
}

/* Each sink gets an even share of the time that is left, so that a dead gateway does not take it all. */
static bool delete_groups(const struct jobspec *job, const struct query *query, const struct cleanup_options *options)
{
	int64_t deadline_ms = now_ms() + options->timeout_ms;
	int64_t left = pushgateways(job);
	struct stop stop = {.clock = &system_clock};
	bool all = true;

	for (size_t i = 0; left > 0 && i < job->sinks_count; i++) {
		struct sink *sink;

		if (job->sinks[i].kind != SINK_PUSHGATEWAY)
			continue;
		sink = pushgateway_sink_new(job, i, &query->result, options->secrets, &system_clock);
		atomic_store(&stop.deadline_ms, now_ms() + (deadline_ms - now_ms()) / left--);
		all = delete_group(sink, &query->result, &stop) && all;
		sink->ops->close(sink);
	}
	return all;
}

int command_cleanup(int argc, char **argv)
{
	struct cleanup_options options;
	struct jobspecs jobs = {0};
	const struct jobspec *job;
	int code = parse(argc, argv, &options);

	if (code)
		return code - 1;
	signal(SIGPIPE, SIG_IGN);
	log_to_stderr(options.log_json, LOG_LEVEL_INFO);
	job = job_file_load(options.file, options.name, &jobs);
	code = EXIT_USAGE;
	if (job) {
		struct problems problems;
		struct query *query;
		bool whole; /* not where only the code of a function, which is not needed here, has its types */

		problems_init(&problems);
		query = query_compile_parts(job, NULL, NULL, &problems, &whole);
		code = delete_groups(job, query, &options) ? EXIT_OK : EXIT_FAILED;
		query_free(query);
		problems_release(&problems);
	}
	jobspecs_release(&jobs);
	return code;
}

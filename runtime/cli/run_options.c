#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/log.h"
#include "lib/base/text.h"
#include "runtime/cli/run.h"

#define CLUSTER_BYTES_MAX 256

static int usage(FILE *out, int code)
{
	fputs("usage: streamjob run FILE [options]\n\n"
	      "  --input PATH|-         read newline-delimited JSON instead of the job's source; without --output,\n"
	      "                         results for Kafka and a Pushgateway go to standard output\n"
	      "  --output PATH|-        write JSON lines instead of to the job's sinks; dead letters for Kafka go to\n"
	      "                         PATH.dead-letters.jsonl, or are only counted\n"
	      "  --strict               exit code 3 where anything was left out\n"
	      "  --hide-values          no values of rows in logs and status, but for spec.showValues\n"
	      "  --until-idle DURATION  end after that long without a record (10s)\n"
	      "  --clock COLUMN         this TIMESTAMP column plays the wall clock: replays a recording\n"
	      "  --name JOB             the job to run, where the file has several\n"
	      "  --listen ADDRESS       serve /healthz, /readyz, /metrics, /status (:8080)\n"
	      "  --secrets DIR          where secrets are mounted (/etc/streamjob/secrets)\n"
	      "  --functions-dir DIR    where code.configMapRef is mounted (/etc/streamjob/functions)\n"
	      "  --lanes N              threads that read and aggregate (default: the processors, at most 8)\n"
	      "  --take-over OWNER      go on with the job of that owner, CLUSTER/NAMESPACE/NAME\n"
	      "  --previous FILE|DIR    a job file before this one, or a folder of them; may be given several times: "
	      "a\n"
	      "                         window that its query began is finished by it, then the job goes on with "
	      "FILE;\n"
	      "                         Pushgateway groups that only it names are deleted\n"
	      "  --previous-functions-dir DIR  where code.configMapRef of the --previous before it is mounted\n"
	      "  --drop-pending[=QUERY] give up a window that another query of the job, or that one, began\n"
	      "  --owner-cluster ID     the cluster that the job runs in; the operator gives it\n"
	      "  --rollout N            raised with each job file; the operator gives it\n"
	      "  --stay                 when the input has ended, serve --listen until a signal comes\n"
	      "  --known FILE           what the operator knows of the job's life\n"
	      "  --log-format FORMAT    logfmt or json\n"
	      "  --log-level LEVEL      debug, info, warn or error\n\n"
	      "Exit 0: the input ended or a drain is done; 1: the job failed; 2: usage or an invalid file; 3: a loss,\n"
	      "by --strict.\n"
	      "SIGTERM and SIGINT drain; a second one ends at once.\n",
	      out);
	return code + 1;
}

static int bad_value(const char *option, const char *value, const char *expected)
{
	fprintf(stderr, "streamjob run: --%s \"%s\": %s\n", option, value, expected);
	return EXIT_USAGE + 1;
}

static int parse_number(const char *text, unsigned *ret_number)
{
	int64_t number;

	if (!text_parse_bigint(slice_of(text), &number) || number < 1 || number > LANES_MAX)
		return -1;
	*ret_number = (unsigned)number;
	return 0;
}

static int add_previous(struct run_options *options, const char *path)
{
	if (options->previous_count == PREVIOUS_MAX)
		return bad_value("previous", path, "at most 32 are taken; a folder may hold more files");
	options->previous[options->previous_count++] = (struct previous_file){.path = path};
	return 0;
}

static int place_functions(struct run_options *options, const char *folder)
{
	if (!options->previous_count)
		return bad_value("previous-functions-dir", folder, "belongs behind a --previous");
	options->previous[options->previous_count - 1].functions_dir = folder;
	return 0;
}

static int parse_one(int option, struct run_options *options)
{
	struct error err;

	switch (option) {
	case 'i':
		options->input = optarg;
		return 0;
	case 'o':
		options->output = optarg;
		return 0;
	case 'c':
		options->clock_column = optarg;
		return 0;
	case 'n':
		options->name = optarg;
		return 0;
	case 'l':
		options->listen = optarg;
		return 0;
	case 's':
		options->secrets = optarg;
		return 0;
	case 'd':
		options->functions_dir = optarg;
		return 0;
	case 'u':
		if (text_parse_duration(slice_of(optarg), &options->until_idle_ms, &err) < 0)
			return bad_value("until-idle", optarg, err.text);
		return options->until_idle_ms ? 0 : bad_value("until-idle", optarg, "more than 0 is needed (10s)");
	case 'N':
		return parse_number(optarg, &options->lanes) < 0 ? bad_value("lanes", optarg, "1 to 64 is needed") : 0;
	case 'O':
		options->owner_cluster = optarg;
		return strlen(optarg) <= CLUSTER_BYTES_MAX
		               ? 0
		               : bad_value("owner-cluster", optarg, "at most 256 characters are needed");
	case 'k':
		options->known = optarg;
		return 0;
	case 't':
		options->take_over = optarg;
		return 0;
	case 'D':
		options->drop_pending = true;
		options->drop_query = optarg;
		return 0;
	case 'p':
		return add_previous(options, optarg);
	case 'P':
		return place_functions(options, optarg);
	case 'r':
		return text_parse_bigint(slice_of(optarg), &options->rollout) && options->rollout > 0
		               ? 0
		               : bad_value("rollout", optarg, "a whole number from 1 on is needed");
	case 'f':
		return log_format_parse(optarg, &options->log_json) ? 0 : bad_value("log-format", optarg, LOG_FORMATS);
	case 'L':
		return log_level_parse(optarg, &options->log_level) ? 0 : bad_value("log-level", optarg, LOG_LEVELS);
	case 'S':
		options->strict = true;
		return 0;
	case 'y':
		options->stay = true;
		return 0;
	case 'H':
		options->hide_values = true;
		return 0;
	case 'h':
		return usage(stdout, EXIT_OK);
	default:
		return usage(stderr, EXIT_USAGE);
	}
}

static int place_letters(struct run_options *options)
{
	int size = 0;

	if (options->output && strcmp(options->output, "-"))
		size = snprintf(options->letters_path, sizeof(options->letters_path), "%s.dead-letters.jsonl",
		                options->output);
	return size < (int)sizeof(options->letters_path)
	               ? 0
	               : bad_value("output", options->output, "a shorter path is needed");
}

int run_options_parse(int argc, char **argv, struct run_options *options)
{
	static const struct option long_options[] = {{"input", required_argument, NULL, 'i'},
	                                             {"output", required_argument, NULL, 'o'},
	                                             {"functions-dir", required_argument, NULL, 'd'},
	                                             {"until-idle", required_argument, NULL, 'u'},
	                                             {"clock", required_argument, NULL, 'c'},
	                                             {"name", required_argument, NULL, 'n'},
	                                             {"listen", required_argument, NULL, 'l'},
	                                             {"secrets", required_argument, NULL, 's'},
	                                             {"lanes", required_argument, NULL, 'N'},
	                                             {"owner-cluster", required_argument, NULL, 'O'},
	                                             {"known", required_argument, NULL, 'k'},
	                                             {"take-over", required_argument, NULL, 't'},
	                                             {"previous", required_argument, NULL, 'p'},
	                                             {"previous-functions-dir", required_argument, NULL, 'P'},
	                                             {"drop-pending", optional_argument, NULL, 'D'},
	                                             {"rollout", required_argument, NULL, 'r'},
	                                             {"strict", no_argument, NULL, 'S'},
	                                             {"stay", no_argument, NULL, 'y'},
	                                             {"hide-values", no_argument, NULL, 'H'},
	                                             {"log-format", required_argument, NULL, 'f'},
	                                             {"log-level", required_argument, NULL, 'L'},
	                                             {"help", no_argument, NULL, 'h'},
	                                             {NULL, 0, NULL, 0}};
	int option;

	*options = (struct run_options){.secrets = "/etc/streamjob/secrets", .log_level = LOG_LEVEL_INFO};
	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		int code = parse_one(option, options);

		if (code)
			return code;
	}
	if (optind + 1 != argc)
		return usage(stderr, EXIT_USAGE);
	options->file = argv[optind];
	return place_letters(options);
}

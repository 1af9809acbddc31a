/* streamjob explain FILE: the plan of a job. */
#include <getopt.h>
#include <stdio.h>

#include "lib/jobspec/query.h"
#include "runtime/cli/cli.h"

static int usage(FILE *out, int code)
{
	fputs("usage: streamjob explain FILE [--name JOB]\n\n"
	      "Prints the columns that are read, the filter, the window, the keys, each aggregate with its type, "
	      "where\n"
	      "results go and what is committed when.\n",
	      out);
	return code;
}

int command_explain(int argc, char **argv)
{
	static const struct option long_options[] = {
	        {"name", required_argument, NULL, 'n'}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
	const char *name = NULL;
	const struct jobspec *job;
	struct jobspecs jobs = {0};
	struct problems problems;
	struct query *query;
	struct buffer out;
	int option;

	while ((option = getopt_long(argc, argv, "n:h", long_options, NULL)) != -1) {
		if (option == 'h')
			return usage(stdout, EXIT_OK);
		if (option != 'n')
			return usage(stderr, EXIT_USAGE);
		name = optarg;
	}
	if (optind + 1 != argc)
		return usage(stderr, EXIT_USAGE);
	job = job_file_load(argv[optind], name, &jobs);
	if (!job) {
		jobspecs_release(&jobs);
		return EXIT_PROBLEMS;
	}
	problems_init(&problems);
	buffer_init(&out);
	query = query_compile(job, NULL, &problems);
	if (query)
		query_explain(job, query, &out);
	else
		problems_print(&problems, &out);
	fwrite(buffer_slice(&out).data, 1, out.size, query ? stdout : stderr);
	option = query ? EXIT_OK : EXIT_PROBLEMS;
	query_free(query);
	buffer_release(&out);
	problems_release(&problems);
	jobspecs_release(&jobs);
	return option;
}

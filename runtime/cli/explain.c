/* streamjob explain FILE: the plan of a job. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/spec/out/catalog.h"
#include "lib/spec/query/query.h"
#include "lib/process/system_clock.h"
#include "runtime/cli/function_loader.h"

static int usage(FILE *out, int code)
{
	fputs("usage: streamjob explain FILE [--name JOB] [--functions-dir DIR]\n"
	      "       streamjob explain --catalog\n\n"
	      "Prints the columns that are read, the filter, the window, the keys, each aggregate with its type, "
	      "where\n"
	      "results go and what is committed when. --catalog: every aggregate, function, source, format, window "
	      "and\n"
	      "sink that a job can be made of.\n",
	      out);
	return code;
}

/* The types of what functions yield are known when they are loaded. */
static int explain(const struct jobspec *job, const char *functions_dir)
{
	struct udf_environment environment = cli_environment(functions_dir);
	struct functions *functions = functions_new(job, &udf_worker_ops, &environment, &system_clock);
	struct user_functions known = {.items = functions->known, .count = functions->count};
	struct query *query = NULL;
	struct buffer out;
	struct error err;

	buffer_init(&out);
	if (functions_load(functions, &err) == 0)
		query = query_compile(job, NULL, &known, &err);
	if (query)
		query_explain(job, query, &out);
	else
		buffer_printf(&out, "%s\n", err.text);
	fwrite(buffer_slice(&out).data, 1, out.size, query ? stdout : stderr);
	query_free(query);
	functions_free(functions);
	buffer_release(&out);
	return query ? EXIT_OK : EXIT_FAILED;
}

static int print_catalog(void)
{
	struct buffer out;

	buffer_init(&out);
	catalog_text(&out);
	fwrite(buffer_slice(&out).data, 1, out.size, stdout);
	buffer_release(&out);
	return EXIT_OK;
}

int command_explain(int argc, char **argv)
{
	static const struct option long_options[] = {{"name", required_argument, NULL, 'n'},
	                                             {"functions-dir", required_argument, NULL, 'd'},
	                                             {"catalog", no_argument, NULL, 'c'},
	                                             {"help", no_argument, NULL, 'h'},
	                                             {NULL, 0, NULL, 0}};
	const char *name = NULL, *functions_dir = NULL;
	const struct jobspec *job;
	struct jobspecs jobs = {0};
	int option;

	while ((option = getopt_long(argc, argv, "n:h", long_options, NULL)) != -1) {
		if (option == 'h')
			return usage(stdout, EXIT_OK);
		if (option == 'c')
			return argc == 2 ? print_catalog() : usage(stderr, EXIT_USAGE);
		if (option == 'n')
			name = optarg;
		else if (option == 'd')
			functions_dir = optarg;
		else
			return usage(stderr, EXIT_USAGE);
	}
	if (optind + 1 != argc)
		return usage(stderr, EXIT_USAGE);
	job = job_file_load(argv[optind], name, &jobs);
	if (!job) {
		jobspecs_release(&jobs);
		return EXIT_USAGE;
	}
	option = explain(job, functions_dir);
	jobspecs_release(&jobs);
	return option;
}

/* streamjob validate FILE…: every problem of every file at once. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "lib/process/file.h"
#include "lib/process/log_stderr.h"
#include "runtime/cli/function_loader.h"
#include "runtime/cli/run.h"

struct validation {
	const struct function_loader *loader; /* NULL: code is not looked at */
	const char *sample, *functions_dir;   /* NULL: none */
};

/* The job on the records of the sample, to nowhere: what it says of them is the point. */
static bool run_sample(const struct jobspec *job, const struct validation *validation)
{
	const struct run_options options = {.input = validation->sample,
	                                    .output = "/dev/null",
	                                    .secrets = "",
	                                    .functions_dir = validation->functions_dir};

	return run_job(job, &options) == EXIT_OK;
}

static bool validate_file(const char *path, const struct validation *validation)
{
	struct problems problems, warnings;
	struct jobspecs jobs = {0};
	struct buffer text, out;
	struct error err;
	bool good = false;

	buffer_init(&text);
	buffer_init(&out);
	problems_init(&problems);
	problems_init(&warnings);
	problems.warnings = &warnings;
	if (file_read(path, JOB_FILE_BYTES_MAX, &text, &err) < 0) {
		buffer_printf(&out, "%s\n", err.text);
	} else {
		good = jobspecs_load_calling(path, buffer_slice(&text), validation->loader, &problems, &jobs) == 0;
		problems_print(&problems, &out);
		if (good && !jobs.found) {
			good = false;
			buffer_printf(&out, "%s: no StreamJob in this file (%zu documents of other kinds)\n", path,
			              jobs.documents);
		}
	}
	problems_print(&warnings, &out);
	fwrite(buffer_slice(&out).data, 1, out.size, stderr);
	for (size_t i = 0; good && validation->sample && i < jobs.count; i++)
		good = run_sample(jobs.items[i], validation);
	jobspecs_release(&jobs);
	problems_release(&warnings);
	problems_release(&problems);
	buffer_release(&out);
	buffer_release(&text);
	return good;
}

static int usage(FILE *out, int code)
{
	fputs("usage: streamjob validate [options] FILE...\n\n"
	      "  --no-functions        do not load the code of spec.functions\n"
	      "  --sample FILE         run the jobs on these records, to nowhere: what is bad or suspicious is said\n"
	      "  --functions-dir DIR   where code.configMapRef is: DIR/<function>/<key> (/etc/streamjob/functions)\n\n"
	      "Prints FILE:LINE:COL: spec.path: what is wrong; what would be right, for every problem. Functions are\n"
	      "loaded in a worker, as run does. Other kinds than StreamJob in a file are left alone, but one must be "
	      "there.\n"
	      "Warnings are printed too, and are no problems.\n"
	      "Exit 0: no problem, 1: some, 2: usage.\n",
	      out);
	return code;
}

int command_validate(int argc, char **argv)
{
	static const struct option long_options[] = {{"no-functions", no_argument, NULL, 'N'},
	                                             {"sample", required_argument, NULL, 's'},
	                                             {"functions-dir", required_argument, NULL, 'd'},
	                                             {"help", no_argument, NULL, 'h'},
	                                             {NULL, 0, NULL, 0}};
	struct validation validation = {0};
	struct function_loader hook;
	struct cli_loader loader;
	bool good = true, load = true;
	int option;

	while ((option = getopt_long(argc, argv, "h", long_options, NULL)) != -1) {
		if (option == 'h')
			return usage(stdout, EXIT_OK);
		if (option == 'N')
			load = false;
		else if (option == 'd')
			validation.functions_dir = optarg;
		else if (option == 's')
			validation.sample = optarg;
		else
			return usage(stderr, EXIT_USAGE);
	}
	if (optind >= argc)
		return usage(stderr, EXIT_USAGE);
	cli_loader_init(&loader, validation.functions_dir);
	hook = cli_loader_hook(&loader);
	validation.loader = load ? &hook : NULL;
	if (validation.sample)
		log_to_stderr(false, LOG_LEVEL_WARN);
	for (int i = optind; i < argc; i++)
		good = validate_file(argv[i], &validation) && good;
	cli_loader_release(&loader);
	return good ? EXIT_OK : EXIT_FAILED;
}

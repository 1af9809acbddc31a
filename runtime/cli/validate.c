/* streamjob validate FILE…: every problem of every file at once. */
#include <stdio.h>
#include <string.h>

#include "runtime/cli/cli.h"

static bool validate_file(const char *path)
{
	struct problems problems;
	struct jobspecs jobs = {0};
	struct buffer text, out;
	struct error err;
	bool good = false;

	buffer_init(&text);
	buffer_init(&out);
	problems_init(&problems);
	if (job_file_read(path, &text, &err) < 0) {
		buffer_printf(&out, "%s\n", err.text);
	} else {
		good = jobspecs_load(path, buffer_slice(&text), &problems, &jobs) == 0;
		problems_print(&problems, &out);
		if (good && !jobs.found)
			buffer_printf(&out, "%s: no StreamJob in this file (%zu documents of other kinds)\n", path,
			              jobs.documents);
	}
	fwrite(buffer_slice(&out).data, 1, out.size, good ? stdout : stderr);
	jobspecs_release(&jobs);
	problems_release(&problems);
	buffer_release(&out);
	buffer_release(&text);
	return good;
}

int command_validate(int argc, char **argv)
{
	bool good = true;

	if (argc < 2 || !strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")) {
		fputs("usage: streamjob validate FILE...\n\n"
		      "Prints FILE:LINE:COL: spec.path: what is wrong; what would be right, for every problem.\n"
		      "Other kinds than StreamJob in a file are left alone. Exit 0: none, 1: some, 2: usage.\n",
		      argc < 2 ? stderr : stdout);
		return argc < 2 ? EXIT_USAGE : EXIT_OK;
	}
	for (int i = 1; i < argc; i++)
		good = validate_file(argv[i]) && good;
	return good ? EXIT_OK : EXIT_PROBLEMS;
}

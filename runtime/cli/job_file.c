#include <stdio.h>
#include <string.h>

#include "lib/process/file.h"
#include "runtime/cli/cli.h"

static void print_problems(const struct problems *problems)
{
	struct buffer text;

	buffer_init(&text);
	problems_print(problems, &text);
	fwrite(text.data, 1, text.size, stderr);
	buffer_release(&text);
}

static const struct jobspec *choose(const char *path, const char *name, const struct jobspecs *jobs)
{
	const struct jobspec *found = NULL;

	if (!jobs->count) {
		fprintf(stderr, "%s: no StreamJob in this file (%zu documents of other kinds)\n", path,
		        jobs->documents);
		return NULL;
	}
	if (!name && jobs->count == 1)
		return jobs->items[0];
	for (size_t i = 0; name && i < jobs->count; i++)
		if (!strcmp(jobs->items[i]->name, name))
			found = jobs->items[i];
	if (found)
		return found;
	fprintf(stderr, "%s: %s; name one of its jobs with --name:", path,
	        name ? "no StreamJob of that name" : "the file has several StreamJobs");
	for (size_t i = 0; i < jobs->count; i++)
		fprintf(stderr, " %s", jobs->items[i]->name);
	fputc('\n', stderr);
	return NULL;
}

const struct jobspec *job_file_load(const char *path, const char *name, struct jobspecs *jobs)
{
	const struct jobspec *job = NULL;
	struct problems problems;
	struct buffer text;
	struct error err;

	buffer_init(&text);
	problems_init(&problems);
	if (file_read(path, JOB_FILE_BYTES_MAX, &text, &err) < 0)
		fprintf(stderr, "%s\n", err.text);
	else if (jobspecs_load(path, buffer_slice(&text), &problems, jobs) < 0)
		print_problems(&problems);
	else
		job = choose(path, name, jobs);
	problems_release(&problems);
	buffer_release(&text);
	return job;
}

#include "runtime/cli/previous.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/memory.h"
#include "lib/process/file.h"

#define SAID_MAX 1500 /* characters of what was looked at */

struct search {
	const struct jobspec *job; /* the one that is to go on */
	const char *query;
	struct buffer said; /* what was looked at so far */
	size_t files;
};

static bool reads_the_same(const struct jobspec *a, const struct jobspec *b)
{
	return a->source.kind == SOURCE_KAFKA && b->source.kind == SOURCE_KAFKA &&
	       !strcmp(a->source.kafka.group_id, b->source.kafka.group_id) &&
	       !strcmp(a->source.kafka.client.topic, b->source.kafka.client.topic);
}

static void say(struct search *search, const char *path, const char *what, const char *words)
{
	size_t size = strcspn(words, "\n"); /* the first problem is enough */

	search->files++;
	if (search->said.size < SAID_MAX)
		buffer_printf(&search->said, "%s%s (%s%.*s)", search->said.size ? ", " : "", path, what,
		              (int)(size < 300 ? size : 300), words);
}

/* The job of these that is looked for; what there is instead is said. */
static const struct jobspec *pick(struct search *search, const char *path, const struct jobspecs *jobs)
{
	for (size_t i = 0; i < jobs->count; i++) {
		char query[JOBSPEC_QUERY_HASH_BYTES];

		jobspec_query_hash(jobs->items[i], query);
		if (!strcmp(query, search->query) && reads_the_same(jobs->items[i], search->job))
			return jobs->items[i];
		say(search, path,
		    strcmp(query, search->query) != 0 ? "its query is " : "it reads another group or topic: ", query);
	}
	if (!jobs->count)
		say(search, path, "no StreamJob in it", "");
	return NULL;
}

static const struct jobspec *look_into(struct search *search, const char *path, struct jobspecs *jobs)
{
	const struct jobspec *found = NULL;
	struct problems problems;
	struct buffer text, words;
	struct error err;

	buffer_init(&text);
	buffer_init(&words);
	problems_init(&problems);
	*jobs = (struct jobspecs){0};
	if (file_read(path, JOB_FILE_BYTES_MAX, &text, &err) < 0) {
		say(search, path, "", err.text);
	} else if (jobspecs_load(path, buffer_slice(&text), &problems, jobs) < 0) {
		problems_print(&problems, &words);
		say(search, path, "", words.data);
	} else {
		found = pick(search, path, jobs);
	}
	if (!found)
		jobspecs_release(jobs);
	problems_release(&problems);
	buffer_release(&words);
	buffer_release(&text);
	return found;
}

static int is_job_file(const struct dirent *entry)
{
	static const char *const ends[] = {".json", ".yaml", ".yml"};
	size_t size = strlen(entry->d_name);

	for (size_t i = 0; entry->d_name[0] != '.' && i < sizeof(ends) / sizeof(ends[0]); i++)
		if (size > strlen(ends[i]) && !strcmp(entry->d_name + size - strlen(ends[i]), ends[i]))
			return 1;
	return 0;
}

/* The files of a folder, by their names. */
static const struct jobspec *look_through(struct search *search, const char *folder, struct jobspecs *jobs)
{
	const struct jobspec *found = NULL;
	struct dirent **entries;
	int count = scandir(folder, &entries, is_job_file, alphasort);

	if (count <= 0)
		say(search, folder, "a folder without job files", "");
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];

		if (!found && i < PREVIOUS_FILES_MAX &&
		    snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name) < (int)sizeof(path))
			found = look_into(search, path, jobs);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return found;
}

const struct jobspec *previous_find(const struct run_options *options, const struct jobspec *job, const char *query,
                                    struct jobspecs *jobs, struct previous_file *ret_found, struct error *err)
{
	struct search search = {.job = job, .query = query};
	const struct jobspec *found = NULL;
	struct stat status;

	buffer_init(&search.said);
	for (size_t i = 0; i < options->previous_count && !found; i++) {
		const char *path = options->previous[i].path;
		bool folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);

		found = folder ? look_through(&search, path, jobs) : look_into(&search, path, jobs);
		if (found)
			*ret_found = options->previous[i];
	}
	if (!found && !search.files)
		error_write(err, "no job file before this one was given");
	else if (!found)
		error_write(err, "none of the %zu job files that were looked at is the one: %s", search.files,
		            search.said.data);
	buffer_release(&search.said);
	return found;
}

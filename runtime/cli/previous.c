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
	const struct jobspec *found; /* in jobs, from there */
	struct jobspecs *jobs;
	const struct previous_file *given;
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

static int is_job_file(const struct dirent *entry)
{
	static const char *const ends[] = {".json", ".yaml", ".yml"};
	size_t size = strlen(entry->d_name);

	for (size_t i = 0; entry->d_name[0] != '.' && i < sizeof(ends) / sizeof(ends[0]); i++)
		if (size > strlen(ends[i]) && !strcmp(entry->d_name + size - strlen(ends[i]), ends[i]))
			return 1;
	return 0;
}

struct walk {
	const struct previous_file *given;
	previous_visit *visit;
	void *context;
};

static bool look_into(const struct walk *walk, const char *path)
{
	struct jobspecs jobs = {0};
	struct problems problems;
	struct buffer text, words;
	struct error err;
	bool enough;

	buffer_init(&text);
	buffer_init(&words);
	problems_init(&problems);
	if (file_read(path, JOB_FILE_BYTES_MAX, &text, &err) < 0)
		buffer_append_text(&words, err.text);
	else if (jobspecs_load(path, buffer_slice(&text), &problems, &jobs) < 0)
		problems_print(&problems, &words);
	enough = walk->visit(walk->context, walk->given, path, words.data, &jobs);
	jobspecs_release(&jobs);
	problems_release(&problems);
	buffer_release(&words);
	buffer_release(&text);
	return enough;
}

/* The files of a folder, by their names. */
static bool look_through(const struct walk *walk, const char *folder)
{
	struct jobspecs none = {0};
	struct dirent **entries;
	int count = scandir(folder, &entries, is_job_file, alphasort);
	bool enough = false;

	if (count <= 0)
		enough = walk->visit(walk->context, walk->given, folder, "a folder without job files", &none);
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];

		if (!enough && i < PREVIOUS_FILES_MAX &&
		    snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name) < (int)sizeof(path))
			enough = look_into(walk, path);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	return enough;
}

void previous_each(const struct run_options *options, previous_visit *visit, void *context)
{
	bool enough = false;

	for (size_t i = 0; i < options->previous_count && !enough; i++) {
		const struct walk walk = {&options->previous[i], visit, context};
		struct stat status;
		const char *path = walk.given->path;

		enough = stat(path, &status) == 0 && S_ISDIR(status.st_mode) ? look_through(&walk, path)
		                                                             : look_into(&walk, path);
	}
}

static bool look(void *context, const struct previous_file *given, const char *path, const char *problem,
                 struct jobspecs *jobs)
{
	struct search *search = context;

	if (problem)
		say(search, path, "", problem);
	else
		search->found = pick(search, path, jobs);
	if (!search->found)
		return false;
	search->given = given;
	*search->jobs = *jobs;
	*jobs = (struct jobspecs){0};
	return true;
}

const struct jobspec *previous_find(const struct run_options *options, const struct jobspec *job, const char *query,
                                    struct jobspecs *jobs, struct previous_file *ret_found, struct error *err)
{
	struct search search = {.job = job, .query = query, .jobs = jobs};

	buffer_init(&search.said);
	previous_each(options, look, &search);
	if (search.found)
		*ret_found = *search.given;
	else if (!search.files)
		error_write(err, "no job file before this one was given");
	else
		error_write(err, "none of the %zu job files that were looked at is the one: %s", search.files,
		            search.said.data);
	buffer_release(&search.said);
	return search.found;
}

/* Names: each is one thing. */
#include <stdio.h>

#include "lib/jobspec/check.h"

#define PATH_MAX_BYTES 128

static void check_reserved(const char *name, const char *path, struct problems *problems)
{
	if (!strcmp(name, "window_start") || !strcmp(name, "window_end"))
		check_problem(problems, path, "choose another name", "%s is in every result row already", name);
	if (!strncmp(name, "kafka_", 6))
		check_problem(problems, path, "choose another name",
		              "names that begin with kafka_ are the Kafka source's own");
}

/* Columns and select are one list of names: entry i of both together, NULL where it has none. */
static const char *row_name(const struct jobspec *job, size_t i)
{
	return i < job->columns_count ? job->columns[i].name : job->select[i - job->columns_count].name;
}

static void row_path(const struct jobspec *job, size_t i, char path[PATH_MAX_BYTES])
{
	bool declared = i < job->columns_count;

	snprintf(path, PATH_MAX_BYTES, "spec.%s[%zu].name", declared ? "columns" : "select",
	         declared ? i : i - job->columns_count);
}

static void check_row_names(const struct jobspec *job, struct problems *problems)
{
	for (size_t i = 0; i < job->columns_count + job->select_count; i++) {
		const char *name = row_name(job, i);
		char path[PATH_MAX_BYTES], first[PATH_MAX_BYTES];
		size_t k = 0;

		if (!name)
			continue;
		row_path(job, i, path);
		check_reserved(name, path, problems);
		while (k < i && !(row_name(job, k) && !strcmp(row_name(job, k), name)))
			k++;
		row_path(job, k, first);
		if (k < i)
			check_problem(problems, path, "choose another name", "%s is the name of %.*s already", name,
			              (int)(strlen(first) - strlen(".name")), first);
	}
}

static bool is_group_key(const struct jobspec *job, const char *name)
{
	for (size_t i = 0; i < job->group_by.count; i++)
		if (!strcmp(job->group_by.items[i], name))
			return true;
	return false;
}

void check_names(const struct jobspec *job, struct problems *problems)
{
	check_row_names(job, problems);
	for (size_t i = 0; i < job->aggregates_count; i++) {
		const char *name = job->aggregates[i].name;
		char path[PATH_MAX_BYTES];

		if (!name)
			continue;
		snprintf(path, sizeof(path), "spec.aggregates[%zu].name", i);
		check_reserved(name, path, problems);
		if (is_group_key(job, name))
			check_problem(problems, path, "choose another name", "%s is a group key", name);
		for (size_t k = 0; k < i; k++)
			if (job->aggregates[k].name && !strcmp(job->aggregates[k].name, name))
				check_problem(problems, path, "choose another name",
				              "%s is the name of spec.aggregates[%zu] already", name, k);
	}
}

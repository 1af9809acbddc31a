/* Names: each is one thing. */
#include <stdio.h>
#include <strings.h>

#include "lib/spec/check/check.h"

#define PATH_MAX_BYTES 128

/* One name, where it stands, and what it is the name of. */
struct named {
	const char *name; /* NULL: the file had a problem there */
	char path[PATH_MAX_BYTES], owner[PATH_MAX_BYTES];
};

static void check_reserved(const char *name, const char *path, struct problems *problems)
{
	if (!strcmp(name, "window_start") || !strcmp(name, "window_end"))
		check_problem(problems, path, "choose another name", "%s is in every result row already", name);
	if (is_source_column(name))
		check_problem(problems, path, "choose another name",
		              "names that begin with kafka_ are the Kafka source's own");
}

static struct named named(const char *name, const char *list, size_t index)
{
	struct named named = {.name = name};

	snprintf(named.owner, sizeof(named.owner), "spec.%s[%zu]", list, index);
	snprintf(named.path, sizeof(named.path), "spec.%s[%zu].name", list, index);
	return named;
}

static struct named named_column(const struct names *columns, size_t c, const char *list, size_t index)
{
	struct named named = {.name = columns->items[c]};

	snprintf(named.owner, sizeof(named.owner), "spec.%s[%zu]", list, index);
	snprintf(named.path, sizeof(named.path), "spec.%s[%zu].columns[%zu]", list, index, c);
	return named;
}

/* Columns, select and lateral are one list of names: entry i of it; false past its end. */
static bool row_name(const struct jobspec *job, size_t i, struct named *ret_named)
{
	if (i < job->columns_count) {
		*ret_named = named(job->columns[i].name, "columns", i);
		return true;
	}
	i -= job->columns_count;
	if (i < job->select_count) {
		*ret_named = named(job->select[i].name, "select", i);
		return true;
	}
	i -= job->select_count;
	for (size_t l = 0; l < job->lateral_count; i -= job->lateral[l++].columns.count) {
		if (i < job->lateral[l].columns.count) {
			*ret_named = named_column(&job->lateral[l].columns, i, "lateral", l);
			return true;
		}
	}
	return false;
}

/* The names of the results, in the same way. */
static bool result_name(const struct jobspec *job, size_t i, struct named *ret_named)
{
	for (size_t a = 0; a < job->aggregates_count; a++) {
		const struct aggregate_spec *aggregate = &job->aggregates[a];
		size_t count = aggregate_columns_count(aggregate);

		if (i < count) {
			*ret_named = aggregate->columns.count ? named_column(&aggregate->columns, i, "aggregates", a)
			                                      : named(aggregate->name, "aggregates", a);
			return true;
		}
		i -= count;
	}
	return false;
}

static bool function_name(const struct jobspec *job, size_t i, struct named *ret_named)
{
	if (i >= job->functions_count)
		return false;
	*ret_named = named(job->functions[i].name, "functions", i);
	return true;
}

/* No name of the list is there before. */
static void check_unique(const struct jobspec *job, bool (*entry)(const struct jobspec *, size_t, struct named *),
                         int (*compare)(const char *, const char *), struct problems *problems)
{
	struct named one, other;

	for (size_t i = 0; entry(job, i, &one); i++) {
		bool found = false;

		for (size_t k = 0; k < i && one.name && !found; k++)
			found = entry(job, k, &other) && other.name && !compare(other.name, one.name);
		if (found)
			check_problem(problems, one.path, "choose another name", "%s is the name of %s already",
			              one.name, other.owner);
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
	struct named one;

	for (size_t i = 0; row_name(job, i, &one); i++)
		if (one.name)
			check_reserved(one.name, one.path, problems);
	check_unique(job, row_name, strcmp, problems);
	for (size_t i = 0; result_name(job, i, &one); i++) {
		if (!one.name)
			continue;
		check_reserved(one.name, one.path, problems);
		if (is_group_key(job, one.name))
			check_problem(problems, one.path, "choose another name", "%s is a group key", one.name);
	}
	check_unique(job, result_name, strcmp, problems);
}

/* SQL's names are the same in any case, and a function of SQL's own wins. */
void check_functions(const struct jobspec *job, struct problems *problems)
{
	struct named one;

	for (size_t i = 0; function_name(job, i, &one); i++)
		if (one.name && expr_has_function(one.name))
			check_problem(problems, one.path, "choose another name", "%s is a function of SQL's own",
			              one.name);
	for (size_t i = 0; function_name(job, i, &one); i++) {
		const struct function_spec *spec = &job->functions[i];

		if (one.name && spec->form.mixed)
			check_problem(
			        problems, one.path, "give it a second name, with the same code and entrypoint",
			        "%s is called with DISTINCT and without, or with a whole row and without, or with rows "
			        "of other fields",
			        one.name);
		if (one.name && spec->form.distinct && spec->language == LANGUAGE_NATIVE)
			check_problem(problems, one.path, "write it in Python, or keep the values in the function",
			              "%s is a native function: DISTINCT does not go with it", one.name);
	}
	check_unique(job, function_name, strcasecmp, problems);
}

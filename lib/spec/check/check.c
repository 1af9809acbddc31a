#include "lib/spec/check/check.h"

#include <stdio.h>
#include <stdlib.h>

/* Without the names of all columns every expression that uses one would be called wrong. */
static bool columns_are_known(const struct jobspec *job)
{
	for (size_t i = 0; i < job->columns_count; i++)
		if (!job->columns[i].name)
			return false;
	for (size_t i = 0; i < job->select_count; i++)
		if (!job->select[i].name)
			return false;
	for (size_t i = 0; i < job->aggregates_count; i++)
		if (!job->aggregates[i].name && !job->aggregates[i].columns.count)
			return false;
	for (size_t i = 0; i < job->lateral_count; i++)
		if (!job->lateral[i].columns.count)
			return false;
	for (size_t i = 0; i < job->functions_count; i++)
		if (!job->functions[i].name)
			return false;
	return job->columns_count > 0;
}

/* What the code of each says; of one that does not load, what its spec says. */
static struct user_functions *load_functions(const struct jobspec *job, const struct function_loader *loader,
                                             struct problems *problems)
{
	struct user_functions *functions = query_functions(job);
	struct user_function *items = (struct user_function *)(functions + 1);

	for (size_t i = 0; i < job->functions_count; i++) {
		struct user_function loaded;
		struct error err;
		char path[64];

		snprintf(path, sizeof(path), "spec.functions[%zu].entrypoint", i);
		if (loader->load(loader->context, &job->functions[i], &loaded, &err) < 0)
			problems_add_at(problems, path, PROBLEM_NO_OFFSET, err.text, NULL);
		else
			items[i] = loaded;
	}
	return functions;
}

static void warn_of_division(const struct jobspec *job, const struct query *query, struct problems *warnings)
{
	for (size_t i = 0; i < job->aggregates_count; i++) {
		const struct aggregate_expr *aggregate = query->aggregates[i];
		char path[64];
		size_t offset;

		if (!aggregate || !aggregate->output || !program_divides_integers(aggregate->output, &offset))
			continue;
		snprintf(path, sizeof(path), "spec.aggregates[%zu].expr", i);
		problems_add_at(warnings, path, offset,
		                "warning: both sides of this division are integers, and the fraction is cut off",
		                "CAST one of them AS DOUBLE, if it is wanted");
	}
}

static void check_expressions(const struct jobspec *job, const struct user_functions *functions,
                              struct problems *problems)
{
	bool good;
	struct query *query = query_compile_parts(job, NULL, functions, problems, &good);

	check_metrics(job, query, problems);
	if (good && problems->warnings)
		warn_of_division(job, query, problems->warnings);
	query_free(query);
}

static void recall_expressions(const struct jobspec *job, const struct checked_specs *checked, const char *key,
                               struct problems *problems)
{
	size_t first = problems->count, dropped = problems->dropped;

	if (checked->recall(checked->context, key, problems))
		return;
	check_expressions(job, NULL, problems);
	if (problems->dropped == dropped)
		checked->keep(checked->context, key, problems, first);
}

void jobspec_check(const struct jobspec *job, const struct function_loader *loader, const struct checked_specs *checked,
                   const char *key, struct problems *problems)
{
	size_t before = problems->count + problems->dropped;
	struct user_functions *functions = NULL;

	check_names(job, problems);
	check_functions(job, problems);
	check_datagen(job, problems);
	check_kafka(job, problems);
	check_targets(job, problems);
	check_pods(job, problems);
	if (!columns_are_known(job))
		return;
	if (loader && problems->count + problems->dropped == before)
		functions = load_functions(job, loader, problems);
	if (checked && !functions)
		recall_expressions(job, checked, key, problems);
	else
		check_expressions(job, functions, problems);
	free(functions);
}

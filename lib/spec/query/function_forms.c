/* How the job's expressions call its functions, before any code is loaded. */
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/spec/query/query_parts.h"

struct look {
	struct jobspec *job;
	struct user_functions *functions;
	struct user_form *forms;
	struct schema row;
	struct schema_column *columns;
};

static void look_at(struct look *look, const char *text)
{
	if (text)
		user_forms_of(slice_of(text), &look->row, look->functions, look->forms, &look->job->arena);
}

/* A column that has no name has a problem, which is said elsewhere. */
static void add_column(struct look *look, const char *name)
{
	if (name)
		look->columns[look->row.count++] = (struct schema_column){name, TYPE_NULL};
}

/* Each sees what its expression may name; of the types nothing is known yet. */
static void look_at_rows(struct look *look)
{
	struct jobspec *job = look->job;

	for (size_t i = 0; i < job->columns_count; i++)
		add_column(look, job->columns[i].name);
	look_at(look, job->filter);
	for (size_t i = 0; i < job->select_count; i++)
		look_at(look, job->select[i].expr);
	for (size_t i = 0; i < job->select_count; i++)
		add_column(look, job->select[i].name);
	for (size_t i = 0; i < job->lateral_count; i++) {
		look_at(look, job->lateral[i].expr);
		for (size_t c = 0; c < job->lateral[i].columns.count; c++)
			add_column(look, job->lateral[i].columns.items[c]);
	}
}

void jobspec_function_forms(struct jobspec *job)
{
	size_t columns = job->columns_count + job->select_count;
	struct look look = {.job = job};

	if (!job->functions_count)
		return;
	for (size_t i = 0; i < job->lateral_count; i++)
		columns += job->lateral[i].columns.count;
	look.columns = xcalloc(columns + 1, sizeof(*look.columns));
	look.row.columns = look.columns;
	look.functions = query_functions(job);
	look.forms = xcalloc(job->functions_count, sizeof(*look.forms));
	look_at_rows(&look);
	for (size_t i = 0; i < job->aggregates_count; i++)
		look_at(&look, job->aggregates[i].expr);
	look_at(&look, job->having);
	for (size_t i = 0; i < job->functions_count; i++)
		job->functions[i].form = look.forms[i];
	free(look.forms);
	free(look.functions);
	free(look.columns);
}

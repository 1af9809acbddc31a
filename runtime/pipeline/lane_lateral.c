/*
 * Table functions: each row becomes as many as the function yields for it. The rows of a run go through one function
 * after the other, depth first, at most BATCH_ROWS_MAX at a time; while a level's rows are worked on, the lane's batch
 * shows them, and each knows the record that it came from.
 */
#include <stdlib.h>

#include "runtime/pipeline/lane_parts.h"

struct lateral_level {
	struct column *columns; /* of query->row; memory only where they are read */
	size_t capacity, count;
	uint32_t *records;     /* of each row */
	struct arena strings;  /* that the function yielded */
	struct column *before; /* what the lane's batch showed */
	const struct column **argument_list;
	uint32_t inputs[BATCH_ROWS_MAX], rows[BATCH_ROWS_MAX];
};

void lane_lateral_new(struct lane *lane)
{
	const struct query *query = lane->query;

	lane->levels = xcalloc(query->lateral_count + 1, sizeof(*lane->levels));
	for (size_t l = 0; l < query->lateral_count; l++) {
		struct lateral_level *level = &lane->levels[l];

		level->columns = xcalloc(query->row.count, sizeof(struct column));
		level->before = xcalloc(query->row.count, sizeof(struct column));
		level->argument_list =
		        xcalloc(query->lateral[l].call->arguments_count + 1, sizeof(const struct column *));
		arena_init(&level->strings);
	}
}

static void release_columns(struct lateral_level *level, size_t count)
{
	for (size_t c = 0; c < count; c++)
		column_release(&level->columns[c]);
	free(level->records);
	level->records = NULL;
}

void lane_lateral_free(struct lane *lane)
{
	for (size_t l = 0; lane->levels && l < lane->query->lateral_count; l++) {
		release_columns(&lane->levels[l], lane->query->row.count);
		free(lane->levels[l].columns);
		free(lane->levels[l].before);
		free(lane->levels[l].argument_list);
		arena_release(&lane->levels[l].strings);
	}
	free(lane->levels);
}

static void reserve(struct lane *lane, struct lateral_level *level, size_t count)
{
	const struct query *query = lane->query;

	if (count <= level->capacity)
		return;
	release_columns(level, query->row.count);
	level->capacity = count < BATCH_ROWS_MAX ? BATCH_ROWS_MAX : count;
	level->records = xcalloc(level->capacity, sizeof(uint32_t));
	for (size_t c = 0; c < query->row.count; c++) {
		level->columns[c].type = query->row.columns[c].type;
		if (query->read[c])
			column_init(&level->columns[c], query->row.columns[c].type, level->capacity);
	}
}

/* Row `from` of what the batch shows, and what the function yielded at `yielded` (NULL: nothing), become a row. */
static void add_row(struct lane *lane, size_t l, uint32_t from, const struct udf_rows *yielded, size_t at)
{
	const struct lateral_call *call = &lane->query->lateral[l];
	struct lateral_level *level = &lane->levels[l];
	const uint32_t *records = lane->functions.record_rows;

	for (size_t c = 0; c < call->first_column; c++)
		if (lane->query->read[c])
			column_set(&level->columns[c], level->count, column_value(&lane->batch.columns[c], from));
	for (size_t c = 0; c < call->columns_count; c++) {
		struct column *column = &level->columns[call->first_column + c];
		struct value value = {.type = column->type, .null = true};

		if (!column->valid)
			continue;
		if (yielded)
			value = column_value(&yielded->columns[c], at);
		if (value.type == TYPE_STRING && !value.null)
			value.string = arena_copy(&level->strings, value.string);
		column_set(column, level->count, value);
	}
	level->records[level->count++] = records ? records[from] : from;
}

/* Rows on which the function raised yield nothing; all but those that its policy makes NULL of are bad rows. */
static int drop_raised(struct lane *lane, size_t function, struct error *err)
{
	const struct row_failures *failures = lane->functions.failures;
	enum on_exception policy = lane->setup->functions->items[function].spec->on_error;

	memset(lane->failed, 0, sizeof(lane->failed));
	for (size_t i = 0; i < failures->count; i++) {
		if (policy == EXCEPTION_NULL) {
			functions_note(lane->setup->functions, function, "eval", failures->reasons[i]);
			continue;
		}
		if (lane_raised_row(lane, failures->rows[i], function, "eval", failures->reasons[i], err) < 0)
			return -1;
		lane->failed[failures->rows[i]] = 1;
	}
	return 0;
}

/* The arguments; rows on which they fail are bad rows. How many are left, or -1. */
static int run_arguments(struct lane *lane, size_t l, uint32_t *rows, size_t n, struct error *err)
{
	const struct user_call *call = lane->query->lateral[l].call;

	lane->failures.count = 0;
	for (size_t i = 0; i < call->arguments_count; i++)
		lane->levels[l].argument_list[i] =
		        program_run(call->arguments[i], &lane->batch, rows, n, &lane->failures);
	return lane_drop_failures(lane, rows, n, err);
}

/* What the function yielded for rows[0..n), copied. */
static void add_rows(struct lane *lane, size_t l, const uint32_t *rows, size_t n, const struct udf_rows *yielded)
{
	const struct lateral_call *call = &lane->query->lateral[l];
	size_t at = 0;

	reserve(lane, &lane->levels[l], yielded->count + n);
	for (size_t i = 0; i < n; i++) {
		size_t first = at;

		for (; at < yielded->count && yielded->parents[at] == rows[i]; at++)
			if (!lane->failed[rows[i]])
				add_row(lane, l, rows[i], yielded, at);
		if (at == first && call->left && !lane->failed[rows[i]])
			add_row(lane, l, rows[i], NULL, 0);
	}
}

static int yield_rows(struct lane *lane, size_t l, const uint32_t *rows, size_t n, struct error *err)
{
	const struct user_call *call = lane->query->lateral[l].call;
	struct udf_arguments arguments = {lane->levels[l].argument_list, call->arguments_count, rows, n};
	struct functions *functions = lane->setup->functions;
	struct udf_rows yielded = {0};
	struct udf_failure failure;
	int outcome, dropped;

	functions_lock(functions, call->function, lane->number);
	lane->functions.failures->count = 0;
	outcome = functions->ops->eval_table(calls_worker(&lane->functions, call->function), &arguments, &yielded,
	                                     lane->functions.failures, &failure);
	dropped = outcome < 0 ? -1 : drop_raised(lane, call->function, err);
	if (!dropped)
		add_rows(lane, l, rows, n, &yielded);
	functions_unlock(functions, call->function, lane->number);
	if (outcome == 0)
		return dropped;
	calls_rows_failed(&lane->functions, call->function, &arguments, &failure);
	*err = lane->functions.error;
	return -1;
}

static int expand(struct lane *lane, size_t l, const uint32_t *all, size_t all_count, struct error *err)
{
	struct lateral_level *level = &lane->levels[l];
	int n;

	level->count = 0;
	arena_reset(&level->strings);
	memcpy(level->inputs, all, all_count * sizeof(*all));
	n = run_arguments(lane, l, level->inputs, all_count, err);
	return n <= 0 ? n : yield_rows(lane, l, level->inputs, (size_t)n, err);
}

static int aggregate(struct lane *lane, uint32_t *rows, size_t n, struct error *err)
{
	int left;

	lane->failures.count = 0;
	left = lane_call_rows(lane, rows, n, err);
	return left < 0 ? -1 : lane_update(lane, rows, (size_t)left, 0, UINT32_MAX, err);
}

/* Shows rows [from, from + n) of a level in the lane's batch. */
static void show(struct lane *lane, struct lateral_level *level, size_t from, size_t n)
{
	for (size_t c = 0; c < lane->query->row.count; c++) {
		struct column *column = &lane->batch.columns[c];

		*column = level->columns[c];
		if (!column->valid)
			continue;
		column->valid += from;
		column->values = (char *)column->values + from * type_width(column->type);
	}
	lane->functions.record_rows = level->records + from;
	for (size_t i = 0; i < n; i++)
		level->rows[i] = (uint32_t)i;
}

static int descend(struct lane *lane, size_t l, const uint32_t *rows, size_t n, struct error *err)
{
	struct lateral_level *level = &lane->levels[l];
	const uint32_t *records = lane->functions.record_rows;
	size_t columns = lane->query->row.count;
	int outcome = expand(lane, l, rows, n, err);

	memcpy(level->before, lane->batch.columns, columns * sizeof(struct column));
	for (size_t from = 0; from < level->count && !outcome; from += BATCH_ROWS_MAX) {
		size_t count = level->count - from < BATCH_ROWS_MAX ? level->count - from : BATCH_ROWS_MAX;

		show(lane, level, from, count);
		outcome = l + 1 < lane->query->lateral_count ? descend(lane, l + 1, level->rows, count, err)
		                                             : aggregate(lane, level->rows, count, err);
	}
	memcpy(lane->batch.columns, level->before, columns * sizeof(struct column));
	lane->functions.record_rows = records;
	return outcome;
}

int lane_lateral(struct lane *lane, const uint32_t *rows, size_t n, struct error *err)
{
	return n ? descend(lane, 0, rows, n, err) : 0;
}

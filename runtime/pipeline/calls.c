#include "runtime/pipeline/calls.h"

#include <inttypes.h>
#include <stdlib.h>

#include "lib/base/log.h"

const char *calls_row_method(enum function_kind kind)
{
	return kind == FUNCTION_SCALAR || kind == FUNCTION_TABLE ? "eval" : "accumulate";
}

static const struct record *record_of(const struct calls *calls, uint32_t row)
{
	return &calls->records->records[calls->record_rows ? calls->record_rows[row] : row];
}

int calls_failed(struct calls *calls, size_t function, unsigned lane, const struct udf_failure *failure)
{
	calls->failed = true;
	return functions_failed(calls->functions, function, lane, FAILED_FIRING, failure, &calls->error);
}

int calls_stop(struct calls *calls, size_t function, const char *method, const char *message)
{
	calls->failed = true;
	return functions_stop(calls->functions, function, method, message, &calls->error);
}

/* The rows that may be to blame: the one the worker was at, or all. */
static struct suspects find_suspects(const struct calls *calls, const struct udf_arguments *arguments, uint32_t row)
{
	const struct record *first = record_of(calls, row == UDF_NO_ROW ? arguments->rows[0] : row);
	struct suspects suspects = {true, first->partition, first->offset, first->offset};

	for (size_t i = 0; i < arguments->n && row == UDF_NO_ROW; i++) {
		const struct record *record = record_of(calls, arguments->rows[i]);

		if (record->partition == suspects.partition && record->offset > suspects.to_offset)
			suspects.to_offset = record->offset;
	}
	return suspects;
}

/* Were they there at the last failure too? They are remembered in any case. */
static bool suspected_again(struct calls *calls, size_t function, const struct suspects *suspects)
{
	struct functions *functions = calls->functions;
	struct suspects *before = &functions->suspects[calls->lane * functions->count + function];
	bool again = before->any && before->partition == suspects->partition &&
	             before->from_offset <= suspects->to_offset && suspects->from_offset <= before->to_offset;

	*before = *suspects;
	return again;
}

/* Tries the row the worker was at alone, then all by halves. UDF_NO_ROW: no row alone does it. */
static uint32_t probe(const struct calls *calls, size_t function, const struct udf_arguments *arguments, uint32_t hint)
{
	const struct functions *functions = calls->functions;
	struct udf_arguments one = {arguments->columns, arguments->count, &hint, 1};
	const struct udf_environment *environment = &functions->environments[calls->lane * functions->count + function];
	struct udf_failure failure;
	uint32_t row = UDF_NO_ROW;

	if (hint != UDF_NO_ROW &&
	    functions->ops->probe(functions->items[function].spec, environment, &one, &row, &failure) < 0)
		return UDF_NO_ROW;
	if (row == UDF_NO_ROW &&
	    functions->ops->probe(functions->items[function].spec, environment, arguments, &row, &failure) < 0)
		return UDF_NO_ROW;
	return row;
}

static void quarantine(struct calls *calls, size_t function, uint32_t row, const struct udf_failure *failure)
{
	struct functions *functions = calls->functions;
	struct function_state *state = &functions->items[function];
	const struct record *record = record_of(calls, row);
	struct poison poison = {.partition = record->partition,
	                        .element = record->element,
	                        .function = function,
	                        .offset = record->offset};
	bool stop = state->spec->on_poison_row == POISON_FAIL;

	error_set(&poison.reason, "function %s, %s: this row kills it again and again (%s): %s", state->spec->name,
	          failure->method ? failure->method : calls_row_method(state->spec->kind),
	          udf_reason_name(failure->reason), failure->text);
	log_error("a poison row was found", "function=%s partition=%" PRIu32 " offset=%" PRId64, state->spec->name,
	          record->partition, record->offset);
	if (!stop && !quarantine_add(&functions->quarantine, &poison)) {
		error_prefix(&poison.reason, "more than %d poison rows in windows that are not accepted yet",
		             QUARANTINE_ROWS_MAX);
		stop = true;
	}
	if (stop)
		functions_stop(functions, function, failure->method, poison.reason.text, &calls->error);
	functions->suspects[calls->lane * functions->count + function].any = false;
	pthread_mutex_lock(&functions->mutex);
	state->poison_rows++;
	functions->progress = true;
	pthread_mutex_unlock(&functions->mutex);
}

int calls_rows_failed(struct calls *calls, size_t function, const struct udf_arguments *arguments,
                      const struct udf_failure *failure)
{
	struct suspects suspects;
	bool again;

	if (!calls->records)
		return calls_failed(calls, function, calls->lane, failure);
	calls->failed = true;
	if (functions_dead(calls->functions, function, calls->lane, &calls->error))
		return -1;
	suspects = find_suspects(calls, arguments, failure->row);
	again = suspected_again(calls, function, &suspects);
	functions_failed(calls->functions, function, calls->lane, FAILED_ON_ROWS, failure, &calls->error);
	functions_failed_until(calls->functions, function, suspects.partition, suspects.to_offset);
	if (again) {
		uint32_t row = probe(calls, function, arguments, failure->row);

		if (row != UDF_NO_ROW)
			quarantine(calls, function, row, failure);
	}
	return -1;
}

/* The rows that raised, by the function's policy: NULL, or a failure of the row with the function's name. */
static void take_failures(struct calls *calls, size_t function, struct column *result, struct arena *strings,
                          struct row_failures *failures)
{
	const struct function_spec *spec = calls->functions->items[function].spec;

	for (size_t i = 0; i < calls->failures->count; i++) {
		uint32_t row = calls->failures->rows[i];

		result->valid[row] = 0;
		if (spec->on_error == EXCEPTION_NULL)
			functions_note(calls->functions, function, "eval", calls->failures->reasons[i]);
		else
			row_failures_add(failures, row, arena_string(strings, slice_of(calls->failures->reasons[i])),
			                 (uint32_t)function);
	}
}

/* What a worker gives lives until its next call; a program's strings live as long as the batch. */
static void keep_strings(struct column *result, const uint32_t *rows, size_t n, struct arena *strings)
{
	for (size_t i = 0; i < n && result->type == TYPE_STRING; i++)
		if (result->valid[rows[i]])
			result->strings[rows[i]] = arena_copy(strings, result->strings[rows[i]]);
}

static void run_scalar(void *context, size_t function, const struct column *const *arguments, size_t arguments_count,
                       const uint32_t *rows, size_t n, struct column *result, struct arena *strings,
                       struct row_failures *failures)
{
	struct calls *calls = context;
	struct udf_arguments all = {arguments, arguments_count, rows, n};
	struct udf_failure failure;
	int outcome = -1;

	if (!calls->failed) {
		functions_lock(calls->functions, function, calls->lane);
		calls->failures->count = 0;
		outcome = calls->functions->ops->eval(calls_worker(calls, function), &all, result, calls->failures,
		                                      &failure);
		if (!outcome) {
			keep_strings(result, rows, n, strings);
			take_failures(calls, function, result, strings, failures);
		}
		functions_unlock(calls->functions, function, calls->lane);
		if (outcome < 0)
			calls_rows_failed(calls, function, &all, &failure);
	}
	for (size_t i = 0; i < n && outcome < 0; i++)
		result->valid[rows[i]] = 0;
}

void calls_init(struct calls *calls, struct functions *functions, unsigned lane)
{
	*calls = (struct calls){.functions = functions, .lane = lane};
	if (!functions)
		return;
	calls->failures = xcalloc(1, sizeof(*calls->failures));
	calls->known = (struct user_functions){functions->known, functions->count, run_scalar, calls};
}

void calls_release(struct calls *calls)
{
	free(calls->failures);
	calls->failures = NULL;
}

/*
 * A batch, a column at a time: decode, the source's own columns, filter, select, arguments and filters of the
 * aggregates; then, for each run of rows in one window: keys, groups, updates. Every program runs before any state is
 * touched, so a row that fails touches nothing.
 */
#include <stdio.h>

#include "runtime/pipeline/lane_parts.h"

int lane_raised_row(struct lane *lane, uint32_t row, size_t function, const char *method, const char *reason,
                    struct error *err)
{
	const struct function_spec *spec = lane->setup->functions->items[function].spec;
	const struct record *record = lane_record(lane, row);
	enum bad_policy policy = spec->on_error == EXCEPTION_DEAD_LETTER ? BAD_DEAD_LETTER : BAD_SKIP;
	char text[FUNCTION_REASON_MAX], kind[LOSS_REASON_MAX], place[RECORD_PLACE_MAX];
	char hidden[FUNCTION_HIDDEN_MAX];
	const char *said = functions_shown(lane->setup->functions, method, reason, hidden);

	if (spec->on_error == EXCEPTION_FAIL) {
		record_place(record, place);
		snprintf(text, sizeof(text), "%s raised on the record at %s, and the function's onError is fail: %s",
		         method, place, said);
		calls_stop(&lane->functions, function, method, text);
		*err = lane->functions.error;
		return -1;
	}
	functions_note(lane->setup->functions, function, method, said);
	snprintf(kind, sizeof(kind), "function %.64s, %s raised", spec->name, method);
	snprintf(text, sizeof(text), "function %s, %s: %s", spec->name, method, reason);
	return lane_bad_row(lane, row, policy, text, kind, err);
}

int lane_failed_row(struct lane *lane, size_t i, struct error *err)
{
	const struct row_failures *failures = &lane->failures;
	char reason[JSON_REASON_TEXT_MAX];

	if (failures->functions[i] != ROW_FAILURE_OF_EXPRESSION) {
		enum function_kind kind = lane->setup->functions->items[failures->functions[i]].spec->kind;

		return lane_raised_row(lane, failures->rows[i], failures->functions[i], calls_row_method(kind),
		                       failures->reasons[i], err);
	}
	snprintf(reason, sizeof(reason), "an expression failed: %s", failures->reasons[i]);
	return lane_bad_row(lane, failures->rows[i], lane->setup->job->json.on_bad_row, reason, reason, err);
}

int lane_drop_failures(struct lane *lane, uint32_t *rows, size_t n, struct error *err)
{
	const struct row_failures *failures = &lane->failures;
	size_t kept = 0;

	if (lane->functions.failed) {
		*err = lane->functions.error;
		return -1;
	}
	if (!failures->count)
		return (int)n;
	memset(lane->failed, 0, sizeof(lane->failed));
	for (size_t i = 0; i < failures->count; i++) {
		if (lane_failed_row(lane, i, err) < 0)
			return -1;
		lane->failed[failures->rows[i]] = 1;
	}
	for (size_t i = 0; i < n; i++)
		if (!lane->failed[rows[i]])
			rows[kept++] = rows[i];
	return (int)kept;
}

/* Poison rows do not come to the functions again. Returns how many are left, or -1. */
static int drop_poison(struct lane *lane, size_t n, struct error *err)
{
	struct functions *functions = lane->setup->functions;
	size_t kept = 0;

	if (!functions || !atomic_load_explicit(&functions->quarantine.count, memory_order_relaxed))
		return (int)n;
	for (size_t i = 0; i < n; i++) {
		uint32_t row = lane->rows[i];
		enum bad_policy policy = BAD_SKIP;
		struct poison poison;

		if (!quarantine_find(&functions->quarantine, &lane->records.records[row], &poison)) {
			lane->rows[kept++] = row;
			continue;
		}
		if (functions->items[poison.function].spec->on_poison_row == POISON_DEAD_LETTER)
			policy = BAD_DEAD_LETTER;
		if (lane_bad_row(lane, row, policy, poison.reason.text, "a function died on it", err) < 0)
			return -1;
	}
	return (int)kept;
}

/* By the clock column, which is a declared one. */
static size_t judge_stamps(struct lane *lane, size_t n)
{
	size_t decided = lane_judge_stamps(lane, n, lane->complete);

	if (decided < lane->records.count) {
		feed_back(lane->feed, &lane->records, decided);
		lane->records.count = decided;
		n = json_decode(lane->decoder, &lane->records, &lane->batch, lane->rows, &lane->bad);
	}
	return lane_apply_verdicts(lane, n);
}

static int decode(struct lane *lane, struct error *err)
{
	size_t n = json_decode(lane->decoder, &lane->records, &lane->batch, lane->rows, &lane->bad);
	int left;

	if (lane->clock_index >= 0 && (size_t)lane->clock_index < lane->query->declared_count)
		n = judge_stamps(lane, n);
	for (size_t i = 0; i < lane->bad.count; i++) {
		const struct bad_row *bad = &lane->bad.items[i];

		if (lane_bad_row(lane, bad->row, bad->policy, bad->reason, bad->kind, err) < 0)
			return -1;
	}
	if (lane->bad.tombstones || lane->bad.bad_fields || lane->bad.missing_fields)
		lane_note_decoded(lane);
	if (lane->times_left)
		lane_check_times(lane, n);
	left = lane_source_columns(lane, n, err);
	return left < 0 ? -1 : drop_poison(lane, (size_t)left, err);
}

static size_t run_filter(struct lane *lane, size_t n)
{
	size_t kept;

	if (!lane->query->filter)
		return n;
	kept = program_filter(lane->query->filter, &lane->batch, lane->rows, n, lane->rows, &lane->failures);
	atomic_fetch_add_explicit(&lane->counts->filtered, n - kept - lane->failures.count, memory_order_relaxed);
	return kept;
}

static void run_select(struct lane *lane, size_t n)
{
	const struct query *query = lane->query;
	size_t own = query->declared_count + query->source_count;

	for (size_t s = 0; s < lane->setup->job->select_count; s++)
		if (query->read[own + s])
			lane->batch.columns[own + s] =
			        *program_run(query->select[s], &lane->batch, lane->rows, n, &lane->failures);
}

static void run_call(struct lane *lane, struct lane_call *call, const uint32_t *rows, size_t n)
{
	const struct aggregate_call *of = call->of.call;

	call->rows = rows;
	call->rows_count = n;
	if (of->filter) {
		call->rows_count = program_filter(of->filter, &lane->batch, rows, n, call->filtered, &lane->failures);
		call->rows = call->filtered;
	}
	for (size_t i = 0; i < of->arguments_count; i++)
		call->arguments[i] =
		        program_run(of->arguments[i], &lane->batch, call->rows, call->rows_count, &lane->failures);
}

int lane_call_rows(struct lane *lane, uint32_t *rows, size_t n, struct error *err)
{
	int left;

	for (size_t c = 0; c < lane->calls_count; c++)
		run_call(lane, &lane->calls[c], rows, n);
	left = lane_drop_failures(lane, rows, n, err);
	for (size_t c = 0; left >= 0 && lane->failures.count && c < lane->calls_count; c++) {
		struct lane_call *call = &lane->calls[c];
		size_t kept = 0;

		for (size_t i = 0; i < call->rows_count && call->of.call->filter; i++)
			if (!lane->failed[call->filtered[i]])
				call->filtered[kept++] = call->filtered[i];
		call->rows_count = call->of.call->filter ? kept : (size_t)left;
	}
	return left;
}

static int evaluate(struct lane *lane, struct error *err)
{
	int n;
	size_t good;

	batch_clear(&lane->batch);
	lane->failures.count = 0;
	n = decode(lane, err);
	if (n < 0)
		return -1;
	if (lane->clock_index >= 0) {
		memcpy(lane->decoded, lane->rows, (size_t)n * sizeof(uint32_t));
		lane->decoded_count = (size_t)n;
	}
	good = run_filter(lane, (size_t)n);
	run_select(lane, good);
	if (lane->query->lateral_count)
		return lane_drop_failures(lane, lane->rows, good, err);
	return lane_call_rows(lane, lane->rows, good, err);
}

int lane_evaluate(struct lane *lane, struct error *err)
{
	int good = evaluate(lane, err);

	lane->good = good < 0 ? 0 : (size_t)good;
	return good < 0 ? -1 : 0;
}

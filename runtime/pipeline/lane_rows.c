/*
 * A batch, a column at a time: decode, the source's own columns, filter, select, arguments and filters of the
 * aggregates; then, for each run of rows in one window: keys, groups, updates. Every program runs before any state is
 * touched, so a row that fails touches nothing.
 */
#include <inttypes.h>
#include <stdio.h>

#include "lib/base/log.h"
#include "runtime/pipeline/lane.h"

int lane_bad_row(struct lane *lane, uint32_t row, enum bad_policy policy, const char *reason, struct error *err)
{
	const struct record *record = &lane->records.records[row];
	const struct source_spec *source = &lane->setup->job->source;
	const char *topic = source->kind == SOURCE_KAFKA ? source->kafka.client.topic : "";
	struct dead_letter *letters = lane->setup->letters;

	atomic_fetch_add_explicit(&lane->counts->bad, 1, memory_order_relaxed);
	if (policy == BAD_FAIL)
		return error_set(
		        err,
		        "the record at partition %" PRIu32 ", offset %" PRId64
		        " is bad, and the job's policy is to fail: %s; mend the record's producer, or set the policy "
		        "to skip or deadLetter under spec.format.json",
		        record->partition, record->offset, reason);
	if (policy != BAD_DEAD_LETTER || !letters)
		return 0;
	if (letters->ops->write(letters, record, topic, reason, err) < 0)
		return error_prefix(err, "dead letter");
	atomic_fetch_add_explicit(&lane->counts->dead_lettered, 1, memory_order_relaxed);
	return 0;
}

static void fill_source_columns(struct lane *lane, const uint32_t *rows, size_t n)
{
	const struct query *query = lane->query;
	struct column *columns = lane->batch.columns + query->declared_count;
	const bool *read = query->read + query->declared_count;

	if (!query->source_count)
		return;
	for (size_t i = 0; i < n; i++) {
		uint32_t row = rows[i];
		const struct record *record = &lane->records.records[row];

		if (read[0]) {
			columns[0].valid[row] = record->key.data != NULL;
			columns[0].strings[row] = record->key;
		}
		if (read[1]) {
			columns[1].valid[row] = 1;
			columns[1].ints[row] = (int32_t)record->partition;
		}
		if (read[2]) {
			columns[2].valid[row] = 1;
			columns[2].bigints[row] = record->offset;
		}
		if (read[3]) {
			columns[3].valid[row] = record->timestamp_ms >= 0;
			columns[3].bigints[row] = record->timestamp_ms;
		}
		if (read[4]) {
			columns[4].valid[row] = record->headers.data != NULL;
			columns[4].strings[row] = record->headers;
		}
	}
}

/* Takes the rows that a program failed on out of rows[0..n), each a bad row by onBadRow. Returns how many are left, or
 * -1. */
static int drop_failures(struct lane *lane, uint32_t *rows, size_t n, struct error *err)
{
	const struct row_failures *failures = &lane->failures;
	size_t kept = 0;

	if (!failures->count)
		return (int)n;
	for (size_t i = 0; i < failures->count; i++) {
		char reason[JSON_REASON_TEXT_MAX];

		snprintf(reason, sizeof(reason), "an expression failed: %s", failures->reasons[i]);
		if (lane_bad_row(lane, failures->rows[i], lane->setup->job->json.on_bad_row, reason, err) < 0)
			return -1;
		lane->failed[failures->rows[i]] = 1;
	}
	for (size_t i = 0; i < n; i++)
		if (!lane->failed[rows[i]])
			rows[kept++] = rows[i];
	return (int)kept;
}

static int decode(struct lane *lane, struct error *err)
{
	size_t n = json_decode(lane->decoder, &lane->records, &lane->batch, lane->rows, &lane->bad);

	for (size_t i = 0; i < lane->bad.count; i++) {
		const struct bad_row *bad = &lane->bad.items[i];

		if (lane_bad_row(lane, bad->row, bad->policy, bad->reason, err) < 0)
			return -1;
	}
	if (lane->bad.bad_fields)
		atomic_fetch_add_explicit(&lane->counts->bad_fields, lane->bad.bad_fields, memory_order_relaxed);
	return (int)n;
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

static void run_programs(struct lane *lane, size_t n)
{
	const struct query *query = lane->query;
	size_t own = query->declared_count + query->source_count;

	for (size_t s = 0; s < lane->setup->job->select_count; s++)
		if (query->read[own + s])
			lane->batch.columns[own + s] =
			        *program_run(query->select[s], &lane->batch, lane->rows, n, &lane->failures);
	for (size_t c = 0; c < lane->calls_count; c++) {
		struct lane_call *call = &lane->calls[c];

		call->rows = lane->rows;
		call->rows_count = n;
		if (call->call->filter) {
			call->rows_count = program_filter(call->call->filter, &lane->batch, lane->rows, n,
			                                  call->filtered, &lane->failures);
			call->rows = call->filtered;
		}
		call->argument = call->call->argument ? program_run(call->call->argument, &lane->batch, call->rows,
		                                                    call->rows_count, &lane->failures)
		                                      : NULL;
	}
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
	fill_source_columns(lane, lane->rows, (size_t)n);
	good = run_filter(lane, (size_t)n);
	run_programs(lane, good);
	if (!lane->failures.count)
		return (int)good;
	memset(lane->failed, 0, lane->records.count);
	n = drop_failures(lane, lane->rows, good, err);
	for (size_t c = 0; n >= 0 && c < lane->calls_count; c++) {
		struct lane_call *call = &lane->calls[c];
		size_t kept = 0;

		for (size_t i = 0; i < call->rows_count && call->call->filter; i++)
			if (!lane->failed[call->filtered[i]])
				call->filtered[kept++] = call->filtered[i];
		call->rows_count = call->call->filter ? kept : (size_t)n;
	}
	return n;
}

int lane_evaluate(struct lane *lane, struct error *err)
{
	int good = evaluate(lane, err);

	lane->good = good < 0 ? 0 : (size_t)good;
	return good < 0 ? -1 : 0;
}

/* The part of an ascending selection with from <= row < to. */
static const uint32_t *between(const uint32_t *rows, size_t *n, uint32_t from, uint32_t to)
{
	size_t begin = 0, end = *n;

	if (from == 0 && (end == 0 || rows[end - 1] < to))
		return rows;
	while (begin < end && rows[begin] < from)
		begin++;
	while (end > begin && rows[end - 1] >= to)
		end--;
	*n = end - begin;
	return rows + begin;
}

static int groups_refused(struct lane *lane, size_t refused, struct error *err)
{
	const struct limits_spec *limits = &lane->setup->job->limits;

	if (limits->on_limit == LIMIT_DROP_NEW_GROUPS) {
		atomic_fetch_add_explicit(&lane->counts->dropped, refused, memory_order_relaxed);
		log_warn("rows of new groups dropped", "rows=%zu groups=%zu state_bytes=%zu", refused,
		         keyed_table_groups(lane->partial->table), lane->partial->budget.used_bytes);
		return 0;
	}
	return error_set(
	        err,
	        "the window has %zu groups in %zu bytes of state and needs more: spec.limits has groups: %" PRId64
	        ", stateBytes: %" PRId64 "; raise them, group by fewer values, or set onLimit: dropNewGroups",
	        keyed_table_groups(lane->partial->table), lane->partial->budget.used_bytes, limits->groups,
	        limits->state_bytes);
}

static int find_groups(struct lane *lane, const uint32_t *rows, size_t n, struct error *err)
{
	size_t refused;

	row_key_encode(lane->keys, lane->query->keys_count, rows, n, &lane->batch.arena, lane->key_bytes, lane->hashes);
	refused = keyed_table_lookup(lane->partial->table, lane->key_bytes, lane->hashes, n, lane->groups);
	for (size_t i = 0; i < n; i++)
		lane->group_of_row[rows[i]] = lane->groups[i];
	return refused ? groups_refused(lane, refused, err) : 0;
}

static int update_call(struct lane *lane, size_t c, uint32_t from, uint32_t to, struct error *err)
{
	struct lane_call *call = &lane->calls[c];
	const struct keyed_table *table = lane->partial->table;
	size_t n = call->rows_count, count = 0, done = 0, offset = 0;
	const uint32_t *rows = between(call->rows, &n, from, to);
	const uint8_t *valid = call->argument ? call->argument->valid : NULL;
	int result;

	for (size_t i = 0; i < n; i++) {
		char *group = lane->group_of_row[rows[i]];

		if (!group || (valid && !valid[rows[i]]))
			continue;
		if (!count) /* a state is at the same place in every group */
			offset = (size_t)((char *)keyed_table_state(table, group, c) - group);
		lane->present[count] = rows[i];
		lane->states[count++] = group + offset;
	}
	if (!count)
		return 0;
	result = call->aggregate->update(lane->states, call->argument, lane->present, count, &lane->partial->budget,
	                                 &done, err);
	if (result == AGGREGATE_OUT_OF_BUDGET)
		return error_set(err,
		                 "the state of %s has reached spec.limits.stateBytes (%" PRId64
		                 "): raise it, group by fewer values, or shorten the window",
		                 call->call->text, lane->setup->job->limits.state_bytes);
	return result;
}

int lane_add(struct lane *lane, uint32_t from, uint32_t to, struct error *err)
{
	size_t n = lane->good;
	const uint32_t *rows = between(lane->rows, &n, from, to);

	if (!n)
		return 0;
	if (find_groups(lane, rows, n, err) < 0)
		return -1;
	for (size_t c = 0; c < lane->calls_count; c++)
		if (update_call(lane, c, from, to, err) < 0)
			return -1;
	return 0;
}

#include "tests/unit/runtime/pipeline/scripted_workers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/memory.h"

struct worker_script worker_script;

struct accumulator {
	int64_t sum, first, second;
	bool there, has_second;
};

struct udf_worker {
	const struct function_spec *spec;
	_Atomic bool dead; /* the lane and the fire thread call it */
	struct accumulator *tables[UDF_TABLES];
	size_t sizes[UDF_TABLES];
	int64_t *values;
	uint32_t *parents;
	struct column columns[2];
	size_t room; /* of values, parents and columns */
};

static bool take_one(_Atomic int *count)
{
	int left = atomic_load(count);

	while (left > 0)
		if (atomic_compare_exchange_weak(count, &left, left - 1))
			return true;
	return false;
}

static int worker_failed(struct udf_worker *worker, enum udf_reason reason, const char *method, uint32_t row,
                         struct udf_failure *ret_failure)
{
	if (worker)
		worker->dead = true;
	*ret_failure = (struct udf_failure){.reason = reason, .function = "f", .method = method, .row = row};
	snprintf(ret_failure->text, sizeof(ret_failure->text), "scripted %s in %s", udf_reason_name(reason), method);
	return -1;
}

static struct udf_worker *worker_start(const struct function_spec *spec, const struct udf_environment *environment,
                                       struct udf_signature *ret_signature, struct udf_failure *ret_failure)
{
	struct udf_worker *worker;

	(void)environment;
	if (take_one(&worker_script.start_failures)) {
		worker_failed(NULL, worker_script.start_method ? worker_script.start_reason : UDF_START,
		              worker_script.start_method ? worker_script.start_method : "open", UDF_NO_ROW,
		              ret_failure);
		return NULL;
	}
	worker_script.starts++;
	worker = xcalloc(1, sizeof(*worker));
	worker->spec = spec;
	if (ret_signature) {
		*ret_signature = (struct udf_signature){.kind = spec->kind,
		                                        .mergeable = strcmp(spec->name, "lonely") != 0,
		                                        .arguments_min = 1,
		                                        .arguments_max = 2,
		                                        .results = {spec->returns, spec->returns_count}};
		arena_init(&ret_signature->arena);
	}
	return worker;
}

static int worker_stop(struct udf_worker *worker, struct udf_failure *ret_failure)
{
	(void)ret_failure;
	worker_script.stops++;
	for (size_t t = 0; t < UDF_TABLES; t++)
		free(worker->tables[t]);
	free(worker->values);
	free(worker->parents);
	column_release(&worker->columns[0]);
	column_release(&worker->columns[1]);
	free(worker);
	return 0;
}

static int64_t argument(const struct udf_arguments *arguments, size_t i)
{
	return arguments->columns[0]->bigints[arguments->rows[i]];
}

/* Dies by the script, or notes the rows that raise. */
static int worker_rows(struct udf_worker *worker, const char *method, const struct udf_arguments *arguments,
                       struct row_failures *failures, struct udf_failure *ret_failure)
{
	int calls = atomic_fetch_add(&worker_script.calls, 1) + 1;

	/* What the last call gave is gone. */
	for (size_t c = 0; c < 2 && worker->room; c++)
		memset(worker->columns[c].valid, 0, worker->room);

	if (worker->dead) /* killed by a call of the fire thread */
		return worker_failed(worker, UDF_CRASH, method, UDF_NO_ROW, ret_failure);
	if (worker_script.kills_every && calls % worker_script.kills_every == 0 && take_one(&worker_script.kills_left))
		return worker_failed(worker, UDF_CRASH, method, UDF_NO_ROW, ret_failure);
	for (size_t i = 0; i < arguments->n; i++) {
		if (argument(arguments, i) == worker_script.poison)
			return worker_failed(worker, UDF_TIMEOUT, method,
			                     worker_script.knows_row ? arguments->rows[i] : UDF_NO_ROW, ret_failure);
		if (argument(arguments, i) == worker_script.raises)
			row_failures_add(failures, arguments->rows[i], "ValueError: scripted", 0);
	}
	return 0;
}

static bool raised(const struct row_failures *failures, uint32_t row)
{
	for (size_t i = 0; i < failures->count; i++)
		if (failures->rows[i] == row)
			return true;
	return false;
}

static int worker_eval(struct udf_worker *worker, const struct udf_arguments *arguments, struct column *results,
                       struct row_failures *failures, struct udf_failure *ret_failure)
{
	if (worker_rows(worker, "eval", arguments, failures, ret_failure) < 0)
		return -1;
	for (size_t i = 0; i < arguments->n; i++)
		column_set(results, arguments->rows[i],
		           (struct value){.type = TYPE_BIGINT, .bigint = 2 * argument(arguments, i)});
	return 0;
}

static void worker_room(struct udf_worker *worker, size_t count)
{
	worker->room = count;
	worker->values = xrealloc(worker->values, count * sizeof(int64_t));
	worker->parents = xrealloc(worker->parents, count * sizeof(uint32_t));
	for (size_t c = 0; c < 2; c++) {
		column_release(&worker->columns[c]);
		column_init(&worker->columns[c], TYPE_BIGINT, count);
	}
}

/* v % 3 rows for each: (v, 0), (v, 1). */
static int worker_eval_table(struct udf_worker *worker, const struct udf_arguments *arguments,
                             struct udf_rows *ret_rows, struct row_failures *failures, struct udf_failure *ret_failure)
{
	size_t count = 0;

	if (worker_rows(worker, "eval", arguments, failures, ret_failure) < 0)
		return -1;
	worker_room(worker, 2 * arguments->n + 1);
	for (size_t i = 0; i < arguments->n; i++) {
		int64_t value = argument(arguments, i);

		for (int64_t k = 0; k < value % 3 && !raised(failures, arguments->rows[i]); k++) {
			worker->parents[count] = arguments->rows[i];
			column_set(&worker->columns[0], count, (struct value){.type = TYPE_BIGINT, .bigint = value});
			column_set(&worker->columns[1], count++, (struct value){.type = TYPE_BIGINT, .bigint = k});
		}
	}
	*ret_rows = (struct udf_rows){count, worker->columns, worker->parents};
	return 0;
}

static struct accumulator *slot(struct udf_worker *worker, unsigned table, uint32_t number)
{
	if (number >= worker->sizes[table]) {
		size_t size = (number + 1) * 2;

		worker->tables[table] = xrealloc(worker->tables[table], size * sizeof(struct accumulator));
		memset(worker->tables[table] + worker->sizes[table], 0,
		       (size - worker->sizes[table]) * sizeof(struct accumulator));
		worker->sizes[table] = size;
	}
	return &worker->tables[table][number];
}

static void take_value(struct accumulator *accumulator, int64_t value)
{
	if (!accumulator->there || value > accumulator->first) {
		accumulator->has_second = accumulator->there;
		accumulator->second = accumulator->first;
		accumulator->first = value;
	} else if (!accumulator->has_second || value > accumulator->second) {
		accumulator->second = value;
		accumulator->has_second = true;
	}
	accumulator->there = true;
}

static int worker_accumulate(struct udf_worker *worker, unsigned table, const uint32_t *slots,
                             const struct udf_arguments *arguments, struct row_failures *failures,
                             struct udf_failure *ret_failure)
{
	if (worker_rows(worker, "accumulate", arguments, failures, ret_failure) < 0)
		return -1;
	for (size_t i = 0; i < arguments->n; i++) {
		struct accumulator *accumulator = slot(worker, table, slots[i]);

		if (raised(failures, arguments->rows[i]))
			continue;
		accumulator->sum += argument(arguments, i);
		take_value(accumulator, argument(arguments, i));
	}
	return 0;
}

static int worker_values(struct udf_worker *worker, unsigned table, const uint32_t *slots, size_t n,
                         struct column *results, struct row_failures *failures, struct udf_failure *ret_failure)
{
	if (take_one(&worker_script.value_failures))
		return worker_failed(worker, UDF_TIMEOUT, "get_value", UDF_NO_ROW, ret_failure);
	if (take_one(&worker_script.value_exceptions))
		row_failures_add(failures, 0, "KeyError: scripted", 0);
	for (size_t i = 0; i < n; i++)
		column_set(results, i,
		           (struct value){.type = TYPE_BIGINT, .bigint = slot(worker, table, slots[i])->sum});
	return 0;
}

static int worker_emit(struct udf_worker *worker, unsigned table, const uint32_t *slots, size_t n,
                       struct udf_rows *ret_rows, struct row_failures *failures, struct udf_failure *ret_failure)
{
	size_t count = 0;

	(void)failures;
	(void)ret_failure;
	worker_room(worker, 2 * n + 1);
	for (size_t i = 0; i < n; i++) {
		const struct accumulator *accumulator = slot(worker, table, slots[i]);

		for (int64_t rank = 1; rank <= accumulator->there + accumulator->has_second; rank++) {
			worker->parents[count] = (uint32_t)i;
			column_set(&worker->columns[0], count,
			           (struct value){.type = TYPE_BIGINT,
			                          .bigint = rank == 1 ? accumulator->first : accumulator->second});
			column_set(&worker->columns[1], count++, (struct value){.type = TYPE_BIGINT, .bigint = rank});
		}
	}
	*ret_rows = (struct udf_rows){count, worker->columns, worker->parents};
	return 0;
}

static int worker_save(struct udf_worker *worker, unsigned table, const uint32_t *slots, size_t n, struct buffer *out,
                       struct row_failures *failures, struct udf_failure *ret_failure)
{
	(void)failures;
	(void)ret_failure;
	for (size_t i = 0; i < n; i++)
		buffer_append(out, slot(worker, table, slots[i]), sizeof(struct accumulator));
	return 0;
}

static int worker_merge(struct udf_worker *worker, unsigned table, const uint32_t *slots, size_t n, struct slice saved,
                        struct row_failures *failures, struct udf_failure *ret_failure)
{
	(void)ret_failure;
	assert_int_equal(saved.size, n * sizeof(struct accumulator));
	if (take_one(&worker_script.merge_exceptions))
		row_failures_add(failures, 0, "TypeError: scripted", 0);
	for (size_t i = 0; i < n; i++) {
		struct accumulator other, *own = slot(worker, table, slots[i]);

		memcpy(&other, saved.data + i * sizeof(other), sizeof(other));
		own->sum += other.sum;
		if (other.there)
			take_value(own, other.first);
		if (other.has_second)
			take_value(own, other.second);
	}
	return 0;
}

static int worker_clear(struct udf_worker *worker, unsigned table, struct udf_failure *ret_failure)
{
	if (worker->dead || take_one(&worker_script.clear_failures))
		return worker_failed(worker, UDF_CRASH, "clear", UDF_NO_ROW, ret_failure);
	if (worker->sizes[table])
		memset(worker->tables[table], 0, worker->sizes[table] * sizeof(struct accumulator));
	return 0;
}

static int worker_probe(const struct function_spec *spec, const struct udf_environment *environment,
                        const struct udf_arguments *arguments, uint32_t *ret_row, struct udf_failure *ret_failure)
{
	(void)spec;
	(void)environment;
	(void)ret_failure;
	worker_script.probes++;
	*ret_row = UDF_NO_ROW;
	for (size_t i = 0; i < arguments->n; i++)
		if (argument(arguments, i) == worker_script.poison)
			*ret_row = arguments->rows[i];
	return 0;
}

static size_t worker_metrics(struct udf_worker *worker, struct udf_metric *ret_metrics, size_t max)
{
	(void)worker;
	(void)ret_metrics;
	(void)max;
	return 0;
}

const struct worker_ops scripted_workers = {worker_start,      worker_stop,   worker_eval,  worker_eval_table,
                                            worker_accumulate, worker_values, worker_emit,  worker_save,
                                            worker_merge,      worker_clear,  worker_probe, worker_metrics};

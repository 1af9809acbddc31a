/* The calls of a native function, row at a time. */
#include <stdlib.h>

#include "lib/base/memory.h"
#include "runtime/udf/native.h"

#define SLOTS_MIN 64

struct native_columns {
	size_t count;
	struct wire_column columns[UDF_ARGUMENTS_MAX];
};

static int unreadable(struct worker *worker)
{
	return worker_error(worker, SLICE_LITERAL("the request could not be read"));
}

/* As many columns as the function takes, of its types. */
static bool take_columns(struct worker *worker, const struct native *native, struct native_columns *columns)
{
	columns->count = wire_take_u32(&worker->in);
	if (columns->count != native->function->arguments_count)
		return false;
	for (size_t c = 0; c < columns->count; c++) {
		wire_take_column(&worker->in, worker->n, &columns->columns[c]);
		if (worker->in.bad || (int)columns->columns[c].type != native->function->argument_types[c])
			return false;
	}
	return true;
}

static struct streamjob_value value_at(const struct wire_column *column, size_t row)
{
	struct streamjob_value value = {.type = (int)column->type, .null = !column->valid[row]};

	if (value.null)
		return value;
	switch (column->type) {
	case TYPE_BOOLEAN:
		value.boolean = column->booleans[row];
		break;
	case TYPE_INT:
		value.integer = column->ints[row];
		break;
	case TYPE_BIGINT:
	case TYPE_TIMESTAMP:
		value.integer = column->bigints[row];
		break;
	case TYPE_DOUBLE:
		value.real = column->doubles[row];
		break;
	case TYPE_STRING: {
		struct slice string = wire_string(column, row);

		value.string = (struct streamjob_string){string.data, string.size};
		break;
	}
	case TYPE_NULL:
		value.null = 1;
		break;
	}
	return value;
}

static void take_arguments(const struct native_columns *columns, size_t row, struct streamjob_value *arguments)
{
	for (size_t c = 0; c < columns->count; c++)
		arguments[c] = value_at(&columns->columns[c], row);
}

static void clear_results(const struct worker *worker, struct streamjob_value *results)
{
	for (size_t c = 0; c < worker->results_count; c++)
		results[c] = (struct streamjob_value){.type = (int)worker->results[c].type, .null = 1};
}

/* The row begins; whatever it emits before it fails is taken back by row_ends. */
static void row_begins(struct native *native, enum udf_method method, uint32_t row)
{
	native->failed = false;
	native->row = row;
	worker_at(native->worker, method, row);
}

static void row_ends(struct native *native, size_t rows_before, size_t parents_before)
{
	struct worker *worker = native->worker;

	if (!native->failed)
		return;
	worker_row_failed(worker, native->row, slice_of(native->reason));
	for (size_t c = 0; c < worker->results_count; c++)
		grown_column_truncate(&worker->results[c], rows_before);
	worker->parents.size = parents_before;
}

/* A row of results that is one value a field, by way of emit, whose parents nobody reads. */
static void put_results(struct native *native, const struct streamjob_value *results)
{
	struct streamjob_value none[UDF_RESULTS_MAX];

	if (!native->failed)
		native->call.emit(&native->call, results);
	if (!native->failed)
		return;
	worker_row_failed(native->worker, native->row, slice_of(native->reason));
	clear_results(native->worker, none);
	native->call.emit(&native->call, none);
}

static int eval(struct worker *worker, struct native *native, bool table)
{
	struct native_columns columns;
	struct streamjob_value arguments[UDF_ARGUMENTS_MAX], results[UDF_RESULTS_MAX];

	worker->n = wire_take_u32(&worker->in);
	if (!take_columns(worker, native, &columns))
		return unreadable(worker);
	for (uint32_t row = 0; row < worker->n; row++) {
		size_t rows_before = worker->results[0].count, parents_before = worker->parents.size;

		row_begins(native, METHOD_EVAL, row);
		take_arguments(&columns, row, arguments);
		clear_results(worker, results);
		native->function->eval(native->self, &native->call, arguments, results);
		if (table)
			row_ends(native, rows_before, parents_before);
		else
			put_results(native, results);
	}
	return REPLY_OK;
}

static void **slot_place(struct native *native, uint32_t table, uint32_t slot)
{
	struct native_slots *here = &native->tables[table];
	size_t capacity = here->capacity ? here->capacity : SLOTS_MIN;

	if (slot < here->capacity)
		return &here->items[slot];
	while (capacity <= slot)
		capacity *= 2;
	here->items = xrealloc(here->items, capacity * sizeof(*here->items));
	memset(here->items + here->capacity, 0, (capacity - here->capacity) * sizeof(*here->items));
	here->capacity = capacity;
	return &here->items[slot];
}

static void *new_state(struct native *native)
{
	void *state = xcalloc(1, native->function->state_size);

	if (native->function->init)
		native->function->init(native->self, state);
	return state;
}

static void drop_state(struct native *native, void *state)
{
	if (state && native->function->release)
		native->function->release(native->self, state);
	free(state);
}

static void *state_of(struct native *native, uint32_t table, uint32_t slot)
{
	void **place = slot_place(native, table, slot);

	if (!*place)
		*place = new_state(native);
	return *place;
}

void native_drop_table(struct native *native, uint32_t table)
{
	struct native_slots *here = &native->tables[table];

	for (size_t i = 0; i < here->capacity; i++)
		drop_state(native, here->items[i]);
	free(here->items);
	*here = (struct native_slots){0};
}

/* table, n and slots, all in their bounds; NULL where they are not. */
static const uint32_t *take_slots(struct worker *worker, uint32_t *ret_table)
{
	const uint32_t *slots;

	*ret_table = wire_take_u32(&worker->in);
	worker->n = wire_take_u32(&worker->in);
	slots = wire_take_u32s(&worker->in, worker->n);
	if (!slots || *ret_table >= UDF_TABLES)
		return NULL;
	for (uint32_t i = 0; i < worker->n; i++)
		if (slots[i] >= UDF_SLOTS_MAX)
			return NULL;
	return slots;
}

static int accumulate(struct worker *worker, struct native *native)
{
	uint32_t table;
	const uint32_t *slots = take_slots(worker, &table);
	struct native_columns columns;
	struct streamjob_value arguments[UDF_ARGUMENTS_MAX];

	if (!slots || !take_columns(worker, native, &columns))
		return unreadable(worker);
	for (uint32_t row = 0; row < worker->n; row++) {
		row_begins(native, METHOD_ACCUMULATE, row);
		take_arguments(&columns, row, arguments);
		native->function->accumulate(native->self, &native->call, state_of(native, table, slots[row]),
		                             arguments);
		row_ends(native, 0, 0);
	}
	return REPLY_OK;
}

static int finish(struct worker *worker, struct native *native, bool rows)
{
	uint32_t table;
	const uint32_t *slots = take_slots(worker, &table);
	struct streamjob_value results[UDF_RESULTS_MAX];

	if (!slots || (rows && !native->function->emit_value) || (!rows && !native->function->get_value))
		return unreadable(worker);
	for (uint32_t i = 0; i < worker->n; i++) {
		size_t rows_before = worker->results[0].count, parents_before = worker->parents.size;
		void *state = state_of(native, table, slots[i]);

		row_begins(native, rows ? METHOD_EMIT_VALUE : METHOD_GET_VALUE, i);
		clear_results(worker, results);
		if (rows) {
			native->function->emit_value(native->self, &native->call, state);
			row_ends(native, rows_before, parents_before);
		} else {
			native->function->get_value(native->self, &native->call, state, results);
			put_results(native, results);
		}
	}
	return REPLY_OK;
}

static int save(struct worker *worker, struct native *native)
{
	uint32_t table;
	const uint32_t *slots = take_slots(worker, &table);
	struct grown_column *out = &worker->results[worker->results_count];

	if (!slots)
		return unreadable(worker);
	for (uint32_t i = 0; i < worker->n; i++) {
		void *state = state_of(native, table, slots[i]);

		row_begins(native, METHOD_SAVE, i);
		buffer_clear(&native->saved);
		if (native->function->save)
			native->function->save(native->self, &native->call, state);
		else
			buffer_append(&native->saved, state, native->function->state_size);
		if (native->failed)
			worker_row_failed(worker, i, slice_of(native->reason));
		grown_column_add(out, (struct value){.type = TYPE_STRING,
		                                     .null = native->failed,
		                                     .string = buffer_slice(&native->saved)});
		if (out->strings.size > UDF_REPLY_BYTES_MAX)
			return REPLY_TOO_LARGE;
	}
	return REPLY_OK;
}

static void load_state(struct native *native, void *state, struct slice bytes)
{
	worker_at(native->worker, METHOD_LOAD, native->row);
	if (native->function->load)
		native->function->load(native->self, &native->call, state, bytes.data, bytes.size);
	else if (bytes.size == native->function->state_size)
		memcpy(state, bytes.data, bytes.size);
	else
		native->call.fail(&native->call,
		                  "the saved state is of another size: of another version of the function?");
}

static void merge_one(struct native *native, void **place, struct slice bytes)
{
	void *other = new_state(native);

	load_state(native, other, bytes);
	if (!native->failed && !*place) {
		*place = other;
		return;
	}
	worker_at(native->worker, METHOD_MERGE, native->row);
	if (!native->failed && native->function->merge)
		native->function->merge(native->self, &native->call, *place, other);
	else if (!native->failed)
		native->call.fail(&native->call, "the function has no merge: two partial results cannot become one");
	drop_state(native, other);
}

static int merge(struct worker *worker, struct native *native)
{
	struct wire_column saved;
	uint32_t table;
	const uint32_t *slots = take_slots(worker, &table);

	if (slots)
		wire_take_column(&worker->in, worker->n, &saved);
	if (!slots || worker->in.bad || saved.type != TYPE_STRING)
		return unreadable(worker);
	for (uint32_t i = 0; i < worker->n; i++) {
		row_begins(native, METHOD_MERGE, i);
		if (saved.valid[i])
			merge_one(native, slot_place(native, table, slots[i]), wire_string(&saved, i));
		if (native->failed)
			worker_row_failed(worker, i, slice_of(native->reason));
	}
	return REPLY_OK;
}

static int clear(struct worker *worker, struct native *native)
{
	uint32_t table = wire_take_u32(&worker->in);

	if (table >= UDF_TABLES)
		return unreadable(worker);
	native_drop_table(native, table);
	return REPLY_OK;
}

int native_call(struct worker *worker, enum udf_op op)
{
	struct native *native = worker->state;
	int status = REPLY_ERROR;

	native->too_large = false;
	switch (op) {
	case OP_EVAL:
	case OP_EVAL_TABLE:
		status = eval(worker, native, op == OP_EVAL_TABLE);
		break;
	case OP_ACCUMULATE:
		status = accumulate(worker, native);
		break;
	case OP_VALUES:
	case OP_EMIT:
		status = finish(worker, native, op == OP_EMIT);
		break;
	case OP_SAVE:
		status = save(worker, native);
		break;
	case OP_MERGE:
		status = merge(worker, native);
		break;
	case OP_CLEAR:
		status = clear(worker, native);
		break;
	case OP_CLOSE:
		worker_at(worker, METHOD_CLOSE, UDF_NO_ROW);
		if (native->is_open && native->function->close)
			native->function->close(native->self);
		native->is_open = false;
		return REPLY_OK;
	case OP_START:
		break;
	}
	return native->too_large ? REPLY_TOO_LARGE : status;
}

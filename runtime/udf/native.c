/* Native functions: a shared library found, checked and opened. The calls are in native_calls.c. */
#include "runtime/udf/native.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"

static void fail(struct streamjob_call *call, const char *reason)
{
	struct native *native = (struct native *)call;

	native->failed = true;
	snprintf(native->reason, sizeof(native->reason), "%s", reason ? reason : "the function gave no reason");
}

static bool put_value(struct grown_column *column, const struct streamjob_value *from)
{
	struct value value = {.type = column->type, .null = from->null != 0};

	if (value.null) {
		grown_column_add(column, value);
		return true;
	}
	if (column->type == TYPE_DOUBLE)
		value.real = from->real;
	else if (column->type == TYPE_BOOLEAN)
		value.boolean = from->boolean != 0;
	else if (column->type == TYPE_STRING)
		value.string = (struct slice){from->string.data, from->string.size};
	else
		value.bigint = from->integer;
	if (column->type == TYPE_INT && (from->integer > INT32_MAX || from->integer < INT32_MIN))
		return false;
	grown_column_add(column, value);
	return true;
}

static void emit(struct streamjob_call *call, const struct streamjob_value *results)
{
	struct native *native = (struct native *)call;
	struct worker *worker = native->worker;
	size_t before = worker->results[0].count;

	if (worker->results[0].strings.size + worker->parents.size > UDF_REPLY_BYTES_MAX) {
		native->too_large = true;
		return;
	}
	for (size_t c = 0; c < worker->results_count; c++) {
		if (put_value(&worker->results[c], &results[c]))
			continue;
		for (size_t i = 0; i < c; i++)
			grown_column_truncate(&worker->results[i], before);
		fail(call, "a result does not fit its INT");
		return;
	}
	buffer_append(&worker->parents, &native->row, sizeof(native->row));
}

static void write_bytes(struct streamjob_call *call, const void *bytes, size_t size)
{
	buffer_append(&((struct native *)call)->saved, bytes, size);
}

static const char *parameter(struct streamjob_call *call, const char *name)
{
	char **parameters = ((struct native *)call)->parameters;

	for (size_t i = 0; parameters && parameters[i]; i += 2)
		if (strcmp(parameters[i], name) == 0)
			return parameters[i + 1];
	return NULL;
}

static int problem(struct worker *worker, const char *format, const char *what)
{
	char text[UDF_REASON_BYTES_MAX];

	snprintf(text, sizeof(text), format, what);
	return worker_error(worker, slice_of(text));
}

static const char *missing(const struct streamjob_function *function)
{
	if (function->kind == STREAMJOB_SCALAR || function->kind == STREAMJOB_TABLE)
		return function->eval ? NULL : "eval";
	if (!function->accumulate)
		return "accumulate";
	if (!function->state_size)
		return "state_size";
	if (function->kind == STREAMJOB_AGGREGATE)
		return function->get_value ? NULL : "get_value";
	return function->emit_value ? NULL : "emit_value";
}

static bool good_types(const struct streamjob_function *function)
{
	if (function->arguments_count > UDF_ARGUMENTS_MAX || !function->results || function->results_count < 1 ||
	    function->results_count > UDF_RESULTS_MAX || (function->arguments_count && !function->argument_types))
		return false;
	for (uint32_t i = 0; i < function->arguments_count; i++)
		if (function->argument_types[i] < STREAMJOB_BOOLEAN ||
		    function->argument_types[i] > STREAMJOB_TIMESTAMP)
			return false;
	for (uint32_t i = 0; i < function->results_count; i++)
		if (function->results[i].type < STREAMJOB_BOOLEAN || function->results[i].type > STREAMJOB_TIMESTAMP ||
		    !function->results[i].name)
			return false;
	return true;
}

/* "library.so:symbol"; the library is at `path` where the job file gives one. */
static int load(struct worker *worker, struct native *native, struct slice entrypoint, struct slice path)
{
	char library[PATH_MAX], symbol[256];
	const char *colon = memchr(entrypoint.data, ':', entrypoint.size);
	int length = colon ? (int)(colon - entrypoint.data) : 0;

	if (!colon)
		return worker_error(worker, SLICE_LITERAL("entrypoint: write it as library.so:symbol"));
	snprintf(library, sizeof(library), "%.*s", path.size ? (int)path.size : length,
	         path.size ? path.data : entrypoint.data);
	snprintf(symbol, sizeof(symbol), "%.*s", (int)(entrypoint.size - (size_t)length - 1), colon + 1);
	native->library = dlopen(library, RTLD_NOW | RTLD_LOCAL);
	if (!native->library)
		return problem(worker, "the library cannot be loaded: %s", dlerror());
	native->function = dlsym(native->library, symbol);
	if (!native->function)
		return problem(worker, "the library has no symbol %s", symbol);
	if (native->function->abi != STREAMJOB_FUNCTION_ABI || native->function->size < sizeof(*native->function))
		return problem(worker, "%s is of another version of streamjob/function.h; compile it again", symbol);
	return REPLY_OK;
}

static int check(struct worker *worker, const struct streamjob_function *function, struct slice kind)
{
	static const char *const kinds[] = {"scalar", "table", "aggregate", "tableAggregate"};

	if (function->kind < STREAMJOB_SCALAR || function->kind > STREAMJOB_TABLE_AGGREGATE ||
	    !slice_equal(kind, slice_of(kinds[function->kind])))
		return problem(worker, "the library's function is of another kind than the job file's (%s)",
		               function->kind >= 0 && function->kind <= STREAMJOB_TABLE_AGGREGATE
		                       ? kinds[function->kind]
		                       : "unknown");
	if (missing(function))
		return problem(worker, "the function has no %s", missing(function));
	if (!good_types(function))
		return worker_error(worker, SLICE_LITERAL("the function's argument or result types make no sense"));
	return REPLY_OK;
}

static void put_signature(struct worker *worker, const struct streamjob_function *function)
{
	struct wire_out *out = &worker->out;

	wire_put_u32(out, false);
	wire_put_u32(out, function->merge != NULL);
	wire_put_u32(out, function->arguments_count);
	wire_put_u32(out, function->arguments_count);
	wire_put_u32(out, function->arguments_count);
	for (uint32_t i = 0; i < function->arguments_count; i++)
		wire_put_u32(out, (uint32_t)function->argument_types[i]);
	wire_put_u32(out, function->results_count);
	worker->results_count = function->results_count;
	worker->results = xcalloc(function->results_count + 1, sizeof(*worker->results));
	for (uint32_t i = 0; i < function->results_count; i++) {
		grown_column_init(&worker->results[i], (enum type)function->results[i].type);
		wire_put_text(out, slice_of(function->results[i].name));
		wire_put_u32(out, (uint32_t)function->results[i].type);
	}
	grown_column_init(&worker->results[function->results_count], TYPE_STRING);
}

static void take_parameters(struct native *native, struct wire_in *in)
{
	uint32_t declared = wire_take_u32(in), count;

	for (uint32_t i = 0; i < 2 * declared && !in->bad; i++)
		wire_take_text(in);
	count = wire_take_u32(in);
	if (in->bad)
		return;
	native->parameters = xcalloc(2 * (size_t)count + 1, sizeof(char *));
	for (uint32_t i = 0; i < 2 * count; i++) {
		struct slice text = wire_take_text(in);

		native->parameters[i] = xcalloc(text.size + 1, 1);
		memcpy(native->parameters[i], text.data, text.size);
	}
}

static int open_function(struct worker *worker, struct native *native)
{
	worker_at(worker, METHOD_OPEN, UDF_NO_ROW);
	if (native->function->open)
		native->function->open(&native->call, &native->self);
	native->is_open = !native->failed;
	return native->failed ? worker_error(worker, slice_of(native->reason)) : REPLY_OK;
}

static int start(struct worker *worker)
{
	struct native *native = xcalloc(1, sizeof(*native));
	struct wire_in *in = &worker->in;
	struct slice entrypoint, kind, path;
	struct sandbox sandbox;
	int status;

	worker->state = native;
	native->call = (struct streamjob_call){fail, emit, write_bytes, parameter};
	native->worker = worker;
	buffer_init(&native->saved);
	worker_take_head(worker, &sandbox);
	wire_take_text(in); /* the Python packages */
	entrypoint = wire_take_text(in);
	kind = wire_take_text(in);
	wire_take_u32(in);
	wire_take_text(in);
	path = wire_take_text(in);
	wire_take_text(in);
	take_parameters(native, in);
	status = worker_close_sandbox(worker, &sandbox);
	if (!status)
		status = worker_limit_memory(worker);
	if (status)
		return status;
	worker_at(worker, METHOD_IMPORT, UDF_NO_ROW);
	status = load(worker, native, entrypoint, path);
	if (status == REPLY_OK)
		status = check(worker, native->function, kind);
	if (status == REPLY_OK) {
		put_signature(worker, native->function);
		status = open_function(worker, native);
	}
	return status;
}

static void end(struct worker *worker)
{
	struct native *native = worker->state;

	if (!native)
		return;
	for (uint32_t table = 0; table < UDF_TABLES && native->function; table++)
		native_drop_table(native, table);
	if (native->is_open && native->function && native->function->close)
		native->function->close(native->self);
	if (native->library)
		dlclose(native->library);
	for (size_t i = 0; native->parameters && native->parameters[i]; i++)
		free(native->parameters[i]);
	free(native->parameters);
	buffer_release(&native->saved);
	free(native);
	worker->state = NULL;
}

const struct language native_language = {start, native_call, end, NULL, NULL};

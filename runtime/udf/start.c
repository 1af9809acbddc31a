/* The start of a worker, what it says of its function, and its end. */
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "lib/process/file.h"
#include "lib/process/watch.h"
#include "runtime/udf/life.h"

#define SOURCE_BYTES_MAX   (4u << 20) /* of a module given by path or ConfigMap */
#define UDF_NAME_BYTES_MAX 256        /* of a result's field */
#define FUNCTIONS_FOLDER   "/etc/streamjob/functions"
#define BACKOFF_FIRST_MS   100
#define BACKOFF_MOST_MS    30000
#define BACKOFF_DOUBLINGS  9

struct module { /* where the code is; all empty for an installed package */
	bool has_source;
	struct slice text;
	char filename[PATH_MAX], folder[PATH_MAX];
	struct buffer file;
};

/* A file's module: its neighbours can be imported too. */
static int module_of_file(struct module *module, const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');

	if ((size_t)snprintf(module->filename, sizeof(module->filename), "%s", path) >= sizeof(module->filename))
		return error_set(err, "the path of its code is too long");
	snprintf(module->folder, sizeof(module->folder), "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	if (file_read_regular(path, SOURCE_BYTES_MAX, &module->file, err) < 0)
		return error_prefix(err, "its code cannot be read");
	module->has_source = true;
	module->text = buffer_slice(&module->file);
	return 0;
}

static int library_at(struct module *module, const char *path, struct error *err)
{
	if ((size_t)snprintf(module->filename, sizeof(module->filename), "%s", path) >= sizeof(module->filename))
		return error_set(err, "the path of its library is too long");
	return file_is_regular(path, err) < 0 ? error_prefix(err, "its library cannot be read") : 0;
}

static int find_module(struct module *module, const struct function_spec *spec,
                       const struct udf_environment *environment, struct error *err)
{
	bool native = spec->language == LANGUAGE_NATIVE;
	const char *functions = environment->functions_folder ? environment->functions_folder : FUNCTIONS_FOLDER;
	char path[PATH_MAX];

	switch (spec->code.source) {
	case CODE_INSTALLED:
		return 0;
	case CODE_INLINE: /* tracebacks name it as an import would have: metrics.py */
		module->has_source = true;
		module->text = slice_of(spec->code.text);
		snprintf(module->filename, sizeof(module->filename), "%.*s.py", (int)strcspn(spec->entrypoint, ":"),
		         spec->entrypoint);
		return 0;
	case CODE_CONFIG_MAP:
		snprintf(path, sizeof(path), "%s/%s/%s", functions, spec->name, spec->code.config_map.key);
		return native ? library_at(module, path, err) : module_of_file(module, path, err);
	case CODE_PATH:
		return native ? library_at(module, spec->code.path, err) : module_of_file(module, spec->code.path, err);
	}
	return 0;
}

/* Where the pod has its secrets, the job's file and its files, other workers' scratch folders. */
static void put_reach(struct udf_worker *worker)
{
	static const char kept[] = "/var/run/secrets\n/run/secrets\n/etc/streamjob\n/var/lib/streamjob";
	const struct udf_environment *environment = &worker->environment;
	const char *scratch = worker->keeper ? worker->keeper->scratch : "";
	struct buffer text;

	buffer_init(&text);
	buffer_append_text(&text, kept);
	if (environment->kept)
		buffer_printf(&text, "\n%s", environment->kept);
	if (scratch[0])
		buffer_printf(&text, "\n%.*s", (int)(strrchr(scratch, '/') - scratch), scratch);
	wire_put_text(&worker->request, buffer_slice(&text));
	wire_put_text(&worker->request, slice_of(environment->outputs ? environment->outputs : ""));
	wire_put_text(&worker->request, slice_of(scratch));
	buffer_release(&text);
}

static void put_request(struct udf_worker *worker, const char *packages, const struct module *module)
{
	const struct function_spec *spec = worker->spec;
	struct wire_out *out = &worker->request;

	wire_put_u64(out, (uint64_t)spec->memory_bytes);
	wire_put_u32(out, (spec->network == NETWORK_ANY ? UDF_HEAD_NETWORK : 0) |
	                          (spec->sandbox == SANDBOX_REQUIRED ? UDF_HEAD_REQUIRED : 0));
	put_reach(worker);
	wire_put_text(out, slice_of(spec->language == LANGUAGE_NATIVE ? module->filename : module->folder));
	wire_put_text(out, slice_of(packages));
	wire_put_text(out, slice_of(spec->entrypoint));
	wire_put_text(out, slice_of(function_kind_name(spec->kind)));
	wire_put_u32(out, module->has_source);
	wire_put_text(out, module->text);
	wire_put_text(out, slice_of(module->filename));
	wire_put_text(out, slice_of(module->folder));
	wire_put_u32(out, (uint32_t)spec->returns_count);
	for (size_t i = 0; i < spec->returns_count; i++) {
		wire_put_text(out, slice_of(spec->returns[i].name));
		wire_put_text(out, slice_of(type_name(spec->returns[i].type)));
	}
	wire_put_u32(out, (uint32_t)spec->parameters.count);
	for (size_t i = 0; i < spec->parameters.count; i++) {
		wire_put_text(out, slice_of(spec->parameters.items[i].key));
		wire_put_text(out, slice_of(spec->parameters.items[i].value));
	}
	wire_put_u32(out, spec->form.distinct);
	wire_put_u32(out, spec->form.row);
	wire_put_u32(out, (uint32_t)spec->form.names_count);
	for (size_t i = 0; i < spec->form.names_count; i++)
		wire_put_text(out, slice_of(spec->form.names[i]));
}

static void take_results(struct udf_worker *worker, struct udf_signature *signature)
{
	struct wire_in *in = &worker->in;
	uint32_t count = wire_take_u32(in);
	struct schema_column *columns;

	if (count < 1 || count > UDF_RESULTS_MAX) {
		in->bad = true;
		return;
	}
	columns = arena_zalloc(&signature->arena, count * sizeof(*columns));
	for (uint32_t i = 0; i < count; i++) {
		struct slice name;
		uint32_t type;

		name = wire_take_text(in);
		columns[i].name = arena_string(&signature->arena, name);
		type = wire_take_u32(in);
		in->bad |= type <= TYPE_NULL || type >= TYPE_COUNT || name.size > UDF_NAME_BYTES_MAX ||
		           !text_is_utf8(name);
		columns[i].type = in->bad ? TYPE_BOOLEAN : (enum type)type;
		worker->results[i] = columns[i].type;
	}
	worker->results_count = count;
	signature->results = (struct schema){columns, count};
}

static bool take_signature(struct udf_worker *worker, struct udf_signature *signature)
{
	struct wire_in *in = &worker->in;
	uint32_t count;

	signature->kind = worker->spec->kind;
	signature->vectorized = worker->vectorized = wire_take_u32(in) != 0;
	signature->mergeable = wire_take_u32(in) != 0;
	signature->arguments_min = wire_take_u32(in);
	signature->arguments_max = wire_take_u32(in);
	count = wire_take_u32(in);
	in->bad |= count > UDF_ARGUMENTS_MAX || signature->arguments_max > UDF_ARGUMENTS_MAX ||
	           signature->arguments_min > signature->arguments_max;
	for (uint32_t i = 0; !in->bad && i < count; i++) {
		uint32_t type = wire_take_u32(in);

		in->bad |= type <= TYPE_NULL || type >= TYPE_COUNT;
		signature->argument_types[i] = in->bad ? TYPE_BOOLEAN : (enum type)type;
	}
	signature->argument_types_count = count;
	if (!in->bad)
		take_results(worker, signature);
	return !in->bad;
}

/* Before there is a process: at METHOD_IMPORT where the code is at fault. */
static struct udf_worker *cannot_start(struct udf_worker *worker, enum udf_method method, const struct error *err,
                                       struct udf_failure *ret_failure)
{
	struct udf_counts *counts = worker->environment.counts;

	if (counts)
		atomic_fetch_add(&counts->failures[UDF_START], 1);
	*ret_failure = (struct udf_failure){.reason = UDF_START,
	                                    .function = worker->spec->name,
	                                    .method = udf_method_name(method),
	                                    .row = UDF_NO_ROW};
	snprintf(ret_failure->text, sizeof(ret_failure->text), "function %s, %s: %s", worker->spec->name,
	         udf_method_name(method), err->text);
	life_release(worker);
	return NULL;
}

/* An expression has one column for what a scalar function yields. */
static bool can_be_carried(const struct udf_signature *signature)
{
	return signature->kind != FUNCTION_SCALAR || signature->results.count == 1;
}

static int greet(struct udf_worker *worker, struct udf_signature *signature, struct udf_failure *ret_failure)
{
	char what[256];
	size_t scalar;

	if (call_finish(worker, OP_START, worker->spec->start_timeout_ms, NULL, 0, ret_failure) < 0)
		return -1;
	arena_init(&signature->arena);
	if (take_signature(worker, signature) && can_be_carried(signature))
		return 0;
	scalar = worker->in.bad ? 0 : signature->results.count;
	udf_signature_release(signature);
	if (!scalar)
		return call_garbled(worker, ret_failure);
	snprintf(what, sizeof(what),
	         "it declares a row of %zu fields, but a scalar function yields one value: make a function of each "
	         "field, or declare kind: table and select its columns in lateral",
	         scalar);
	return worker_fail(worker, UDF_START, UDF_NO_ROW, what, ret_failure);
}

struct udf_worker *udf_start(const struct function_spec *spec, const struct udf_environment *environment,
                             struct udf_signature *ret_signature, struct udf_failure *ret_failure)
{
	struct udf_worker *worker = xcalloc(1, sizeof(*worker));
	struct module module = {0};
	struct udf_signature signature = {0};
	char packages[PATH_MAX] = "";
	struct error err;
	int result;

	worker->spec = spec;
	worker->environment = *environment;
	worker->watched = watch_name("of function %s", spec->name);
	buffer_init(&module.file);
	result = life_begin(worker, &err);
	if (result == 0 && spec->language == LANGUAGE_PYTHON)
		result = find_packages(environment, packages, sizeof(packages), &err);
	if (result < 0)
		return cannot_start(worker, METHOD_START, &err, ret_failure);
	if (find_module(&module, spec, environment, &err) < 0) {
		buffer_release(&module.file);
		return cannot_start(worker, METHOD_IMPORT, &err, ret_failure);
	}
	call_begin(worker);
	put_request(worker, packages, &module);
	buffer_release(&module.file);
	if (environment->counts)
		atomic_fetch_add(&environment->counts->starts, 1);
	if (greet(worker, &signature, ret_failure) < 0) {
		life_release(worker);
		return NULL;
	}
	worker->started = true;
	if (ret_signature)
		*ret_signature = signature;
	else
		udf_signature_release(&signature);
	return worker;
}

bool udf_signature_equal(const struct udf_signature *a, const struct udf_signature *b)
{
	bool equal = a->kind == b->kind && a->vectorized == b->vectorized && a->mergeable == b->mergeable &&
	             a->arguments_min == b->arguments_min && a->arguments_max == b->arguments_max &&
	             a->argument_types_count == b->argument_types_count && a->results.count == b->results.count;

	for (size_t i = 0; equal && i < a->argument_types_count; i++)
		equal = a->argument_types[i] == b->argument_types[i];
	for (size_t i = 0; equal && i < a->results.count; i++)
		equal = a->results.columns[i].type == b->results.columns[i].type;
	return equal;
}

void udf_signature_release(struct udf_signature *signature)
{
	arena_release(&signature->arena);
	*signature = (struct udf_signature){0};
}

int udf_stop(struct udf_worker *worker, struct udf_failure *ret_failure)
{
	struct udf_failure failure;
	int result = 0;

	if (!worker)
		return 0;
	if (!worker->dead) {
		call_begin(worker);
		result = call_finish(worker, OP_CLOSE, UDF_CLOSE_MS, NULL, 0, &failure);
		if (result < 0 && ret_failure)
			*ret_failure = failure;
	}
	life_release(worker);
	return result;
}

int64_t udf_backoff_ms(unsigned failures, uint64_t chance)
{
	unsigned doublings = failures == 0 ? 0 : failures - 1 > BACKOFF_DOUBLINGS ? BACKOFF_DOUBLINGS : failures - 1;
	int64_t most = (int64_t)BACKOFF_FIRST_MS << doublings;

	if (failures == 0)
		return 0;
	if (most > BACKOFF_MOST_MS)
		most = BACKOFF_MOST_MS;
	return most / 2 + (int64_t)(chance % (uint64_t)(most - most / 2 + 1));
}

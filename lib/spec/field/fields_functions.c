/* The field table: the user's own functions. */
#include "lib/spec/field/tables.h"

#define HOUR_MS (60 * 60 * 1000LL)

static const struct choice kinds[] = {{"scalar", FUNCTION_SCALAR},
                                      {"table", FUNCTION_TABLE},
                                      {"aggregate", FUNCTION_AGGREGATE},
                                      {"tableAggregate", FUNCTION_TABLE_AGGREGATE},
                                      {NULL, 0}};
static const struct choice languages[] = {{"python", LANGUAGE_PYTHON}, {"native", LANGUAGE_NATIVE}, {NULL, 0}};
static const struct choice isolations[] = {
        {"process", ISOLATION_PROCESS}, {"inProcess", ISOLATION_IN_PROCESS}, {NULL, 0}};
static const struct choice networks[] = {{"any", NETWORK_ANY}, {"none", NETWORK_NONE}, {NULL, 0}};
static const struct choice sandboxes[] = {
        {"bestEffort", SANDBOX_BEST_EFFORT}, {"required", SANDBOX_REQUIRED}, {NULL, 0}};
static const struct choice row_errors[] = {{"fail", EXCEPTION_FAIL},
                                           {"skip", EXCEPTION_SKIP},
                                           {"deadLetter", EXCEPTION_DEAD_LETTER},
                                           {"null", EXCEPTION_NULL},
                                           {NULL, 0}};
static const struct choice poison_rows[] = {
        {"deadLetter", POISON_DEAD_LETTER}, {"skip", POISON_SKIP}, {"fail", POISON_FAIL}, {NULL, 0}};
static const struct choice joins[] = {{"inner", LATERAL_INNER}, {"left", LATERAL_LEFT}, {NULL, 0}};

static const struct field config_map_fields[] = {{.name = "name",
                                                  .kind = FIELD_STRING,
                                                  .required = true,
                                                  .offset = offsetof(struct config_map_ref, name),
                                                  .min = 1,
                                                  .max = 253,
                                                  .pattern = &secret_name_pattern,
                                                  .doc = "Name of the ConfigMap, in the job's namespace."},
                                                 {.name = "key",
                                                  .kind = FIELD_STRING,
                                                  .required = true,
                                                  .offset = offsetof(struct config_map_ref, key),
                                                  .min = 1,
                                                  .max = 253,
                                                  .pattern = &topic_pattern,
                                                  .doc = "Its key that holds the code."},
                                                 {0}};
static const struct object config_map_object = {
        .title = "ConfigMap key", .size = sizeof(struct config_map_ref), .fields = config_map_fields};

static const struct field code_fields[] = {
        {.name = "inline",
         .kind = FIELD_STRING,
         .variant = true,
         .tag = CODE_INLINE,
         .offset = offsetof(struct function_code, text),
         .min = 1,
         .max = 256 * 1024,
         .doc = "The code itself: it becomes the module that entrypoint names."},
        {.name = "configMapRef",
         .kind = FIELD_OBJECT,
         .variant = true,
         .tag = CODE_CONFIG_MAP,
         .offset = offsetof(struct function_code, config_map),
         .object = &config_map_object,
         .doc = "A ConfigMap's key; `streamjob run --functions-dir` says where a laptop has it."},
        {.name = "path",
         .kind = FIELD_STRING,
         .variant = true,
         .tag = CODE_PATH,
         .offset = offsetof(struct function_code, path),
         .min = 1,
         .max = 4096,
         .doc = "A file in the runtime's image; on a laptop relative to where streamjob was started."},
        {0}};
static const struct object code_object = {.title = "Code",
                                          .size = sizeof(struct function_code),
                                          .fields = code_fields,
                                          .tag_offset = offsetof(struct function_code, source)};

static const struct field result_fields[] = {{.name = "name",
                                              .kind = FIELD_STRING,
                                              .required = true,
                                              .offset = offsetof(struct schema_column, name),
                                              .min = 1,
                                              .max = 63,
                                              .pattern = &column_name_pattern,
                                              .doc = "Name of the result's field."},
                                             {.name = "type",
                                              .kind = FIELD_ENUM,
                                              .required = true,
                                              .offset = offsetof(struct schema_column, type),
                                              .choices = column_types,
                                              .doc = "What its values are."},
                                             {0}};
static const struct object result_object = {
        .title = "Function result", .size = sizeof(struct schema_column), .fields = result_fields, .named = true};

static bool in_process_is_native(const void *members, const struct node *given)
{
	const struct function_spec *function = members;

	(void)given;
	return function->isolation == ISOLATION_PROCESS || function->language == LANGUAGE_NATIVE;
}

static bool native_code_is_a_file(const void *members, const struct node *given)
{
	const struct function_spec *function = members;

	(void)given;
	return function->language != LANGUAGE_NATIVE ||
	       (function->code.source != CODE_INLINE && function->code.source != CODE_CONFIG_MAP);
}

static bool scalar_has_one_result(const void *members, const struct node *given)
{
	const struct function_spec *function = members;

	(void)given;
	return function->kind != FUNCTION_SCALAR || function->returns_count <= 1;
}

static const struct rule function_rules[] = {
        {.cel = "!has(self.isolation) || self.isolation == 'process' || (has(self.language) && self.language == "
                "'native')",
         .wrong = "isolation inProcess is for native functions",
         .right = "leave it out, or write the function in C",
         .field = "isolation",
         .holds = in_process_is_native},
        {.cel = "!has(self.language) || self.language != 'native' || !has(self.code) || has(self.code.path)",
         .wrong = "native code is a shared object, not text",
         .right = "give code.path, or leave code out and name the library in entrypoint",
         .field = "code",
         .holds = native_code_is_a_file},
        {.cel = "self.kind != 'scalar' || !has(self.returns) || self.returns.size() <= 1",
         .wrong = "a scalar function has one result",
         .right = "keep one, or make it a table function",
         .field = "returns",
         .holds = scalar_has_one_result},
        {0}};

static const struct field function_fields[] = {
        {.name = "name",
         .kind = FIELD_STRING,
         .required = true,
         .offset = offsetof(struct function_spec, name),
         .min = 1,
         .max = 63,
         .pattern = &column_name_pattern,
         .doc = "What expressions call it, in any case."},
        {.name = "kind",
         .kind = FIELD_ENUM,
         .required = true,
         .offset = offsetof(struct function_spec, kind),
         .choices = kinds,
         .doc = "scalar: a value for each row, in any expression; table: rows for each row, in lateral; aggregate and "
                "tableAggregate: a value, or rows, for each group and window, in aggregates."},
        {.name = "language",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct function_spec, language),
         .choices = languages,
         .initial = "python",
         .doc = "What it is written in; native is a shared object with the C interface of function.h."},
        {.name = "entrypoint",
         .kind = FIELD_STRING,
         .required = true,
         .offset = offsetof(struct function_spec, entrypoint),
         .min = 3,
         .max = 512,
         .pattern = &entrypoint_pattern,
         .doc = "Python: module:attribute, where the attribute is a class, an instance or what udf, udtf, udaf or "
                "udtaf "
                "returned; native: library.so:symbol."},
        {.name = "code",
         .kind = FIELD_OBJECT,
         .offset = offsetof(struct function_spec, code),
         .object = &code_object,
         .doc = "Where the module's code is; left out: in a package that is installed in the runtime's image."},
        {.name = "returns",
         .kind = FIELD_OBJECTS,
         .offset = offsetof(struct function_spec, returns),
         .count_offset = offsetof(struct function_spec, returns_count),
         .object = &result_object,
         .min = 0,
         .max = 32,
         .doc = "The result's fields and types; left out: as the code declares them."},
        {.name = "parameters",
         .kind = FIELD_STRING_MAP,
         .offset = offsetof(struct function_spec, parameters),
         .min = 0,
         .max = 64,
         .item_max = 4096,
         .doc = "What the function's context answers to get_job_parameter."},
        {.name = "timeout",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct function_spec, timeout_ms),
         .initial = "2s",
         .min = 10,
         .max = HOUR_MS,
         .doc = "How long one call for a batch of rows may take; then the function is killed and started again."},
        {.name = "startTimeout",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct function_spec, start_timeout_ms),
         .initial = "10s",
         .min = 100,
         .max = HOUR_MS,
         .doc = "How long its start may take: imports, the constructor and open()."},
        {.name = "memory",
         .kind = FIELD_BYTES,
         .offset = offsetof(struct function_spec, memory_bytes),
         .initial = "256Mi",
         .min = 16 << 20,
         .max = 1LL << 40,
         .doc = "The most memory that one of its processes may take beyond its interpreter; each lane has one."},
        {.name = "onError",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct function_spec, on_error),
         .choices = row_errors,
         .initial = "fail",
         .doc = "An exception for a row: stop the job, leave the row out, send its record to the dead letter, or take "
                "NULL for the result (an aggregate: leave the row out of this aggregate alone)."},
        {.name = "onPoisonRow",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct function_spec, on_poison_row),
         .choices = poison_rows,
         .computed = "deadLetter where the job has one, else fail",
         .doc = "A row that kills the function again and again (time-out, crash, memory): send its record to the dead "
                "letter, leave it out, or stop the job."},
        {.name = "isolation",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct function_spec, isolation),
         .choices = isolations,
         .initial = "process",
         .doc = "A process of its own, or, for native functions that are trusted, the runtime's."},
        {.name = "network",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct function_spec, network),
         .choices = networks,
         .initial = "any",
         .doc = "none: it can open no socket but of this machine's own (AF_UNIX)."},
        {.name = "sandbox",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct function_spec, sandbox),
         .choices = sandboxes,
         .initial = "bestEffort",
         .doc = "Where the kernel has no Landlock, which keeps secrets and other processes' files from it: bestEffort "
                "says so in /status, required does not start it."},
        {.name = "env",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct function_spec, env),
         .min = 0,
         .max = 64,
         .item_max = 255,
         .pattern = &variable_name_pattern,
         .set = true,
         .doc = "Names of the runtime's environment variables that it is given, beside those of paths, languages, "
                "time zones, certificates, proxies and thread counts."},
        {0}};
const struct object function_object = {.title = "Function",
                                       .size = sizeof(struct function_spec),
                                       .fields = function_fields,
                                       .rules = function_rules,
                                       .named = true};

static const struct field lateral_fields[] = {
        {.name = "expr",
         .kind = FIELD_EXPRESSION,
         .required = true,
         .offset = offsetof(struct lateral_spec, expr),
         .min = 1,
         .max = 10000,
         .doc = "A call of a table function, such as split(tags)."},
        {.name = "columns",
         .kind = FIELD_STRINGS,
         .required = true,
         .offset = offsetof(struct lateral_spec, columns),
         .min = 1,
         .max = 64,
         .item_max = 63,
         .pattern = &column_name_pattern,
         .set = true,
         .doc = "What groupBy and the aggregates call the fields of its rows."},
        {.name = "join",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct lateral_spec, join),
         .choices = joins,
         .initial = "inner",
         .doc = "A row for which the function yields none: inner drops it, left keeps it once, with NULLs."},
        {0}};
const struct object lateral_object = {
        .title = "Lateral", .size = sizeof(struct lateral_spec), .fields = lateral_fields};

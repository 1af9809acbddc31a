/* spec.functions and spec.lateral. See jobspec.h. */
#ifndef STREAMJOB_JOBSPEC_FUNCTION_SPEC_H
#define STREAMJOB_JOBSPEC_FUNCTION_SPEC_H

#include "lib/expr/user_form.h"
#include "lib/spec/field/kafka_client.h"

enum function_language { LANGUAGE_PYTHON, LANGUAGE_NATIVE };
enum code_source { CODE_INSTALLED, CODE_INLINE, CODE_CONFIG_MAP, CODE_PATH };
enum function_isolation { ISOLATION_PROCESS, ISOLATION_IN_PROCESS };
enum function_network { NETWORK_ANY, NETWORK_NONE };
/* Where the kernel has no Landlock: said, or no start. */
enum function_sandbox { SANDBOX_BEST_EFFORT, SANDBOX_REQUIRED };
/* An exception of one row. */
enum on_exception { EXCEPTION_FAIL, EXCEPTION_SKIP, EXCEPTION_DEAD_LETTER, EXCEPTION_NULL };
/* A row that kills its worker. UNSET: deadLetter where the job has one, else fail; never after loading. */
enum on_poison_row { POISON_UNSET, POISON_DEAD_LETTER, POISON_SKIP, POISON_FAIL };
enum lateral_join { LATERAL_INNER, LATERAL_LEFT };

struct config_map_ref { /* mounted at <functions>/<function name>/<key> */
	const char *name, *key;
};
struct function_code {
	enum code_source source;
	const char *text;                 /* inline */
	struct config_map_ref config_map; /* configMapRef */
	const char *path;                 /* path */
};
struct function_spec {
	const char *name;
	enum function_kind kind;
	enum function_language language;
	const char *entrypoint; /* "module:attribute"; native: "library.so:symbol" */
	struct function_code code;
	struct schema_column *returns; /* none: the code's own declaration */
	size_t returns_count;
	struct pairs parameters;  /* what FunctionContext.get_job_parameter answers */
	int64_t timeout_ms;       /* of each call of a batch */
	int64_t start_timeout_ms; /* of the worker's start, import and open() included */
	int64_t memory_bytes;     /* beyond what the interpreter itself takes */
	enum on_exception on_error;
	enum on_poison_row on_poison_row;
	enum function_isolation isolation;
	enum function_network network;
	enum function_sandbox sandbox;
	struct names env;      /* of the runtime's variables, which it is given beside the usual */
	struct user_form form; /* how the job's expressions call it; after loading */
};
struct lateral_spec {
	const char *expr;
	struct names columns;
	enum lateral_join join;
};

#endif

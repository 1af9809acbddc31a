/*
 * The C ABI of user functions: a shared library exports a `const struct streamjob_function`, and the job file names it:
 *
 *   functions: [{name: score, kind: aggregate, language: native, entrypoint: "libscore.so:score"}]
 *
 * This file is all that a library needs. Within one STREAMJOB_FUNCTION_ABI members are only added at the end of
 * structs, and `size` says which are there. Columns, values and strings that a function is given are good until it
 * returns. All calls come from one thread at a time. A function must not keep what it allocates beyond `release` and
 * `close`.
 */
#ifndef STREAMJOB_FUNCTION_H
#define STREAMJOB_FUNCTION_H

#include <stddef.h>
#include <stdint.h>

#define STREAMJOB_FUNCTION_ABI 1

enum streamjob_kind { STREAMJOB_SCALAR, STREAMJOB_TABLE, STREAMJOB_AGGREGATE, STREAMJOB_TABLE_AGGREGATE };
/* TIMESTAMP: milliseconds since the Unix epoch, UTC. STRING: UTF-8, not terminated by NUL. */
enum streamjob_type {
	STREAMJOB_BOOLEAN = 1,
	STREAMJOB_INT,
	STREAMJOB_BIGINT,
	STREAMJOB_DOUBLE,
	STREAMJOB_STRING,
	STREAMJOB_TIMESTAMP
};

struct streamjob_string {
	const char *data;
	size_t size;
};
struct streamjob_value { /* of the type that the place has: an argument's own, a result's declared one */
	int type;
	int null; /* not 0: NULL, and the rest does not count */
	union {
		int boolean;
		int64_t integer; /* INT, BIGINT, TIMESTAMP */
		double real;
		struct streamjob_string string;
	};
};
struct streamjob_result {
	const char *name;
	int type;
};

/* What a function may ask for during a call. */
struct streamjob_call {
	/* This row or accumulator fails, with a sentence; what the function gave for it does not count. */
	void (*fail)(struct streamjob_call *call, const char *reason);
	/* One row of results: a table function's or a table aggregate's. */
	void (*emit)(struct streamjob_call *call, const struct streamjob_value *results);
	/* save: appends bytes. */
	void (*write)(struct streamjob_call *call, const void *bytes, size_t size);
	/* Of the job file's `parameters`; NULL where there is none. */
	const char *(*parameter)(struct streamjob_call *call, const char *name);
};

struct streamjob_function {
	uint32_t abi;  /* STREAMJOB_FUNCTION_ABI */
	uint32_t size; /* sizeof(struct streamjob_function) */
	int kind;
	uint32_t arguments_count;
	const int *argument_types;
	uint32_t results_count;
	const struct streamjob_result *results;

	/* Both may be NULL. `*self` is what every other call gets; open fails by call->fail. */
	void (*open)(struct streamjob_call *call, void **self);
	void (*close)(void *self);

	/* Scalar: sets results[0..results_count), which are NULLs before. Table: emits. */
	void (*eval)(void *self, struct streamjob_call *call, const struct streamjob_value *arguments,
	             struct streamjob_value *results);

	/* Aggregates. An accumulator is state_size bytes, zeroed, aligned to 16; init and release may be NULL. */
	size_t state_size;
	void (*init)(void *self, void *state);
	void (*release)(void *self, void *state);
	void (*accumulate)(void *self, struct streamjob_call *call, void *state,
	                   const struct streamjob_value *arguments);
	void (*merge)(void *self, struct streamjob_call *call, void *state, const void *other);
	/* A value, or emitted rows. */
	void (*get_value)(void *self, struct streamjob_call *call, const void *state, struct streamjob_value *results);
	void (*emit_value)(void *self, struct streamjob_call *call, const void *state);
	/* NULL: the bytes of the state as they are, which is right where it holds no pointers. */
	void (*save)(void *self, struct streamjob_call *call, const void *state);
	void (*load)(void *self, struct streamjob_call *call, void *state, const void *bytes, size_t size);
};

#endif

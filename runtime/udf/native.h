/* A native function that is loaded: what native.c and its calls share. */
#ifndef STREAMJOB_UDF_NATIVE_H
#define STREAMJOB_UDF_NATIVE_H

#include <streamjob/function.h>

#include "runtime/udf/serve.h"
#include "runtime/udf/udf.h"

struct native_slots {
	void **items; /* NULL: not there yet */
	size_t capacity;
};

struct native {
	struct streamjob_call call; /* first: what the library sees */
	struct worker *worker;
	const struct streamjob_function *function;
	void *library, *self;
	bool is_open, failed, too_large;
	char reason[UDF_REASON_BYTES_MAX];
	uint32_t row;        /* that emits */
	struct buffer saved; /* by write */
	char **parameters;   /* name, value, …, NULL */
	struct native_slots tables[UDF_TABLES];
};

int native_call(struct worker *worker, enum udf_op op);
void native_drop_table(struct native *native, uint32_t table);

#endif

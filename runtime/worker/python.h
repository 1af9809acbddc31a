/*
 * The Python of this process: one interpreter, one function. Only this room sees Python.h.
 *
 * Functions return -1 or NULL with a Python exception set, unless they say otherwise.
 */
#ifndef STREAMJOB_WORKER_PYTHON_H
#define STREAMJOB_WORKER_PYTHON_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "runtime/udf/udf.h"
#include "runtime/worker/worker.h"

struct accumulators {
	PyObject **items; /* NULL: not there yet */
	size_t capacity;
};

struct python {
	PyObject *api, *columns, *results; /* modules of streamjob: worker_api and so on */
	PyObject *loaded;
	PyObject *open, *close, *eval, *create_accumulator, *accumulate, *get_value, *emit_value, *merge, *save, *load;
	PyObject *describe, *shortened, *row_values, *emitted, *to_milliseconds, *wrap, *unwrap;
	PyObject *dumps, *loads;                     /* of pickle */
	PyObject *columns_kind;                      /* a str where the function is vectorized, else NULL */
	PyObject *run_rows;                          /* calls an async function for many rows, else NULL */
	PyObject *argument_names[UDF_ARGUMENTS_MAX]; /* of their types, as declared; NULL: the column's */
	PyObject *type_names[TYPE_COUNT];
	bool keeps_columns; /* an accumulator is kept columns; `accumulate` is not called */
	bool row_result;
	PyObject *converters[UDF_RESULTS_MAX]; /* NULL: the value as it is */
	struct accumulators tables[UDF_TABLES];
};
extern struct python python;

/* The interpreter, without a package's code: REPLY_OK, or the reply. */
int python_begin(struct worker *worker);
/* sys.path as `python3` has it, and what packages run when an interpreter starts: .pth files, sitecustomize. */
int python_begin_packages(void);

/* A method prepared for many calls: its function and self taken apart. */
struct prepared {
	PyObject *function;
	PyObject *arguments[UDF_ARGUMENTS_MAX + 4]; /* [0] is vectorcall's own */
	size_t first;                               /* where the caller's arguments begin */
};
void prepare(struct prepared *call, PyObject *method);
static inline PyObject *prepared_call(struct prepared *call, size_t count)
{
	return PyObject_Vectorcall(call->function, call->arguments + 1,
	                           (call->first - 1 + count) | PY_VECTORCALL_ARGUMENTS_OFFSET, NULL);
}

/* The arguments of the request: its columns. */
struct request_columns {
	size_t count;
	struct wire_column columns[UDF_ARGUMENTS_MAX];
};
bool take_columns(struct worker *worker, struct request_columns *columns);

PyObject *value_object(const struct wire_column *column, size_t row);
/* Appends what the object says, as the column's type. */
int object_value(struct grown_column *column, PyObject *object, size_t field);
/* One result (a value, or a row of the result's fields) appended to worker->results: all fields or none. */
int put_result(struct worker *worker, PyObject *result);
void put_null_result(struct worker *worker);

/* Takes the exception that is set and makes it the row's failure; `arguments` may be NULL. Never fails. */
void row_raised(struct worker *worker, uint32_t row, PyObject *const *arguments, size_t count);
/* Takes the exception as the reason of a reply. */
int call_raised(struct worker *worker);

int eval_rows(struct worker *worker);
int eval_async_rows(struct worker *worker);
int eval_table_rows(struct worker *worker);
int accumulate_rows(struct worker *worker);
int eval_columns(struct worker *worker);
int accumulate_columns(struct worker *worker);
/* Adds rows [from, from + n) to an accumulator of kept columns. */
int keep_rows(PyObject *accumulator, const struct request_columns *columns, size_t from, size_t n);
int values_of_slots(struct worker *worker);
int emit_slots(struct worker *worker);
int save_slots(struct worker *worker);
int merge_slots(struct worker *worker);
int clear_table(struct worker *worker);

/* The place of a slot, with a new accumulator where it is not there yet; NULL with an exception. */
PyObject **slot_of(struct worker *worker, uint32_t table, uint32_t slot);

/* The shared memory as Python sees it: a buffer that counts who looks at it. */
int shared_view_type(void);
PyObject *shared_view(const void *data, size_t size);
bool shared_view_is_kept(PyObject *view);

void publish_metrics(struct worker *worker, bool now);

#endif

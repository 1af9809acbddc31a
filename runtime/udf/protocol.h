/*
 * What the runtime and streamjob-worker share: one sealed piece of memory of fixed size, of which only touched pages
 * exist. A control block, then the request, which the runtime writes, then the reply. Two words of the control block
 * count the requests and the replies, and are what each side sleeps on (wake.h).
 *
 * The function can write anywhere in it. So the runtime writes a request whole before each call, and reads a reply only
 * after it has copied it; it takes nothing from the control block but numbers that it checks.
 */
#ifndef STREAMJOB_UDF_PROTOCOL_H
#define STREAMJOB_UDF_PROTOCOL_H

#include <stdint.h>

#define UDF_FD_MEMORY 3 /* closed before anything of the user's runs */

#define UDF_CONTROL_BYTES     65536
#define UDF_REQUEST_BYTES_MAX (32u << 20)
#define UDF_REPLY_BYTES_MAX   (32u << 20)
#define UDF_SHARED_BYTES      (UDF_CONTROL_BYTES + UDF_REQUEST_BYTES_MAX + UDF_REPLY_BYTES_MAX)

#define UDF_ANSWERS_BYTES_MAX (256u << 20) /* of all the replies to one call, which may go in parts */

#define UDF_REASON_BYTES_MAX 2048 /* of a row's failure */
#define UDF_EXIT_SANDBOX     71

#define UDF_HEAD_NETWORK  1u /* flags of the first request */
#define UDF_HEAD_REQUIRED 2u

enum udf_op {
	OP_START = 1,
	OP_EVAL,
	OP_EVAL_TABLE,
	OP_ACCUMULATE,
	OP_VALUES,
	OP_EMIT,
	OP_SAVE,
	OP_MERGE,
	OP_CLEAR,
	OP_CLOSE
};

/* Where the worker is. udf_method_name has their names. */
enum udf_method {
	METHOD_START,
	METHOD_IMPORT,
	METHOD_OPEN,
	METHOD_EVAL,
	METHOD_CREATE_ACCUMULATOR,
	METHOD_ACCUMULATE,
	METHOD_GET_VALUE,
	METHOD_EMIT_VALUE,
	METHOD_SAVE,
	METHOD_LOAD,
	METHOD_MERGE,
	METHOD_CLOSE
};
#define UDF_METHODS 12

enum udf_reply { REPLY_OK = 1, REPLY_ERROR, REPLY_EXHAUSTED, REPLY_TOO_LARGE };

#define UDF_SHARED_METRICS_MAX 128
#define UDF_LABELS_MAX         4
struct udf_shared_metric {
	char name[64];
	uint32_t kind, labels_count;
	double value;
	struct {
		char name[32], value[64];
	} labels[UDF_LABELS_MAX];
};

struct udf_control {
	_Atomic uint32_t request_number; /* from 1, then round again */
	uint32_t op, request_bytes;
	_Atomic uint32_t reply_number;              /* of the request that the reply is for */
	_Atomic uint32_t reply_status, reply_bytes; /* read once: what was checked is what is used */
	_Atomic uint32_t method, row;
	_Atomic uint32_t metrics_version; /* odd while they are being written */
	_Atomic uint32_t metrics_count;
	struct udf_shared_metric metrics[UDF_SHARED_METRICS_MAX];
};
_Static_assert(sizeof(struct udf_control) <= UDF_CONTROL_BYTES, "the control block has its own pages");

static inline char *udf_request_area(struct udf_control *control)
{
	return (char *)control + UDF_CONTROL_BYTES;
}

static inline char *udf_reply_area(struct udf_control *control)
{
	return (char *)control + UDF_CONTROL_BYTES + UDF_REQUEST_BYTES_MAX;
}

#endif

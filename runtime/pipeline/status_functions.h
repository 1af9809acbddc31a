/*
 * What the status pages say of the user's functions. Inside runtime/pipeline only; the status' mutex is held.
 */
#ifndef STREAMJOB_STATUS_FUNCTIONS_H
#define STREAMJOB_STATUS_FUNCTIONS_H

#include "runtime/pipeline/functions.h"

struct json_t;

/* [{name, kind, healthy, restarts, calls, rows, rowErrors, poisonRows, lastError}]. */
struct json_t *status_functions_json(struct functions *functions);
/* streamjob_function_*, and the functions' own metrics as streamjob_user_*. */
void status_functions_metrics(struct functions *functions, struct buffer *out);

#endif

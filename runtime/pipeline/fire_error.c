/* A result that is an error. */
#include <stdio.h>

#include "runtime/pipeline/fire_parts.h"

void fire_result_error(struct fire *fire, const char *what, const char *why)
{
	char reason[LOSS_REASON_MAX];
	const struct loss_note note = {.count = 1, .reason = reason};
	struct error err;

	atomic_fetch_add(&fire->status->result_errors, 1);
	error_set(&err, "a result of %s became NULL: %s", what, why);
	status_error(fire->status, &err);
	snprintf(reason, sizeof(reason), "%.64s: %s", what, why);
	losses_note(&fire->status->losses, LOSS_RESULT, &note);
}

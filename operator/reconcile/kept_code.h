/*
 * The code of functions with which data flowed. A function's ConfigMap is the user's and may be changed or deleted at
 * any time, so with `rollback: auto` the operator keeps a copy of what it held: ConfigMap JOB-code-<hash>, immutable,
 * of the StreamJob; the ControllerRevision with the last good spec names the hashes {ConfigMap: hash}. The copy is made
 * when data flows (VERB_COPY_CODE: only the writer sees what a ConfigMap holds), and mounted in place of the user's
 * ConfigMap when the job goes back. It holds what a ConfigMap can hold, 1 MiB, so it is never too large. Inside
 * operator/reconcile only.
 */
#ifndef STREAMJOB_KEPT_CODE_H
#define STREAMJOB_KEPT_CODE_H

#include "operator/reconcile/names.h"
#include "operator/reconcile/view.h"

struct plan;

/* {ConfigMap: hash} of the job's code as it is now, the caller's own; NULL where one is not there. Empty: it has none.
 */
json_t *kept_code_now(const struct view *view);
/* Copies what is not kept yet, and deletes the copies of anything else. NULL: of everything. */
void plan_kept_code(struct plan *plan, const json_t *code);
/* The name of the copy of what has that hash; false where there is none. */
bool kept_code_copy(const struct view *view, const char *hash, char ret_name[NAME_MAX_BYTES + 1]);
/* In the volumes of a pod, the user's ConfigMaps are replaced by the copies of what the job went back to. */
void kept_code_mount(const struct view *view, json_t *volumes);

#endif

/*
 * The ConfigMaps that functions' code is in (spec.functions[].code.configMapRef). What they hold is noted on the pods,
 * so a change of it replaces them as a change of the spec does. Without that, the kubelet would change the files below
 * a running pod, and a worker that starts anew would run other code than the rest.
 */
#ifndef STREAMJOB_CODE_H
#define STREAMJOB_CODE_H

#include "operator/reconcile/object.h"

struct view;

/* The names of a StreamJob's, each once: an array of the caller's own. */
json_t *code_config_maps(const json_t *job);
/* Leaves of a ConfigMap its metadata and a hash of what it holds: all that the operator keeps of one. */
void code_reduce(json_t *config_map);
/* The hash of a reduced ConfigMap; "" of none. */
const char *code_hash_of(const json_t *config_map);
/*
 * What the pods are to note: a hash of all of the job's; "" where it has none. While one of them is not there, the note
 * stays as it is deployed: a ConfigMap that is deleted and made anew takes no pod away that runs.
 */
void code_note(const struct view *view, char ret_note[OBJECT_HASH_SIZE]);

#endif

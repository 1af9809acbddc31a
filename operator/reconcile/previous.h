/*
 * The job files before this one under which a window may be pending: begun, and perhaps written to a sink. Only the
 * query that began a window can finish it, so the pods of the new job file get those files too, and the runtime takes
 * the one that it finds it needs (docs/delivery.md), and deletes the Pushgateway groups that only those name. Inside
 * operator/reconcile only.
 *
 * Which they are is noted on the pods and stays so for as long as the job file does: another template would replace
 * pods. When the job file changes, that is the one that was deployed, and, unless a pod of that one is known to have
 * had the job (status.place.specHash: it had finished what came before it), those that were noted for it.
 */
#ifndef STREAMJOB_PREVIOUS_H
#define STREAMJOB_PREVIOUS_H

#include "lib/spec/read/load.h"
#include "operator/reconcile/names.h"

#define PREVIOUS_FILES_MAX 8 /* of more, the oldest and the newest ones are kept */
#define SPEC_HASH_SIZE     sizeof(((struct jobspec *)NULL)->spec_hash)

struct view;

struct previous_file {
	char hash[SPEC_HASH_SIZE];
	char config_map[NAME_MAX_BYTES + 1];
	struct jobspecs jobs; /* the one job of the file */
};
struct previous {
	struct previous_file items[PREVIOUS_FILES_MAX]; /* the newest last */
	size_t count;
};

/* Of a view with a good spec. Those that are gone, or have the query and the groups that the spec has,
 * are left out. */
void previous_find(const struct view *view, struct previous *ret_previous);
void previous_release(struct previous *previous);
/* What the pods are to note: the hashes, joined by commas. The caller's own. */
char *previous_note(const struct previous *previous);
bool previous_has(const struct previous *previous, const char *config_map);

#endif

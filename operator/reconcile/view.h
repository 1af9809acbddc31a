/*
 * One look at a StreamJob: what was observed, and what its spec says once it is read and checked. Inside
 * operator/reconcile only.
 */
#ifndef STREAMJOB_VIEW_H
#define STREAMJOB_VIEW_H

#include "lib/spec/read/load.h"
#include "operator/reconcile/names.h"
#include "operator/reconcile/object.h"
#include "operator/reconcile/plan.h"
#include "operator/reconcile/previous.h"
#include "operator/reconcile/rollback.h"
#include "operator/reconcile/rollout.h"
#include "operator/reconcile/update.h"

struct view {
	const struct observed *observed;
	const struct settings *settings;
	const json_t *job;                  /* with the last good spec, where the job went back to it */
	const char *name, *namespace, *uid; /* the job's own */
	char label[NAME_LABEL_MAX + 1];     /* of its children */
	bool deleting;
	bool held_back;             /* the job is paused, and there would be something to write */
	const struct jobspec *spec; /* that the pods are to run; NULL: the spec has problems */
	struct rollback rollback;
	struct rollout rollout;   /* that the spec gives; while it has problems, the last one */
	struct previous previous; /* the job files that the pods get beside it */
	struct update update;
	struct jobspecs jobs; /* of the spec as it was given */
	struct problems problems;
	struct problems unknown; /* fields of the spec that are of a later CRD */
};

void view_init(struct view *view, const struct observed *observed, const struct settings *settings);
/* Reads the spec of `job`. It is good where there are no problems. */
void view_load(const struct view *view, const json_t *job, struct problems *problems, struct jobspecs *ret_jobs);
void view_release(struct view *view);

/* The child of that name if this very StreamJob controls it, else NULL. */
const json_t *view_child(const struct view *view, enum kind kind, const char *name);
/* One with that name that an earlier StreamJob of the same name controls: it is about to go. */
const json_t *view_leftover(const struct view *view, enum kind kind, const char *name);
/* The name of the child of a kind; of a ConfigMap: that of the job file with this hash. */
void view_child_name(const struct view *view, enum kind kind, const char *spec_hash, char ret_name[NAME_MAX_BYTES + 1]);
/* The name of the ConfigMap with the job's place. */
void view_place_name(const struct view *view, char ret_name[NAME_MAX_BYTES + 1]);
bool is_job_file(const json_t *config_map);
const json_t *view_deployment(const struct view *view);
/* The other owner whose job this one is to go on with, "" where none is named. */
const char *view_take_over(const struct view *view);
/* The query whose pending window is to be given up, "" where none is named. */
const char *view_drop_pending(const struct view *view);
/* A note on the pods that the Deployment makes, "" where there is none. */
const char *view_deployed_note(const struct view *view, const char *note);
/* The hash of the job file that the Deployment runs, "" where there is none. */
const char *view_deployed_hash(const struct view *view);

/* Pods of the runtime that have not ended: of this StreamJob, or of an earlier one of the same name. */
bool pod_is_gone(const json_t *pod);
size_t view_count_pods(const struct view *view, bool ours, bool leaving_only);

#endif

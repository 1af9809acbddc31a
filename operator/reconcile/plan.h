/*
 * The plan: from what is observed of one StreamJob to the writes that it needs next, and to its status. Level-based:
 * nothing is remembered here; the same observation gives the same plan, so a crash after any write, a missed event or a
 * second operator at work only means that the next look plans the rest.
 *
 * Pure: the clock comes with the observation. JSON that is passed in is only read, and outlives the plan.
 */
#ifndef STREAMJOB_PLAN_H
#define STREAMJOB_PLAN_H

#include <jansson.h>

#include "lib/base/error.h"
#include "lib/spec/read/load.h"
#include "operator/reconcile/kind.h"

struct settings {
	const char *image;         /* of the runtime, where a spec names none */
	const char *own_namespace; /* where the operator runs, NULL: not in a pod; for the NetworkPolicy */
	const char *operator;   /* its claim on the jobs that it has, NAMESPACE/LEASE; NULL: they stay whose they are */
	const char *cluster_id; /* what the cluster is called in the marks of its jobs' owners */
	const char *const
	        *accounts; /* "NAMESPACE/NAME", either may be *: ServiceAccounts that a pod template may name */
	size_t accounts_count;
	bool projected_tokens; /* a pod template may project tokens, certificates and trust bundles */
	int64_t turn_ms;       /* a job that was Ready has so long in an upgrade at the least; 0: a minute */
	int64_t figures_ms;    /* figures are written at most so often; 0: FIGURES_MS */
};

struct observed {
	const json_t *job;                  /* the StreamJob */
	const json_t *children[KIND_COUNT]; /* of each kind: those with the job's instance label, an array; or NULL */
	/*
	 * What pods said: {podUid: {at: ms, document: /status} or {at, error: words, failingSince: ms, and the document
	 * before it}, and words: of the kubelet}; each with `restarts`, the container's at that time. Of a batch Job
	 * without a pod: words of its controller.
	 */
	const json_t *reports;
	const json_t *code;    /* of the ConfigMaps that functions are in, as far as they are there: {name: hash} */
	const json_t *sharers; /* other StreamJobs that name a group of this one; groups.h; NULL: none is known */
	const struct checked_specs *checked; /* what was found of specs before; NULL: they are compiled anew */
	int64_t now_ms;                      /* wall */
	int64_t deleting_ms;                 /* since this process first saw the deletion, monotonic; 0 */
	int64_t figures_age_ms; /* since the figures were last written, monotonic; INT64_MAX: not by this process */
	bool may_update;        /* it is the job's turn to get what a new operator or default image makes of it */
	const json_t *update_halted; /* the job, a string, for which such roll-outs halt; or NULL */
	bool no_budgets;             /* the operator may not have PodDisruptionBudgets there: the job does without */
	bool namespace_ends;         /* the API server refused a write since the namespace is being deleted, just now */
};

enum verb {
	VERB_CREATE, /* apply what was not there: first make sure that no foreign object has the name */
	VERB_APPLY,  /* server-side apply, forced; metadata.uid is the precondition */
	VERB_DELETE, /* with the UID of the object as precondition */
	VERB_MERGE,  /* a merge patch; metadata.resourceVersion is the precondition */
	/* As create, with what the ConfigMap NOTE_COPY_OF holds; nothing where that has not the hash NOTE_CODE_HASH. */
	VERB_COPY_CODE
};
extern const char *const verb_names[];
struct step {
	enum verb verb;
	enum kind kind;
	json_t *object;
};
struct event {
	bool warning;
	const char *reason; /* CamelCase */
	json_t *note;       /* a string */
};

#define NAMESPACE_ENDS_MS 10000 /* so long after such a refusal nothing is created */
#define PLAN_STEPS_MAX    32
#define PLAN_EVENTS_MAX   8

struct view;
struct plan {
	struct view *view;
	struct step steps[PLAN_STEPS_MAX]; /* in this order; the first failure ends them */
	size_t steps_count;
	struct event events[PLAN_EVENTS_MAX]; /* of plan_make and plan_status */
	size_t events_count;
	int64_t again_ms; /* look again after so long at the latest; 0: an event will come */
};

void plan_make(const struct observed *observed, const struct settings *settings, struct plan *ret_plan);
/* The job waits for its turn to get what a new operator or default image makes of it. */
bool plan_waits(const struct plan *plan);
void plan_release(struct plan *plan);

/*
 * After the steps: the object to apply to the status subresource, or NULL where it says all there is to say already.
 * `failed`: the step that failed, or NULL; `words`: the API server's, or NULL where they need not be said yet. A change
 * of a condition's status or reason is due at once, of the words of one that is not true every WORDS_MS, of figures
 * every figures_ms, and only where a reader would notice. Call once.
 */
#define FIGURES_MS 60000
#define WORDS_MS   15000
json_t *plan_status(struct plan *plan, const struct step *failed, const struct error *words);

#endif

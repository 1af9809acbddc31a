/*
 * The verdict on a job: does data flow, and if not, why, in whose words. Inside operator/reconcile only.
 */
#ifndef STREAMJOB_HEALTH_H
#define STREAMJOB_HEALTH_H

#include "operator/reconcile/view.h"

#define MESSAGE_BYTES_MAX 16384 /* of a condition; the CRD allows 32768 characters */

enum truth { TRUTH_UNKNOWN, TRUTH_FALSE, TRUTH_TRUE };

struct finding {
	enum truth truth;
	const char *reason; /* CamelCase; static, or of what was observed */
	struct buffer message;
};

struct health {
	struct finding ready, reconciling, stalled, functions, sinks, input, understood, updated;
	struct finding suspended, succeeded, ended_badly, paused; /* conditions that are there while they are True */
	bool flows;            /* data, through pods of the roll-out that is deployed */
	json_t *rollback;      /* status.rollback as it is to be, or NULL */
	struct finding shared; /* of a group that another StreamJob names too; else not true, and not said */
	int64_t replicas, ready_replicas;
	const char *running_hash; /* "" where no pod runs */
	const json_t *pod;        /* that speaks for the job; NULL */
	const json_t *document;   /* what it says; NULL: nothing, or that it stands by */
	const json_t *owner;      /* who has the job, in its words; NULL */
	int64_t standbys;         /* pods that stand by */
	bool is_kept;             /* the pod has not been asked yet: what the status says of it is what is known */
	int64_t again_ms;         /* when time alone changes the verdict; 0 */
};

/* `refused` and `words`: a step that failed and why, or NULL. */
void health_judge(const struct view *view, const struct step *refused, const struct error *words,
                  struct health *ret_health);
/* flow.c, below the verdict: a health that says nothing yet; whether data flows, by what the pods say. */
void health_init(const struct view *view, struct health *health);
void health_judge_flow(const struct view *view, struct health *health);
/* The operator is still at work: Reconciling; Ready=False for it too; and while pods end, one of which may be on a node
 * that is away and drain for ever. */
void health_progresses(struct health *health, const char *reason, const char *words);
void health_drains(const struct view *view, struct health *health, const char *words);
/* Whether data flows through pods that are as the spec asks. */
bool view_flows(const struct view *view);
/* Time alone changes the verdict after so long, or sooner. */
void health_again(struct health *health, int64_t ms);
void health_release(struct health *health);

/* Sets all of a finding; its message is what the format says, cut at MESSAGE_BYTES_MAX. */
void finding_set(struct finding *finding, enum truth truth, const char *reason, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* As the status says it; false where it does not. */
bool finding_keep(const struct view *view, const char *type, struct finding *finding);

#define LATE "ProgressDeadlineExceeded" /* the reason of Stalled and Reconciling */

/* Why the kubelet, the scheduler or a controller does not run the pod: true, with Ready's finding set, and the others
 * where the runtime has refused a function's code. */
bool pod_is_failing(const struct view *view, const json_t *pod, struct health *health);
/* The pod's node does not answer; and a pod that should have ended did not, else *ret_again_ms is when to look again:
 * true, with Ready's finding set. */
bool pod_is_lost(const json_t *pod, struct finding *ready);
bool pods_overdue(const struct view *view, struct finding *ready, int64_t *ret_again_ms);
/* The job's last pod that its node ended, and when; or NULL. Its words; and whether that is why there is none now. */
const json_t *pod_evicted(const struct view *view, const char **ret_at);
void pod_print_eviction(const json_t *pod, struct buffer *text);
bool pod_is_evicted(const struct view *view, struct finding *ready);
/* What the runtime says of itself, into Ready, FunctionsHealthy, SinksHealthy and InputOK. */
void document_judge(const json_t *document, struct health *health);

#endif

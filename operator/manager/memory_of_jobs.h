/*
 * What the operator remembers of StreamJobs beside the stores. All of it can be lost: it bounds how often something is
 * written or asked, and bridges the moment until a write of ours comes back through the watch. Threads: any.
 */
#ifndef STREAMJOB_MEMORY_OF_JOBS_H
#define STREAMJOB_MEMORY_OF_JOBS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "operator/reconcile/plan.h"

struct memory_of_jobs;
struct memory_of_jobs *memory_of_jobs_new(void);
void memory_of_jobs_free(struct memory_of_jobs *memory);

/* The job is gone. */
void memory_forget(struct memory_of_jobs *memory, const char *key);
/* The status of the job's version `before` is about to be replaced by `status`, at now_ms (monotonic). */
void memory_status_begins(struct memory_of_jobs *memory, const char *key, const char *uid, const char *before,
                          const json_t *status, int64_t now_ms);
/* It was not: the write failed. */
void memory_status_failed(struct memory_of_jobs *memory, const char *key, const char *uid);
/* Since a status began to be written; INT64_MAX: not since the start, or so long ago that it does not matter. */
int64_t memory_status_age(struct memory_of_jobs *memory, const char *key, const char *uid, int64_t now_ms);
/* The store has this version of the job: a status that was written over another one is in it. */
void memory_job_seen(struct memory_of_jobs *memory, const char *key, const char *uid, const char *version);
/* The status that was written over this version, the caller's; NULL: the version's own is the last one. */
json_t *memory_newer_status(struct memory_of_jobs *memory, const char *key, const char *uid, const char *version);
/* Milliseconds since the deletion was first seen. */
int64_t memory_deleting(struct memory_of_jobs *memory, const char *key, const char *uid, int64_t now_ms);
/* The API server refused a write since the job's namespace is being deleted; and whether it did in the last
 * NAMESPACE_ENDS_MS. A job that is made in a namespace of the same name later has another UID. */
void memory_namespace_ends(struct memory_of_jobs *memory, const char *key, const char *uid, int64_t now_ms);
bool memory_does_namespace_end(struct memory_of_jobs *memory, const char *key, const char *uid, int64_t now_ms);
/* A write for the job failed: milliseconds since the first that did; and none fails any more. */
int64_t memory_failing(struct memory_of_jobs *memory, const char *key, const char *uid, int64_t now_ms);
void memory_not_failing(struct memory_of_jobs *memory, const char *key, const char *uid);

/* The names of the ConfigMaps that the job's functions are in, an array; and the names of a ConfigMap's users, a new
 * one. */
void memory_uses_code(struct memory_of_jobs *memory, const char *key, const char *uid, const json_t *names);
json_t *memory_users_of_code(struct memory_of_jobs *memory, const char *namespace, const char *name);

/*
 * What a pod said, or why it did not: `report` as in struct observed, a reference taken; what the same process said
 * before an error, and since when it is silent, are added to it. True where a reconcile should
 * look at it: its verdict changed, or figures_ms passed since the last true.
 */
bool memory_report(struct memory_of_jobs *memory, const char *pod_uid, json_t *report, int64_t now_ms,
                   int64_t figures_ms);
/* A copy of a pod's report, or NULL. */
json_t *memory_report_of(struct memory_of_jobs *memory, const char *pod_uid);
/* Keeps only the reports of pods that are keys of `pods`, and of jobs what matters: of a status that the store has and
 * that is figures_ms old nothing does. */
void memory_tidy(struct memory_of_jobs *memory, const json_t *pods, int64_t now_ms, int64_t figures_ms);

#endif

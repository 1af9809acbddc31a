/*
 * StreamJobs of files against the cluster: what `plan` prints.
 */
#ifndef STREAMJOB_PLAN_FILES_H
#define STREAMJOB_PLAN_FILES_H

#include "lib/spec/field/problems.h"
#include "operator/kube/kube.h"
#include "operator/manager/options.h"
#include "operator/reconcile/plan.h"

struct plan_options {
	const char *kubeconfig, *context, *namespace, *field_manager;
	struct settings settings;
	const char *accounts[ACCOUNTS_MAX]; /* those of the settings */
	struct group_index *groups;         /* of plan_files_groups */
};

/* Appends each StreamJob of the text, as it would be applied; -1 with problems where one is not good. */
int plan_files_load(const char *file, struct slice text, json_t *jobs, struct problems *problems);
/* Fills options->groups with the StreamJobs of all namespaces that may be read, else of `namespace`; says what it could
 * not see on standard error. */
void plan_files_groups(struct kube_client *client, const struct plan_options *options, const char *namespace);
/* Appends the diffs of the StreamJob and of its children, and says on standard error which other jobs name its groups;
 * `namespace` is for a job that names none. */
int plan_files_diff(struct kube_client *client, const struct plan_options *options, const char *namespace,
                    const json_t *job, struct buffer *out, struct error *err);

#endif

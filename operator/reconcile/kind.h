/*
 * The kinds of objects that the operator reads or writes: one row each.
 */
#ifndef STREAMJOB_KIND_H
#define STREAMJOB_KIND_H

#include <stdbool.h>
#include <stddef.h>

enum kind {
	KIND_STREAM_JOB,
	KIND_SERVICE_ACCOUNT,
	KIND_NETWORK_POLICY,
	KIND_SERVICE,
	KIND_CONFIG_MAP,
	KIND_DEPLOYMENT,
	KIND_JOB,         /* batch: the clean-up */
	KIND_REVISION,    /* ControllerRevision: the last good spec of a job; rollback.h */
	KIND_BUDGET,      /* what may evict the pod; the one kind that a job can do without */
	KIND_REPLICA_SET, /* only read, and of it only the metadata: whose a pod is; belongs.h */
	KIND_POD,         /* only read */
	KIND_COUNT
};

struct kind_names {
	const char *kind, *api_version;
	const char *root;   /* "/apis/apps/v1" */
	const char *plural; /* "deployments" */
};
extern const struct kind_names kind_names[KIND_COUNT];

#endif

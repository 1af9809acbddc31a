/* What only the operator reads: pods, not rows. The canonical job file leaves it out. See jobspec.h. */
#ifndef STREAMJOB_JOBSPEC_CLUSTER_SPEC_H
#define STREAMJOB_JOBSPEC_CLUSTER_SPEC_H

#include <stdbool.h>
#include <stdint.h>

enum rollback_policy { ROLLBACK_NEVER, ROLLBACK_AUTO };
enum evictions { EVICTIONS_ALLOW, EVICTIONS_BLOCK, EVICTIONS_LEAVE };
enum deletion { DELETION_KEEP, DELETION_DELETE };

struct deletion_spec {
	enum deletion pushgateway;
	int64_t timeout_ms; /* what waits for the gateway ends then */
};
struct cluster_spec {
	int64_t parallelism; /* pods */
	bool suspend;
	const char *class;            /* NULL: of operators without one */
	int64_t progress_deadline_ms; /* a roll-out is ready by then */
	enum evictions evictions;
	enum rollback_policy rollback; /* what is done where it is not, for a cause that is the job's */
	const char *image;             /* NULL: the operator's default */
	const char *resources;         /* JSON: core/v1 ResourceRequirements, or NULL */
	const char *pod_template;      /* JSON: {metadata, spec} as core/v1 PodTemplateSpec, or NULL */
	struct deletion_spec deletion;
};

#endif

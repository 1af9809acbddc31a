/*
 * What a pod of a job sees as files. Inside operator/reconcile only.
 *
 *   /etc/streamjob/job/job.json       the canonical job file
 *   /etc/streamjob/secrets/NAME/KEY   of each Secret that the spec refers to
 *   /etc/streamjob/functions/NAME/KEY the ConfigMap with that function's code
 *   /var/lib/streamjob                where relative paths are; gone with the pod
 *   /tmp                              gone with the pod
 * and the folders of file sinks and dead letters, gone with the pod unless spec.podTemplate mounts a volume there.
 */
#ifndef STREAMJOB_MOUNTS_H
#define STREAMJOB_MOUNTS_H

#include <jansson.h>

#include "lib/jobspec/jobspec.h"

#define JOB_DIR       "/etc/streamjob/job"
#define JOB_FILE      "job.json"
#define SECRETS_DIR   "/etc/streamjob/secrets"
#define FUNCTIONS_DIR "/etc/streamjob/functions"
#define WORK_DIR      "/var/lib/streamjob"

struct mounts {
	json_t *volumes, *mounts; /* of the pod, and of the runtime's container; the caller's */
};

void mounts_make(const struct jobspec *spec, const char *config_map, struct mounts *ret_mounts);

#endif

/*
 * What a pod of a job sees as files. Inside operator/reconcile only.
 *
 *   /etc/streamjob/job/job.json       the canonical job file
 *   /etc/streamjob/secrets/NAME/KEY   of each Secret that the spec refers to
 *   /etc/streamjob/functions/NAME/KEY the ConfigMap with that function's code
 *   /etc/streamjob/previous/HASH/job.json
 *                                     a job file before it that is noted (previous.h), as far as it is there
 *   /etc/streamjob/previous-functions/HASH/NAME/KEY
 *                                     its code, and its Secrets above, as far as they are there
 *   /etc/streamjob/place/known.json   the job's place as it was known last (place.h); there once one is known
 *   /var/lib/streamjob                where relative paths are; gone with the pod
 *   /tmp                              gone with the pod
 *
 * and the folders of file sinks and dead letters, gone with the pod unless spec.podTemplate mounts a volume there.
 */
#ifndef STREAMJOB_MOUNTS_H
#define STREAMJOB_MOUNTS_H

#include <jansson.h>

#include "lib/spec/field/jobspec.h"
#include "operator/reconcile/previous.h"

#define JOB_DIR                "/etc/streamjob/job"
#define JOB_FILE               "job.json"
#define SECRETS_DIR            "/etc/streamjob/secrets"
#define FUNCTIONS_DIR          "/etc/streamjob/functions"
#define PLACE_DIR              "/etc/streamjob/place"
#define PREVIOUS_DIR           "/etc/streamjob/previous"
#define PREVIOUS_FUNCTIONS_DIR "/etc/streamjob/previous-functions"
#define WORK_DIR               "/var/lib/streamjob"

struct mounts {
	json_t *volumes, *mounts; /* of the pod, and of the runtime's container; the caller's */
};

/* The volume `job_file`, which it takes, where the job file is read from, and the folders to write to. */
void mounts_begin(json_t *job_file, struct mounts *ret_mounts);
/* The Secrets and folders of a sink; `optional`: a Secret that is not there does not keep a pod from starting. */
void mounts_add_sink(struct mounts *mounts, const struct sink_spec *sink, bool optional);
/* The ConfigMaps of the job file and of its place; `place` NULL: the pod does not need it.
 */
void mounts_make(const struct jobspec *spec, const char *config_map, const char *place, struct mounts *ret_mounts);
/* Beside them those of a job file before: what of it is not there any more does not keep a pod from starting. */
void mounts_add_previous(const struct previous_file *file, struct mounts *mounts);

#endif

/*
 * What a StreamJob's children are called, and their labels. The same job always gives the same names, so two operators,
 * or one after a crash, write the same objects.
 */
#ifndef STREAMJOB_NAMES_H
#define STREAMJOB_NAMES_H

#include "lib/base/slice.h"

#define FIELD_MANAGER  "streamjob-operator"
#define PUSH_FINALIZER "streamjob.dev/pushgateway"

#define LABEL_NAME      "app.kubernetes.io/name"
#define LABEL_INSTANCE  "app.kubernetes.io/instance"
#define LABEL_COMPONENT "app.kubernetes.io/component"
#define LABEL_MANAGER   "app.kubernetes.io/managed-by"
#define LABEL_JOB_UID   "streamjob.dev/job-uid"
#define LABEL_SCRAPER   "streamjob.dev/scraper"

#define NOTE_APPLIED   "streamjob.dev/applied"   /* hash of what was applied last */
#define NOTE_JOB       "streamjob.dev/job"       /* its name, where a label's value cannot hold it */
#define NOTE_SPEC_HASH "streamjob.dev/spec-hash" /* of the job file that a pod runs */
#define NOTE_COPY_OF   "streamjob.dev/copy-of"   /* the ConfigMap that a kept copy of code was made of */
#define NOTE_CODE_HASH "streamjob.dev/code-hash" /* of the ConfigMaps that a pod's functions are in */

#define NOTE_ROLLOUT       "streamjob.dev/rollout"       /* its number */
#define NOTE_TEMPLATE_HASH "streamjob.dev/template-hash" /* of the template without the number */
#define NOTE_TAKE_OVER     "streamjob.dev/take-over"     /* the owner whose job this one goes on with */
#define NOTE_OPERATOR      "streamjob.dev/operator"      /* NAMESPACE/LEASE of the one that has the job */
#define NOTE_PAUSED        "streamjob.dev/paused"        /* "true": nothing is written but the status */
#define NOTE_RESTART       "streamjob.dev/restart"       /* any text: pods are replaced when it changes */
#define NOTE_DROP_PENDING  "streamjob.dev/drop-pending"  /* the query whose pending window is given up */
#define NOTE_PREVIOUS      "streamjob.dev/previous"      /* hashes of the job files before, which a pod has too */

#define NOTE_REVISION "deployment.kubernetes.io/revision" /* of a Deployment, and of the ReplicaSet that has it */

#define NOTE_JOB_FILE "streamjob.dev/job-file" /* the job file itself, of a clean-up */

#define COMPONENT_RUNTIME  "runtime"
#define COMPONENT_JOB_FILE "job-file"
#define COMPONENT_PLACE    "place"
#define COMPONENT_CLEANUP  "cleanup"
#define COMPONENT_GOOD     "last-good"
#define COMPONENT_CODE     "code"

#define RUNTIME_CONTAINER "streamjob"

/* What all children share, for watches; and everything else. */
#define CHILDREN_SELECTOR  LABEL_MANAGER "=" FIELD_MANAGER
#define STRANGERS_SELECTOR LABEL_MANAGER "!=" FIELD_MANAGER

#define NAME_LABEL_MAX    63  /* of Services, batch Jobs and label values */
#define NAME_WORKLOAD_MAX 242 /* of Deployments, for their ReplicaSets have up to 11 characters more */
#define NAME_MAX_BYTES    253 /* of the rest, and of a StreamJob itself */

/*
 * "JOB<suffix>" below `max` characters, else `max` of them: the beginning of JOB, '-', 16 digits of JOB's hash, and the
 * suffix. So a name that was cut is not that of another job. `max` is at most NAME_MAX_BYTES.
 */
void name_child(const char *job, const char *suffix, size_t max, char ret_name[NAME_MAX_BYTES + 1]);
/* What most children are called: JOB, cut as above at NAME_WORKLOAD_MAX. */
void name_workload(const char *job, char ret_name[NAME_MAX_BYTES + 1]);
/*
 * The value of LABEL_INSTANCE: JOB, or where that is longer than NAME_LABEL_MAX its beginning, '_', which no job's name
 * has, and a hash; such a child has JOB itself in NOTE_JOB.
 */
void name_label(const char *job, char ret_label[NAME_LABEL_MAX + 1]);
/*
 * A Service's, which begins with a letter, has no point and at most NAME_LABEL_MAX characters: JOB, or where that is
 * none or begins with "sj-", "sj-JOB", cut as above; "sj--JOB" and a hash where points had to go.
 */
void name_service(const char *job, char ret_name[NAME_MAX_BYTES + 1]);
/* "<prefix><16 digits of text's hash>": volumes named after what they hold. */
void name_hashed(const char *prefix, const char *text, char ret_name[NAME_MAX_BYTES + 1]);

#endif

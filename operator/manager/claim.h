/*
 * Who has a job: the note streamjob.dev/operator on its Deployment, NAMESPACE/LEASE of the operator that wrote it last.
 * Where that is another one of the same class that lives, this one leaves the job alone and says so: else the two would
 * rewrite each other's children for ever. Threads: a worker's.
 */
#ifndef STREAMJOB_CLAIM_H
#define STREAMJOB_CLAIM_H

#include "operator/manager/manager.h"

#define CLAIM_AGAIN_MS 60000 /* a job that another has is looked at again after so long */

/* True: the job is another's; its name is in the log and in an Event of the job. */
bool claim_is_of_other(struct manager *manager, struct kube_client *client, const char *key,
                       const struct observed *observed);

#endif

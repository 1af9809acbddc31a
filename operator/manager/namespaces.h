/*
 * The namespaces of --namespace-selector. Threads: any.
 */
#ifndef STREAMJOB_NAMESPACES_H
#define STREAMJOB_NAMESPACES_H

#include "operator/manager/manager.h"

/* Watches the namespaces that have the labels; a change of them is a look at their jobs. */
void namespaces_start(struct manager *manager);
void namespaces_stop(struct manager *manager);
bool namespaces_synced(const struct manager *manager);
/* The namespace is one of this operator's. */
bool namespaces_have(const struct manager *manager, const char *namespace);
/* There is such a StreamJob, of this operator's class and in one of its namespaces. */
bool manager_has_job(const struct manager *manager, const char *namespace, const char *name);

#endif

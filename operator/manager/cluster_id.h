/*
 * What this cluster is called in the marks by which jobs know their owner (docs/delivery.md). It is an option, or it is
 * made once, at random, and kept in a ConfigMap of the operator's namespace: of operators that make it at the same time
 * one creates the object, and the others read it.
 */
#ifndef STREAMJOB_CLUSTER_ID_H
#define STREAMJOB_CLUSTER_ID_H

#include <stdbool.h>

#include "operator/kube/kube.h"

#define CLUSTER_ID_CONFIG_MAP "streamjob-cluster-id"
#define CLUSTER_ID_KEY        "id"
#define CLUSTER_ID_MAX        63
#define CLUSTER_ID_EXPECTED   "1 to 63 letters, digits, '.', '_' and '-' are needed"

bool cluster_id_is_good(const char *id);
/* KUBE_NOT_FOUND: none has been made. */
int cluster_id_read(struct kube_client *client, const char *namespace, char ret_id[CLUSTER_ID_MAX + 1],
                    struct kube_error *err);
/* Makes one where there is none. */
int cluster_id_make(struct kube_client *client, const char *namespace, char ret_id[CLUSTER_ID_MAX + 1],
                    struct kube_error *err);

#endif

/*
 * Which kinds are watched in which namespaces, into the stores of the manager, and how far that has come.
 */
#ifndef STREAMJOB_WATCHES_H
#define STREAMJOB_WATCHES_H

#include "operator/manager/manager.h"

/* Watches all kinds into the stores; trims what nobody reads. */
void watches_start(struct manager *manager);
void watches_stop(struct manager *manager);
void watches_relist(struct manager *manager); /* no job is worked on until what is ours was listed anew */
/* Every kind of the namespace has had a whole list. */
bool watches_synced(const struct manager *manager, const char *namespace);
/* Every namespace's StreamJobs have been listed, or may not be: who shares a group with whom is known. */
bool watches_know_jobs(const struct manager *manager);
/* PodDisruptionBudgets may not be read in the namespace: an installation whose roles are older. */
bool watches_lack_budgets(const struct manager *manager, const char *namespace);
/* A kind that a job needs and that may not be read in the namespace, or KIND_COUNT. */
enum kind watches_forbidden(const struct manager *manager, const char *namespace);
/* It may not be read, and jobs do without it. */
bool watch_is_missed(const struct watch *watch);

#endif

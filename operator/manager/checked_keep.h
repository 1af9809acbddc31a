/*
 * Keeps what is known of checked specs (checked.h) in ConfigMaps of the operator's own namespace, LEASE-checked-0 to
 * -7: what an operator of one class knows is not another's. A thread of its own writes those that changed, every
 * KEEP_MS and at the end.
 */
#ifndef STREAMJOB_CHECKED_KEEP_H
#define STREAMJOB_CHECKED_KEEP_H

#include "operator/manager/manager.h"

#define CHECKED_KEEP_MS 10000

/* Before the first look of who leads: reads what was kept. What cannot be read is compiled. */
void checked_read(struct manager *manager, struct kube_client *client);
/* After the first look could begin; ended, with a last write, while the lease is still held. */
struct checked_keeper;
struct checked_keeper *checked_keeper_start(struct manager *manager);
void checked_keeper_stop(struct checked_keeper *keeper);

#endif

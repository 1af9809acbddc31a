/*
 * Groups that the job pushed and has no sink for any more: named otherwise at the same gateway (held.h), or named by a
 * job file before this one, at any gateway. They go when a window of the new ones was accepted. Inside
 * runtime/pushgateway only.
 */
#ifndef STREAMJOB_PUSHGATEWAY_STALE_H
#define STREAMJOB_PUSHGATEWAY_STALE_H

#include "runtime/pushgateway/sink.h"

#define FORMER_ATTEMPTS_MAX 5 /* to delete a group of another gateway; then it is left there, with a word */

/* One attempt for each that is due; nothing is waited for. */
void stale_delete(struct pushgateway *push);
void former_release(struct pushgateway *push);

#endif

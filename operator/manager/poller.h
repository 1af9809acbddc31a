/*
 * The poller's thread.
 */
#ifndef STREAMJOB_POLLER_H
#define STREAMJOB_POLLER_H

#include "operator/manager/manager.h"

void *poller_thread(void *context);

#endif

/*
 * Who a process is that runs a job: for the mark in the group's offsets (docs/delivery.md), and so that two processes
 * of one job find each other.
 */
#ifndef STREAMJOB_CLI_IDENTITY_H
#define STREAMJOB_CLI_IDENTITY_H

#include "runtime/cli/run.h"
#include "runtime/kafka/kafka.h"

struct run_identity {
	char owner[1024], process[128], query[JOBSPEC_QUERY_HASH_BYTES];
	struct job_identity job; /* points into the above */
};

/* -1: --known names a file that is not what the operator writes. */
int run_identity_init(struct run_identity *identity, const struct jobspec *job, const struct run_options *options,
                      struct error *err);

#endif

/*
 * What the job's HTTP server shows: the status of the job file that is at work.
 */
#ifndef STREAMJOB_CLI_PAGES_H
#define STREAMJOB_CLI_PAGES_H

#include <pthread.h>

#include "lib/probe/probe.h"
#include "runtime/pipeline/status.h"

struct pages {
	pthread_rwlock_t lock; /* read: a page is made of what is shown */
	struct status *shown;
	struct probe *probe; /* NULL: nobody listens */
};

void pages_init(struct pages *pages, struct status *shown);
/* -1: it cannot listen there. */
int pages_serve(struct pages *pages, const char *listen, struct error *err);
/* From then on no page touches what was shown before. */
void pages_show(struct pages *pages, struct status *shown);
/* A drain begins, whichever is at work. */
void pages_draining(struct pages *pages);
void pages_release(struct pages *pages);

#endif

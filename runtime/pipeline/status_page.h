/*
 * The status as the pages of the probe: /status (JSON), /readyz, /healthz and /metrics.
 */
#ifndef STREAMJOB_STATUS_PAGE_H
#define STREAMJOB_STATUS_PAGE_H

#include "runtime/pipeline/status.h"

/* The pages of the probe: `context` is the status. */
int status_page_status(void *context, struct buffer *out);
int status_page_ready(void *context, struct buffer *out);
int status_page_health(void *context, struct buffer *out);
int status_page_metrics(void *context, struct buffer *out);

#endif

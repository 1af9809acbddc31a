/*
 * Pages of pods: plain HTTP GETs, many at a time. No credentials, no redirects, no proxy. One thread a client.
 */
#ifndef STREAMJOB_KUBE_POD_PAGE_H
#define STREAMJOB_KUBE_POD_PAGE_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"

#define POD_PAGES_PARALLEL_MAX 32
#define POD_PAGES_IDLE_MAX     64 /* connections that are kept */

struct pod_page {
	const char *url;    /* in: "http://10.1.2.3:8080/status" */
	struct buffer body; /* out: of an answer; its `max`, set by buffer_init and the caller, is the cap in bytes */
	int http_status;    /* out: 0: there was no answer, and `error` says why */
	struct error error;
};

struct pod_page_client;
struct pod_page_client *pod_page_client_new(void);
void pod_page_client_free(struct pod_page_client *client);
/* Gets all of them, at most POD_PAGES_PARALLEL_MAX at a time, each within timeout_ms. */
void pod_pages_get(struct pod_page_client *client, struct pod_page *pages, size_t count, int timeout_ms);
/* pod_pages_get returns soon; what was not there yet says so. From any thread. */
void pod_page_client_cancel(struct pod_page_client *client);

#endif

/*
 * Pages of pods: plain HTTP GETs, many at a time. No credentials, no redirects, no proxy. One thread a client.
 */
#ifndef STREAMJOB_KUBE_PAGE_H
#define STREAMJOB_KUBE_PAGE_H

#include "lib/base/buffer.h"
#include "lib/base/error.h"

#define PAGE_PARALLEL_MAX 32
#define PAGE_IDLE_MAX     64 /* connections that are kept */

struct page {
	const char *url;    /* in: "http://10.1.2.3:8080/status" */
	struct buffer body; /* out: of an answer; its `max`, set by buffer_init and the caller, is the cap in bytes */
	int http_status;    /* out: 0: there was no answer, and `error` says why */
	struct error error;
};

struct page_client;
struct page_client *page_client_new(void);
void page_client_free(struct page_client *client);
/* Gets all of them, at most PAGE_PARALLEL_MAX at a time, each within timeout_ms. */
void page_get(struct page_client *client, struct page *pages, size_t count, int timeout_ms);
/* page_get returns soon; what was not there yet says so. From any thread. */
void page_client_cancel(struct page_client *client);

#endif

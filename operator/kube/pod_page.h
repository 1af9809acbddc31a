/*
 * Pages of pods: plain HTTP GETs, many at a time. No credentials, no redirects, no proxy, nothing decompressed. Whoever
 * answers may be hostile: a page has a deadline, its headers and its body a cap, and the body is given on as it comes.
 * Pages of which it is known that they take long share a few places, so that the others always have some. One thread a
 * client.
 */
#ifndef STREAMJOB_KUBE_POD_PAGE_H
#define STREAMJOB_KUBE_POD_PAGE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"

#define POD_PAGES_PARALLEL_MAX 32
#define POD_PAGES_SLOW_MAX     8  /* of them, for pages that are slow */
#define POD_PAGES_IDLE_MAX     64 /* connections that are kept */
#define POD_PAGE_HEADER_BYTES  16384
#define POD_PAGE_TIMEOUT_MS    3000

struct pod_page {
	const char *url;  /* in: "http://10.1.2.3:8080/status" */
	size_t bytes_max; /* in: of the body */
	int timeout_ms;   /* in: for the whole */
	bool slow;        /* in */
	/* In: takes the body as it comes; false: enough, the page is ended there, and that is no error. */
	bool (*take)(void *context, const char *data, size_t size);
	void *context;
	int http_status; /* out: 0: there was no answer, and `error` says why */
	struct error error;
	size_t bytes, header_bytes; /* out: that came */
};

struct pod_page_client;
struct pod_page_client *pod_page_client_new(void);
/* Pages under way are dropped. */
void pod_page_client_free(struct pod_page_client *client);
/* Begins to get a page, which is the client's until it comes out of pod_page_done. False: there is no place for it now.
 */
bool pod_page_begin(struct pod_page_client *client, struct pod_page *page);
/* A page that is done; NULL: none was within wait_ms. */
struct pod_page *pod_page_done(struct pod_page_client *client, int wait_ms);

#endif

/*
 * Why a request failed, as far as a caller acts on it, and the sentence for people.
 *
 * Functions of this room that can fail return 0 or -1 and take `struct kube_error *err` last: untouched on success.
 */
#ifndef STREAMJOB_KUBE_FAILURE_H
#define STREAMJOB_KUBE_FAILURE_H

#include <jansson.h>

#include "lib/base/error.h"
#include "lib/base/slice.h"

enum kube_reason {
	KUBE_UNAVAILABLE,      /* refused, reset, timed out, cut off, 5xx: try again later */
	KUBE_SILENT,           /* a watch that was open: nothing came for so long that it may be dead */
	KUBE_UNTRUSTED,        /* the server's certificate was not signed by the configured CA, or names another host */
	KUBE_CREDENTIALS,      /* token, CA or certificate files cannot be read */
	KUBE_UNAUTHORIZED,     /* 401, also with a token that was read anew */
	KUBE_FORBIDDEN,        /* 403 */
	KUBE_ENDING_NAMESPACE, /* 403: nothing can be created in a namespace that is being deleted */
	KUBE_NOT_FOUND,        /* 404: the object, or the whole kind (no CRD) */
	KUBE_CONFLICT,         /* 409: read again, compute again; also a UID precondition that failed */
	KUBE_ALREADY_EXISTS,   /* 409 */
	KUBE_GONE,             /* 410: list again */
	KUBE_VERSION_TOO_LARGE, /* the server has not seen that resourceVersion: list without one */
	KUBE_INVALID,           /* 400, 422: the same request will fail again */
	KUBE_THROTTLED,         /* 429 */
	KUBE_MALFORMED,         /* not the JSON that was asked for */
	KUBE_TOO_LARGE,         /* the answer, or one event, is larger than its cap; 413: the request is */
	KUBE_NOT_LEADER,        /* the client's gate is shut: nothing was sent */
	KUBE_CANCELLED          /* by kube_client_cancel */
};

struct kube_error {
	enum kube_reason reason;
	int http_status;        /* 0: there was no answer */
	int64_t retry_after_ms; /* what the server asked for, at most KUBE_RETRY_AFTER_MS_MAX; or 0 */
	struct error error;     /* "GET /api/v1/pods: the API server answered 403: …"; no secrets */
};

#define KUBE_RETRY_AFTER_MS_MAX 60000

/* "forbidden", "conflict", …: for logs and labels. */
const char *kube_reason_name(enum kube_reason reason);

/* Sets reason and sentence; is -1. */
int kube_fail(struct kube_error *err, enum kube_reason reason, const char *format, ...)
        __attribute__((format(printf, 3, 4)));
/* From an answer that is no success: `body` is a Status of the API server, or any text. Is -1. */
int kube_fail_answer(struct kube_error *err, const char *request, int http_status, int64_t retry_after_ms,
                     struct slice body);
/* From the Status inside an ERROR event. Is -1. */
int kube_fail_event(struct kube_error *err, const char *request, const json_t *status);

#endif

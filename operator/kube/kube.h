/*
 * Requests to the API server. One client a thread: it holds the thread's connection. Nothing is retried here, but for
 * one retry with credentials read anew after a 401 or an untrusted certificate: who calls has a queue or a back-off.
 *
 * Objects that are passed in are only read; those that come back are the caller's (json_decref). `namespace` NULL: all
 * namespaces, or an object that has none.
 */
#ifndef STREAMJOB_KUBE_H
#define STREAMJOB_KUBE_H

#include <stdbool.h>

#include "operator/kube/cluster.h"

#define KUBE_REQUEST_MS_DEFAULT 30000
#define KUBE_CONNECT_MS_MAX     10000
#define KUBE_ANSWER_BYTES_MAX   ((size_t)64 * 1024 * 1024)
#define KUBE_LIST_LIMIT         500
/* Of a page of more than one object; and of one: etcd takes 1.5 MiB, of which JSON may make six times as much. */
#define KUBE_PAGE_BYTES_MAX   ((size_t)4 * 1024 * 1024)
#define KUBE_OBJECT_BYTES_MAX ((size_t)16 * 1024 * 1024)

struct kube_resource {
	const char *root;   /* "/apis/apps/v1", "/api/v1" */
	const char *plural; /* "deployments" */
};

struct kube_client;
struct kube_client *kube_client_new(struct kube_cluster *cluster);
void kube_client_free(struct kube_client *client);
/* The request under way, if any, and all later ones fail with KUBE_CANCELLED. From any thread. */
void kube_client_cancel(struct kube_client *client);
/* Only the request under way, else the next one, fails with KUBE_CANCELLED. From any thread. */
void kube_client_interrupt(struct kube_client *client);
void kube_client_set_timeout(struct kube_client *client, int64_t request_ms);
/*
 * Asked before every request that writes (dry runs are none): how many milliseconds writing is allowed for, 0: not at
 * all. The request's time-out is cut to them. See operator/lead/lease.h.
 */
void kube_client_set_gate(struct kube_client *client, int64_t (*writable_ms)(void *context), void *context);

int kube_get(struct kube_client *client, const struct kube_resource *resource, const char *namespace, const char *name,
             json_t **ret_object, struct kube_error *err);

struct kube_selection {
	const char *label_selector, *field_selector; /* NULL: none */
	int limit;                                   /* 0: KUBE_LIST_LIMIT objects a page */
	bool metadata_only;                          /* the API server leaves out all else */
};
/*
 * Every object, a page at a time; each is the callee's to keep or json_decref, and a callee that returns -1 with *err
 * set ends the list. A page whose answer is larger than its cap is asked for again with a lower limit, which grows
 * again when pages are small: no more than one page and one object's tree is in memory. KUBE_GONE: the continue token
 * expired; begin again. *ret_version: the list's resourceVersion (free()).
 */
int kube_list(struct kube_client *client, const struct kube_resource *resource, const char *namespace,
              const struct kube_selection *selection,
              int (*each)(void *context, json_t *object, struct kube_error *err), void *context, char **ret_version,
              struct kube_error *err);

/* `ret_object` may be NULL in what follows. */
int kube_create(struct kube_client *client, const struct kube_resource *resource, const char *namespace,
                const json_t *object, json_t **ret_object, struct kube_error *err);
/* PUT: metadata.resourceVersion of `object` is the precondition. */
int kube_replace(struct kube_client *client, const struct kube_resource *resource, const char *namespace,
                 const char *name, const json_t *object, json_t **ret_object, struct kube_error *err);

struct kube_apply {
	const char *field_manager;
	bool force, dry_run;
	const char *subresource; /* "status"; NULL: the object itself */
};
/* Server-side apply. metadata.uid and resourceVersion of `object` are preconditions where they stand. */
int kube_apply(struct kube_client *client, const struct kube_resource *resource, const char *namespace,
               const char *name, const json_t *object, const struct kube_apply *apply, json_t **ret_object,
               struct kube_error *err);
/* A JSON merge patch; `subresource` and `field_manager` may be NULL. */
int kube_merge(struct kube_client *client, const struct kube_resource *resource, const char *namespace,
               const char *name, const char *subresource, const char *field_manager, const json_t *patch,
               json_t **ret_object, struct kube_error *err);

struct kube_delete {
	const char *uid, *resource_version; /* preconditions; NULL: none */
	const char *propagation;            /* "Background", "Foreground", "Orphan"; NULL: the kind's default */
};
int kube_delete(struct kube_client *client, const struct kube_resource *resource, const char *namespace,
                const char *name, const struct kube_delete *options, struct kube_error *err);

#endif

/*
 * The pods that are asked for their /status: which are due, which are under way, how long each rests. A pod that does
 * not answer, or takes long, is asked more seldom and among the slow ones; a job has at most a few pods. One thread's.
 */
#ifndef STREAMJOB_PODS_ASKED_H
#define STREAMJOB_PODS_ASKED_H

#include <jansson.h>

#include "operator/kube/pod_page.h"
#include "operator/reconcile/told.h"

#define ANSWER_BYTES_MAX ((size_t)256 * 1024)
#define JOB_PODS_MAX     4    /* of one job are asked */
#define SLOW_MS          1000 /* an answer that takes longer makes a pod a slow one, as none does */
#define REST_MS_MAX      10000

struct asked { /* one pod */
	struct pod_page page;
	struct told told;
	char *uid, *key, *url; /* `key`: of its job */
	int64_t restarts;      /* of its container, when it was asked */
	int64_t due_ms, begun_ms;
	unsigned failures; /* in a row */
	bool under_way, gone;
};

struct pods_asked;
struct pods_asked *pods_asked_new(void);
void pods_asked_free(struct pods_asked *pods);

/*
 * A round of what there is: between begin and end every pod is put that runs; what is not put is gone. False: it is
 * being asked as what it was before, and is to be put once more afterwards.
 */
void pods_asked_begin(struct pods_asked *pods);
bool pods_asked_put(struct pods_asked *pods, const char *uid, const char *key, const char *url, int64_t restarts);
bool pods_asked_has(const struct pods_asked *pods, const char *uid);
size_t pods_asked_end(struct pods_asked *pods); /* how many there are */

/* Begins as many of those that are due as there is place for, in turn. */
void pods_asked_ask(struct pods_asked *pods, struct pod_page_client *client, int64_t now_ms);
/* The pod has answered or not: it rests for rest_ms, and longer after failures. */
void pods_asked_rest(struct asked *asked, bool good, int64_t now_ms, int64_t rest_ms);

#endif

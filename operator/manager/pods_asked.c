#include "operator/manager/pods_asked.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

struct pods_asked {
	struct asked **items;
	size_t count, capacity, next; /* `next`: whose turn it is */
	json_t *by_uid;               /* index in items */
	json_t *seen, *of_job;        /* of this round: {uid: true}, {key: how many} */
};

struct pods_asked *pods_asked_new(void)
{
	struct pods_asked *pods = xcalloc(1, sizeof(*pods));

	pods->by_uid = json_object();
	return pods;
}

static void asked_free(struct asked *asked)
{
	told_release(&asked->told);
	free(asked->uid);
	free(asked->key);
	free(asked->url);
	free(asked);
}

void pods_asked_free(struct pods_asked *pods)
{
	if (!pods)
		return;
	for (size_t i = 0; i < pods->count; i++)
		asked_free(pods->items[i]);
	json_decref(pods->by_uid);
	json_decref(pods->seen);
	json_decref(pods->of_job);
	free(pods->items);
	free(pods);
}

void pods_asked_begin(struct pods_asked *pods)
{
	pods->seen = json_object();
	pods->of_job = json_object();
}

static bool take_body(void *context, const char *data, size_t size)
{
	struct asked *asked = context;

	return told_feed(&asked->told, data, size) &&
	       !(told_is_enough(&asked->told) && asked->page.bytes > ANSWER_BYTES_MAX / 2);
}

bool pods_asked_has(const struct pods_asked *pods, const char *uid)
{
	return json_object_get(pods->by_uid, uid) != NULL;
}

static struct asked *find(struct pods_asked *pods, const char *uid)
{
	const json_t *index = json_object_get(pods->by_uid, uid);

	return index ? pods->items[json_integer_value(index)] : NULL;
}

static struct asked *add(struct pods_asked *pods, const char *uid)
{
	struct asked *asked = xcalloc(1, sizeof(*asked));

	if (pods->count == pods->capacity) {
		pods->capacity = pods->capacity ? 2 * pods->capacity : 64;
		pods->items = xrealloc(pods->items, pods->capacity * sizeof(struct asked *));
	}
	told_init(&asked->told);
	asked->uid = xstrdup(uid);
	json_object_set_new(pods->by_uid, uid, json_integer((json_int_t)pods->count));
	pods->items[pods->count++] = asked;
	return asked;
}

static bool is_same(const struct asked *asked, const char *key, const char *url, int64_t restarts)
{
	return asked->url && !strcmp(asked->url, url) && !strcmp(asked->key, key) && asked->restarts == restarts;
}

bool pods_asked_put(struct pods_asked *pods, const char *uid, const char *key, const char *url, int64_t restarts)
{
	json_int_t siblings = json_integer_value(json_object_get(pods->of_job, key));
	struct asked *asked;

	if (siblings >= JOB_PODS_MAX)
		return true;
	json_object_set_new(pods->of_job, key, json_integer(siblings + 1));
	json_object_set_new(pods->seen, uid, json_true());
	asked = find(pods, uid);
	if (!asked)
		asked = add(pods, uid);
	if (is_same(asked, key, url, restarts))
		return true;
	if (asked->under_way)
		return false;
	free(asked->key);
	free(asked->url);
	asked->key = xstrdup(key);
	asked->url = xstrdup(url);
	asked->restarts = restarts;
	asked->due_ms = 0;
	asked->failures = 0;
	return true;
}

size_t pods_asked_end(struct pods_asked *pods)
{
	size_t kept = 0;

	json_object_clear(pods->by_uid);
	for (size_t i = 0; i < pods->count; i++) {
		struct asked *asked = pods->items[i];

		if (!asked->gone && json_object_get(pods->seen, asked->uid)) {
			json_object_set_new(pods->by_uid, asked->uid, json_integer((json_int_t)kept));
			pods->items[kept++] = asked;
		} else if (asked->under_way) {
			asked->gone =
			        true; /* its page is the client's: a later round frees it, also where the pod is back */
			pods->items[kept++] = asked;
		} else {
			asked_free(asked);
		}
	}
	pods->count = kept;
	json_decref(pods->seen);
	json_decref(pods->of_job);
	pods->seen = pods->of_job = NULL;
	return kept;
}

static void ask(struct asked *asked, struct pod_page_client *client, int64_t now_ms)
{
	bool slow = asked->failures > 0;

	asked->page = (struct pod_page){.url = asked->url,
	                                .bytes_max = ANSWER_BYTES_MAX,
	                                .timeout_ms = POD_PAGE_TIMEOUT_MS,
	                                .slow = slow,
	                                .take = take_body,
	                                .context = asked};
	if (!pod_page_begin(client, &asked->page))
		return;
	told_release(&asked->told);
	told_init(&asked->told);
	asked->under_way = true;
	asked->begun_ms = now_ms;
}

void pods_asked_ask(struct pods_asked *pods, struct pod_page_client *client, int64_t now_ms)
{
	size_t begun = pods->next;

	for (size_t i = 0; i < pods->count; i++) {
		size_t turn = (begun + i) % pods->count;
		struct asked *asked = pods->items[turn];

		if (asked->under_way || asked->gone || asked->due_ms > now_ms)
			continue;
		ask(asked, client, now_ms);
		if (asked->under_way)
			pods->next = turn + 1;
	}
}

void pods_asked_rest(struct asked *asked, bool good, int64_t now_ms, int64_t rest_ms)
{
	int64_t max_ms = rest_ms > REST_MS_MAX ? rest_ms : REST_MS_MAX;

	asked->under_way = false;
	asked->failures = good && now_ms - asked->begun_ms < SLOW_MS ? 0 : asked->failures + 1;
	for (unsigned i = 1; i < asked->failures && rest_ms < max_ms; i++)
		rest_ms *= 2;
	asked->due_ms = now_ms + (rest_ms < max_ms ? rest_ms : max_ms);
	told_release(&asked->told);
	told_init(&asked->told);
}

#include "operator/manager/group_index.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "operator/reconcile/groups.h"
#include "operator/reconcile/object.h"

struct group_index {
	pthread_mutex_t lock;
	json_t *members; /* {group: [{job, rank, words}]}, the least rank first */
	json_t *jobs;    /* {job: {rank, groups}} */
};

struct group_index *group_index_new(void)
{
	struct group_index *index = xcalloc(1, sizeof(*index));

	pthread_mutex_init(&index->lock, NULL);
	index->members = json_object();
	index->jobs = json_object();
	return index;
}

void group_index_free(struct group_index *index)
{
	if (!index)
		return;
	json_decref(index->members);
	json_decref(index->jobs);
	pthread_mutex_destroy(&index->lock);
	free(index);
}

static const char *job_at(const json_t *list, size_t i)
{
	return object_text(json_array_get(list, i), "job", NULL);
}

static size_t place_of(const json_t *list, const char *job)
{
	size_t i = 0;

	while (i < json_array_size(list) && strcmp(job_at(list, i), job) != 0)
		i++;
	return i;
}

/* Who has to say something else: all, where the holder came or went; else the holder. */
static void add_touched(const json_t *list, const char *job, bool all, json_t *touched)
{
	for (size_t i = 0; i < json_array_size(list) && (all || !i); i++)
		if (strcmp(job_at(list, i), job) != 0)
			json_object_set_new(touched, job_at(list, i), json_true());
}

static void leave(struct group_index *index, const char *job, const char *group, json_t *touched)
{
	json_t *list = json_object_get(index->members, group);
	size_t place = place_of(list, job);

	json_array_remove(list, place);
	add_touched(list, job, !place, touched);
	if (!json_array_size(list))
		json_object_del(index->members, group);
}

static void enter(struct group_index *index, const char *job, const char *rank, const char *group, const char *words,
                  json_t *touched)
{
	json_t *list = json_object_get(index->members, group);
	size_t place = 0;

	if (!list) {
		list = json_array();
		json_object_set_new(index->members, group, list);
	}
	while (place < json_array_size(list) &&
	       strcmp(object_text(json_array_get(list, place), "rank", NULL), rank) < 0)
		place++;
	json_array_insert_new(list, place, json_pack("{s:s, s:s, s:s}", "job", job, "rank", rank, "words", words));
	add_touched(list, job, !place, touched);
}

/* `now` is {rank, groups}, or NULL; it is taken. Under the lock. */
static void replace(struct group_index *index, const char *job, json_t *now, json_t *touched)
{
	json_t *before = json_object_get(index->jobs, job), *words;
	const char *group;

	if (before && now && json_equal(before, now)) {
		json_decref(now);
		return;
	}
	json_object_foreach(json_object_get(before, "groups"), group, words)
	{
		leave(index, job, group, touched);
	}
	json_object_foreach(json_object_get(now, "groups"), group, words)
	{
		enter(index, job, object_text(now, "rank", NULL), group, json_string_value(words), touched);
	}
	if (now)
		json_object_set_new(index->jobs, job, now);
	else
		json_object_del(index->jobs, job);
}

static json_t *keys_of(json_t *object)
{
	json_t *keys = json_array(), *unused;
	const char *key;

	json_object_foreach(object, key, unused)
	{
		json_array_append_new(keys, json_string(key));
	}
	json_decref(object);
	return keys;
}

static json_t *change(struct group_index *index, const json_t *job, json_t *now)
{
	json_t *key = object_key(job), *touched = json_object();

	pthread_mutex_lock(&index->lock);
	replace(index, json_string_value(key), now, touched);
	pthread_mutex_unlock(&index->lock);
	json_decref(key);
	return keys_of(touched);
}

json_t *group_index_put(struct group_index *index, const json_t *job)
{
	return change(index, job, json_pack("{s:o, s:o}", "rank", groups_rank(job), "groups", groups_of(job)));
}

json_t *group_index_remove(struct group_index *index, const json_t *job)
{
	return change(index, job, NULL);
}

/* Of one group: the holder, or, where that is the job itself, the next ones. Each job is named once. */
static void add_sharers(const json_t *list, const char *job, const char *group, json_t *sharers)
{
	bool holds = !strcmp(job_at(list, 0), job);

	for (size_t i = holds; i < json_array_size(list) && (holds || !i); i++) {
		size_t known = place_of(sharers, job_at(list, i));

		if (json_array_size(sharers) == GROUP_SHARERS_MAX)
			return;
		if (known == json_array_size(sharers))
			json_array_append_new(sharers,
			                      json_pack("{s:s, s:s, s:s, s:b}", "job", job_at(list, i), "key", group,
			                                "words", object_text(json_array_get(list, i), "words", NULL),
			                                "earlier", !holds));
	}
}

json_t *group_index_sharers(struct group_index *index, const json_t *job)
{
	json_t *key = object_key(job), *sharers = json_array(), *words;
	const char *group;

	pthread_mutex_lock(&index->lock);
	json_object_foreach(json_object_get(json_object_get(index->jobs, json_string_value(key)), "groups"), group,
	                    words)
	{
		add_sharers(json_object_get(index->members, group), json_string_value(key), group, sharers);
	}
	pthread_mutex_unlock(&index->lock);
	json_decref(key);
	return sharers;
}

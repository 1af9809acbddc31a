/*
 * A row is a job's: JSON text, {key: [[path, offset, what is wrong, what would be right], …]}, of each spec the
 * problems of its expressions; an offset of -1 is of a field as a whole. Keys are cut to KEY_DIGITS.
 */
#include "operator/manager/checked.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/memory.h"
#include "lib/metrics/metrics.h"

#define KEY_DIGITS 32

struct checked {
	pthread_mutex_t mutex;
	json_t *rows[CHECKED_SHARDS]; /* {job: row} */
	bool changed[CHECKED_SHARDS];
	_Atomic uint64_t compiled;
};

struct checked_look {
	struct checked *checked;
	struct checked_specs specs;
	json_t *known, *used; /* {key: problems} */
	char *job;
};

static size_t shard_of(const char *job)
{
	return hash_stable(job, strlen(job)) % CHECKED_SHARDS;
}

struct checked *checked_new(void)
{
	struct checked *checked = xcalloc(1, sizeof(*checked));

	pthread_mutex_init(&checked->mutex, NULL);
	for (size_t i = 0; i < CHECKED_SHARDS; i++)
		checked->rows[i] = json_object();
	return checked;
}

void checked_free(struct checked *checked)
{
	if (!checked)
		return;
	for (size_t i = 0; i < CHECKED_SHARDS; i++)
		json_decref(checked->rows[i]);
	pthread_mutex_destroy(&checked->mutex);
	free(checked);
}

static json_t *parse(const char *text)
{
	return json_loads(text, 0, NULL);
}

static char *text_of(const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);

	if (!text)
		memory_exhausted();
	return text;
}

static void cut_key(const char *key, char ret_cut[KEY_DIGITS + 1])
{
	strncpy(ret_cut, key, KEY_DIGITS);
	ret_cut[KEY_DIGITS] = '\0';
}

static bool is_problem(const json_t *one)
{
	const json_t *right = json_array_get(one, 3);

	return json_array_size(one) == 4 && json_is_string(json_array_get(one, 0)) &&
	       json_is_integer(json_array_get(one, 1)) && json_is_string(json_array_get(one, 2)) &&
	       (json_is_string(right) || json_is_null(right));
}

/* False: it is not what keep() writes. */
static bool are_problems(const json_t *list)
{
	bool good = json_is_array(list);

	for (size_t i = 0; i < json_array_size(list); i++)
		good = good && is_problem(json_array_get(list, i));
	return good;
}

static void add_problem(const json_t *one, struct problems *problems)
{
	json_int_t offset = json_integer_value(json_array_get(one, 1));

	problems_add_at(problems, json_string_value(json_array_get(one, 0)),
	                offset < 0 ? PROBLEM_NO_OFFSET : (size_t)offset, json_string_value(json_array_get(one, 2)),
	                json_string_value(json_array_get(one, 3)));
}

static bool recall(void *context, const char *key, struct problems *problems)
{
	struct checked_look *look = context;
	char cut[KEY_DIGITS + 1];
	json_t *list;

	cut_key(key, cut);
	list = json_object_get(look->known, cut);
	if (!are_problems(list))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++)
		add_problem(json_array_get(list, i), problems);
	json_object_set(look->used, cut, list);
	return true;
}

static void keep(void *context, const char *key, const struct problems *problems, size_t first)
{
	struct checked_look *look = context;
	json_t *list = json_array();
	char cut[KEY_DIGITS + 1];

	cut_key(key, cut);
	for (size_t i = first; i < problems->count; i++) {
		const struct problem *one = &problems->items[i];

		json_array_append_new(
		        list, json_pack("[s, I, s, s?]", one->path,
		                        one->offset == PROBLEM_NO_OFFSET ? (json_int_t)-1 : (json_int_t)one->offset,
		                        one->wrong, one->right));
	}
	atomic_fetch_add(&look->checked->compiled, 1);
	json_object_set(look->known, cut, list); /* within this look it is known, whatever comes of it */
	json_object_set_new(look->used, cut, list);
}

struct checked_look *checked_look_begin(struct checked *checked, const char *key)
{
	struct checked_look *look = xcalloc(1, sizeof(*look));
	const char *row;

	look->checked = checked;
	look->specs = (struct checked_specs){.recall = recall, .keep = keep, .context = look};
	look->job = xstrdup(key);
	look->used = json_object();
	pthread_mutex_lock(&checked->mutex);
	row = json_string_value(json_object_get(checked->rows[shard_of(key)], key));
	look->known = row ? parse(row) : NULL;
	pthread_mutex_unlock(&checked->mutex);
	if (!look->known)
		look->known = json_object();
	return look;
}

const struct checked_specs *checked_look_specs(const struct checked_look *look)
{
	return &look->specs;
}

/* NULL: nothing is known of the job any more. */
static void set_row(struct checked *checked, const char *job, const char *row)
{
	size_t shard = shard_of(job);
	const char *before;

	pthread_mutex_lock(&checked->mutex);
	before = json_string_value(json_object_get(checked->rows[shard], job));
	if (before ? !row || strcmp(before, row) != 0 : row != NULL) {
		checked->changed[shard] = true;
		if (row)
			json_object_set_new(checked->rows[shard], job, json_string(row));
		else
			json_object_del(checked->rows[shard], job);
	}
	pthread_mutex_unlock(&checked->mutex);
}

/* Problems of one spec may be too many to be kept: then those of the others still are. */
static void cut_row(json_t *used)
{
	const char *key;
	json_t *list;
	void *next;

	json_object_foreach_safe(used, next, key, list)
	{
		char *text = text_of(list);

		if (strlen(text) > CHECKED_BYTES_MAX / 2 || json_object_size(used) > CHECKED_SPECS_MAX)
			json_object_del(used, key);
		free(text);
	}
}

void checked_look_end(struct checked_look *look)
{
	char *row;

	if (!look)
		return;
	cut_row(look->used);
	row = text_of(look->used);
	set_row(look->checked, look->job,
	        json_object_size(look->used) && strlen(row) <= CHECKED_BYTES_MAX ? row : NULL);
	free(row);
	json_decref(look->known);
	json_decref(look->used);
	free(look->job);
	free(look);
}

void checked_forget(struct checked *checked, const char *key)
{
	set_row(checked, key, NULL);
}

void checked_forget_others(struct checked *checked, const json_t *keys)
{
	json_t *there = json_object(), *row;
	const char *job;
	void *next;

	for (size_t i = 0; i < json_array_size(keys); i++)
		json_object_set_new(there, json_string_value(json_array_get(keys, i)), json_true());
	pthread_mutex_lock(&checked->mutex);
	for (size_t i = 0; i < CHECKED_SHARDS; i++) {
		json_object_foreach_safe(checked->rows[i], next, job, row)
		{
			if (json_object_get(there, job))
				continue;
			json_object_del(checked->rows[i], job);
			checked->changed[i] = true;
		}
	}
	pthread_mutex_unlock(&checked->mutex);
	json_decref(there);
}

char *checked_take(struct checked *checked, size_t shard)
{
	struct buffer text;
	const char *job;
	json_t *row;
	bool changed;

	pthread_mutex_lock(&checked->mutex);
	changed = checked->changed[shard];
	checked->changed[shard] = false;
	buffer_init(&text);
	if (changed) {
		buffer_append_char(&text, '{');
		json_object_foreach(checked->rows[shard], job, row)
		{
			if (text.size + strlen(job) + json_string_length(row) > CHECKED_SHARD_BYTES)
				continue;
			buffer_printf(&text, "%s\"%s\":%s", text.size > 1 ? "," : "", job, json_string_value(row));
		}
		buffer_append_char(&text, '}');
	}
	pthread_mutex_unlock(&checked->mutex);
	if (changed)
		return buffer_take(&text);
	buffer_release(&text);
	return NULL;
}

void checked_put_back(struct checked *checked, size_t shard)
{
	pthread_mutex_lock(&checked->mutex);
	checked->changed[shard] = true;
	pthread_mutex_unlock(&checked->mutex);
}

void checked_add(struct checked *checked, const char *text)
{
	json_t *rows = parse(text), *row;
	const char *job;

	pthread_mutex_lock(&checked->mutex);
	json_object_foreach(rows, job, row)
	{
		char *kept = json_is_object(row) ? text_of(row) : NULL;
		size_t shard = shard_of(job);

		if (kept && strlen(kept) <= CHECKED_BYTES_MAX && !json_object_get(checked->rows[shard], job))
			json_object_set_new(checked->rows[shard], job, json_string(kept));
		free(kept);
	}
	pthread_mutex_unlock(&checked->mutex);
	json_decref(rows);
}

void checked_metrics(struct checked *checked, struct buffer *out)
{
	static const char name[] = "streamjob_operator_specs_compiled_total";

	metrics_family(out, name, "counter",
	               "Specs whose expressions were compiled, since they were not known from before.");
	buffer_append_text(out, name);
	metrics_number(out, (double)atomic_load(&checked->compiled));
}

#include "operator/cache/store.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "operator/cache/room.h"

struct store {
	pthread_mutex_t lock;
	struct room room;
	struct dictionary dictionary;
};

struct store *store_new(size_t bytes_max)
{
	struct store *store = xcalloc(1, sizeof(*store));

	pthread_mutex_init(&store->lock, NULL);
	room_init(&store->room, bytes_max ? bytes_max : STORE_BYTES_MAX);
	return store;
}

void store_free(struct store *store)
{
	if (!store)
		return;
	room_release(&store->room);
	dictionary_release(&store->dictionary);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

static char *key_of(const char *namespace, const char *name)
{
	size_t prefix = namespace ? strlen(namespace) : 0, size = strlen(name);
	char *key = xmalloc(prefix + size + 2);

	memcpy(key, namespace ? namespace : "", prefix);
	key[prefix] = '/';
	memcpy(key + prefix + 1, name, size + 1);
	return key;
}

/* Reads an entry that the caller holds, without the lock, and gives it up. NULL is allowed. */
static json_t *take_object(const struct store *store, struct entry *entry)
{
	json_t *object;
	char *text;

	if (!entry)
		return NULL;
	text = packed_text(&store->dictionary, &entry->packed);
	object = json_loadb(text, entry->packed.text_size, JSON_ALLOW_NUL, NULL);
	free(text);
	entry_release(entry);
	return object;
}

json_t *store_get(struct store *store, const char *namespace, const char *name)
{
	char *key = key_of(namespace, name);
	struct entry *entry;

	pthread_mutex_lock(&store->lock);
	entry = entry_hold(*table_find(&store->room.table, key));
	pthread_mutex_unlock(&store->lock);
	free(key);
	return take_object(store, entry);
}

bool store_has(struct store *store, const char *namespace, const char *name)
{
	char *key = key_of(namespace, name);
	bool has;

	pthread_mutex_lock(&store->lock);
	has = *table_find(&store->room.table, key) != NULL;
	pthread_mutex_unlock(&store->lock);
	free(key);
	return has;
}

json_t *store_owned(struct store *store, const char *owner_uid)
{
	struct entry *entry = NULL, **found;
	json_t *objects = json_array();
	size_t count = 0, used = 0;

	pthread_mutex_lock(&store->lock);
	while ((entry = table_owned(&store->room.table, owner_uid, entry)))
		count++;
	found = xcalloc(count + 1, sizeof(struct entry *));
	while ((entry = table_owned(&store->room.table, owner_uid, entry)))
		found[used++] = entry_hold(entry);
	pthread_mutex_unlock(&store->lock);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(objects, take_object(store, found[i]));
	free(found);
	return objects;
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

json_t *store_keys(struct store *store, const char *namespace)
{
	json_t *keys = json_array();
	const struct table *table = &store->room.table;
	char **sorted;
	size_t count = 0;

	pthread_mutex_lock(&store->lock);
	sorted = xcalloc(table->count, sizeof(*sorted));
	for (size_t i = 0; i < table->buckets; i++)
		for (struct entry *entry = table->keys[i]; entry; entry = entry->next_key)
			if (entry_is_in(entry, namespace))
				sorted[count++] = entry->bytes;
	qsort(sorted, count, sizeof(*sorted), compare_text);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(keys, json_string(sorted[i]));
	pthread_mutex_unlock(&store->lock);
	free(sorted);
	return keys;
}

size_t store_count(struct store *store)
{
	size_t count;

	pthread_mutex_lock(&store->lock);
	count = store->room.table.count;
	pthread_mutex_unlock(&store->lock);
	return count;
}

size_t store_bytes(struct store *store)
{
	size_t bytes;

	pthread_mutex_lock(&store->lock);
	bytes = store->room.table.bytes;
	pthread_mutex_unlock(&store->lock);
	return bytes;
}

size_t store_bytes_max(const struct store *store)
{
	return store->room.bytes_max;
}

size_t store_left_out(struct store *store, const char *namespace)
{
	size_t left_out;

	pthread_mutex_lock(&store->lock);
	left_out = shares_left_out(&store->room.shares, namespace);
	pthread_mutex_unlock(&store->lock);
	return left_out;
}

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* The controller's UID, else that of the first owner. */
static const char *owner_uid(const json_t *metadata)
{
	const json_t *owners = json_object_get(metadata, "ownerReferences"), *owner;
	size_t i;

	json_array_foreach(owners, i, owner)
	{
		if (json_is_true(json_object_get(owner, "controller")))
			return text_at(owner, "uid");
	}
	return text_at(json_array_get(owners, 0), "uid");
}

static enum store_outcome put_entry(struct store *store, struct entry *entry, struct entry **ret_before)
{
	struct entry **place = table_find(&store->room.table, entry->bytes);
	struct entry *before = *place ? room_take(&store->room, place) : NULL;

	*ret_before = before;
	if (!room_add(&store->room, entry))
		return STORE_LEFT_OUT;
	if (!before)
		return STORE_ADDED;
	return strcmp(entry_text(before, before->uid), entry_text(entry, entry->uid)) == 0 ? STORE_CHANGED
	                                                                                   : STORE_REPLACED;
}

/* Whether the very version is there: then it counts as seen. And how much of the dictionary there is. */
static bool is_there(struct store *store, const char *key, const json_t *metadata, uint64_t round,
                     size_t *ret_dictionary)
{
	const char *uid = text_at(metadata, "uid"), *version = text_at(metadata, "resourceVersion");
	struct entry *entry;
	bool there;

	pthread_mutex_lock(&store->lock);
	entry = *table_find(&store->room.table, key);
	there = entry && *version && strcmp(entry_text(entry, entry->version), version) == 0 &&
	        strcmp(entry_text(entry, entry->uid), uid) == 0;
	if (there)
		entry->round = round;
	*ret_dictionary = store->dictionary.used;
	pthread_mutex_unlock(&store->lock);
	return there;
}

static enum store_outcome put_text(struct store *store, struct slice text, size_t dictionary, const char *key,
                                   const json_t *metadata, uint64_t round, json_t **ret_before)
{
	struct entry *entry, *before = NULL;
	enum store_outcome outcome;
	struct packed packed;

	packed_make(&store->dictionary, dictionary, text, &packed);
	entry = entry_new(key, owner_uid(metadata), text_at(metadata, "uid"), text_at(metadata, "resourceVersion"),
	                  &packed);
	entry->round = round;
	pthread_mutex_lock(&store->lock);
	dictionary_learn(&store->dictionary, text, &packed);
	outcome = put_entry(store, entry, &before);
	pthread_mutex_unlock(&store->lock);
	free(packed.data);
	if (outcome == STORE_LEFT_OUT)
		entry_release(entry);
	*ret_before = take_object(store, before);
	return outcome;
}

enum store_outcome store_put(struct store *store, const json_t *object, uint64_t round, json_t **ret_before,
                             struct error *err)
{
	const json_t *metadata = json_object_get(object, "metadata");
	const char *namespace = text_at(metadata, "namespace"), *name = text_at(metadata, "name");
	enum store_outcome outcome = STORE_REFUSED;
	char *key = key_of(namespace, name), *text = NULL;
	size_t dictionary;

	*ret_before = NULL;
	if (!*name)
		error_set(err, "an object of the API server has no name");
	else if (is_there(store, key, metadata, round, &dictionary))
		outcome = STORE_SAME;
	else if (!(text = json_dumps(object, JSON_COMPACT)))
		error_set(err, "object %s/%s cannot be written as JSON", namespace, name);
	else
		outcome = put_text(store, slice_of(text), dictionary, key, metadata, round, ret_before);
	free(text);
	free(key);
	return outcome;
}

json_t *store_take_evicted(struct store *store)
{
	struct entry *entry;

	pthread_mutex_lock(&store->lock);
	entry = room_take_evicted(&store->room);
	pthread_mutex_unlock(&store->lock);
	return take_object(store, entry);
}

char *store_newly_short(struct store *store)
{
	char *namespace;

	pthread_mutex_lock(&store->lock);
	namespace = room_newly_short(&store->room);
	pthread_mutex_unlock(&store->lock);
	return namespace;
}

void store_list_begins(struct store *store, const char *namespace)
{
	pthread_mutex_lock(&store->lock);
	shares_list_begins(&store->room.shares, namespace);
	pthread_mutex_unlock(&store->lock);
}

void store_list_ends(struct store *store, const char *namespace)
{
	pthread_mutex_lock(&store->lock);
	shares_list_ends(&store->room.shares, namespace);
	pthread_mutex_unlock(&store->lock);
}

json_t *store_remove(struct store *store, const char *namespace, const char *name, const char *uid)
{
	char *key = key_of(namespace, name);
	struct entry **place, *entry;

	pthread_mutex_lock(&store->lock);
	place = table_find(&store->room.table, key);
	entry = *place && (!uid || !strcmp(entry_text(*place, (*place)->uid), uid)) ? room_take(&store->room, place)
	                                                                            : NULL;
	pthread_mutex_unlock(&store->lock);
	free(key);
	return take_object(store, entry);
}

json_t *store_take_unseen(struct store *store, const char *namespace, uint64_t round)
{
	struct table *table = &store->room.table;
	struct entry *found = NULL;

	pthread_mutex_lock(&store->lock);
	for (size_t i = 0; i < table->buckets && !found; i++) {
		struct entry **place = &table->keys[i];

		while (*place && ((*place)->round >= round || !entry_is_in(*place, namespace)))
			place = &(*place)->next_key;
		found = *place ? room_take(&store->room, place) : NULL;
	}
	pthread_mutex_unlock(&store->lock);
	return take_object(store, found);
}

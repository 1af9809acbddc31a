/*
 * Two hash tables with chains through the same entries: by key, and by the owner's UID. A round number in each entry
 * says which list or event saw it last.
 */
#include "operator/cache/store.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/memory.h"

#define BUCKETS_MIN 64

struct entry {
	struct entry *next_key, *next_owner;
	uint64_t key_hash, owner_hash;
	uint64_t round;
	char *key;   /* "namespace/name" */
	char *owner; /* UID, "" where there is none */
	char *uid, *version;
	char *text;
	size_t text_size;
};

struct store {
	pthread_mutex_t lock;
	struct entry **keys, **owners; /* `buckets` each, a power of two */
	size_t buckets, count;
	size_t bytes, bytes_max;
};

struct store *store_new(size_t bytes_max)
{
	struct store *store = xcalloc(1, sizeof(*store));

	pthread_mutex_init(&store->lock, NULL);
	store->bytes_max = bytes_max ? bytes_max : STORE_BYTES_MAX;
	store->buckets = BUCKETS_MIN;
	store->keys = xcalloc(store->buckets, sizeof(struct entry *));
	store->owners = xcalloc(store->buckets, sizeof(struct entry *));
	return store;
}

static void entry_free(struct entry *entry)
{
	free(entry->key);
	free(entry->owner);
	free(entry->uid);
	free(entry->version);
	free(entry->text);
	free(entry);
}

void store_free(struct store *store)
{
	if (!store)
		return;
	for (size_t i = 0; i < store->buckets; i++) {
		while (store->keys[i]) {
			struct entry *entry = store->keys[i];

			store->keys[i] = entry->next_key;
			entry_free(entry);
		}
	}
	free(store->keys);
	free(store->owners);
	pthread_mutex_destroy(&store->lock);
	free(store);
}

static uint64_t hash_text(const char *text)
{
	return hash_bytes(text, strlen(text));
}

static size_t entry_bytes(const struct entry *entry)
{
	return sizeof(*entry) + strlen(entry->key) + strlen(entry->owner) + strlen(entry->uid) +
	       strlen(entry->version) + entry->text_size + 5;
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

static struct entry **find(const struct store *store, const char *key)
{
	uint64_t hash = hash_text(key);
	struct entry **place = &store->keys[hash & (store->buckets - 1)];

	while (*place && ((*place)->key_hash != hash || strcmp((*place)->key, key) != 0))
		place = &(*place)->next_key;
	return place;
}

static void link_entry(struct store *store, struct entry *entry)
{
	struct entry **key = &store->keys[entry->key_hash & (store->buckets - 1)];
	struct entry **owner = &store->owners[entry->owner_hash & (store->buckets - 1)];

	entry->next_key = *key;
	*key = entry;
	entry->next_owner = *owner;
	*owner = entry;
}

static void unlink_entry(struct store *store, struct entry **key_place)
{
	struct entry *entry = *key_place;
	struct entry **owner = &store->owners[entry->owner_hash & (store->buckets - 1)];

	while (*owner != entry)
		owner = &(*owner)->next_owner;
	*owner = entry->next_owner;
	*key_place = entry->next_key;
	store->count--;
	store->bytes -= entry_bytes(entry);
}

static void grow(struct store *store)
{
	struct entry **old = store->keys;
	size_t old_buckets = store->buckets;

	store->buckets *= 2;
	free(store->owners);
	store->keys = xcalloc(store->buckets, sizeof(struct entry *));
	store->owners = xcalloc(store->buckets, sizeof(struct entry *));
	for (size_t i = 0; i < old_buckets; i++) {
		while (old[i]) {
			struct entry *entry = old[i];

			old[i] = entry->next_key;
			link_entry(store, entry);
		}
	}
	free(old);
}

static json_t *parse(const struct entry *entry)
{
	return json_loadb(entry->text, entry->text_size, JSON_ALLOW_NUL, NULL);
}

json_t *store_get(struct store *store, const char *namespace, const char *name)
{
	char *key = key_of(namespace, name);
	struct entry *entry;
	json_t *object;

	pthread_mutex_lock(&store->lock);
	entry = *find(store, key);
	object = entry ? parse(entry) : NULL;
	pthread_mutex_unlock(&store->lock);
	free(key);
	return object;
}

json_t *store_owned(struct store *store, const char *owner_uid)
{
	uint64_t hash = hash_text(owner_uid);
	json_t *found = json_array();

	pthread_mutex_lock(&store->lock);
	for (struct entry *entry = store->owners[hash & (store->buckets - 1)]; entry; entry = entry->next_owner)
		if (entry->owner_hash == hash && strcmp(entry->owner, owner_uid) == 0)
			json_array_append_new(found, parse(entry));
	pthread_mutex_unlock(&store->lock);
	return found;
}

static bool in_namespace(const struct entry *entry, const char *namespace)
{
	size_t size = namespace ? strlen(namespace) : 0;

	return !namespace || (strncmp(entry->key, namespace, size) == 0 && entry->key[size] == '/');
}

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

json_t *store_keys(struct store *store, const char *namespace)
{
	json_t *keys = json_array();
	char **sorted;
	size_t count = 0;

	pthread_mutex_lock(&store->lock);
	sorted = xcalloc(store->count, sizeof(*sorted));
	for (size_t i = 0; i < store->buckets; i++)
		for (struct entry *entry = store->keys[i]; entry; entry = entry->next_key)
			if (in_namespace(entry, namespace))
				sorted[count++] = entry->key;
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
	count = store->count;
	pthread_mutex_unlock(&store->lock);
	return count;
}

size_t store_bytes(struct store *store)
{
	size_t bytes;

	pthread_mutex_lock(&store->lock);
	bytes = store->bytes;
	pthread_mutex_unlock(&store->lock);
	return bytes;
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

static struct entry *entry_new(const json_t *object, uint64_t round, struct error *err)
{
	const json_t *metadata = json_object_get(object, "metadata");
	struct entry *entry;
	char *text;

	if (!*text_at(metadata, "name")) {
		error_set(err, "an object of the API server has no name");
		return NULL;
	}
	text = json_dumps(object, JSON_COMPACT);
	if (!text) {
		error_set(err, "object %s/%s cannot be written as JSON", text_at(metadata, "namespace"),
		          text_at(metadata, "name"));
		return NULL;
	}
	entry = xcalloc(1, sizeof(*entry));
	entry->key = key_of(text_at(metadata, "namespace"), text_at(metadata, "name"));
	entry->owner = xstrdup(owner_uid(metadata));
	entry->uid = xstrdup(text_at(metadata, "uid"));
	entry->version = xstrdup(text_at(metadata, "resourceVersion"));
	entry->key_hash = hash_text(entry->key);
	entry->owner_hash = hash_text(entry->owner);
	entry->round = round;
	entry->text_size = strlen(text);
	/* Exactly as large as it must be: the dump's buffer is up to twice that. */
	entry->text = xrealloc(text, entry->text_size + 1);
	return entry;
}

static enum store_outcome put_entry(struct store *store, struct entry *entry, struct entry **ret_before,
                                    struct error *err)
{
	struct entry **place = find(store, entry->key), *before = *place;
	size_t others = store->bytes - (before ? entry_bytes(before) : 0);

	if (before && *entry->version && strcmp(before->version, entry->version) == 0 &&
	    strcmp(before->uid, entry->uid) == 0) {
		before->round = entry->round;
		return STORE_SAME;
	}
	if (others + entry_bytes(entry) > store->bytes_max) {
		error_set(err,
		          "the cache is full: %zu objects take %zu of %zu bytes; watch fewer namespaces or raise the "
		          "limit",
		          store->count, store->bytes, store->bytes_max);
		return STORE_REFUSED;
	}
	if (before)
		unlink_entry(store, place);
	*ret_before = before;
	if (store->count + 1 > store->buckets)
		grow(store);
	link_entry(store, entry);
	store->count++;
	store->bytes += entry_bytes(entry);
	if (!before)
		return STORE_ADDED;
	return strcmp(before->uid, entry->uid) == 0 ? STORE_CHANGED : STORE_REPLACED;
}

/* Parses what was taken out, and frees it. */
static json_t *take_entry(struct entry *entry)
{
	json_t *object = entry ? parse(entry) : NULL;

	if (entry)
		entry_free(entry);
	return object;
}

enum store_outcome store_put(struct store *store, const json_t *object, uint64_t round, json_t **ret_before,
                             struct error *err)
{
	struct entry *entry = entry_new(object, round, err), *before = NULL;
	enum store_outcome outcome;

	if (!entry)
		return STORE_REFUSED;
	pthread_mutex_lock(&store->lock);
	outcome = put_entry(store, entry, &before, err);
	pthread_mutex_unlock(&store->lock);
	if (outcome == STORE_SAME || outcome == STORE_REFUSED)
		entry_free(entry);
	*ret_before = take_entry(before);
	return outcome;
}

json_t *store_remove(struct store *store, const char *namespace, const char *name, const char *uid)
{
	char *key = key_of(namespace, name);
	struct entry **place, *entry;

	pthread_mutex_lock(&store->lock);
	place = find(store, key);
	entry = *place;
	if (entry && uid && strcmp(entry->uid, uid) != 0)
		entry = NULL;
	if (entry)
		unlink_entry(store, place);
	pthread_mutex_unlock(&store->lock);
	free(key);
	return take_entry(entry);
}

json_t *store_take_unseen(struct store *store, const char *namespace, uint64_t round)
{
	struct entry *found = NULL;

	pthread_mutex_lock(&store->lock);
	for (size_t i = 0; i < store->buckets && !found; i++) {
		struct entry **place = &store->keys[i];

		while (*place && ((*place)->round >= round || !in_namespace(*place, namespace)))
			place = &(*place)->next_key;
		found = *place;
		if (found)
			unlink_entry(store, place);
	}
	pthread_mutex_unlock(&store->lock);
	return take_entry(found);
}

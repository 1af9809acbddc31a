#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "operator/cache/store.h"

static enum store_outcome put(struct store *store, const char *namespace, const char *name, const char *uid,
                              const char *version, const char *owner, uint64_t round)
{
	json_t *object = json_pack("{s:{s:s, s:s, s:s, s:s, s:[{s:s}, {s:s, s:b}]}}", "metadata", "namespace",
	                           namespace, "name", name, "uid", uid, "resourceVersion", version, "ownerReferences",
	                           "uid", "first", "uid", owner, "controller", 1);
	json_t *before = NULL;
	struct error err;
	enum store_outcome outcome = store_put(store, object, round, &before, &err);

	json_decref(before);
	json_decref(object);
	return outcome;
}

struct put_case {
	const char *name, *uid, *version;
	enum store_outcome wanted;
};

static void put_test(void **state)
{
	static const struct put_case cases[] = {
	        {"new", "u1", "1", STORE_ADDED},
	        {"the same version", "u1", "1", STORE_SAME},
	        {"another version", "u1", "2", STORE_CHANGED},
	        {"another UID", "u2", "3", STORE_REPLACED},
	        {"another UID, same version", "u3", "3", STORE_REPLACED},
	};
	struct store *store = store_new(0);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum store_outcome outcome = put(store, "ns", "a", cases[i].uid, cases[i].version, "o", 1);

		if (outcome != cases[i].wanted)
			fail_msg("%s: %d, not %d", cases[i].name, (int)outcome, (int)cases[i].wanted);
	}
	assert_int_equal(store_count(store), 1);
	store_free(store);
}

static char *keys_of(struct store *store, const char *namespace)
{
	json_t *keys = store_keys(store, namespace);
	char *text = json_dumps(keys, JSON_COMPACT);

	json_decref(keys);
	return text;
}

static void assert_keys(struct store *store, const char *namespace, const char *wanted)
{
	char *keys = keys_of(store, namespace);

	assert_string_equal(keys, wanted);
	free(keys);
}

static void lookup_test(void **state)
{
	struct store *store = store_new(0);
	json_t *found;

	(void)state;
	put(store, "a", "x", "u1", "1", "boss", 1);
	put(store, "a-b", "x", "u2", "1", "boss", 1);
	put(store, "a", "y", "u3", "1", "other", 1);
	assert_keys(store, NULL, "[\"a-b/x\",\"a/x\",\"a/y\"]");
	assert_keys(store, "a", "[\"a/x\",\"a/y\"]");
	found = store_owned(store, "boss");
	assert_int_equal(json_array_size(found), 2);
	json_decref(found);
	put(store, "a", "x", "u1", "2", "other", 1); /* the owner changed */
	found = store_owned(store, "boss");
	assert_int_equal(json_array_size(found), 1);
	json_decref(found);
	found = store_get(store, "a", "y");
	assert_string_equal(json_string_value(json_object_get(json_object_get(found, "metadata"), "uid")), "u3");
	json_decref(found);
	assert_null(store_get(store, "a", "z"));
	assert_null(store_remove(store, "a", "y", "another"));
	found = store_remove(store, "a", "y", "u3");
	assert_non_null(found);
	json_decref(found);
	assert_int_equal(store_count(store), 2);
	store_free(store);
}

/* A list of one namespace takes out only what it should have seen there. */
static void round_test(void **state)
{
	struct store *store = store_new(0);
	json_t *gone;

	(void)state;
	put(store, "a", "x", "u1", "1", "o", 1);
	put(store, "a", "y", "u2", "1", "o", 1);
	put(store, "b", "z", "u3", "1", "o", 1);
	put(store, "a", "y", "u2", "1", "o", 2); /* the same version counts as seen */
	gone = store_take_unseen(store, "a", 2);
	assert_string_equal(json_string_value(json_object_get(json_object_get(gone, "metadata"), "name")), "x");
	json_decref(gone);
	assert_null(store_take_unseen(store, "a", 2));
	assert_keys(store, NULL, "[\"a/y\",\"b/z\"]");
	store_free(store);
}

static void bound_test(void **state)
{
	struct store *store = store_new(10000);
	enum store_outcome outcome = STORE_ADDED;
	char name[32];
	size_t count = 0, bytes;

	(void)state;
	for (; outcome == STORE_ADDED && count < 1000; count++) {
		snprintf(name, sizeof(name), "n%zu", count);
		outcome = put(store, "ns", name, name, "1", "o", 1);
	}
	assert_int_equal(outcome, STORE_LEFT_OUT);
	assert_int_equal(store_left_out(store, "ns"), 1);
	assert_int_equal(store_count(store), count - 1);
	bytes = store_bytes(store);
	assert_true(bytes <= 10000 && bytes > 9000);
	for (size_t i = 0; i + 1 < count; i++) {
		snprintf(name, sizeof(name), "n%zu", i);
		json_decref(store_remove(store, "ns", name, NULL));
	}
	assert_int_equal(store_bytes(store), 0);
	store_free(store);
}

static void fill(struct store *store, const char *namespace, size_t count)
{
	char name[32];

	for (size_t i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "n%zu", i);
		put(store, namespace, name, name, "1", "o", 1);
	}
}

static size_t count_in(struct store *store, const char *namespace)
{
	json_t *keys = store_keys(store, namespace);
	size_t count = json_array_size(keys);

	json_decref(keys);
	return count;
}

/* Who has most gives way, whatever the order; who has little has all of it, and nobody is said to lack what is there.
 */
static void share_test(void **state)
{
	struct store *store = store_new(20000);
	size_t whole, evicted = 0;
	json_t *gone;
	char *namespace;

	(void)state;
	store_list_begins(store, NULL);
	fill(store, "mass", 1000);
	whole = count_in(store, "mass");
	assert_true(whole > 20);
	namespace = store_newly_short(store);
	assert_string_equal(namespace, "mass");
	free(namespace);
	assert_null(store_newly_short(store));
	fill(store, "good", 10);
	fill(store, "other", 1000);
	fill(store, "late", 3);
	store_list_ends(store, NULL);
	assert_int_equal(count_in(store, "good"), 10);
	assert_int_equal(count_in(store, "late"), 3);
	assert_int_equal(store_left_out(store, "good"), 0);
	assert_int_equal(store_left_out(store, "late"), 0);
	assert_int_equal(store_left_out(store, "mass"), 1000 - count_in(store, "mass"));
	assert_int_equal(store_left_out(store, "other"), 1000 - count_in(store, "other"));
	assert_true(count_in(store, "other") > whole / 4 && count_in(store, "mass") > whole / 4);
	assert_true(store_bytes(store) <= 20000);
	while ((gone = store_take_evicted(store))) {
		evicted++;
		json_decref(gone);
	}
	assert_true(evicted > 0);
	namespace = store_newly_short(store);
	assert_string_equal(namespace, "other");
	free(namespace);
	/* The mass goes, and a list finds room for what is left. */
	while (count_in(store, "mass")) {
		json_t *keys = store_keys(store, "mass");

		json_decref(store_remove(store, "mass", json_string_value(json_array_get(keys, 0)) + strlen("mass/"),
		                         NULL));
		json_decref(keys);
	}
	store_list_begins(store, NULL);
	fill(store, "other", 20);
	store_list_ends(store, NULL);
	assert_int_equal(store_left_out(store, NULL), 0);
	store_free(store);
}

/* Tables grow under many keys; each is found again, by name and by owner. */
static void many_test(void **state)
{
	struct store *store = store_new(0);
	char name[32], owner[32];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		snprintf(owner, sizeof(owner), "o%d", i % 500);
		put(store, "ns", name, name, "1", owner, 1);
	}
	for (int i = 0; i < 500; i++) {
		json_t *found, *object;

		snprintf(owner, sizeof(owner), "o%d", i);
		snprintf(name, sizeof(name), "n%d", i * 10);
		found = store_owned(store, owner);
		object = store_get(store, "ns", name);
		assert_int_equal(json_array_size(found), 10);
		assert_non_null(object);
		json_decref(found);
		json_decref(object);
	}
	store_free(store);
}

/* Objects of one kind say most things again: that is held once. */
static void alike_test(void **state)
{
	struct store *store = store_new(0);
	json_t *labels = json_object(), *object, *before;
	struct error err;
	char name[32];

	(void)state;
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "label-%d", i * 7919);
		json_object_set_new(labels, name, json_string(name));
	}
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		object =
		        json_pack("{s:{s:s, s:s, s:O}}", "metadata", "namespace", "ns", "name", name, "labels", labels);
		assert_int_equal(store_put(store, object, 1, &before, &err), STORE_ADDED);
		json_decref(object);
	}
	if (store_bytes(store) > (size_t)100 * 300) /* each is 3 KB of text */
		fail_msg("%zu bytes", store_bytes(store));
	for (int i = 0; i < 100; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		object = store_get(store, "ns", name);
		assert_true(json_equal(json_object_get(json_object_get(object, "metadata"), "labels"), labels));
		json_decref(object);
	}
	json_decref(labels);
	store_free(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(put_test),   cmocka_unit_test(lookup_test),
	                                   cmocka_unit_test(round_test), cmocka_unit_test(bound_test),
	                                   cmocka_unit_test(share_test), cmocka_unit_test(many_test),
	                                   cmocka_unit_test(alike_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

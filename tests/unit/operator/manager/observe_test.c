/* What is observed of a job whose functions are in ConfigMaps, where the cache has no room for all of them. */
#include "operator/manager/observe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/process/system_clock.h"
#include "operator/manager/stores.h"

#define MEMORY     ((int64_t)32 << 20)
#define CODES_MAX  100000
#define FIGURES_MS 60000
#define CODE_NAME  "code-%d-with-a-name-that-is-not-short"

static void put(struct store *store, const char *namespace, const char *name, json_t *rest)
{
	json_t *object = json_pack("{s:{s:s, s:s, s:s, s:s}}", "metadata", "namespace", namespace, "name", name, "uid",
	                           name, "resourceVersion", "1"),
	       *before;
	struct error err;

	json_object_update_new(object, rest);
	assert_true(store_put(store, object, 1, &before, &err) != STORE_REFUSED);
	json_decref(before);
	json_decref(object);
}

static void put_job(struct manager *manager, const char *namespace, const char *name, const char *code)
{
	put(manager->stores[KIND_STREAM_JOB], namespace, name,
	    json_pack("{s:{s:[{s:{s:{s:s}}}]}}", "spec", "functions", "code", "configMapRef", "name", code));
}

static size_t lacking(struct manager *manager, const char *key)
{
	struct look look;
	size_t left_out;

	assert_true(observe(manager, key, &look));
	left_out = look.code_left_out;
	look_release(&look);
	return left_out;
}

static void code_test(void **state)
{
	struct options options = {.memory_bytes = MEMORY};
	struct manager *manager = calloc(1, sizeof(*manager));
	char name[64];
	int count = 0;

	(void)state;
	assert_non_null(manager);
	manager->options = &options;
	manager->clock = &system_clock;
	manager->settings.figures_ms = FIGURES_MS;
	manager->memory = memory_of_jobs_new();
	manager->waves = waves_new((struct waves_limit){0});
	manager->groups = group_index_new();
	manager->checked = checked_new();
	stores_make(manager);
	put_job(manager, "mass", "has", "code-0");
	put_job(manager, "mass", "lacks", "code-none");
	put_job(manager, "good", "lacks", "code-none");
	put(manager->stores[KIND_STREAM_JOB], "mass", "plain", json_object());
	assert_int_equal(lacking(manager, "mass/lacks"), 0); /* it is not there */
	put(manager->code, "mass", "code-0", json_pack("{s:s}", "codeHash", "c"));
	while (!store_left_out(manager->code, "mass") && count < CODES_MAX) {
		snprintf(name, sizeof(name), CODE_NAME, count++);
		put(manager->code, "mass", name, json_pack("{s:s}", "codeHash", name));
	}
	assert_true(lacking(manager, "mass/lacks") > 0);
	assert_int_equal(lacking(manager, "mass/has"), 0);
	assert_int_equal(lacking(manager, "mass/plain"), 0);
	assert_int_equal(lacking(manager, "good/lacks"), 0);
	stores_free(manager);
	checked_free(manager->checked);
	group_index_free(manager->groups);
	waves_free(manager->waves);
	memory_of_jobs_free(manager->memory);
	free(manager);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(code_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

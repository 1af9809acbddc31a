/* The index of groups, against one that looks at all jobs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include <stdlib.h>

#include "operator/manager/group_index.h"
#include "operator/reconcile/groups.h"
#include "operator/reconcile/object.h"

#define JOBS  12
#define STEPS 4000

static json_t *job_of(int number, int group, int second, bool started)
{
	json_t *job = json_pack("{s:{s:s, s:o, s:o}, s:{s:{s:{s:s, s:o}}}, s:{}}", "metadata", "namespace", "n", "name",
	                        json_sprintf("job-%02d", number), "creationTimestamp",
	                        json_sprintf("2027-01-15T08:00:%02dZ", second), "spec", "source", "kafka",
	                        "bootstrapServers", "a,b", "groupId", json_sprintf("g%d", group), "status");

	if (started)
		json_object_set(json_object_get(job, "status"), "consumerGroup",
		                object_borrow(object_at(job, "spec", "source", "kafka", "groupId", NULL)));
	return job;
}

static const char *group_of(const json_t *job)
{
	return object_text(job, "spec", "source", "kafka", "groupId", NULL);
}

static int compare(const json_t *a, const json_t *b)
{
	json_t *a_rank = groups_rank(a), *b_rank = groups_rank(b);
	int result = strcmp(json_string_value(a_rank), json_string_value(b_rank));

	json_decref(a_rank);
	json_decref(b_rank);
	return result;
}

/* The holder where another one is, else how many others there are at most: as text. */
static void expected(json_t *const *jobs, int number, char ret_text[64])
{
	const json_t *holder = jobs[number];
	size_t others = 0;

	for (int i = 0; i < JOBS; i++) {
		if (i == number || !jobs[i] || strcmp(group_of(jobs[i]), group_of(jobs[number])) != 0)
			continue;
		others++;
		if (compare(jobs[i], holder) < 0)
			holder = jobs[i];
	}
	if (holder != jobs[number])
		snprintf(ret_text, 64, "held by n/%s", object_name(holder));
	else
		snprintf(ret_text, 64, "%zu others", others > GROUP_SHARERS_MAX ? GROUP_SHARERS_MAX : others);
}

static void found(struct group_index *index, const json_t *job, char ret_text[64])
{
	json_t *sharers = group_index_sharers(index, job);

	if (json_array_size(sharers) == 1 && json_is_true(json_object_get(json_array_get(sharers, 0), "earlier")))
		snprintf(ret_text, 64, "held by %s", object_text(json_array_get(sharers, 0), "job", NULL));
	else
		snprintf(ret_text, 64, "%zu others", json_array_size(sharers));
	json_decref(sharers);
}

static bool names(const json_t *list, const json_t *job)
{
	size_t index;
	json_t *one;

	json_array_foreach(list, index, one)
	{
		if (!strcmp(json_string_value(one) + 2, object_name(job)))
			return true;
	}
	return false;
}

/* Each job whose verdict changes is named by the change, but the one that changed. */
static void changes_test(void **state)
{
	struct group_index *index = group_index_new();
	json_t *jobs[JOBS] = {0};
	char before[JOBS][64] = {0};

	(void)state;
	srand(7);
	for (int step = 0; step < STEPS; step++) {
		int number = rand() % JOBS;
		json_t *old = jobs[number], *touched;

		jobs[number] = rand() % 3 ? job_of(number, rand() % 3, rand() % 4, rand() % 2) : NULL;
		if (!old && !jobs[number])
			continue;
		touched = jobs[number] ? group_index_put(index, jobs[number]) : group_index_remove(index, old);
		for (int i = 0; i < JOBS; i++) {
			char want[64] = "", have[64] = "";

			if (jobs[i]) {
				expected(jobs, i, want);
				found(index, jobs[i], have);
			}
			if (strcmp(want, have) != 0)
				fail_msg("step %d: job %d: %s, not %s", step, i, have, want);
			if (i != number && jobs[i] && strcmp(before[i], have) != 0 && !names(touched, jobs[i]))
				fail_msg("step %d: job %d changed from %s to %s unseen", step, i, before[i], have);
			memcpy(before[i], have, sizeof(have));
		}
		json_decref(touched);
		json_decref(old);
	}
	for (int i = 0; i < JOBS; i++)
		json_decref(jobs[i]);
	group_index_free(index);
}

/* A change of nothing that the index knows touches nobody. */
static void echo_test(void **state)
{
	struct group_index *index = group_index_new();
	json_t *one = job_of(1, 0, 0, true), *two = job_of(2, 0, 1, true), *touched;

	(void)state;
	json_decref(group_index_put(index, one));
	touched = group_index_put(index, two);
	assert_int_equal(json_array_size(touched), 1);
	json_decref(touched);
	json_object_set_new(json_object_get(two, "status"), "lag", json_integer(7));
	touched = group_index_put(index, two);
	assert_int_equal(json_array_size(touched), 0);
	json_decref(touched);
	json_decref(one);
	json_decref(two);
	group_index_free(index);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(changes_test), cmocka_unit_test(echo_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

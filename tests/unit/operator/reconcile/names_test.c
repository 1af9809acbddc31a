/*
 * Names, for StreamJobs of every name that Kubernetes takes for an object: a DNS subdomain of up to 253 characters.
 */
#include "tests/unit/operator/reconcile/world.h"

#include <ctype.h>

#define NAMES     3000
#define LABEL_MAX 63
#define LETTERS   "abz019-"

static bool is_label(const char *text, size_t size)
{
	if (!size || size > LABEL_MAX || text[0] == '-' || text[size - 1] == '-')
		return false;
	return strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") >= size;
}

static bool is_subdomain(const char *text)
{
	if (strlen(text) > NAME_MAX_BYTES)
		return false;
	for (;;) {
		size_t size = strcspn(text, ".");

		/* a part of a subdomain may be longer than a label */
		if (!size || text[0] == '-' || text[size - 1] == '-' ||
		    strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") < size)
			return false;
		if (!text[size])
			return true;
		text += size + 1;
	}
}

/* What an API server takes for a Service: DNS-1035. */
static bool is_service(const char *text)
{
	return is_label(text, strlen(text)) && isalpha((unsigned char)text[0]);
}

/* Of a label. */
static bool is_value(const char *text)
{
	size_t size = strlen(text);

	return size && size <= LABEL_MAX && isalnum((unsigned char)text[0]) && isalnum((unsigned char)text[size - 1]) &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == size;
}

static void random_name(char *ret_name, size_t size, bool points)
{
	do {
		for (size_t i = 0; i < size; i++)
			ret_name[i] = points && rand() % 9 == 0 ? '.' : LETTERS[(size_t)rand() % (sizeof(LETTERS) - 1)];
		ret_name[size] = '\0';
	} while (!is_subdomain(ret_name));
}

/* Names that are alike: long beginnings that are the same, and what the prefix and the hash could be mistaken for. */
static void fill_names(char (*names)[NAME_MAX_BYTES + 1])
{
	static const size_t sizes[] = {1,  2,  43, 44, 45,  46,  47,  59,  60,  61,
	                               62, 63, 64, 65, 100, 235, 236, 237, 252, 253};
	size_t count = 0;

	srand(11);
	for (; count < NAMES / 2; count++)
		random_name(names[count], sizes[count % (sizeof(sizes) / sizeof(sizes[0]))], count % 3 == 0);
	for (; count < NAMES; count++) {
		char *name = names[count], other[NAME_MAX_BYTES + 1];

		memcpy(name, names[count - NAMES / 2], NAME_MAX_BYTES + 1);
		switch (count % 6) {
		case 0: /* another end */
			name[strlen(name) - 1] = name[strlen(name) - 1] == 'q' ? 'r' : 'q';
			break;
		case 1: /* the Service of another one as a name */
			name_service(names[count - NAMES / 2], name);
			break;
		case 4: /* its Deployment's */
			name_workload(names[count - NAMES / 2], name);
			break;
		case 5: /* its job file's */
			name_child(names[count - NAMES / 2], "-0123456789abcdef", NAME_MAX_BYTES, name);
			break;
		case 2: /* the prefix */
			snprintf(other, sizeof(other), "sj-%.*s", NAME_MAX_BYTES - 3, name);
			memcpy(name, other, sizeof(other));
			if (name[strlen(name) - 1] == '.' || name[strlen(name) - 1] == '-')
				name[strlen(name) - 1] = 'x';
			break;
		default: /* a point as a dash */
			if (strchr(name, '.'))
				*strchr(name, '.') = 'y';
		}
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Sorts; the names that are in there more than once are taken out. */
static size_t distinct(char (*names)[NAME_MAX_BYTES + 1], size_t count)
{
	size_t kept = 0;

	qsort(names, count, sizeof(*names), compare);
	for (size_t i = 0; i < count; i++)
		if (!kept || strcmp(names[kept - 1], names[i]) != 0)
			memmove(names[kept++], names[i], sizeof(*names));
	return kept;
}

enum sort { SERVICE, WORKLOAD, LABEL, CLEANUP, PLACE, JOB_FILE, SORTS };

static bool make(enum sort sort, const char *job, char ret_name[NAME_MAX_BYTES + 1])
{
	switch (sort) {
	case SERVICE:
		name_service(job, ret_name);
		return is_service(ret_name);
	case WORKLOAD: /* "-" and a hash of ten digits make the name of a ReplicaSet */
		name_workload(job, ret_name);
		return is_subdomain(ret_name) && strlen(ret_name) + 11 <= NAME_MAX_BYTES;
	case LABEL:
		name_label(job, ret_name);
		return is_value(ret_name);
	case CLEANUP: /* a batch Job's name is a label of its pods */
		name_child(job, "-cleanup", NAME_LABEL_MAX, ret_name);
		return is_subdomain(ret_name) && strlen(ret_name) <= LABEL_MAX;
	case PLACE:
		name_child(job, "-place", NAME_MAX_BYTES, ret_name);
		return is_subdomain(ret_name);
	case JOB_FILE:
	case SORTS:
		break;
	}
	name_child(job, "-0123456789abcdef", NAME_MAX_BYTES, ret_name);
	return is_subdomain(ret_name);
}

static void legal_and_different_test(void **state)
{
	char(*names)[NAME_MAX_BYTES + 1] = calloc(NAMES, sizeof(*names));
	char(*made)[NAME_MAX_BYTES + 1] = calloc(NAMES, sizeof(*made));
	size_t count;

	(void)state;
	fill_names(names);
	count = distinct(names, NAMES);
	assert_true(count > NAMES / 2);
	for (int sort = 0; sort < SORTS; sort++) {
		for (size_t i = 0; i < count; i++)
			if (!is_subdomain(names[i]))
				fail_msg("the test's own name \"%s\"", names[i]);
			else if (!make((enum sort)sort, names[i], made[i]))
				fail_msg("%d: \"%s\" of \"%s\"", sort, made[i], names[i]);
		if (distinct(made, count) != count)
			fail_msg("%d: two jobs have one name", sort);
	}
	free(names);
	free(made);
}

/* An upgrade makes no Service anew: what was legal before has the name it had. */
static void names_stay_test(void **state)
{
	static const char *const rows[][2] = {
	        {"home-feed", "home-feed"},
	        {"1-home", "sj-1-home"},
	        {"sj-home", "sj-sj-home"},
	        {"a23456789-123456789-123456789-123456789-123456789-123456789-123",
	         "a23456789-123456789-123456789-123456789-123456789-123456789-123"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char name[NAME_MAX_BYTES + 1];

		name_service(rows[i][0], name);
		assert_string_equal(name, rows[i][1]);
	}
}

/* Every label of every child is one, its pods' too, and every child can be found by its job: with the longest name. */
static void labels_test(void **state)
{
	struct observed observed;
	struct world world;
	struct plan plan;

	(void)state;
	world_init(&world, "{}");
	json_object_set_new(json_object_get(world.job, "metadata"), "name", json_sprintf("%0253d", 7));
	world_look(&world, &observed, &plan);
	assert_true(plan.steps_count >= 5);
	for (size_t i = 0; i < plan.steps_count; i++) {
		const json_t *object = plan.steps[i].object, *template = object_at(object, "spec", "template", NULL);
		json_t *labels = object_borrow(object_at(object, "metadata", "labels", NULL)), *value;
		const char *key;

		if (plan.steps[i].verb == VERB_APPLY || plan.steps[i].verb == VERB_CREATE)
			assert_string_equal(object_job(object), object_name(world.job));
		if (template)
			assert_string_equal(object_job(template), object_name(world.job));

		json_object_foreach(labels, key, value)
		{
			if (strlen(json_string_value(value)) > LABEL_MAX)
				fail_msg("%s of %s: %s", key, kind_names[plan.steps[i].kind].kind,
				         json_string_value(value));
		}
	}
	plan_release(&plan);
	world_release(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(legal_and_different_test),
	                                   cmocka_unit_test(names_stay_test), cmocka_unit_test(labels_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * The API server writes some values in another way than they were applied: it leaves out what is empty, and writes
 * quantities in their canonical form ("1000m" is "1"). Both would look like drift for ever, so they are told apart
 * here.
 */
#include "operator/reconcile/differs.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "operator/reconcile/merge.h"
#include "operator/reconcile/object.h"

/* Pointers in Kubernetes' types: false is not the same as absent. */
static const char *const says_false[] = {"automountServiceAccountToken", "allowPrivilegeEscalation"};

static bool means_nothing(const char *field, const json_t *value)
{
	for (size_t i = 0; i < sizeof(says_false) / sizeof(says_false[0]); i++)
		if (!strcmp(field, says_false[i]))
			return false;
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return json_object_size(value) == 0;
	case JSON_ARRAY:
		return json_array_size(value) == 0;
	case JSON_STRING:
		return json_string_length(value) == 0;
	case JSON_INTEGER:
		return json_integer_value(value) == 0;
	case JSON_NULL:
	case JSON_FALSE:
		return true;
	case JSON_REAL:
	case JSON_TRUE:
		break;
	}
	return false;
}

static double suffix_scale(const char *suffix)
{
	static const struct {
		const char *suffix;
		double scale;
	} scales[] = {
	        {"", 1},        {"n", 1e-9},    {"u", 1e-6},    {"m", 1e-3},    {"k", 1e3},     {"M", 1e6},
	        {"G", 1e9},     {"T", 1e12},    {"P", 1e15},    {"E", 1e18},    {"Ki", 0x1p10}, {"Mi", 0x1p20},
	        {"Gi", 0x1p30}, {"Ti", 0x1p40}, {"Pi", 0x1p50}, {"Ei", 0x1p60},
	};

	for (size_t i = 0; i < sizeof(scales) / sizeof(scales[0]); i++)
		if (!strcmp(suffix, scales[i].suffix))
			return scales[i].scale;
	return 0;
}

/* A quantity's value: false where it is none. */
static bool quantity(const json_t *json, double *ret_value)
{
	const char *text = json_string_value(json);
	char *end;
	double number, scale;

	if (json_is_number(json)) {
		*ret_value = json_number_value(json);
		return true;
	}
	if (!text || !(isdigit((unsigned char)text[0]) || strchr("+-.", text[0])))
		return false;
	number = strtod(text, &end);
	scale = end == text ? 0 : suffix_scale(end);
	*ret_value = number * scale;
	return scale != 0;
}

static bool scalar_differs(const json_t *desired, const json_t *live)
{
	double a, b;

	if (json_equal(desired, live))
		return false;
	return !quantity(desired, &a) || !quantity(live, &b) || fabs(a - b) > 1e-9 * fabs(a);
}

static bool value_differs(const char *field, const json_t *desired, const json_t *live);

static bool keyed_list_differs(const struct list_key *key, const json_t *desired, const json_t *live)
{
	size_t index;
	json_t *element;

	json_array_foreach(desired, index, element)
	{
		const json_t *same = list_find(live, key, element);

		if (!same || object_differs(element, same))
			return true;
	}
	return false;
}

static bool list_differs(const char *field, const json_t *desired, const json_t *live)
{
	const struct list_key *key = list_key(field);
	size_t index;
	json_t *element;

	if (key)
		return keyed_list_differs(key, desired, live);
	if (json_array_size(desired) != json_array_size(live))
		return true;
	json_array_foreach(desired, index, element)
	{
		if (value_differs("", element, json_array_get(live, index)))
			return true;
	}
	return false;
}

static bool value_differs(const char *field, const json_t *desired, const json_t *live)
{
	if (!live)
		return !means_nothing(field, desired);
	if (json_is_object(desired))
		return !json_is_object(live) || object_differs(desired, live);
	if (json_is_array(desired))
		return !json_is_array(live) || list_differs(field, desired, live);
	return scalar_differs(desired, live);
}

bool object_differs(const json_t *desired, const json_t *live)
{
	const char *field;
	json_t *value;

	json_object_foreach(object_borrow(desired), field, value)
	{
		if (value_differs(field, value, json_object_get(live, field)))
			return true;
	}
	return false;
}

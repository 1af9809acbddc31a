#include "operator/reconcile/object.h"

#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/memory.h"
#include "lib/data/civil.h"
#include "operator/reconcile/names.h"

json_t *object_borrow(const json_t *object)
{
	json_t *same;

	memcpy(&same, &object, sizeof(same));
	return same;
}

static const json_t *walk(const json_t *object, va_list keys)
{
	const char *key;

	while (object && (key = va_arg(keys, const char *)))
		object = json_object_get(object, key);
	return object;
}

const json_t *object_at(const json_t *object, ...)
{
	va_list keys;

	va_start(keys, object);
	object = walk(object, keys);
	va_end(keys);
	return object;
}

const char *object_text(const json_t *object, ...)
{
	const char *text;
	va_list keys;

	va_start(keys, object);
	text = json_string_value(walk(object, keys));
	va_end(keys);
	return text ? text : "";
}

int64_t object_integer(const json_t *object, ...)
{
	int64_t value;
	va_list keys;

	va_start(keys, object);
	value = json_integer_value(walk(object, keys));
	va_end(keys);
	return value;
}

const char *object_name(const json_t *object)
{
	return object_text(object, "metadata", "name", NULL);
}

const char *object_uid(const json_t *object)
{
	return object_text(object, "metadata", "uid", NULL);
}

const char *object_label(const json_t *object, const char *label)
{
	return object_text(object, "metadata", "labels", label, NULL);
}

static const char *owner_job(const json_t *object)
{
	size_t index;
	json_t *owner;

	json_array_foreach(object_at(object, "metadata", "ownerReferences", NULL), index, owner)
	{
		if (!strcmp(object_text(owner, "kind", NULL), "StreamJob"))
			return object_text(owner, "name", NULL);
	}
	return "";
}

const char *object_job(const json_t *object)
{
	const char *label = object_label(object, LABEL_INSTANCE), *name;

	if (!strchr(label, '_'))
		return label;
	name = object_text(object, "metadata", "annotations", NOTE_JOB, NULL);
	if (!name[0])
		name = owner_job(object);
	return name[0] ? name : label;
}

bool object_is_deleted(const json_t *object)
{
	return object_text(object, "metadata", "deletionTimestamp", NULL)[0] != '\0';
}

const json_t *object_controller(const json_t *object)
{
	size_t index;
	json_t *owner;

	json_array_foreach(object_at(object, "metadata", "ownerReferences", NULL), index, owner)
	{
		if (json_is_true(json_object_get(owner, "controller")))
			return owner;
	}
	return NULL;
}

bool object_is_controlled(const json_t *object, const char *uid)
{
	const json_t *owners = object_at(object, "metadata", "ownerReferences", NULL);
	size_t index;
	json_t *owner;

	json_array_foreach(owners, index, owner)
	{
		if (json_is_true(json_object_get(owner, "controller")) && !strcmp(object_text(owner, "uid", NULL), uid))
			return true;
	}
	return false;
}

bool object_is_of_earlier(const json_t *object, const char *job, const char *uid)
{
	size_t index;
	json_t *owner;

	json_array_foreach(object_at(object, "metadata", "ownerReferences", NULL), index, owner)
	{
		if (json_is_true(json_object_get(owner, "controller")) &&
		    !strcmp(object_text(owner, "kind", NULL), "StreamJob") &&
		    !strcmp(object_text(owner, "name", NULL), job) && strcmp(object_text(owner, "uid", NULL), uid) != 0)
			return true;
	}
	return false;
}

const json_t *object_named(const json_t *list, const char *name)
{
	size_t index;
	json_t *object;

	json_array_foreach(list, index, object)
	{
		if (!strcmp(object_name(object), name))
			return object;
	}
	return NULL;
}

const json_t *object_condition(const json_t *conditions, const char *type)
{
	size_t index;
	json_t *condition;

	json_array_foreach(conditions, index, condition)
	{
		if (!strcmp(object_text(condition, "type", NULL), type))
			return condition;
	}
	return NULL;
}

int64_t object_time(const char *text)
{
	int64_t ms;

	return text[0] && civil_parse(slice_of(text), &ms) ? ms : 0;
}

json_t *object_time_json(int64_t ms)
{
	struct buffer text;
	json_t *json;

	buffer_init(&text);
	civil_format(&text, ms - ms % 1000);
	/* metav1.Time has no fractions: "2026-11-24T08:00:00" and "Z" */
	json = text.size > 5 ? json_sprintf("%.*sZ", (int)text.size - 5, text.data) : NULL;
	buffer_release(&text);
	return json;
}

void object_hash(const json_t *object, char ret_hash[OBJECT_HASH_SIZE])
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY), hex[HASH_SHA256_HEX];

	if (!text)
		memory_exhausted();
	hash_sha256_hex(slice_of(text), hex);
	memcpy(ret_hash, hex, OBJECT_HASH_SIZE - 1);
	ret_hash[OBJECT_HASH_SIZE - 1] = '\0';
	free(text);
}

json_t *job_key(const char *namespace, const char *name)
{
	return json_sprintf("%s/%s", namespace, name);
}

json_t *object_key(const json_t *object)
{
	return job_key(object_text(object, "metadata", "namespace", NULL), object_name(object));
}

json_t *object_job_key(const json_t *object)
{
	return job_key(object_text(object, "metadata", "namespace", NULL), object_job(object));
}

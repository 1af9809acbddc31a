/*
 * Kubernetes objects as JSON: the few looks at them that every part of the plan takes. What is absent, or of another
 * kind than asked for, reads as empty: the API server's schema has checked what it gives out.
 */
#ifndef STREAMJOB_OBJECT_H
#define STREAMJOB_OBJECT_H

#include <jansson.h>

#include "lib/base/buffer.h"

/* jansson iterates, copies and counts references through pointers that are not const; nothing is changed by that. */
json_t *object_borrow(const json_t *object);

/* The value under a path of keys that ends in NULL; NULL where there is none. */
const json_t *object_at(const json_t *object, ...) __attribute__((sentinel));
/* The same as a string, "" where there is none; as an integer, 0 where there is none. */
const char *object_text(const json_t *object, ...) __attribute__((sentinel));
int64_t object_integer(const json_t *object, ...) __attribute__((sentinel));

const char *object_name(const json_t *object);
const char *object_uid(const json_t *object);
const char *object_label(const json_t *object, const char *label);
/* The name of the StreamJob that a child or its pod is of, "" where there is none: names.h. */
const char *object_job(const json_t *object);
/* "namespace/name", what queue and stores know a job by: of these; of an object itself; of its job. A new reference. */
json_t *job_key(const char *namespace, const char *name);
json_t *object_key(const json_t *object);
json_t *object_job_key(const json_t *object);
bool object_is_deleted(const json_t *object); /* has a deletionTimestamp */
/* The owner that is its controller, or NULL. */
const json_t *object_controller(const json_t *object);
/* A controller among its owners has this UID. */
bool object_is_controlled(const json_t *object, const char *uid);
/* Its controller is a StreamJob of that name, but with another UID: an earlier one, which is gone. */
bool object_is_of_earlier(const json_t *object, const char *job, const char *uid);
/* The element of `list` with that metadata.name, or NULL. */
const json_t *object_named(const json_t *list, const char *name);
/* The element of `conditions` with that type, or NULL. */
const json_t *object_condition(const json_t *conditions, const char *type);

/* RFC 3339 to milliseconds since the epoch, 0 where it is no time; and back, by whole seconds. */
int64_t object_time(const char *text);
json_t *object_time_json(int64_t ms);

/* Of its compact JSON with sorted keys: 16 hexadecimal digits. */
#define OBJECT_HASH_SIZE 17
void object_hash(const json_t *object, char ret_hash[OBJECT_HASH_SIZE]);

#endif

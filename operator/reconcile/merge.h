/*
 * Lists of Kubernetes objects whose elements have a key, and the strategic merge that rests on it.
 */
#ifndef STREAMJOB_MERGE_H
#define STREAMJOB_MERGE_H

#include <jansson.h>

/* By which members elements of the list `field` are the same: "name" for containers. `second`: or NULL. */
struct list_key {
	const char *field, *first, *second;
};
/* NULL where a list is one value. */
const struct list_key *list_key(const char *field);
/* The element of `list` that has the same key as `element`, or NULL. */
json_t *list_find(const json_t *list, const struct list_key *key, const json_t *element);

/*
 * Merges `patch` into `base`, both objects: objects field by field, keyed lists element by element, anything else is
 * replaced; null takes a field out. `patch` is not changed and nothing of it is shared with `base` afterwards.
 */
void merge_strategic(json_t *base, const json_t *patch);

#endif

/*
 * A list's text, cut into its items without parsing them: a tree of all items would take ten times the text. And an
 * item's text, parsed without its managedFields. Inside operator/kube only.
 *
 * Only the outermost structure is looked at; what is wrong inside an item or around the items, the parser finds.
 */
#ifndef STREAMJOB_KUBE_LIST_TEXT_H
#define STREAMJOB_KUBE_LIST_TEXT_H

#include <jansson.h>

#include "lib/base/buffer.h"

struct list_text {
	struct slice before, items, after; /* `items`: its brackets with it; empty where there is no such array */
};

/* The array at the key "items" of the outermost object. False: the text is no object, or is cut off. */
bool list_text_find(struct slice text, struct list_text *ret_list);
/* Takes the next item off `items`, with which it begins at the bracket. 1: an item, 0: there is none left, -1: no
 * array. */
int list_text_next(struct slice *items, struct slice *ret_item);

/*
 * Parses an object but for one member, by its path of keys that ends in NULL, which is skipped over: managedFields are
 * most of many an object, and nobody reads them. `scratch` is overwritten.
 *
 * An object that the API server takes and the parser does not (it is nested deeper, a key has a NUL, a number is too
 * large) comes without its spec, data or status, the first of them that mends it: what one tenant writes is not to keep
 * the list of all from being read.
 */
json_t *object_text_parse(struct slice text, const char *const *without, struct buffer *scratch, json_error_t *why);

#endif

/*
 * Lists, a page at a time. A page that is too large for one answer is asked for again with a tenth of its objects, and
 * after small ones the limit grows again: the continue token does not depend on it.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "operator/kube/client.h"
#include "operator/kube/list_text.h"
#include "operator/kube/path.h"

#define LIST_PAGES_MAX   100000
#define LIMIT_CUT        10
#define LIMIT_GROWTH     4 /* after a page of less than that part of its cap */
#define LIST_KIND_SUFFIX "List"

static int get_page(struct kube_client *client, const char *path, int limit, bool metadata_only, const char *more,
                    struct buffer *page, struct kube_error *err)
{
	struct request request = {.method = KUBE_METHOD_GET,
	                          .metadata_only = metadata_only,
	                          .bytes_max = limit > 1 ? KUBE_PAGE_BYTES_MAX : KUBE_OBJECT_BYTES_MAX};
	struct buffer whole;
	char limit_text[16];
	int outcome;

	snprintf(limit_text, sizeof(limit_text), "%d", limit);
	buffer_clear(page);
	buffer_init(&whole);
	buffer_append_text(&whole, path);
	path_query(&whole, "limit", limit_text);
	path_query(&whole, "continue", more);
	request.path = whole.data;
	outcome = client_text(client, &request, page, err);
	buffer_release(&whole);
	return outcome;
}

/* Built-in kinds leave out of a list's items what its own kind says: "PodList" of "v1". */
static void name_kind(json_t *object, const json_t *page)
{
	const char *kind = json_string_value(json_object_get(page, "kind"));
	size_t size = kind ? strlen(kind) : 0, suffix = strlen(LIST_KIND_SUFFIX);

	if (json_object_get(object, "kind") || size <= suffix || strcmp(kind + size - suffix, LIST_KIND_SUFFIX) != 0)
		return;
	json_object_set_new(object, "kind", json_stringn(kind, size - suffix));
	json_object_set(object, "apiVersion", json_object_get(page, "apiVersion"));
}

/* The page without its items, as JSON. */
static int parse_envelope(const struct list_text *list, const char *path, json_t **ret_envelope, struct kube_error *err)
{
	struct buffer text;
	json_error_t why;
	json_t *envelope;

	buffer_init(&text);
	buffer_append_slice(&text, list->before);
	buffer_append_text(&text, list->items.size ? "[]" : "");
	buffer_append_slice(&text, list->after);
	envelope = json_loadb(text.data ? text.data : "", text.size, JSON_ALLOW_NUL, &why);
	buffer_release(&text);
	if (!envelope)
		return kube_fail(err, KUBE_MALFORMED, "GET %s: the answer is no JSON object: %s", path, why.text);
	*ret_envelope = envelope;
	if (list->items.size || json_is_null(json_object_get(envelope, "items")))
		return 0;
	json_decref(envelope);
	return kube_fail(err, KUBE_MALFORMED, "GET %s: the answer has no items: it is no list", path);
}

/* One tree at a time. */
static int give_items(struct slice items, const json_t *envelope, const char *path,
                      int (*each)(void *context, json_t *object, struct kube_error *err), void *context,
                      struct kube_error *err)
{
	static const char *const managed_fields[] = {"metadata", "managedFields", NULL};
	struct buffer scratch;
	struct slice item;
	int more, outcome = 0;

	buffer_init(&scratch);
	while (!outcome && items.size && (more = list_text_next(&items, &item))) {
		json_error_t why = {.text = "something else"};
		json_t *object = more > 0 ? object_text_parse(item, managed_fields, &scratch, &why) : NULL;

		if (json_is_object(object)) {
			name_kind(object, envelope);
			outcome = each(context, object, err) < 0 ? -1 : 0;
		} else {
			json_decref(object);
			outcome = kube_fail(err, KUBE_MALFORMED, "GET %s: an item of the list is no object: %s", path,
			                    why.text);
		}
	}
	buffer_release(&scratch);
	return outcome;
}

/* Where the list goes on, and its version. NULL in *more: that was the last page. */
static void read_metadata(const json_t *page, char **more, char **version)
{
	const json_t *metadata = json_object_get(page, "metadata");
	const char *next = json_string_value(json_object_get(metadata, "continue"));
	const char *here = json_string_value(json_object_get(metadata, "resourceVersion"));

	free(*more);
	*more = next && *next ? xstrdup(next) : NULL;
	if (here) {
		free(*version);
		*version = xstrdup(here);
	}
}

static int give_page(struct slice text, const char *path,
                     int (*each)(void *context, json_t *object, struct kube_error *err), void *context, char **more,
                     char **version, struct kube_error *err)
{
	struct list_text list;
	json_t *envelope = NULL;
	int outcome;

	if (!list_text_find(text, &list))
		return kube_fail(err, KUBE_MALFORMED, "GET %s: the answer is no JSON object, or is cut off", path);
	if (parse_envelope(&list, path, &envelope, err) < 0)
		return -1;
	read_metadata(envelope, more, version);
	outcome = give_items(list.items, envelope, path, each, context, err);
	json_decref(envelope);
	return outcome;
}

/* What a large one took is not held until the list's end. */
static void give_back(struct buffer *page)
{
	if (page->capacity > KUBE_PAGE_BYTES_MAX)
		buffer_release(page);
}

static int get_pages(struct kube_client *client, const char *path, int limit, bool metadata_only, struct buffer *page,
                     int (*each)(void *context, json_t *object, struct kube_error *err), void *context, char **more,
                     char **version, struct kube_error *err)
{
	int most = limit;

	for (int pages = 0; pages < LIST_PAGES_MAX; pages++) {
		int outcome = get_page(client, path, limit, metadata_only, *more, page, err);

		while (outcome < 0 && err->reason == KUBE_TOO_LARGE && limit > 1) {
			limit = limit > LIMIT_CUT ? limit / LIMIT_CUT : 1;
			outcome = get_page(client, path, limit, metadata_only, *more, page, err);
		}
		if (!outcome)
			outcome = give_page(buffer_slice(page), path, each, context, more, version, err);
		if (outcome < 0 || !*more)
			return outcome;
		if (page->size < KUBE_PAGE_BYTES_MAX / LIMIT_GROWTH / 2)
			limit = limit < most / LIMIT_GROWTH ? limit * LIMIT_GROWTH : most;
		give_back(page);
	}
	return kube_fail(err, KUBE_MALFORMED, "GET %s: the list has no end: more than %d pages", path, LIST_PAGES_MAX);
}

int kube_list(struct kube_client *client, const struct kube_resource *resource, const char *namespace,
              const struct kube_selection *selection,
              int (*each)(void *context, json_t *object, struct kube_error *err), void *context, char **ret_version,
              struct kube_error *err)
{
	char *more = NULL, *version = NULL;
	struct buffer path, page;
	int outcome;

	buffer_init(&path);
	buffer_init(&page);
	path_object(&path, resource, namespace, NULL, NULL);
	path_query(&path, "labelSelector", selection->label_selector);
	path_query(&path, "fieldSelector", selection->field_selector);
	outcome = get_pages(client, path.data, selection->limit ? selection->limit : KUBE_LIST_LIMIT,
	                    selection->metadata_only, &page, each, context, &more, &version, err);
	if (!outcome && !version)
		outcome = kube_fail(err, KUBE_MALFORMED, "GET %s: the list has no resourceVersion", path.data);
	if (!outcome) {
		*ret_version = version;
		version = NULL;
	}
	free(version);
	free(more);
	buffer_release(&page);
	buffer_release(&path);
	return outcome;
}

/* The requests for one object, and the whole answer as JSON. */
#include <stdlib.h>

#include "lib/base/memory.h"
#include "operator/kube/client.h"
#include "operator/kube/path.h"

#define APPLY_TYPE "application/apply-patch+yaml"
#define MERGE_TYPE "application/merge-patch+json"
#define JSON_TYPE  "application/json"

static bool collect(void *context, const char *data, size_t size)
{
	struct buffer *answer = context;

	buffer_append(answer, data, size);
	return !answer->overflow;
}

static int parse(const struct request *request, struct slice text, json_t **ret_answer, struct kube_error *err)
{
	json_error_t why;
	json_t *answer = json_loadb(text.data, text.size, JSON_ALLOW_NUL, &why);

	if (!json_is_object(answer)) {
		json_decref(answer);
		return kube_fail(err, KUBE_MALFORMED, "%s %.*s: the answer is no JSON object: %s",
		                 kube_method_names[request->method], (int)strcspn(request->path, "?"), request->path,
		                 answer ? "something else" : why.text);
	}
	*ret_answer = answer;
	return 0;
}

int client_text(struct kube_client *client, struct request *request, struct buffer *answer, struct kube_error *err)
{
	int outcome;

	answer->max = request->bytes_max ? request->bytes_max : KUBE_ANSWER_BYTES_MAX;
	request->receive = collect;
	request->context = answer;
	request->timeout_ms = client_timeout_ms(client);
	outcome = client_perform(client, request, err);
	if (outcome > 0)
		return kube_fail(err, KUBE_TOO_LARGE, "%s %.*s: the answer is larger than %zu bytes",
		                 kube_method_names[request->method], (int)strcspn(request->path, "?"), request->path,
		                 answer->max);
	return outcome;
}

static int client_json(struct kube_client *client, struct request *request, json_t **ret_answer, struct kube_error *err)
{
	struct buffer answer;
	int outcome;

	buffer_init(&answer);
	outcome = client_text(client, request, &answer, err);
	if (!outcome && ret_answer)
		outcome = parse(request, buffer_slice(&answer), ret_answer, err);
	buffer_release(&answer);
	return outcome;
}

static int send_object(struct kube_client *client, struct request *request, const json_t *object, json_t **ret_object,
                       struct kube_error *err)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	int outcome;

	if (object && !text)
		return kube_fail(err, KUBE_INVALID, "the object to send is not UTF-8");
	if (text)
		request->body = slice_of(text);
	outcome = client_json(client, request, ret_object, err);
	free(text);
	return outcome;
}

int kube_get(struct kube_client *client, const struct kube_resource *resource, const char *namespace, const char *name,
             json_t **ret_object, struct kube_error *err)
{
	struct request request = {.method = KUBE_METHOD_GET};
	struct buffer path;
	int outcome;

	buffer_init(&path);
	path_object(&path, resource, namespace, name, NULL);
	request.path = path.data;
	outcome = client_json(client, &request, ret_object, err);
	buffer_release(&path);
	return outcome;
}

int kube_create(struct kube_client *client, const struct kube_resource *resource, const char *namespace,
                const json_t *object, json_t **ret_object, struct kube_error *err)
{
	struct request request = {.method = KUBE_METHOD_POST, .content_type = JSON_TYPE, .writes = true};
	struct buffer path;
	int outcome;

	buffer_init(&path);
	path_object(&path, resource, namespace, NULL, NULL);
	request.path = path.data;
	outcome = send_object(client, &request, object, ret_object, err);
	buffer_release(&path);
	return outcome;
}

int kube_replace(struct kube_client *client, const struct kube_resource *resource, const char *namespace,
                 const char *name, const json_t *object, json_t **ret_object, struct kube_error *err)
{
	struct request request = {.method = KUBE_METHOD_PUT, .content_type = JSON_TYPE, .writes = true};
	struct buffer path;
	int outcome;

	buffer_init(&path);
	path_object(&path, resource, namespace, name, NULL);
	request.path = path.data;
	outcome = send_object(client, &request, object, ret_object, err);
	buffer_release(&path);
	return outcome;
}

int kube_apply(struct kube_client *client, const struct kube_resource *resource, const char *namespace,
               const char *name, const json_t *object, const struct kube_apply *apply, json_t **ret_object,
               struct kube_error *err)
{
	struct request request = {.method = KUBE_METHOD_PATCH, .content_type = APPLY_TYPE, .writes = !apply->dry_run};
	struct buffer path;
	int outcome;

	buffer_init(&path);
	path_object(&path, resource, namespace, name, apply->subresource);
	path_query(&path, "fieldManager", apply->field_manager);
	path_query(&path, "force", apply->force ? "true" : NULL);
	path_query(&path, "dryRun", apply->dry_run ? "All" : NULL);
	request.path = path.data;
	outcome = send_object(client, &request, object, ret_object, err);
	buffer_release(&path);
	return outcome;
}

int kube_merge(struct kube_client *client, const struct kube_resource *resource, const char *namespace,
               const char *name, const char *subresource, const char *field_manager, const json_t *patch,
               json_t **ret_object, struct kube_error *err)
{
	struct request request = {.method = KUBE_METHOD_PATCH, .content_type = MERGE_TYPE, .writes = true};
	struct buffer path;
	int outcome;

	buffer_init(&path);
	path_object(&path, resource, namespace, name, subresource);
	path_query(&path, "fieldManager", field_manager);
	request.path = path.data;
	outcome = send_object(client, &request, patch, ret_object, err);
	buffer_release(&path);
	return outcome;
}

static json_t *delete_options(const struct kube_delete *options)
{
	json_t *body = json_pack("{s:s, s:s, s:s*}", "apiVersion", "v1", "kind", "DeleteOptions", "propagationPolicy",
	                         options->propagation);

	if (options->uid || options->resource_version)
		json_object_set_new(
		        body, "preconditions",
		        json_pack("{s:s*, s:s*}", "uid", options->uid, "resourceVersion", options->resource_version));
	return body;
}

int kube_delete(struct kube_client *client, const struct kube_resource *resource, const char *namespace,
                const char *name, const struct kube_delete *options, struct kube_error *err)
{
	struct request request = {.method = KUBE_METHOD_DELETE, .content_type = JSON_TYPE, .writes = true};
	json_t *body = delete_options(options);
	struct buffer path;
	int outcome;

	buffer_init(&path);
	path_object(&path, resource, namespace, name, NULL);
	request.path = path.data;
	outcome = send_object(client, &request, body, NULL, err);
	json_decref(body);
	buffer_release(&path);
	return outcome;
}

#include "operator/kube/watch.h"

#include <stdio.h>

#include "operator/kube/client.h"
#include "operator/kube/path.h"

/* The server's time-out and this much more is the longest that a watch can take. */
#define OVERTIME_MS 30000

static bool feed(void *context, const char *data, size_t size)
{
	return watch_decoder_feed(context, data, size);
}

static void opened(void *context)
{
	const struct watch_decoder *decoder = context;

	if (decoder->watch->opened)
		decoder->watch->opened(decoder->watch->context);
}

int kube_watch(struct kube_client *client, const struct kube_resource *resource, const char *namespace,
               const struct kube_watch *watch, struct kube_error *err)
{
	int server_s = watch->server_s ? watch->server_s : KUBE_WATCH_SERVER_S;
	struct request request = {.method = KUBE_METHOD_GET,
	                          .idle_ms = watch->idle_ms ? watch->idle_ms : KUBE_WATCH_IDLE_MS,
	                          .timeout_ms = (int64_t)server_s * 1000 + OVERTIME_MS,
	                          .stream = true,
	                          .metadata_only = watch->metadata_only,
	                          .opened = opened,
	                          .receive = feed};
	struct watch_decoder decoder;
	struct buffer path, what;
	char seconds[16];
	int outcome;

	snprintf(seconds, sizeof(seconds), "%d", server_s);
	buffer_init(&path);
	buffer_init(&what);
	path_object(&path, resource, namespace, NULL, NULL);
	buffer_printf(&what, "watch %s", path.data);
	path_query(&path, "watch", "true");
	path_query(&path, "allowWatchBookmarks", "true");
	path_query(&path, "resourceVersion", watch->resource_version);
	path_query(&path, "labelSelector", watch->label_selector);
	path_query(&path, "fieldSelector", watch->field_selector);
	path_query(&path, "timeoutSeconds", seconds);
	request.path = path.data;
	watch_decoder_init(&decoder, watch, what.data);
	request.context = &decoder;
	outcome = client_perform(client, &request, err);
	if (outcome > 0) {
		*err = decoder.error;
		outcome = -1;
	}
	watch_decoder_release(&decoder);
	buffer_release(&what);
	buffer_release(&path);
	return outcome;
}

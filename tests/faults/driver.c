/*
 * The operator's rooms on a line: what a test types, one of them does, and what happens is printed, one line each.
 *
 * driver informer KUBECONFIG ROOT PLURAL NAMESPACE|- [LIMIT=NUMBER]…
 * driver lease KUBECONFIG IDENTITY [LIMIT=NUMBER]…
 * driver request KUBECONFIG [LIMIT=NUMBER]…
 * driver pages TIMEOUT_MS BYTES_MAX URL…
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/process/system_clock.h"
#include "operator/cache/informer.h"
#include "operator/kube/pod_page.h"
#include "operator/lead/lease.h"

#define LINE_MAX_BYTES 65536

static _Atomic int64_t wall_jump_ms;
static pthread_mutex_t output = PTHREAD_MUTEX_INITIALIZER;

static int64_t wall_ms(void *context)
{
	(void)context;
	return clock_wall_ms(&system_clock) + atomic_load(&wall_jump_ms);
}

static int64_t monotonic_ms(void *context)
{
	(void)context;
	return clock_monotonic_ms(&system_clock);
}

static const struct clock test_clock = {wall_ms, monotonic_ms, NULL, NULL};

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	pthread_mutex_lock(&output);
	vprintf(format, arguments);
	putchar('\n');
	fflush(stdout);
	pthread_mutex_unlock(&output);
	va_end(arguments);
}

static void say_trouble(void *context, const struct kube_error *why)
{
	(void)context;
	if (why)
		say("trouble %s %d %lld %s", kube_reason_name(why->reason), why->http_status,
		    (long long)why->retry_after_ms, why->error.text);
	else
		say("well");
}

/* LIMIT=NUMBER among the arguments. */
static int64_t limit(int argc, char **argv, const char *name, int64_t otherwise)
{
	size_t size = strlen(name);

	for (int i = 0; i < argc; i++)
		if (strncmp(argv[i], name, size) == 0 && argv[i][size] == '=')
			return strtoll(argv[i] + size + 1, NULL, 10);
	return otherwise;
}

static struct kube_cluster *open_cluster(const char *kubeconfig, int argc, char **argv)
{
	struct kube_cluster_options options = {.kubeconfig = *kubeconfig == '-' ? NULL : kubeconfig,
	                                       .service_account_dir = getenv("SERVICE_ACCOUNT_DIR"),
	                                       .credentials_ms = limit(argc, argv, "credentials_ms", 0),
	                                       .plugin_ms = limit(argc, argv, "plugin_ms", 0),
	                                       .clock = &test_clock};
	struct error err;
	struct kube_cluster *cluster = kube_cluster_open(&options, &err);

	if (!cluster) {
		say("refused %s", err.text);
		exit(1);
	}
	return cluster;
}

static bool read_line(char *line)
{
	if (!fgets(line, LINE_MAX_BYTES, stdin))
		return false;
	line[strcspn(line, "\n")] = '\0';
	if (strncmp(line, "jump ", 5) == 0)
		atomic_store(&wall_jump_ms, strtoll(line + 5, NULL, 10));
	return true;
}

static void say_metrics(struct kube_cluster *cluster)
{
	struct buffer out;

	buffer_init(&out);
	kube_cluster_metrics(cluster, &out);
	say("%s", out.data);
	buffer_release(&out);
}

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(json_object_get(object, "metadata"), key));

	return text ? text : "-";
}

static void on_change(void *context, enum change change, const json_t *before, const json_t *after)
{
	static const char *const names[] = {"added", "updated", "deleted"};
	const json_t *object = after ? after : before;

	(void)context;
	say("%s %s/%s %s %s%s", names[change], text_of(object, "namespace"), text_of(object, "name"),
	    text_of(object, "uid"), text_of(object, "resourceVersion"),
	    json_object_get(json_object_get(object, "metadata"), "managedFields") ? " untrimmed" : "");
}

static void on_left_out(void *context, const char *namespace)
{
	(void)context;
	say("left out %s", namespace);
}

static void say_counts(struct informer *informer, struct store *store)
{
	struct informer_counts counts = informer_counts(informer);
	json_t *keys = store_keys(store, NULL);
	char *text = json_dumps(keys, JSON_COMPACT);

	say("counts {\"lists\": %llu, \"watches\": %llu, \"events\": %llu, \"failures\": %llu, \"synced\": %s, "
	    "\"bytes\": "
	    "%zu, \"keys\": %s}",
	    (unsigned long long)counts.lists, (unsigned long long)counts.watches, (unsigned long long)counts.events,
	    (unsigned long long)counts.failures, informer_synced(informer) ? "true" : "false", store_bytes(store),
	    text);
	free(text);
	json_decref(keys);
}

static int run_informer(int argc, char **argv)
{
	struct kube_cluster *cluster = open_cluster(argv[2], argc, argv);
	struct store *store = store_new((size_t)limit(argc, argv, "store_bytes", 0));
	struct informer_options options = {
	        .cluster = cluster,
	        .resource = {argv[3], argv[4]},
	        .namespace = *argv[5] == '-' ? NULL : argv[5],
	        .store = store,
	        .changed = on_change,
	        .trouble = say_trouble,
	        .left_out = on_left_out,
	        .clock = &test_clock,
	        .limits = {.backoff_ms_min = limit(argc, argv, "backoff_ms_min", 20),
	                   .backoff_ms_max = limit(argc, argv, "backoff_ms_max", 200),
	                   .backoff_reset_ms = limit(argc, argv, "backoff_reset_ms", 2000),
	                   .watch_ms_min = limit(argc, argv, "watch_ms_min", 50),
	                   .watch_idle_ms = limit(argc, argv, "watch_idle_ms", 0),
	                   .watch_server_s = (int)limit(argc, argv, "watch_server_s", 0),
	                   .relist_ms = limit(argc, argv, "relist_ms", 0),
	                   .room_ms_min = limit(argc, argv, "room_ms_min", 0),
	                   .room_ms_max = limit(argc, argv, "room_ms_min", 0),
	                   .list_limit = (int)limit(argc, argv, "list_limit", 0),
	                   .event_bytes_max = (size_t)limit(argc, argv, "event_bytes_max", 0)}};
	struct informer *informer = informer_start(&options);
	char line[LINE_MAX_BYTES];

	while (read_line(line)) {
		if (strcmp(line, "counts") == 0)
			say_counts(informer, store);
		else if (strcmp(line, "metrics") == 0)
			say_metrics(cluster);
	}
	informer_stop(informer);
	store_free(store);
	kube_cluster_free(cluster);
	say("stopped");
	return 0;
}

static void on_acquired(void *context)
{
	(void)context;
	say("acquired");
}

static void on_lost(void *context)
{
	(void)context;
	say("lost");
}

static void on_leader(void *context, const char *identity, bool is_us)
{
	(void)context;
	say("leader %s%s", identity, is_us ? " (us)" : "");
}

static void say_outcome(int outcome, const struct kube_error *err, json_t *object)
{
	json_t *line;
	char *text;

	if (outcome == 0)
		line = json_pack("{s:b, s:O*}", "ok", 1, "object", object);
	else
		line = json_pack("{s:s, s:i, s:I, s:s}", "reason", kube_reason_name(err->reason), "status",
		                 err->http_status, "retry_after_ms", (json_int_t)err->retry_after_ms, "text",
		                 err->error.text);
	text = json_dumps(line, JSON_COMPACT);
	say("%s", text);
	free(text);
	json_decref(line);
	json_decref(object);
}

/* A write through the lease's gate. */
static void write_gated(struct kube_client *client)
{
	static const struct kube_resource config_maps = {"/api/v1", "configmaps"};
	json_t *object =
	        json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind", "ConfigMap", "metadata", "name", "w");
	struct kube_apply apply = {.field_manager = "driver", .force = true};
	struct kube_error err;

	say_outcome(kube_apply(client, &config_maps, "default", "w", object, &apply, NULL, &err), &err, NULL);
	json_decref(object);
}

static int run_lease(int argc, char **argv)
{
	struct kube_cluster *cluster = open_cluster(argv[2], argc, argv);
	struct lease_options options = {.cluster = cluster,
	                                .namespace = "default",
	                                .name = "streamjob-operator",
	                                .identity = argv[3],
	                                .limits = {.duration_ms = limit(argc, argv, "duration_ms", 2000),
	                                           .renew_ms = limit(argc, argv, "renew_ms", 1000),
	                                           .retry_ms = limit(argc, argv, "retry_ms", 100),
	                                           .margin_ms = limit(argc, argv, "margin_ms", 300)},
	                                .clock = &test_clock,
	                                .acquired = on_acquired,
	                                .lost = on_lost,
	                                .trouble = say_trouble,
	                                .leader = on_leader};
	struct kube_client *client = kube_client_new(cluster);
	char line[LINE_MAX_BYTES];
	struct lease *lease;
	struct error err;
	bool release = true;

	if (lease_start(&options, &lease, &err) < 0) {
		say("refused %s", err.text);
		exit(1);
	}
	kube_client_set_gate(client, lease_writable_ms, lease);
	while (read_line(line)) {
		if (strcmp(line, "writable") == 0)
			say("writable %lld", (long long)lease_writable_ms(lease));
		else if (strcmp(line, "write") == 0)
			write_gated(client);
		else if (strcmp(line, "keep") == 0)
			release = false;
	}
	kube_client_free(client);
	lease_stop(lease, release);
	kube_cluster_free(cluster);
	say("stopped");
	return 0;
}

static int print_item(void *context, json_t *object, struct kube_error *err)
{
	(void)context;
	(void)err;
	say("item %s/%s %s", text_of(object, "namespace"), text_of(object, "name"),
	    json_string_value(json_object_get(object, "kind")));
	json_decref(object);
	return 0;
}

static const char *string_at(const json_t *command, const char *key)
{
	return json_string_value(json_object_get(command, key));
}

static int do_list(struct kube_client *client, const struct kube_resource *resource, const json_t *command,
                   json_t **object, struct kube_error *err)
{
	struct kube_selection selection = {.label_selector = string_at(command, "labels"),
	                                   .limit = (int)json_integer_value(json_object_get(command, "limit"))};
	char *version;

	if (kube_list(client, resource, string_at(command, "namespace"), &selection, print_item, NULL, &version, err) <
	    0)
		return -1;
	*object = json_string(version);
	free(version);
	return 0;
}

static int do_command(struct kube_client *client, const json_t *command, json_t **object, struct kube_error *err)
{
	struct kube_resource resource = {string_at(command, "root"), string_at(command, "plural")};
	const char *verb = string_at(command, "verb"), *namespace = string_at(command, "namespace");
	const char *name = string_at(command, "name"), *sub = string_at(command, "subresource");
	const json_t *body = json_object_get(command, "object");
	struct kube_apply apply = {.field_manager = "driver",
	                           .force = json_is_true(json_object_get(command, "force")),
	                           .dry_run = json_is_true(json_object_get(command, "dry_run")),
	                           .subresource = sub};
	struct kube_delete options = {.uid = string_at(command, "uid"),
	                              .resource_version = string_at(command, "version"),
	                              .propagation = string_at(command, "propagation")};

	if (strcmp(verb, "get") == 0)
		return kube_get(client, &resource, namespace, name, object, err);
	if (strcmp(verb, "list") == 0)
		return do_list(client, &resource, command, object, err);
	if (strcmp(verb, "create") == 0)
		return kube_create(client, &resource, namespace, body, object, err);
	if (strcmp(verb, "replace") == 0)
		return kube_replace(client, &resource, namespace, name, body, object, err);
	if (strcmp(verb, "apply") == 0)
		return kube_apply(client, &resource, namespace, name, body, &apply, object, err);
	if (strcmp(verb, "merge") == 0)
		return kube_merge(client, &resource, namespace, name, sub, "driver", body, object, err);
	return kube_delete(client, &resource, namespace, name, &options, err);
}

static int run_requests(int argc, char **argv)
{
	struct kube_cluster *cluster = open_cluster(argv[2], argc, argv);
	struct kube_client *client = kube_client_new(cluster);
	char line[LINE_MAX_BYTES];

	kube_client_set_timeout(client, limit(argc, argv, "request_ms", KUBE_REQUEST_MS_DEFAULT));
	say("server %s namespace %s", kube_cluster_server(cluster), kube_cluster_namespace(cluster));
	while (read_line(line)) {
		json_t *command = json_loads(line, 0, NULL), *object = NULL;
		struct kube_error err;
		int outcome;

		if (command) {
			outcome = do_command(client, command, &object, &err);
			say_outcome(outcome, &err, object);
		} else if (strcmp(line, "metrics") == 0) {
			say_metrics(cluster);
		}
		json_decref(command);
	}
	kube_client_free(client);
	kube_cluster_free(cluster);
	say("stopped");
	return 0;
}

static bool take_body(void *context, const char *data, size_t size)
{
	buffer_append(context, data, size);
	return true;
}

static int run_pages(int argc, char **argv)
{
	struct pod_page_client *client = pod_page_client_new();
	size_t count = (size_t)argc - 4, begun = 0;
	struct pod_page *pages = calloc(count, sizeof(*pages)), *done;
	struct buffer *bodies = calloc(count, sizeof(*bodies));

	for (size_t i = 0; i < count; i++) {
		buffer_init(&bodies[i]);
		pages[i] = (struct pod_page){.url = argv[4 + i],
		                             .bytes_max = strtoul(argv[3], NULL, 10),
		                             .timeout_ms = (int)strtol(argv[2], NULL, 10),
		                             .take = take_body,
		                             .context = &bodies[i]};
	}
	for (size_t ended = 0; ended < count; ended += done != NULL) {
		while (begun < count && pod_page_begin(client, &pages[begun]))
			begun++;
		done = pod_page_done(client, 100);
	}
	for (size_t i = 0; i < count; i++) {
		say("%d %s", pages[i].http_status,
		    pages[i].http_status ? (bodies[i].data ? bodies[i].data : "") : pages[i].error.text);
		buffer_release(&bodies[i]);
	}
	free(bodies);
	free(pages);
	pod_page_client_free(client);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc >= 6 && strcmp(argv[1], "informer") == 0)
		return run_informer(argc, argv);
	if (argc >= 4 && strcmp(argv[1], "lease") == 0)
		return run_lease(argc, argv);
	if (argc >= 3 && strcmp(argv[1], "request") == 0)
		return run_requests(argc, argv);
	if (argc >= 5 && strcmp(argv[1], "pages") == 0)
		return run_pages(argc, argv);
	fprintf(stderr, "usage: see the head of the source\n");
	return 1;
}

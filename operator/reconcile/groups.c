#include "operator/reconcile/groups.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/text.h"
#include "lib/spec/field/job_id.h"
#include "operator/reconcile/steps.h"

#define WORDS_BYTES_MAX   500 /* of a Pushgateway group that is said */
#define HOST_BYTES_MAX    512
#define KEY_BYTES_MAX     2048
#define KAFKA_PORT        "9092"
#define CLUSTER_DOMAIN    ".cluster.local"
#define SERVICE_DOMAIN    ".svc"
#define NAMED_SHARERS_MAX 4 /* in a message; the rest is "and more" */

static void cut_end(char *text, const char *end)
{
	size_t size = strlen(text), end_size = strlen(end);

	if (size > end_size && !strcmp(text + size - end_size, end))
		text[size - end_size] = '\0';
}

/* Takes off, and what follows it, what a cut has left of a character: a key is text. */
static void cut_to_text(char *text)
{
	text[text_cut(text, strlen(text))] = '\0';
}

static bool is_address(const char *host)
{
	return host[0] == '[' || strspn(host, "0123456789.") == strlen(host);
}

/* "HOST[:PORT]" as everybody in the cluster would write it. */
static void normal_host(struct slice given, const char *port, const char *namespace, char ret_host[HOST_BYTES_MAX])
{
	char host[HOST_BYTES_MAX];
	char *colon;

	snprintf(host, sizeof(host), "%.*s", (int)given.size, given.data);
	for (char *c = host; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	colon = strrchr(host, ':');
	if (colon && !strchr(colon, ']')) {
		port = colon[1] ? colon + 1 : port;
		*colon = '\0';
	}
	cut_end(host, ".");
	cut_end(host, CLUSTER_DOMAIN);
	cut_end(host, SERVICE_DOMAIN);
	if (is_address(host) || strchr(host, '.') || !strcmp(host, "localhost"))
		snprintf(ret_host, HOST_BYTES_MAX, "%.300s:%.16s", host, port);
	else
		snprintf(ret_host, HOST_BYTES_MAX, "%.200s.%.63s:%.16s", host, namespace, port);
	cut_to_text(ret_host);
}

static struct slice trim(struct slice text)
{
	while (text.size && isspace((unsigned char)text.data[0])) {
		text.data++;
		text.size--;
	}
	while (text.size && isspace((unsigned char)text.data[text.size - 1]))
		text.size--;
	return text;
}

static void skip_scheme(struct slice *server)
{
	const char *end = memmem(server->data, server->size, "://", 3);

	if (!end)
		return;
	server->size -= (size_t)(end + 3 - server->data);
	server->data = end + 3;
}

/* "" where the source has none. */
static void consumer_group(const json_t *job, char ret_group[JOB_ID_MAX + 1])
{
	const json_t *kafka = object_at(job, "spec", "source", "kafka", NULL);
	const char *given = object_text(kafka, "groupId", NULL);

	ret_group[0] = '\0';
	if (given[0])
		snprintf(ret_group, JOB_ID_MAX + 1, "%s", given);
	else if (kafka)
		job_id(object_text(job, "metadata", "namespace", NULL), object_name(job), ret_group);
	cut_to_text(ret_group);
}

static void add_consumer(const json_t *job, json_t *groups)
{
	const char *servers = object_text(job, "spec", "source", "kafka", "bootstrapServers", NULL);
	const char *namespace = object_text(job, "metadata", "namespace", NULL);
	char group[JOB_ID_MAX + 1], host[HOST_BYTES_MAX], key[KEY_BYTES_MAX];

	consumer_group(job, group);
	while (*servers) {
		size_t size = strcspn(servers, ",");
		struct slice server = trim((struct slice){servers, size});

		skip_scheme(&server);
		if (server.size) {
			normal_host(server, KAFKA_PORT, namespace, host);
			snprintf(key, sizeof(key), GROUP_KEY_CONSUMER "%s %s", host, group);
			json_object_set_new(groups, key, json_sprintf("the consumer group %s at %s", group, host));
		}
		servers += size + (servers[size] == ',');
	}
}

/* "k=v,…", by the keys' order, without empty ones. */
static void print_labels(const json_t *labels, struct buffer *out)
{
	json_t *some = json_object(), *value;
	const char *key;
	char *text;

	json_object_foreach(object_borrow(labels), key, value)
	{
		if (json_string_length(value))
			json_object_set(some, key, value);
	}
	text = json_dumps(some, JSON_COMPACT | JSON_SORT_KEYS);
	buffer_append_text(out, text && json_object_size(some) ? text : "");
	free(text);
	json_decref(some);
}

static void add_gateway(const json_t *sink, const char *namespace, json_t *groups)
{
	const json_t *gateway = json_object_get(sink, "pushgateway");
	const char *url = object_text(gateway, "url", NULL);
	bool secure = !strncasecmp(url, "https://", 8);
	struct slice server = slice_of(url);
	const char *path;
	struct buffer key;
	char host[HOST_BYTES_MAX];

	if (!server.size)
		return;
	skip_scheme(&server);
	while (server.size && server.data[server.size - 1] == '/')
		server.size--;
	path = memchr(server.data, '/', server.size);
	path = path ? path : server.data + server.size;
	normal_host((struct slice){server.data, (size_t)(path - server.data)}, secure ? "443" : "80", namespace, host);
	buffer_init(&key);
	buffer_printf(&key, "%s%.*s job=%s", host, (int)(server.data + server.size - path), path,
	              object_text(gateway, "job", NULL));
	print_labels(json_object_get(gateway, "groupingKey"), &key);
	json_object_set_new(
	        groups, key.data,
	        json_sprintf("the Pushgateway group %.*s", (int)text_cut(key.data, WORDS_BYTES_MAX), key.data));
	buffer_release(&key);
}

json_t *groups_of(const json_t *job)
{
	json_t *groups = json_object(), *sink;
	size_t index;

	add_consumer(job, groups);
	json_array_foreach(object_at(job, "spec", "sinks", NULL), index, sink)
	{
		add_gateway(sink, object_text(job, "metadata", "namespace", NULL), groups);
	}
	return groups;
}

json_t *groups_rank(const json_t *job)
{
	const char *kept = object_text(job, "status", "consumerGroup", NULL);
	char group[JOB_ID_MAX + 1], own[JOB_ID_MAX + 1];

	consumer_group(job, group);
	job_id(object_text(job, "metadata", "namespace", NULL), object_name(job), own);
	return json_sprintf("%d%d %s %s/%s", group[0] && !strcmp(own, group) ? 0 : 1,
	                    group[0] && !strcmp(kept, group) ? 0 : 1,
	                    object_text(job, "metadata", "creationTimestamp", NULL),
	                    object_text(job, "metadata", "namespace", NULL), object_name(job));
}

static bool is_consumer(const json_t *sharer)
{
	return !strncmp(object_text(sharer, "key", NULL), GROUP_KEY_CONSUMER, sizeof(GROUP_KEY_CONSUMER) - 1);
}

const json_t *groups_holder(const struct view *view)
{
	size_t index;
	json_t *sharer;

	json_array_foreach(view->observed->sharers, index, sharer)
	{
		if (is_consumer(sharer) && json_is_true(json_object_get(sharer, "earlier")))
			return sharer;
	}
	return NULL;
}

json_t *groups_kept(const struct view *view)
{
	char group[JOB_ID_MAX + 1];

	consumer_group(view->job, group);
	return view->spec && group[0] && !groups_holder(view) ? json_string(group) : NULL;
}

bool groups_hold_back(const struct view *view)
{
	return view->spec && pods_wanted(view) > 0 && groups_holder(view) != NULL;
}

char *groups_words(const struct view *view)
{
	const json_t *sharers = view->observed->sharers;
	struct buffer words;
	size_t index;
	json_t *sharer;

	buffer_init(&words);
	json_array_foreach(sharers, index, sharer)
	{
		bool consumer = is_consumer(sharer), earlier = json_is_true(json_object_get(sharer, "earlier"));

		if (index == NAMED_SHARERS_MAX) {
			buffer_append_text(&words, "; and more");
			break;
		}
		buffer_printf(&words, "%s%s is named by the StreamJob %s too%s", index ? "; " : "",
		              object_text(sharer, "words", NULL), object_text(sharer, "job", NULL),
		              !consumer ? ", and each replaces what the other pushed"
		              : earlier ? ", and that one has it"
		                        : ", and this one has it");
	}
	buffer_append_text(&words, "");
	return buffer_take(&words);
}

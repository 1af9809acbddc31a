#include "runtime/kafka/progress.h"

#include <inttypes.h>
#include <stdio.h>

#include "lib/base/memory.h"
#include "runtime/kafka/client.h"

#define REQUEST_TIMEOUT_MS 10000
#define PREFIX             "streamjob "
#define VERSION            1

static void progress_format(const char *life, char text[PROGRESS_TEXT_MAX])
{
	snprintf(text, PROGRESS_TEXT_MAX, PREFIX "%d life=%s", VERSION, life);
}

/* -1 and why: another version's or somebody else's. No text at all: no life. */
static int progress_parse(struct slice text, char ret_life[LIFE_BYTES_MAX], struct error *err)
{
	char copy[PROGRESS_TEXT_MAX] = "", life[PROGRESS_TEXT_MAX];
	int version = 0, length = -1;

	if (!text.size) {
		ret_life[0] = '\0';
		return 0;
	}
	if (text.size < sizeof(copy))
		memcpy(copy, text.data, text.size);
	if (sscanf(copy, PREFIX "%d ", &version) == 1 && version > VERSION)
		return error_set(err, "it is of version %d, and this program knows version %d", version, VERSION);
	if (sscanf(copy, PREFIX "%d life=%127[0-9A-Za-z-]%n", &version, life, &length) != 2 || version != VERSION ||
	    length != (int)text.size || strlen(life) >= LIFE_BYTES_MAX)
		return error_set(err, "it is cut off or somebody else's");
	snprintf(ret_life, LIFE_BYTES_MAX, "%s", life);
	return 0;
}

rd_kafka_topic_partition_list_t *progress_list(const char *topic, const struct sink_held *held)
{
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_t *item = rd_kafka_topic_partition_list_add(list, topic, 0);
	char text[PROGRESS_TEXT_MAX];

	if (!held)
		return list;
	progress_format(held->life, text);
	item->offset = (int64_t)held->sequence;
	item->metadata = xstrdup(text); /* the list's */
	item->metadata_size = strlen(text);
	return list;
}

static enum progress_read take(const rd_kafka_topic_partition_t *item, const char *group, struct sink_held *ret_held,
                               struct error *err)
{
	struct sink_held held = {.sequence = item->offset < 0 ? 0 : (uint64_t)item->offset};
	struct error why;

	if (held.sequence && progress_parse((struct slice){item->metadata, item->metadata_size}, held.life, &why) < 0) {
		error_set(err,
		          "cannot go on from the metadata of group %s at partition 0 of topic %s: %s; run the version "
		          "that wrote it, or delete the group to begin anew",
		          group, item->topic, why.text);
		return PROGRESS_FOREIGN;
	}
	*ret_held = held;
	return PROGRESS_READ;
}

enum progress_read progress_read(const struct kafka_client *client, const char *group, const char *secrets_dir,
                                 bool stable, struct sink_held *ret_held, struct error *err)
{
	const struct setting settings[] = {
	        {"group.id", group}, {"isolation.level", stable ? "read_committed" : "read_uncommitted"}, {NULL, NULL}};
	const struct kafka_client plain = {.bootstrap_servers = client->bootstrap_servers,
	                                   .security = client->security};
	rd_kafka_conf_t *conf = client_conf(&plain, secrets_dir, settings, err);
	rd_kafka_t *consumer = conf ? client_new(RD_KAFKA_CONSUMER, conf, err) : NULL;
	rd_kafka_topic_partition_list_t *list;
	enum progress_read result;
	rd_kafka_resp_err_t code;

	if (!consumer)
		return PROGRESS_FAILED;
	list = progress_list(client->topic, NULL);
	code = watched(WATCH_SINK, "the request for the progress to", client_peer(client),
	               client_limit_ms(consumer, REQUEST_TIMEOUT_MS),
	               rd_kafka_committed(consumer, list, REQUEST_TIMEOUT_MS));
	if (!code)
		code = list->elems[0].err;
	result = code ? client_error(err, code, "cannot read the sink's progress")
	              : take(&list->elems[0], group, ret_held, err);
	rd_kafka_topic_partition_list_destroy(list);
	client_end(consumer, WATCH_SINK, client, 0);
	return result;
}

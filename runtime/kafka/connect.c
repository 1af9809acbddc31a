/* The handle of librdkafka and the topic: made at each try to start. */
#include "lib/base/log.h"
#include "runtime/kafka/source.h"

/* Small, so that records are still in the cache when a lane takes them: docs/decisions/fetch-sizes.md. */
static const struct setting *settings(const struct kafka_source *spec, struct setting *out)
{
	static const struct setting fixed[] = {
	        {"enable.auto.commit", "false"},
	        {"enable.auto.offset.store", "false"},
	        {"auto.offset.reset", "error"},
	        {"isolation.level", "read_committed"},
	        {"enable.partition.eof", "true"},
	        {"queued.max.messages.kbytes", "4096"},
	        {"queued.min.messages", "32768"},
	        {"fetch.message.max.bytes", "524288"},
	        {"fetch.max.bytes", "1048576"},
	        {"fetch.wait.max.ms", "50"},
	        {"fetch.error.backoff.ms", "100"},
	        {"reconnect.backoff.max.ms", "2000"},
	        {"topic.metadata.refresh.interval.ms", "60000"},
	        {"allow.auto.create.topics", "false"},
	};
	size_t count = sizeof(fixed) / sizeof(fixed[0]);

	memcpy(out, fixed, sizeof(fixed));
	out[count++] = (struct setting){"group.id", spec->group_id};
	out[count] = (struct setting){NULL, NULL};
	return out;
}

/* librdkafka's errors of the whole client; on the monitor's thread, which polls. */
static void client_failed(rd_kafka_t *rk, int code, const char *reason, void *context)
{
	struct kafka_reader *reader = context;

	(void)rk;
	pthread_mutex_lock(&reader->mutex);
	error_set(&reader->last_error, "%s: %s", rd_kafka_err2name((rd_kafka_resp_err_t)code), reason);
	pthread_mutex_unlock(&reader->mutex);
	log_debug("librdkafka error", "code=%s reason=\"%s\"", rd_kafka_err2name((rd_kafka_resp_err_t)code), reason);
}

int reader_connect(struct kafka_reader *reader, struct error *err)
{
	struct setting list[32];
	rd_kafka_conf_t *conf =
	        client_conf(&reader->spec->client, reader->secrets_dir, settings(reader->spec, list), err);

	if (!conf)
		return -1;
	pthread_mutex_lock(&reader->mutex);
	reader->last_error.text[0] = '\0'; /* of an earlier handle */
	pthread_mutex_unlock(&reader->mutex);
	rd_kafka_conf_set_opaque(conf, reader);
	rd_kafka_conf_set_error_cb(conf, client_failed);
	reader->rk = client_new(RD_KAFKA_CONSUMER, conf, err);
	if (!reader->rk)
		return -1;
	reader_wake_limits(reader);
	reader->fence =
	        fence_new(&reader->spec->client, reader->spec->group_id, reader->secrets_dir, reader->round_ms, err);
	if (!reader->fence)
		return -1;
	reader->topic = rd_kafka_topic_new(reader->rk, reader->spec->client.topic, NULL);
	return reader->topic ? 0 : client_error(err, rd_kafka_last_error(), "cannot use the topic");
}

void reader_disconnect(struct kafka_reader *reader)
{
	fence_free(reader->fence);
	if (reader->topic)
		rd_kafka_topic_destroy(reader->topic);
	if (reader->rk)
		client_end(reader->rk, WATCH_SOURCE, &reader->spec->client, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
	reader->fence = NULL;
	reader->topic = NULL;
	reader->rk = NULL;
}

/*
 * A broker's thread of librdkafka 2.0 asks for no more records while the lane's queue is at its limits
 * (rd_kafka_toppar_fetch_decide in rdkafka_fetcher.c), goes to sleep on its socket and, since nobody tells it that the
 * queue has been emptied, stays there for up to a second. So the lane wakes it each time it has taken half of what the
 * queue may hold. Of the public calls, the one that sets the credentials wakes all brokers' threads
 * (rd_kafka_all_brokers_wakeup) and does nothing else when they stay what they are.
 *
 * librdkafka 2.2 and later look again by themselves after fetch.queue.backoff.ms.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/kafka/source.h"

#define VALUE_BYTES_MAX 4096

static size_t number(const rd_kafka_conf_t *conf, const char *key)
{
	char text[VALUE_BYTES_MAX];
	size_t size = sizeof(text);

	if (rd_kafka_conf_get(conf, key, text, &size) != RD_KAFKA_CONF_OK)
		return 0;
	return strtoul(text, NULL, 10);
}

void reader_wake_limits(struct kafka_reader *reader)
{
	const rd_kafka_conf_t *conf = rd_kafka_conf(reader->rk);

	reader->wake_rows = number(conf, "queued.min.messages") / 2;
	reader->wake_bytes = number(conf, "queued.max.messages.kbytes") * 1024 / 2;
}

static void read_value(const rd_kafka_conf_t *conf, const char *key, char value[VALUE_BYTES_MAX])
{
	size_t size = VALUE_BYTES_MAX;

	if (rd_kafka_conf_get(conf, key, value, &size) != RD_KAFKA_CONF_OK)
		value[0] = '\0';
}

void reader_taken(struct kafka_reader *reader, struct kafka_lane *lane, size_t rows, size_t bytes)
{
	const rd_kafka_conf_t *conf;
	char username[VALUE_BYTES_MAX], password[VALUE_BYTES_MAX];

	lane->taken_rows += rows;
	lane->taken_bytes += bytes;
	if (lane->taken_rows <= reader->wake_rows && lane->taken_bytes <= reader->wake_bytes)
		return;
	lane->taken_rows = lane->taken_bytes = 0;
	conf = rd_kafka_conf(reader->rk);
	pthread_mutex_lock(&reader->mutex); /* the monitor changes the password */
	read_value(conf, "sasl.username", username);
	read_value(conf, "sasl.password", password);
	rd_kafka_error_destroy(rd_kafka_sasl_set_credentials(reader->rk, username, password));
	pthread_mutex_unlock(&reader->mutex);
	explicit_bzero(password, sizeof(password));
}

/*
 * The bare loop that the bench compares with: consumes ROWS records of a topic with librdkafka, with the properties and
 * the batches that the Kafka source uses, and only adds up their sizes, which it prints.
 *
 *   consume BROKER TOPIC PARTITIONS ROWS
 */
#include <inttypes.h>
#include <librdkafka/rdkafka.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BATCH_ROWS  1024
#define IDLE_MS_MAX 30000
#define WAIT_MS     100
#define ERROR_TEXT  512
#define BASE_TEN    10

static void set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
	char why[ERROR_TEXT];

	if (rd_kafka_conf_set(conf, key, value, why, sizeof(why)) != RD_KAFKA_CONF_OK) {
		fprintf(stderr, "consume: %s: %s\n", key, why);
		exit(2);
	}
}

static rd_kafka_t *connect_to(const char *broker)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[ERROR_TEXT];
	rd_kafka_t *rk;

	set(conf, "bootstrap.servers", broker);
	set(conf, "group.id", "bench-consume");
	set(conf, "enable.auto.commit", "false");
	set(conf, "enable.auto.offset.store", "false");
	set(conf, "isolation.level", "read_committed");
	set(conf, "queued.max.messages.kbytes", "4096");
	set(conf, "queued.min.messages", "32768");
	set(conf, "fetch.message.max.bytes", "524288");
	set(conf, "fetch.max.bytes", "1048576");
	set(conf, "fetch.wait.max.ms", "50");
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof(why));
	if (!rk) {
		fprintf(stderr, "consume: %s\n", why);
		exit(2);
	}
	return rk;
}

/* Adds up `rows` records; false when none comes for long. */
static bool consume(rd_kafka_queue_t *queue, int event_fd, uint64_t rows, uint64_t *ret_bytes)
{
	static rd_kafka_message_t *messages[BATCH_ROWS];
	int idle_ms = 0;

	while (rows && idle_ms < IDLE_MS_MAX) {
		ssize_t count = rd_kafka_consume_batch_queue(queue, 0, messages, BATCH_ROWS);
		uint64_t events;

		idle_ms = count > 0 ? 0 : idle_ms + WAIT_MS;
		if (count <= 0 && poll(&(struct pollfd){.fd = event_fd, .events = POLLIN}, 1, WAIT_MS) > 0 &&
		    read(event_fd, &events, sizeof(events)) < 0)
			return false;
		for (ssize_t i = 0; i < count; i++) {
			if (!messages[i]->err && rows) {
				*ret_bytes += messages[i]->len;
				rows--;
			}
			rd_kafka_message_destroy(messages[i]);
		}
	}
	return rows == 0;
}

int main(int argc, char **argv)
{
	rd_kafka_t *rk;
	rd_kafka_topic_t *topic;
	rd_kafka_queue_t *queue;
	int32_t partitions;
	int event_fd = eventfd(0, EFD_NONBLOCK);
	uint64_t bytes = 0;
	bool whole;

	if (argc != 5) {
		fputs("usage: consume BROKER TOPIC PARTITIONS ROWS\n", stderr);
		return 2;
	}
	partitions = (int32_t)strtol(argv[3], NULL, BASE_TEN);
	rk = connect_to(argv[1]);
	topic = rd_kafka_topic_new(rk, argv[2], NULL);
	queue = rd_kafka_queue_new(rk);
	rd_kafka_queue_io_event_enable(queue, event_fd, &(uint64_t){1}, sizeof(uint64_t));
	for (int32_t p = 0; p < partitions; p++)
		rd_kafka_consume_start_queue(topic, p, RD_KAFKA_OFFSET_BEGINNING, queue);
	whole = consume(queue, event_fd, strtoull(argv[4], NULL, BASE_TEN), &bytes);
	printf("%" PRIu64 "\n", bytes);
	fflush(stdout);
	/* What librdkafka does to close is no part of the loop. */
	_exit(whole ? 0 : 1);
}

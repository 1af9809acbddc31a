/* Kafka dead letters against librdkafka's own mock of a cluster: one that is too large is cut and kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "lib/base/memory.h"
#include "runtime/kafka/kafka.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define API_PRODUCE 0
#define TOO_LARGE   RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE
#define WAIT_MS     10000

static int64_t now_ms(void *context)
{
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
static const struct clock running = {now_ms, now_ms, NULL, NULL};
static struct stop stop = {.deadline_ms = INT64_MAX, .clock = &running};

static rd_kafka_t *carrier;
static rd_kafka_mock_cluster_t *cluster;
static char topic[32];
static struct kafka_client spec;

static int start_cluster(void **state)
{
	(void)state;
	carrier = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), NULL, 0);
	cluster = rd_kafka_mock_cluster_new(carrier, 1);
	return 0;
}

static int stop_cluster(void **state)
{
	(void)state;
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(carrier);
	return 0;
}

static struct dead_letter *open_letters(void)
{
	static int number;
	struct dead_letter *letters;
	struct error err;

	snprintf(topic, sizeof(topic), "dead-%d", number++);
	rd_kafka_mock_topic_create(cluster, topic, 1, 1);
	rd_kafka_mock_clear_request_errors(cluster, API_PRODUCE);
	spec = (struct kafka_client){.bootstrap_servers = rd_kafka_mock_cluster_bootstraps(cluster), .topic = topic};
	letters = kafka_dead_letter_new(&spec, "/nowhere");
	if (letters->ops->open(letters, &stop, &err) < 0)
		fail_msg("%s", err.text);
	return letters;
}

static void refuse(size_t times, rd_kafka_resp_err_t code)
{
	rd_kafka_resp_err_t codes[16];

	for (size_t i = 0; i < times; i++)
		codes[i] = code;
	rd_kafka_mock_push_request_errors_array(cluster, API_PRODUCE, times, codes);
}

/* Record `offset` of the topic, as "key bytes/value bytes header=text …"; "" where there is none. */
static void read_letter(int64_t offset, struct buffer *out)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_headers_t *headers;
	rd_kafka_message_t *message;
	const char *name;
	const void *value;
	size_t size;
	rd_kafka_t *rk;

	rd_kafka_conf_set(conf, "bootstrap.servers", spec.bootstrap_servers, NULL, 0);
	rd_kafka_conf_set(conf, "group.id", "reader", NULL, 0);
	rd_kafka_conf_set(conf, "enable.partition.eof", "true", NULL, 0);
	rd_kafka_conf_set(conf, "fetch.wait.max.ms", "10", NULL, 0);
	rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, NULL, 0);
	rd_kafka_topic_partition_list_add(list, topic, 0)->offset = offset;
	rd_kafka_assign(rk, list);
	rd_kafka_topic_partition_list_destroy(list);
	message = rd_kafka_consumer_poll(rk, WAIT_MS);
	assert_non_null(message);
	buffer_clear(out);
	buffer_append_text(out, "");
	if (!message->err) {
		buffer_printf(out, "%zu/%zu", message->key_len, message->len);
		if (rd_kafka_message_headers(message, &headers) == 0)
			for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == 0; i++)
				buffer_printf(out, " %s=%.*s", name, (int)size, (const char *)value);
	}
	rd_kafka_message_destroy(message);
	rd_kafka_consumer_close(rk);
	rd_kafka_destroy(rk);
}

#define PLACE " streamjob.topic=t streamjob.partition=3 streamjob.offset=42 streamjob.timestamp=5 streamjob.reason=bad"

/* `refusals`: how many requests the broker refuses before it takes one. */
static void too_large_test(void **state)
{
	static const struct {
		const char *name;
		size_t key, value, refusals;
		const char *expected;
	} cases[] = {
	        {"none is refused", 3, 100, 0, "3/100" PLACE},
	        {"a small one: its batch was too large", 3, 100, 1, "3/100" PLACE},
	        {"a small one, too large for the topic", 3, 100, 2,
	         "0/0" PLACE " streamjob.cut=100 streamjob.cut-key=3"},
	        {"a larger one", 3, 3000000, 1, "3/524288" PLACE " streamjob.cut=3000000"},
	        {"still too large", 3, 3000000, 2, "3/65536" PLACE " streamjob.cut=3000000"},
	        {"and still", 3, 3000000, 3, "3/4096" PLACE " streamjob.cut=3000000"},
	        {"nothing but its place", 3, 3000000, 4, "0/0" PLACE " streamjob.cut=3000000 streamjob.cut-key=3"},
	        {"a large key", 200000, 10, 1, "65536/10" PLACE " streamjob.cut-key=200000"},
	        {"more than the client sends", 3, 40000000, 0, "3/524288" PLACE " streamjob.cut=40000000"},
	        {"no key", 0, 600000, 1, "0/524288" PLACE " streamjob.cut=600000"},
	};
	char *bytes = xcalloc(1, 40000000);
	struct buffer found;

	(void)state;
	buffer_init(&found);
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct record record = {.key = {cases[i].key ? bytes : NULL, cases[i].key},
		                              .value = {bytes, cases[i].value},
		                              .partition = 3,
		                              .offset = 42,
		                              .timestamp_ms = 5};
		struct dead_letter *letters = open_letters();
		struct error err = {.text = ""};

		refuse(cases[i].refusals, TOO_LARGE);
		if (letters->ops->write(letters, &record, "t", "bad", &err) < 0 ||
		    letters->ops->flush(letters, &stop, &err) < 0)
			fail_msg("%s: %s", cases[i].name, err.text);
		read_letter(0, &found);
		if (strcmp(found.data, cases[i].expected) != 0)
			fail_msg("%s: %s", cases[i].name, found.data);
		read_letter(1, &found);
		if (found.size)
			fail_msg("%s: another one: %s", cases[i].name, found.data);
		letters->ops->close(letters);
	}
	buffer_release(&found);
	free(bytes);
}

/* What is refused in the end fails, and says of which record and what helps. */
static void refused_test(void **state)
{
	static const struct {
		rd_kafka_resp_err_t code;
		size_t times;
		const char *said;
	} cases[] = {
	        {TOO_LARGE, 5, "though it was cut to its headers; raise max.message.bytes of the topic"},
	        {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, 1, "grant Describe and Write on the topic"},
	        {RD_KAFKA_RESP_ERR_INVALID_RECORD, 1, "see what the topic's settings ask of its records"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		static char bytes[3000000];
		const struct record record = {.value = {bytes, sizeof(bytes)}, .partition = 3, .offset = 42};
		struct dead_letter *letters = open_letters();
		struct error err = {.text = ""};

		refuse(cases[i].times, cases[i].code);
		assert_true(letters->ops->write(letters, &record, "t", "bad", &err) < 0 ||
		            letters->ops->flush(letters, &stop, &err) < 0);
		if (!strstr(err.text, "the dead letter of the record of topic t, partition 3, offset 42: ") ||
		    !strstr(err.text, cases[i].said))
			fail_msg("%s", err.text);
		letters->ops->close(letters);
	}
}

/* Rows of a window, of which one is cut and the others are whole. */
static void rows_test(void **state)
{
	static const struct schema_column columns[] = {{"s", TYPE_STRING}};
	static const struct schema schema = {columns, 1};
	struct window_result result = {.end_ms = 1000, .sequence = 7, .schema = &schema};
	struct dead_letter *letters = open_letters();
	char *large = xcalloc(1, 100001);
	struct buffer found;
	struct error err;

	(void)state;
	memset(large, 'x', 100000);
	batch_init(&result.rows, &schema, NULL, 3);
	result.rows.rows = 3;
	for (size_t row = 0; row < 3; row++)
		column_set(&result.rows.columns[0], row,
		           (struct value){.type = TYPE_STRING, .string = slice_of(row == 1 ? large : "small")});
	assert_int_equal(letters->ops->write_rows(letters, &result, 0, 3, "pushgateway", "400", &err), 0);
	assert_int_equal(letters->ops->write_rows(letters, &result, 2, 1, "kafka out", "too large", &err), 0);
	assert_int_equal(letters->ops->flush(letters, &stop, &err), 0);
	buffer_init(&found);
	read_letter(3, &found);
	assert_non_null(strstr(found.data, "streamjob.sink=kafka out streamjob.sequence=7 streamjob.reason=too large"));
	read_letter(4, &found);
	assert_int_equal(found.size, 0);
	letters->ops->close(letters);
	buffer_release(&found);
	batch_release(&result.rows);
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(too_large_test), cmocka_unit_test(refused_test),
	                                   cmocka_unit_test(rows_test)};

	return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}

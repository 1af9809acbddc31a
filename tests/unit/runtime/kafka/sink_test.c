/* The Kafka sink against librdkafka's own mock of a cluster: lives, refusals, fences, the lease. */
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

#include "runtime/kafka/kafka.h"
#include "runtime/kafka/progress.h"
#include "runtime/kafka/refusal.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define GROUP       "streamjob.n.j.sink-0"
#define TIMEOUT_MS  10000

enum { API_PRODUCE = 0, API_OFFSET_FETCH = 9, API_INIT_PRODUCER_ID = 22, API_ADD_OFFSETS = 25, API_TXN_OFFSETS = 28 };

static int64_t now_ms(void *context)
{
	struct timespec now;

	(void)context;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
static const struct clock running = {now_ms, now_ms, NULL, NULL};
static struct stop stop;

static rd_kafka_t *carrier, *helper; /* the mock cluster is within the first one */
static rd_kafka_mock_cluster_t *cluster;
static char topic[32];
static struct kafka_sink_spec spec;
static const struct schema_column columns[] = {{"n", TYPE_BIGINT}};
static const struct schema schema = {columns, 1};
static struct buffer left_out;

static rd_kafka_t *client(rd_kafka_type_t type, const char *group)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	char why[512];
	rd_kafka_t *rk;

	if (cluster)
		rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(cluster), NULL, 0);
	if (group)
		rd_kafka_conf_set(conf, "group.id", group, NULL, 0);
	rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
	rk = rd_kafka_new(type, conf, why, sizeof(why));
	if (!rk)
		fail_msg("%s", why);
	return rk;
}

static int start_cluster(void **state)
{
	(void)state;
	buffer_init(&left_out);
	carrier = client(RD_KAFKA_PRODUCER, NULL);
	cluster = rd_kafka_mock_cluster_new(carrier, 1);
	helper = client(RD_KAFKA_PRODUCER, NULL);
	return 0;
}

static int stop_cluster(void **state)
{
	(void)state;
	rd_kafka_destroy(helper);
	rd_kafka_mock_cluster_destroy(cluster);
	rd_kafka_destroy(carrier);
	buffer_release(&left_out);
	return 0;
}

/* Each test has a topic of its own, and the group holds something for each. */
static int set_up(void **state)
{
	static int number;

	(void)state;
	snprintf(topic, sizeof(topic), "out-%d", number++);
	rd_kafka_mock_topic_create(cluster, topic, 1, 1);
	spec = (struct kafka_sink_spec){
	        .client = {.bootstrap_servers = rd_kafka_mock_cluster_bootstraps(cluster), .topic = topic}};
	stop = (struct stop){.deadline_ms = INT64_MAX, .clock = &running};
	return 0;
}

/* What the group says. The mock takes the offsets of a transaction and does not keep them, so a test that goes on from
 * them has to; test_kafka_sink.py sees them kept by a broker. */
static void hold(const char *metadata, int64_t sequence)
{
	rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, GROUP);
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_topic_partition_t *item = rd_kafka_topic_partition_list_add(list, topic, 0);

	item->offset = sequence;
	item->metadata = metadata ? strdup(metadata) : NULL;
	item->metadata_size = metadata ? strlen(metadata) : 0;
	assert_int_equal(rd_kafka_commit(rk, list, 0), 0);
	rd_kafka_topic_partition_list_destroy(list);
	rd_kafka_destroy(rk);
}

/* How many records the topic has; those of aborted transactions too, which the mock does not tell apart. */
static int64_t records(void)
{
	int64_t low, high;

	assert_int_equal(rd_kafka_query_watermark_offsets(helper, topic, 0, &low, &high, TIMEOUT_MS), 0);
	return high;
}

static void note_left_out(void *context, const struct window_result *result, size_t row, const char *reason)
{
	(void)context;
	(void)result;
	buffer_printf(&left_out, "%zu %s\n", row, reason);
}

static struct sink *new_sink(void)
{
	struct sink *sink = kafka_sink_new(&spec, GROUP, "/nowhere");

	sink->leave_out = note_left_out;
	buffer_clear(&left_out);
	return sink;
}

static struct sink *open_sink(const char *life, uint64_t next, bool pending)
{
	struct sink_start start = {.next_sequence = next, .pending = pending, .resumable = true};
	struct sink *sink = new_sink();
	struct error err;

	snprintf(start.life, sizeof(start.life), "%s", life);
	if (sink->ops->open(sink, &start, &stop, &err) < 0)
		fail_msg("%s", err.text);
	return sink;
}

static enum sink_outcome write_window(struct sink *sink, uint64_t sequence, size_t rows, struct error *err)
{
	struct window_result result = {.end_ms = 1000, .sequence = sequence, .schema = &schema, .keys_count = 1};
	enum sink_outcome outcome;

	batch_init(&result.rows, &schema, NULL, rows + 1);
	result.rows.rows = rows;
	for (size_t i = 0; i < rows; i++)
		column_set(&result.rows.columns[0], i, (struct value){.type = TYPE_BIGINT, .bigint = (int64_t)i});
	outcome = sink->ops->write(sink, &result, &stop, err);
	batch_release(&result.rows);
	return outcome;
}

static void must_write(const char *name, struct sink *sink, uint64_t sequence, size_t rows)
{
	struct error err = {.text = ""};

	if (write_window(sink, sequence, rows, &err) != SINK_ACCEPTED)
		fail_msg("%s: window %llu: %s", name, (unsigned long long)sequence, err.text);
}

/* A number belongs to a life. The job's next window is 5. */
static void lives_test(void **state)
{
	static const struct {
		const char *name, *metadata;
		int64_t sequence;
		bool pending, has;
	} cases[] = {
	        {"same life, pending, below", "streamjob 1 life=a", 4, true, false},
	        {"same life, pending, equal", "streamjob 1 life=a", 5, true, true},
	        {"same life, pending, above", "streamjob 1 life=a", 6, true, false},
	        {"same life, not pending, below", "streamjob 1 life=a", 4, false, false},
	        {"same life, not pending, equal", "streamjob 1 life=a", 5, false, false},
	        {"same life, not pending, above", "streamjob 1 life=a", 6, false, false},
	        {"other life, pending, below", "streamjob 1 life=b", 4, true, false},
	        {"other life, pending, equal", "streamjob 1 life=b", 5, true, false},
	        {"other life, pending, above", "streamjob 1 life=b", 6, true, false},
	        {"other life, not pending, below", "streamjob 1 life=b", 4, false, false},
	        {"other life, not pending, equal", "streamjob 1 life=b", 5, false, false},
	        {"other life, not pending, above", "streamjob 1 life=b", 6, false, false},
	        {"no life, pending", NULL, 5, true, false},
	        {"no life, not pending", NULL, 5, false, false},
	        {"nothing, pending", NULL, -1, true, false},
	        {"nothing, not pending", NULL, -1, false, false},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		int64_t before;
		struct sink *sink;

		set_up(NULL);
		if (cases[i].sequence >= 0)
			hold(cases[i].metadata, cases[i].sequence);
		sink = open_sink("a", 5, cases[i].pending);
		before = records();
		must_write(cases[i].name, sink, 5, 2);
		if (records() - before != (cases[i].has ? 0 : 2))
			fail_msg("%s: %lld records", cases[i].name, (long long)(records() - before));
		must_write(cases[i].name, sink, 5, 2); /* once more: it is there */
		must_write(cases[i].name, sink, 6, 1);
		if (records() - before != (cases[i].has ? 1 : 3))
			fail_msg("%s: %lld records in the end", cases[i].name, (long long)(records() - before));
		sink->ops->close(sink);
	}
}

/* What another version or somebody else left: the start fails with words, nothing is written. */
static void foreign_test(void **state)
{
	static const struct {
		const char *metadata, *said;
	} cases[] = {
	        {"streamjob 2 life=a", "it is of version 2, and this program knows version 1"},
	        {"streamjob 2 epoch=7 lives=a,b", "it is of version 2, and this program knows version 1"},
	        {"streamjob 1 life=", "it is cut off or somebody else's"},
	        {"streamjob 1 li", "it is cut off or somebody else's"},
	        {"streamjob 1 life=a more", "it is cut off or somebody else's"},
	        {"streamjob 0 life=a", "it is cut off or somebody else's"},
	        {"host-7", "it is cut off or somebody else's"},
	        {"streamjob 1 life=a234567890123456789012345678901234567890", "it is cut off or somebody else's"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct sink_start start = {.life = "a", .next_sequence = 5, .pending = true, .resumable = true};
		struct sink *sink;
		struct sink_held held;
		struct error err = {.text = ""};

		set_up(NULL);
		hold(cases[i].metadata, 5);
		sink = new_sink();
		assert_int_equal(sink->ops->inspect(sink, &stop, &held, &err), -2);
		assert_int_equal(sink->ops->open(sink, &start, &stop, &err), -1);
		if (!strstr(err.text, cases[i].said) || !strstr(err.text, GROUP) || !strstr(err.text, "begin anew"))
			fail_msg("%s: %s", cases[i].metadata, err.text);
		assert_int_equal(records(), 0);
		sink->ops->close(sink);
	}
}

/* A row that the topic does not take costs no other one. The mock refuses the requests that it is told to. */
static void row_refused_test(void **state)
{
	static const rd_kafka_resp_err_t codes[] = {
	        RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE,
	        RD_KAFKA_RESP_ERR_INVALID_RECORD, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP};

	(void)state;
	for (size_t i = 0; i < COUNT(codes); i++) {
		struct sink *sink;
		char expected[256];

		set_up(NULL);
		sink = open_sink("a", 1, false);
		rd_kafka_mock_clear_request_errors(cluster, API_PRODUCE);
		/* The batch of both, then the first of them alone. */
		rd_kafka_mock_push_request_errors(cluster, API_PRODUCE, 2, codes[i], codes[i]);
		must_write("a row is refused", sink, 1, 1);
		snprintf(expected, sizeof(expected), "0 topic %s does not take the row: %s; %s\n", topic,
		         rd_kafka_err2str(codes[i]), refusal_cure(codes[i]));
		assert_string_equal(left_out.data, expected);
		assert_int_equal(records(), 0);
		buffer_clear(&left_out);
		must_write("the next window", sink, 2, 3);
		assert_int_equal(left_out.size, 0);
		assert_int_equal(records(), 3);
		sink->ops->close(sink);
	}
}

/* Each row is taken, but not a batch of them. */
static void batch_refused_test(void **state)
{
	struct sink *sink = open_sink("a", 1, false);

	(void)state;
	rd_kafka_mock_clear_request_errors(cluster, API_PRODUCE);
	rd_kafka_mock_push_request_errors(cluster, API_PRODUCE, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	must_write("a batch is refused", sink, 1, 5);
	assert_int_equal(left_out.size, 0);
	assert_int_equal(records(), 5);
	sink->ops->close(sink);
}

static void row_refused_fails_test(void **state)
{
	struct sink *sink;
	struct error err;

	(void)state;
	spec.on_rejected = REJECTED_FAIL;
	sink = open_sink("a", 1, false);
	assert_true(sink->fail_on_rejected);
	rd_kafka_mock_clear_request_errors(cluster, API_PRODUCE);
	rd_kafka_mock_push_request_errors(cluster, API_PRODUCE, 2, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE,
	                                  RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
	assert_int_equal(write_window(sink, 1, 1, &err), SINK_REJECTED);
	assert_non_null(strstr(err.text, "raise max.message.bytes of the topic"));
	sink->ops->close(sink);
}

/* What refuses every window, and what may pass. */
static void window_test(void **state)
{
	static const struct {
		const char *name;
		int16_t api;
		rd_kafka_resp_err_t code;
		enum sink_outcome outcome;
	} cases[] = {
	        {"no right to the topic", API_PRODUCE, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, SINK_REJECTED},
	        {"a policy", API_PRODUCE, RD_KAFKA_RESP_ERR_POLICY_VIOLATION, SINK_REJECTED},
	        {"a wrong topic", API_PRODUCE, RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, SINK_REJECTED},
	        {"no right to the id", API_INIT_PRODUCER_ID, RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
	         SINK_REJECTED},
	        {"no right to the group", API_ADD_OFFSETS, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, SINK_REJECTED},
	        {"no such topic", API_TXN_OFFSETS, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, SINK_REJECTED},
	        {"fenced, by nobody", API_TXN_OFFSETS, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH, SINK_RETRY},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct sink *sink;
		struct error err = {.text = ""};

		set_up(NULL);
		sink = open_sink("a", 1, false);
		rd_kafka_mock_clear_request_errors(cluster, cases[i].api);
		rd_kafka_mock_push_request_errors(cluster, cases[i].api, 1, cases[i].code);
		if (write_window(sink, 1, 2, &err) != cases[i].outcome)
			fail_msg("%s: another outcome: %s", cases[i].name, err.text);
		if (!strstr(err.text, topic) && !strstr(err.text, "progress"))
			fail_msg("%s: %s", cases[i].name, err.text);
		rd_kafka_mock_clear_request_errors(cluster, cases[i].api);
		must_write(cases[i].name, sink, 2, 2);
		sink->ops->close(sink);
	}
}

static void classes_test(void **state)
{
	static const struct {
		rd_kafka_resp_err_t code;
		enum refusal refusal;
	} cases[] = {
	        {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, REFUSAL_RECORD},
	        {RD_KAFKA_RESP_ERR_INVALID_RECORD, REFUSAL_RECORD},
	        {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, REFUSAL_ALL},
	        {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, REFUSAL_ALL},
	        {RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT, REFUSAL_ALL},
	        {RD_KAFKA_RESP_ERR__TRANSPORT, REFUSAL_NONE},
	        {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, REFUSAL_NONE},
	        {RD_KAFKA_RESP_ERR__AUTHENTICATION, REFUSAL_NONE}, /* a secret may be mended */
	        {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, REFUSAL_NONE},
	        {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, REFUSAL_NONE},
	        {RD_KAFKA_RESP_ERR_INVALID_MSG, REFUSAL_NONE}, /* a checksum that is wrong: damaged on its way */
	        {RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, REFUSAL_NONE},
	        {RD_KAFKA_RESP_ERR_INVALID_PRODUCER_ID_MAPPING, REFUSAL_NONE},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (refusal_of(cases[i].code) != cases[i].refusal)
			fail_msg("%s: another class", rd_kafka_err2name(cases[i].code));
}

/* The lease: who has lost the job does not take the sink, and who has it takes it again. */
struct owner {
	struct lease lease;
	enum renewed answer;
	int asked;
};

static enum renewed renew(void *context, struct error *err)
{
	struct owner *owner = context;

	owner->asked++;
	if (owner->answer != RENEWED)
		error_set(err, "the broker does not answer");
	return owner->answer;
}

static void own(struct owner *owner, struct sink *sink, enum renewed answer)
{
	*owner = (struct owner){.lease = {.clock = &running, .renew = renew}, .answer = answer};
	owner->lease.context = owner;
	sink->lease = &owner->lease;
}

/* The mock lets two producers of one id live; here it says what a broker says to the older one. */
static void fence(void)
{
	rd_kafka_mock_clear_request_errors(cluster, API_TXN_OFFSETS);
	rd_kafka_mock_push_request_errors(cluster, API_TXN_OFFSETS, 1, RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH);
}

static void lease_test(void **state)
{
	struct sink *sink = open_sink("a", 1, false);
	struct owner owner;
	struct error err;

	(void)state;
	own(&owner, sink, RENEWED_NOT);
	assert_int_equal(write_window(sink, 1, 1, &err), SINK_RETRY);
	assert_non_null(strstr(err.text, "lease cannot be renewed: the broker does not answer"));
	owner.answer = RENEWED_FENCED;
	assert_int_equal(write_window(sink, 1, 1, &err), SINK_FENCED);
	assert_int_equal(records(), 0);
	owner.answer = RENEWED;
	must_write("the owner", sink, 1, 1);
	sink->ops->close(sink);
	/* One that was begun before the job was lost: the newer process has written the window, under this life. */
	sink = open_sink("a", 2, false);
	own(&owner, sink, RENEWED);
	hold("streamjob 1 life=a", 2);
	must_write("it is there already", sink, 2, 1);
	assert_int_equal(records(), 1);
	sink->ops->close(sink);
}

/* A producer that is fenced asks whose the job is. */
static void fenced_test(void **state)
{
	struct sink *sink = open_sink("a", 1, false);
	struct owner owner;
	struct error err;

	(void)state;
	own(&owner, sink, RENEWED);
	atomic_store(&owner.lease.until_ms, INT64_MAX); /* held, as far as this process knows */
	fence();
	assert_int_equal(write_window(sink, 1, 1, &err), SINK_RETRY);
	assert_int_equal(owner.asked, 1);
	must_write("the owner takes it again", sink, 1, 1);
	fence();
	owner.answer = RENEWED_FENCED;
	assert_int_equal(write_window(sink, 2, 1, &err), SINK_FENCED);
	sink->ops->close(sink);
	/* Nobody to ask: the broker may have ended it once; twice it is another process. */
	sink = open_sink("a", 2, false);
	fence();
	assert_int_equal(write_window(sink, 2, 1, &err), SINK_RETRY);
	fence();
	assert_int_equal(write_window(sink, 2, 1, &err), SINK_REJECTED);
	assert_true(sink->fail_on_rejected);
	assert_non_null(strstr(err.text, "another process of this job writes this sink"));
	sink->ops->close(sink);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup(test, set_up)
	const struct CMUnitTest tests[] = {
	        CASE(lives_test),         CASE(foreign_test), CASE(row_refused_test),
	        CASE(batch_refused_test), CASE(window_test),  CASE(row_refused_fails_test),
	        CASE(classes_test),       CASE(lease_test),   CASE(fenced_test),
	};

	return cmocka_run_group_tests(tests, start_cluster, stop_cluster);
}

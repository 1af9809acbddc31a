/* Lines of the log: logfmt, JSON, levels, the rate limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <jansson.h>
#include <pthread.h>

#include "lib/base/buffer.h"
#include "lib/base/log.h"

static struct buffer written;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int64_t now_ms;

static void take(void *context, const char *line, size_t size)
{
	(void)context;
	pthread_mutex_lock(&lock);
	buffer_append(&written, line, size);
	pthread_mutex_unlock(&lock);
}

static int64_t clock_ms(void *context)
{
	(void)context;
	return now_ms;
}

static void install(bool json, enum log_level level)
{
	struct log_output output = {.write = take, .wall_ms = clock_ms, .json = json, .level = level};

	buffer_clear(&written);
	buffer_append_text(&written, "");
	log_install(&output);
}

/* Each case has a place of its own, so that none is limited by another. */
static void write_one(const char *message, const char *pairs)
{
	struct log_site site = {0};

	log_write(&site, LOG_LEVEL_INFO, message, "%s", pairs);
}

static void not_installed_test(void **state)
{
	(void)state;
	write_one("nothing", "a=1"); /* goes nowhere, and does not crash */
}

#define HEAD      "time=1700000000.042 level=info msg="
#define JSON_HEAD "{\"time\":1700000000.042,\"level\":\"info\",\"msg\":"

static void format_test(void **state)
{
	static const struct {
		const char *message, *pairs, *logfmt, *json;
	} cases[] = {
	        {"hello", "", HEAD "\"hello\"\n", JSON_HEAD "\"hello\"}\n"},
	        {"window pushed", "sequence=12 rows=0", HEAD "\"window pushed\" sequence=12 rows=0\n",
	         JSON_HEAD "\"window pushed\",\"sequence\":12,\"rows\":0}\n"},
	        {"a", "x=1.5 y=-3 z=1e5", HEAD "\"a\" x=1.5 y=-3 z=1e5\n",
	         JSON_HEAD "\"a\",\"x\":1.5,\"y\":-3,\"z\":\"1e5\"}\n"},
	        {"identities are no numbers", "id=007 n=12345678901234567890 v=1.2.3",
	         HEAD "\"identities are no numbers\" id=007 n=12345678901234567890 v=1.2.3\n",
	         JSON_HEAD
	         "\"identities are no numbers\",\"id\":\"007\",\"n\":\"12345678901234567890\",\"v\":\"1.2.3\"}\n"},
	        {"quoted", "error=\"cannot read\" n=\"5\"", HEAD "\"quoted\" error=\"cannot read\" n=\"5\"\n",
	         JSON_HEAD "\"quoted\",\"error\":\"cannot read\",\"n\":\"5\"}\n"},
	        {"quotes inside", "error=\"cannot open \"a.yaml\"\" code=2",
	         HEAD "\"quotes inside\" error=\"cannot open \\\"a.yaml\\\"\" code=2\n",
	         JSON_HEAD "\"quotes inside\",\"error\":\"cannot open \\\"a.yaml\\\"\",\"code\":2}\n"},
	        {"backslash", "path=\"C:\\x\"", HEAD "\"backslash\" path=\"C:\\\\x\"\n",
	         JSON_HEAD "\"backslash\",\"path\":\"C:\\\\x\"}\n"},
	        {"one line", "error=\"a\nb\tc\"", HEAD "\"one line\" error=\"a b c\"\n",
	         JSON_HEAD "\"one line\",\"error\":\"a b c\"}\n"},
	        {"equals inside", "error=\"a = b=c d\" n=1", HEAD "\"equals inside\" error=\"a = b=c d\" n=1\n",
	         JSON_HEAD "\"equals inside\",\"error\":\"a = b=c d\",\"n\":1}\n"},
	        {"an open quote", "error=\"cut", HEAD "\"an open quote\" error=\"cut\"\n",
	         JSON_HEAD "\"an open quote\",\"error\":\"cut\"}\n"},
	        {"nothing", "a= b=\"\"", HEAD "\"nothing\" a= b=\"\"\n",
	         JSON_HEAD "\"nothing\",\"a\":\"\",\"b\":\"\"}\n"},
	        {"a \"message\"", "", HEAD "\"a \\\"message\\\"\"\n", JSON_HEAD "\"a \\\"message\\\"\"}\n"},
	        {"no UTF-8", "x=\"\xff\"", HEAD "\"no UTF-8\" x=\"\xff\"\n",
	         JSON_HEAD "\"no UTF-8\",\"x\":\"\xef\xbf\xbd\"}\n"},
	};

	(void)state;
	now_ms = 1700000000042;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		json_t *json;

		install(false, LOG_LEVEL_INFO);
		write_one(cases[c].message, cases[c].pairs);
		if (strcmp(written.data, cases[c].logfmt) != 0)
			fail_msg("%s: found %s, expected %s", cases[c].message, written.data, cases[c].logfmt);
		install(true, LOG_LEVEL_INFO);
		write_one(cases[c].message, cases[c].pairs);
		if (strcmp(written.data, cases[c].json) != 0)
			fail_msg("%s: found %s, expected %s", cases[c].message, written.data, cases[c].json);
		json = json_loads(written.data, JSON_REJECT_DUPLICATES, NULL);
		if (!json)
			fail_msg("%s: is not JSON: %s", cases[c].message, written.data);
		json_decref(json);
	}
}

/* A line is whole however long its values are, and one line. */
static void long_line_test(void **state)
{
	char *text = malloc(100001);

	(void)state;
	memset(text, '"', 100000);
	text[100000] = '\0';
	for (int json = 0; json < 2; json++) {
		struct log_site site = {0};
		json_t *parsed;

		install(json, LOG_LEVEL_INFO);
		log_write(&site, LOG_LEVEL_INFO, "long", "error=\"%s\" last=1", text);
		assert_true(written.size > LOG_LINE_MAX / 2 && written.size < 3 * LOG_LINE_MAX);
		assert_ptr_equal(strchr(written.data, '\n'), written.data + written.size - 1);
		if (!json)
			continue;
		parsed = json_loads(written.data, 0, NULL);
		assert_non_null(parsed);
		json_decref(parsed);
	}
	free(text);
}

static void level_test(void **state)
{
	static const char *const names[] = {"debug", "info", "warn", "error"};
	enum log_level level;

	(void)state;
	for (int least = LOG_LEVEL_DEBUG; least <= LOG_LEVEL_ERROR; least++) {
		assert_true(log_level_parse(names[least], &level));
		assert_int_equal(level, least);
		for (int at = LOG_LEVEL_DEBUG; at <= LOG_LEVEL_ERROR; at++) {
			struct log_site site = {0};

			install(false, (enum log_level)least);
			log_write(&site, (enum log_level)at, "m", "%s", "");
			assert_int_equal(written.size > 0, at >= least);
			if (written.size)
				assert_non_null(strstr(written.data, names[at]));
		}
	}
	assert_false(log_level_parse("INFO", &level));
	assert_false(log_level_parse("", &level));
	assert_false(log_level_parse("warning", &level));
}

static void format_name_test(void **state)
{
	static const struct {
		const char *name;
		int json; /* -1: none of them */
	} cases[] = {{"json", 1}, {"logfmt", 0}, {"JSON", -1}, {"", -1}, {"xml", -1}};

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		bool json = cases[c].json == 0;

		if (log_format_parse(cases[c].name, &json) != (cases[c].json >= 0) || json != (cases[c].json == 1))
			fail_msg("\"%s\": json=%d", cases[c].name, json);
	}
}

static size_t lines(void)
{
	size_t count = 0;

	for (size_t i = 0; i < written.size; i++)
		count += written.data[i] == '\n';
	return count;
}

static void rate_limit_test(void **state)
{
	struct log_site site = {0}, other = {0};

	(void)state;
	now_ms = 5000;
	install(false, LOG_LEVEL_INFO);
	for (int i = 0; i < 25; i++)
		log_write(&site, LOG_LEVEL_INFO, "again", "i=%d", i);
	assert_int_equal(lines(), LOG_REPEATS_MAX);
	log_write(&other, LOG_LEVEL_INFO, "another place", "%s", "");
	assert_int_equal(lines(), LOG_REPEATS_MAX + 1);
	now_ms = 5999;
	log_write(&site, LOG_LEVEL_INFO, "same second", "%s", "");
	assert_int_equal(lines(), LOG_REPEATS_MAX + 1);
	now_ms = 6000;
	install(false, LOG_LEVEL_INFO);
	log_write(&site, LOG_LEVEL_INFO, "next second", "i=%d", 1);
	assert_string_equal(written.data, "time=6.000 level=info msg=\"next second\" i=1 repeats_kept_back=16\n");
	install(true, LOG_LEVEL_INFO);
	log_write(&site, LOG_LEVEL_INFO, "said once", "i=%d", 2);
	assert_null(strstr(written.data, "repeats_kept_back"));
	for (int i = 0; i < 20; i++)
		log_write(&site, LOG_LEVEL_INFO, "again", "i=%d", i);
	now_ms = 60000;
	install(true, LOG_LEVEL_INFO);
	log_write(&site, LOG_LEVEL_INFO, "later", "%s", "");
	assert_string_equal(written.data,
	                    "{\"time\":60.000,\"level\":\"info\",\"msg\":\"later\",\"repeats_kept_back\":12}\n");
}

/* What the level leaves out does not count. */
static void rate_limit_level_test(void **state)
{
	struct log_site site = {0};

	(void)state;
	install(false, LOG_LEVEL_INFO);
	for (int i = 0; i < 100; i++)
		log_write(&site, LOG_LEVEL_DEBUG, "left out", "%s", "");
	log_write(&site, LOG_LEVEL_INFO, "there", "%s", "");
	assert_int_equal(lines(), 1);
}

#define THREADS 4
#define EACH    500

static void *write_many(void *context)
{
	for (int i = 0; i < EACH; i++) {
		struct log_site own = {0};

		log_write(&own, LOG_LEVEL_INFO, "mine", "error=\"%s\"", "quoted \"text\"");
		log_write(context, LOG_LEVEL_INFO, "ours", "i=%d", i);
	}
	return NULL;
}

static void threads_test(void **state)
{
	struct log_site shared = {0};
	pthread_t threads[THREADS];
	size_t whole = 0;

	(void)state;
	now_ms = 7000;
	install(false, LOG_LEVEL_INFO);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, write_many, &shared), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	for (const char *at = written.data; (at = strstr(at, "time=7.000 level=info msg=")); at++)
		whole++;
	assert_int_equal(whole, lines());
	/* The first line of a second may be counted twice where threads race for it. */
	assert_in_range(lines(), THREADS * EACH + 1, THREADS * EACH + LOG_REPEATS_MAX + THREADS);
}

static int release(void **state)
{
	(void)state;
	buffer_release(&written);
	return 0;
}

static int prepare(void **state)
{
	(void)state;
	buffer_init(&written);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(not_installed_test),    cmocka_unit_test(format_test),
	        cmocka_unit_test(long_line_test),        cmocka_unit_test(level_test),
	        cmocka_unit_test(format_name_test),      cmocka_unit_test(rate_limit_test),
	        cmocka_unit_test(rate_limit_level_test), cmocka_unit_test(threads_test),
	};

	return cmocka_run_group_tests(tests, prepare, release);
}

/* Lines of the log: logfmt, JSON, levels, the rate limit. */
#include <setjmp.h>
#include <stdarg.h>
#include <limits.h>
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
#include "lib/base/text.h"

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
static void write_one(const char *message, const char *format, const char *value)
{
	struct log_site site = {0};

	log_write(&site, LOG_LEVEL_INFO, message, format, value);
}

static void not_installed_test(void **state)
{
	(void)state;
	write_one("nothing", "a=%s", "1"); /* goes nowhere, and does not crash */
}

#define HEAD      "time=1700000000.042 level=info msg="
#define JSON_HEAD "{\"time\":1700000000.042,\"level\":\"info\",\"msg\":"

static void format_test(void **state)
{
	static const struct {
		const char *message, *format, *value, *logfmt, *json;
	} cases[] = {
	        {"window pushed", "sequence=12 rows=0 how=%s", "late",
	         HEAD "\"window pushed\" sequence=12 rows=0 how=late\n",
	         JSON_HEAD "\"window pushed\",\"sequence\":12,\"rows\":0,\"how\":\"late\"}\n"},
	        {"a", "x=1.5 y=-3 z=1e5 p=5%%", "", HEAD "\"a\" x=1.5 y=-3 z=1e5 p=5%\n",
	         JSON_HEAD "\"a\",\"x\":1.5,\"y\":-3,\"z\":\"1e5\",\"p\":\"5%\"}\n"},
	        {"identities are no numbers", "id=007 n=12345678901234567890 v=%s", "12",
	         HEAD "\"identities are no numbers\" id=007 n=12345678901234567890 v=12\n",
	         JSON_HEAD
	         "\"identities are no numbers\",\"id\":\"007\",\"n\":\"12345678901234567890\",\"v\":\"12\"}\n"},
	        {"quoted", "error=\"%s\" n=\"5\"", "cannot read", HEAD "\"quoted\" error=\"cannot read\" n=\"5\"\n",
	         JSON_HEAD "\"quoted\",\"error\":\"cannot read\",\"n\":\"5\"}\n"},
	        {"quotes inside", "error=\"%s\" code=2", "cannot open \"a.yaml\"",
	         HEAD "\"quotes inside\" error=\"cannot open \\\"a.yaml\\\"\" code=2\n",
	         JSON_HEAD "\"quotes inside\",\"error\":\"cannot open \\\"a.yaml\\\"\",\"code\":2}\n"},
	        {"text around", "error=\"in %s!\"", "a=\"b\"", HEAD "\"text around\" error=\"in a=\\\"b\\\"!\"\n",
	         JSON_HEAD "\"text around\",\"error\":\"in a=\\\"b\\\"!\"}\n"},
	        {"a forged level", "text=\"%s\" n=1", "hi\" level=error msg=\"window accepted\" sequence=99",
	         HEAD "\"a forged level\" text=\"hi\\\" level=error msg=\\\"window accepted\\\" sequence=99\" n=1\n",
	         JSON_HEAD "\"a forged level\",\"text\":\"hi\\\" level=error msg=\\\"window accepted\\\" "
	                   "sequence=99\",\"n\":1}\n"},
	        {"forged without quotes", "function=%s n=1", "f level=error",
	         HEAD "\"forged without quotes\" function=\"f level=error\" n=1\n",
	         JSON_HEAD "\"forged without quotes\",\"function\":\"f level=error\",\"n\":1}\n"},
	        {"backslash", "path=\"%s\" b=1", "C:\\", HEAD "\"backslash\" path=\"C:\\\\\" b=1\n",
	         JSON_HEAD "\"backslash\",\"path\":\"C:\\\\\",\"b\":1}\n"},
	        {"one line", "error=\"%s\"", "a\nb\r\tc\x01\x7f",
	         HEAD "\"one line\" error=\"a\\nb\\r\\tc\\u0001\\u007f\"\n",
	         JSON_HEAD "\"one line\",\"error\":\"a\\nb\\r\\tc\\u0001\\u007f\"}\n"},
	        {"other ends of lines", "x=%s", "\xc2\x85\xe2\x80\xa8\xe2\x80\xae",
	         HEAD "\"other ends of lines\" x=\"\\u0085\\u2028\\u202e\"\n",
	         JSON_HEAD "\"other ends of lines\",\"x\":\"\\u0085\\u2028\\u202e\"}\n"},
	        {"nothing", "a=%s b=\"\"", "", HEAD "\"nothing\" a= b=\"\"\n",
	         JSON_HEAD "\"nothing\",\"a\":\"\",\"b\":\"\"}\n"},
	        {"NULL", "a=%s", NULL, HEAD "\"NULL\" a=(null)\n", JSON_HEAD "\"NULL\",\"a\":\"(null)\"}\n"},
	        {"a \"message\"", "n=1", "", HEAD "\"a \\\"message\\\"\" n=1\n",
	         JSON_HEAD "\"a \\\"message\\\"\",\"n\":1}\n"},
	        {"no UTF-8", "x=\"%s\"", "ä\xff", HEAD "\"no UTF-8\" x=\"ä\xef\xbf\xbd\"\n",
	         JSON_HEAD "\"no UTF-8\",\"x\":\"ä\xef\xbf\xbd\"}\n"},
	};

	(void)state;
	now_ms = 1700000000042;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		for (int json = 0; json < 2; json++) {
			const char *expected = json ? cases[c].json : cases[c].logfmt;

			install(json, LOG_LEVEL_INFO);
			write_one(cases[c].message, cases[c].format, cases[c].value);
			if (strcmp(written.data, expected) != 0)
				fail_msg("%s: found %s, expected %s", cases[c].message, written.data, expected);
		}
	}
}

static void conversions_test(void **state)
{
	struct log_site site = {0};

	(void)state;
	install(true, LOG_LEVEL_INFO);
	log_write(&site, LOG_LEVEL_INFO, "m", "d=%d u=%u ld=%ld lu=%lu lld=%lld llu=%llu zu=%zu jd=%jd hd=%hd x=%#x",
	          -1, 4000000000U, LONG_MIN / 100, 7UL, -123456789012345678LL, 8ULL, (size_t)9, (intmax_t)-10,
	          (short)-11, 255U);
	log_write(&site, LOG_LEVEL_INFO, "m", "f=%.2f g=%g c=%c w=%5d z=%03u slice=%.*s", 1.5, 0.25, 'c', 42, 7U, 2,
	          "xyz");
	assert_non_null(
	        strstr(written.data,
	               "\"d\":-1,\"u\":4000000000,\"ld\":-92233720368547758,\"lu\":7,\"lld\":-123456789012345678,"
	               "\"llu\":8,\"zu\":9,\"jd\":-10,\"hd\":-11,\"x\":\"0xff\"}\n"));
	assert_non_null(strstr(written.data,
	                       "\"f\":1.50,\"g\":0.25,\"c\":\"c\",\"w\":\"   42\",\"z\":\"007\",\"slice\":\"xy\"}\n"));
}

/* What jansson reads of a string in quotes at *at, which it moves behind. */
static char *read_string(const char **at)
{
	json_error_t error;
	json_t *json = json_loads(*at, JSON_DECODE_ANY | JSON_DISABLE_EOF_CHECK, &error);
	char *text;

	if (!json_is_string(json))
		return NULL;
	*at += error.position;
	text = strdup(json_string_value(json));
	json_decref(json);
	return text;
}

/* One line of logfmt as a JSON object of strings; NULL: it is none. */
static json_t *read_logfmt(const char *line)
{
	json_t *fields = json_object();
	const char *at = line;

	while (*at != '\n') {
		size_t size = strcspn(at, "= \"\n");
		char *key = strndup(at, size), *value;

		assert_true(size && at[size] == '=');
		assert_null(json_object_get(fields, key));
		at += size + 1;
		value = *at == '"' ? read_string(&at) : strndup(at, strcspn(at, " \n"));
		at += line[at - line - 1] == '"' ? 0 : strcspn(at, " \n");
		assert_non_null(value);
		json_object_set_new(fields, key, json_string(value));
		free(value);
		free(key);
		assert_true(*at == ' ' || *at == '\n');
		at += *at == ' ';
	}
	assert_string_equal(at, "\n");
	return fields;
}

/* The value as it has to come back: what is no UTF-8 replaced. */
static void check_value(json_t *fields, const char *key, const char *value)
{
	struct buffer text;
	const char *at;
	char *expected;

	buffer_init(&text);
	text_json_string(&text, slice_of(value));
	at = text.data;
	expected = read_string(&at);
	assert_string_equal(json_string_value(json_object_get(fields, key)), expected);
	free(expected);
	buffer_release(&text);
}

static void hostile(char *text, size_t size)
{
	static const char *const parts[] = {
	        "\"",     "\\",       " level=error",         " msg=\"x\"", "=",      "\n", "\r\n",
	        "{",      "}",        "\",\"level\":\"error", "\xff",       "\xe2",   "ä",  "%s%n",
	        "\x1b[K", "\xc2\x85", "\xe2\x80\xa8",         "a",          "time=1", ",",  "12",
	        " "};
	size_t used = 0, wanted = (size_t)rand() % (size - 16);

	text[0] = '\0';
	while (used < wanted) {
		const char *part = parts[(size_t)rand() % (sizeof(parts) / sizeof(parts[0]))];
		char one[2] = {(char)(1 + rand() % 255), '\0'};

		used += (size_t)snprintf(text + used, size - used, "%s", rand() % 4 ? part : one);
	}
}

/* Whatever the values hold, a line has exactly the fields of its format, each with its value. */
static void forgery_test(void **state)
{
	char quoted[200], bare[50], part[200];

	(void)state;
	srand(20261129);
	for (int i = 0; i < 20000; i++) {
		bool json = i % 2;
		struct log_site site = {0};
		json_t *fields;

		hostile(quoted, sizeof(quoted));
		hostile(bare, sizeof(bare));
		hostile(part, sizeof(part));
		install(json, LOG_LEVEL_INFO);
		log_write(&site, LOG_LEVEL_INFO, "said", "text=\"%s\" n=%d name=%s part=\"%s\" last=1", quoted, i, bare,
		          part);
		assert_ptr_equal(strchr(written.data, '\n'), written.data + written.size - 1);
		fields = json ? json_loads(written.data, JSON_REJECT_DUPLICATES, NULL) : read_logfmt(written.data);
		assert_non_null(fields);
		assert_int_equal(json_object_size(fields), 8);
		check_value(fields, "level", "info");
		check_value(fields, "msg", "said");
		check_value(fields, "text", quoted);
		check_value(fields, "name", bare);
		check_value(fields, "part", part);
		assert_non_null(json_object_get(fields, "last"));
		json_decref(fields);
	}
}

/* A line is whole however long its values are, and says what it left out. */
static void long_line_test(void **state)
{
	static const char *const formats[] = {"error=\"%s\" last=1", "error=%s last=1",
	                                      "a=\"%s\" b=\"%s\" c=\"%s\" last=1"};
	static const char fill[] = {'"', 'a', '\xff', '\n'};
	char *text = malloc(100001);

	(void)state;
	text[100000] = '\0';
	for (size_t c = 0; c < 2 * 3 * sizeof(fill); c++) {
		struct log_site site = {0};
		bool json = c % 2;
		json_t *fields;

		memset(text, fill[c / 6], 100000);
		install(json, LOG_LEVEL_INFO);
		log_write(&site, LOG_LEVEL_INFO, "long", formats[c / 2 % 3], text, text, text);
		assert_in_range(written.size, LOG_LINE_MAX / 2, LOG_LINE_MAX + 256);
		assert_non_null(strstr(written.data, " more bytes)\""));
		fields = json ? json_loads(written.data, 0, NULL) : read_logfmt(written.data);
		assert_non_null(fields);
		assert_int_equal(json_object_size(fields), c / 2 % 3 == 2 ? 7 : 5);
		assert_non_null(json_object_get(fields, "last"));
		json_decref(fields);
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
			log_write(&site, (enum log_level)at, "m", "n=%d", 1);
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
	log_write(&other, LOG_LEVEL_INFO, "another place", "n=%d", 1);
	assert_int_equal(lines(), LOG_REPEATS_MAX + 1);
	now_ms = 5999;
	log_write(&site, LOG_LEVEL_INFO, "same second", "n=%d", 1);
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
	log_write(&site, LOG_LEVEL_INFO, "later", "n=%d", 1);
	assert_string_equal(
	        written.data,
	        "{\"time\":60.000,\"level\":\"info\",\"msg\":\"later\",\"n\":1,\"repeats_kept_back\":12}\n");
}

/* What the level leaves out does not count. */
static void rate_limit_level_test(void **state)
{
	struct log_site site = {0};

	(void)state;
	install(false, LOG_LEVEL_INFO);
	for (int i = 0; i < 100; i++)
		log_write(&site, LOG_LEVEL_DEBUG, "left out", "n=%d", 1);
	log_write(&site, LOG_LEVEL_INFO, "there", "n=%d", 1);
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
	        cmocka_unit_test(conversions_test),      cmocka_unit_test(forgery_test),
	        cmocka_unit_test(long_line_test),        cmocka_unit_test(level_test),
	        cmocka_unit_test(format_name_test),      cmocka_unit_test(rate_limit_test),
	        cmocka_unit_test(rate_limit_level_test), cmocka_unit_test(threads_test),
	};

	return cmocka_run_group_tests(tests, prepare, release);
}

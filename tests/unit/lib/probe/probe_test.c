/* The HTTP server, by real connections over loopback: pages, refusals, bad requests, many clients. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/unit/lib/probe/probe_client.h"

#define BIG_HEADER (128 * 1024)

static const struct probe_page pages[] = {
        {"/status", "application/json", render_ok, false},
        {"/readyz", "text/plain", render_down, true},
        {"/big", "text/plain", render_big, false},
        {"/healthz", "text/plain", render_empty, true},
};
#define PAGES_COUNT (sizeof(pages) / sizeof(pages[0]))

static struct probe *start(void)
{
	struct error err = {""};
	struct probe_options options = {.listen = "127.0.0.1:0",
	                                .pages = pages,
	                                .pages_count = PAGES_COUNT,
	                                .context = (void *)(uintptr_t) "j"};
	struct probe *probe = probe_start(&options, &err);

	if (!probe)
		fail_msg("%s", err.text);
	assert_in_range(probe_port(probe), 1, 65535);
	return probe;
}

static int dial(const struct probe *probe)
{
	return dial_from(probe, 1);
}

/* One request on a connection of its own, and all of its answer. */
static void ask(const struct probe *probe, const char *request, size_t size, struct buffer *answer)
{
	int fd = dial(probe);

	assert_true(fd >= 0);
	send_all(fd, request, size);
	receive_all(fd, answer);
	close(fd);
}

#define GET     "GET /status" END "\r\n"
#define METHODS "\r\nAllow: GET, HEAD\r\n"
#define PAGES   "not found; there are:\n/status\n/readyz\n/big\n/healthz\n"

static void pages_test(void **state)
{
	static const struct {
		const char *name, *request, *status, *header, *body;
	} cases[] = {
	        {"a page", GET, "200", "\r\nContent-Type: application/json\r\n", "{\"job\":\"j\"}"},
	        {"its length", GET, "200", "\r\nContent-Length: 11\r\n", "{\"job\":\"j\"}"},
	        {"a page that says no", "GET /readyz" END "\r\n", "503", "\r\nContent-Type: text/plain\r\n",
	         "not ready: the source is not connected\n"},
	        {"an empty page", "GET /healthz" END "\r\n", "200", "\r\nContent-Length: 0\r\n", ""},
	        {"HEAD", "HEAD /status" END "\r\n", "200", "\r\nContent-Length: 11\r\n", ""},
	        {"HEAD of a page that says no", "HEAD /readyz" END "\r\n", "503", "\r\nContent-Length: 39\r\n", ""},
	        {"a query is passed over", "GET /status?a=b" END "\r\n", "200", "", "{\"job\":\"j\"}"},
	        {"HTTP/1.0", "GET /status HTTP/1.0\r\n\r\n", "200", "", "{\"job\":\"j\"}"},
	        {"a body of nothing", "GET /status" END "Content-Length: 0\r\n\r\n", "200", "", "{\"job\":\"j\"}"},
	        {"another path", "GET /metric" END "\r\n", "404", "", PAGES},
	        {"the root", "GET /" END "\r\n", "404", "", PAGES},
	        {"a path below", "GET /status/x" END "\r\n", "404", "", PAGES},
	        {"a path above", "GET /x/../status" END "\r\n", "404", "", PAGES},
	        {"capitals", "GET /STATUS" END "\r\n", "404", "", PAGES},
	        {"POST", "POST /status" END "Content-Length: 0\r\n\r\n", "405", METHODS, "only GET and HEAD\n"},
	        {"POST with a body", "POST /status" END "Content-Length: 5\r\n\r\nhello", "405", METHODS,
	         "only GET and HEAD\n"},
	        {"PUT", "PUT /status" END "Content-Length: 1000000\r\n\r\nnever sent whole", "405", METHODS,
	         "only GET and HEAD\n"},
	        {"DELETE", "DELETE /status" END "\r\n", "405", METHODS, "only GET and HEAD\n"},
	        {"OPTIONS", "OPTIONS *" END "\r\n", "405", METHODS, "only GET and HEAD\n"},
	        {"a method that there is not", "FROB /status" END "\r\n", "405", METHODS, "only GET and HEAD\n"},
	        {"a method in small letters", "get /status" END "\r\n", "405", METHODS, "only GET and HEAD\n"},
	        {"GET with a body", "GET /status" END "Content-Length: 5\r\n\r\nhello", "413", "",
	         "a request has no body here\n"},
	        {"GET with a body in chunks",
	         "GET /status" END "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "413", "",
	         "a request has no body here\n"},
	        {"GET that announces much", "GET /status" END "Content-Length: 99999999999\r\n\r\n", "413", "",
	         "a request has no body here\n"},
	};
	struct probe *probe = start();

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct buffer answer;

		buffer_init(&answer);
		ask(probe, cases[c].request, strlen(cases[c].request), &answer);
		if (!answer.data || strncmp(answer.data, "HTTP/1.", 7) != 0 ||
		    strncmp(answer.data + 9, cases[c].status, 3) != 0 || !strstr(answer.data, cases[c].header) ||
		    strcmp(body_of(&answer), cases[c].body) != 0)
			fail_msg("%s: %s", cases[c].name, answer.data ? answer.data : "no answer");
		buffer_release(&answer);
	}
	probe_stop(probe);
}

static void big_page_test(void **state)
{
	struct probe *probe = start();
	struct buffer answer;

	(void)state;
	buffer_init(&answer);
	ask(probe, "GET /big" END "\r\n", strlen("GET /big" END "\r\n"), &answer);
	assert_int_equal(strlen(body_of(&answer)), BIG_BYTES);
	assert_int_equal(answer.data[answer.size - 1], 'a' + (BIG_BYTES - 1) % 26);
	buffer_release(&answer);
	probe_stop(probe);
}

/* Whatever is sent, the answer is an error or the connection's end; the next client is served. */
static void bad_requests_test(void **state)
{
	static const struct {
		const char *name;
		struct slice request;
	} cases[] = {
	        {"no HTTP", SLICE_LITERAL("hello\r\n\r\n")},
	        {"empty lines", SLICE_LITERAL("\r\n\r\n\r\n\r\nx\r\n\r\n")},
	        {"no path", SLICE_LITERAL("GET\r\n\r\n")},
	        {"a version of tomorrow",
	         SLICE_LITERAL("GET /status HTTP/9.9\r\nHost: x\r\nConnection: close\r\n\r\n")},
	        {"a length that is none", SLICE_LITERAL("GET /status" END "Content-Length: -5\r\n\r\n")},
	        {"two lengths",
	         SLICE_LITERAL("POST /status" END "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello")},
	        {"a header without a colon", SLICE_LITERAL("GET /nothing" END "nonsense\r\n\r\n")},
	        {"NUL in the path", SLICE_LITERAL("GET /\0status" END "\r\n")},
	        {"bytes that are no text", SLICE_LITERAL("\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n")},
	        {"a method without an end", SLICE_LITERAL("GETGETGETGETGETGETGETGETGETGETGETGETGET\r\n\r\n")},
	};
	struct probe *probe = start();

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct buffer answer;
		int fd = dial(probe);

		assert_true(fd >= 0);
		buffer_init(&answer);
		send_all(fd, cases[c].request.data, cases[c].request.size);
		shutdown(fd, SHUT_WR);
		if (receive_all(fd, &answer) < 0)
			fail_msg("%s: neither an answer nor an end", cases[c].name);
		if (answer.size && (strncmp(answer.data, "HTTP/1.", 7) != 0 || !strchr("45", answer.data[9])))
			fail_msg("%s: %s", cases[c].name, answer.data);
		close(fd);
		buffer_clear(&answer);
		ask(probe, GET, strlen(GET), &answer);
		if (strcmp(body_of(&answer), "{\"job\":\"j\"}") != 0)
			fail_msg("after %s nobody is served", cases[c].name);
		buffer_release(&answer);
	}
	probe_stop(probe);
}

static void huge_header_test(void **state)
{
	struct probe *probe = start();
	struct buffer request, answer;

	(void)state;
	buffer_init(&request);
	buffer_init(&answer);
	buffer_append_text(&request, "GET /status" END "X: ");
	for (int i = 0; i < BIG_HEADER; i++)
		buffer_append_char(&request, 'x');
	buffer_append_text(&request, "\r\n\r\n");
	ask(probe, request.data, request.size, &answer);
	if (answer.size && (strncmp(answer.data, "HTTP/1.", 7) != 0 || answer.data[9] != '4'))
		fail_msg("%s", answer.data);
	buffer_clear(&answer);
	ask(probe, GET, strlen(GET), &answer);
	assert_string_equal(body_of(&answer), "{\"job\":\"j\"}");
	buffer_release(&request);
	buffer_release(&answer);
	probe_stop(probe);
}

/* Requests one after the other on one connection. */
static void kept_connection_test(void **state)
{
	static const char request[] = "GET /status HTTP/1.1\r\nHost: x\r\n\r\n";
	struct probe *probe = start();
	unsigned before = rendered;
	struct buffer answer;
	int fd = dial(probe);

	(void)state;
	buffer_init(&answer);
	for (int i = 0; i < 20; i++)
		send_all(fd, request, strlen(request));
	send_all(fd, GET, strlen(GET));
	assert_int_equal(receive_all(fd, &answer), 0);
	close(fd);
	assert_int_equal(rendered - before, 21);
	buffer_release(&answer);
	probe_stop(probe);
}

#define CLIENTS 8
#define EACH    50

static void *client(void *context)
{
	uintptr_t good = 0;

	for (int i = 0; i < EACH; i++) {
		struct buffer answer;
		int fd = dial(context);

		buffer_init(&answer);
		if (fd >= 0) {
			send_all(fd, GET, strlen(GET));
			receive_all(fd, &answer);
			close(fd);
		}
		good += strcmp(body_of(&answer), "{\"job\":\"j\"}") == 0;
		buffer_release(&answer);
	}
	return (void *)good;
}

static void many_clients_test(void **state)
{
	struct probe *probe = start();
	pthread_t clients[CLIENTS];

	(void)state;
	for (int i = 0; i < CLIENTS; i++)
		assert_int_equal(pthread_create(&clients[i], NULL, client, probe), 0);
	for (int i = 0; i < CLIENTS; i++) {
		void *good;

		pthread_join(clients[i], &good);
		assert_int_equal((uintptr_t)good, EACH);
	}
	probe_stop(probe);
}

/* Stopped with connections open, also in the middle of a request. */
static void stop_test(void **state)
{
	struct probe *probe = start();
	struct buffer rest;
	int fd = dial(probe), idle = dial(probe);

	(void)state;
	send_all(fd, "GET /sta", 8);
	probe_stop(probe);
	buffer_init(&rest);
	receive_all(fd, &rest);
	assert_int_equal(rest.size, 0);
	close(fd);
	close(idle);
	buffer_release(&rest);
	probe_stop(NULL);
}

static struct probe *open_on(const char *listen, struct error *err)
{
	struct probe_options options = {.listen = listen, .pages = pages, .pages_count = PAGES_COUNT};

	return probe_start(&options, err);
}

static void addresses_test(void **state)
{
	static const struct {
		const char *listen, *problem;
	} cases[] = {
	        {"", "\"\" is not an address; write 127.0.0.1:8080, :8080 or [::1]:8080"},
	        {"8080", "\"8080\" is not an address; write 127.0.0.1:8080, :8080 or [::1]:8080"},
	        {"127.0.0.1", "\"127.0.0.1\" is not an address; write 127.0.0.1:8080, :8080 or [::1]:8080"},
	        {"127.0.0.1:", "\"127.0.0.1:\" is not an address; write 127.0.0.1:8080, :8080 or [::1]:8080"},
	        {"127.0.0.1:http:", "\"127.0.0.1:http:\" is not an address; write 127.0.0.1:8080, :8080 or [::1]:8080"},
	        {"127.0.0.1:no-such-port",
	         "\"127.0.0.1:no-such-port\" is not an address; write 127.0.0.1:8080, :8080 or [::1]:8080"},
	        {"127.0.0.1:65536", "\"127.0.0.1:65536\" is not an address; write 127.0.0.1:8080, :8080 or [::1]:8080"},
	        {"127.0.0.1:-1", "\"127.0.0.1:-1\" is not an address; write 127.0.0.1:8080, :8080 or [::1]:8080"},
	        {"127.0.0.1:123456",
	         "\"127.0.0.1:123456\" is not an address; write 127.0.0.1:8080, :8080 or [::1]:8080"},
	        {"127.0.0.1:8080 ", "\"127.0.0.1:8080 \" is not an address; write 127.0.0.1:8080, :8080 or [::1]:8080"},
	        {"no such host:0", "\"no such host:0\" is not an address: "},
	        {"192.0.2.1:0", "cannot listen on 192.0.2.1:0: "},
	};
	struct probe *probe = start();
	char taken[64];

	(void)state;
	for (size_t c = 0; c < sizeof(cases) / sizeof(cases[0]); c++) {
		struct error err = {""};
		struct probe *other = open_on(cases[c].listen, &err);

		if (other)
			fail_msg("\"%s\" is listened on, port %d", cases[c].listen, probe_port(other));
		if (strncmp(err.text, cases[c].problem, strlen(cases[c].problem)) != 0)
			fail_msg("\"%s\": %s", cases[c].listen, err.text);
	}
	for (int again = 0; again < 2; again++) {
		struct error err = {""};

		snprintf(taken, sizeof(taken), "127.0.0.1:%d", probe_port(probe));
		assert_null(open_on(taken, &err));
		assert_non_null(strstr(err.text, "Address already in use"));
	}
	probe_stop(probe);
	{
		struct error err = {""};

		probe = open_on(taken, &err); /* at once after it was stopped */
		if (!probe)
			fail_msg("%s", err.text);
		probe_stop(probe);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(pages_test),
	        cmocka_unit_test(big_page_test),
	        cmocka_unit_test(bad_requests_test),
	        cmocka_unit_test(huge_header_test),
	        cmocka_unit_test(kept_connection_test),
	        cmocka_unit_test(many_clients_test),
	        cmocka_unit_test(stop_test),
	        cmocka_unit_test(addresses_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

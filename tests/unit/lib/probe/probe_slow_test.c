/* The HTTP server beside clients and pages that are slow: the others are served. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/lib/probe/probe_client.h"

/* A page that takes as long as the test wants. */
static pthread_mutex_t slow_page = PTHREAD_MUTEX_INITIALIZER;

static int render_slow(void *context, struct buffer *out)
{
	(void)context;
	pthread_mutex_lock(&slow_page);
	pthread_mutex_unlock(&slow_page);
	buffer_append_text(out, "slow");
	return 200;
}

static const struct probe_page pages[] = {
        {"/status", "application/json", render_ok, false}, {"/readyz", "text/plain", render_down, true},
        {"/big", "text/plain", render_big, false},         {"/healthz", "text/plain", render_empty, true},
        {"/slow", "text/plain", render_slow, false},
};

static struct probe *start(int request_ms)
{
	struct error err = {""};
	struct probe_options options = {.listen = "127.0.0.1:0",
	                                .pages = pages,
	                                .pages_count = sizeof(pages) / sizeof(pages[0]),
	                                .context = (void *)(uintptr_t) "j",
	                                .request_ms = request_ms};
	struct probe *probe = probe_start(&options, &err);

	if (!probe)
		fail_msg("%s", err.text);
	assert_in_range(probe_port(probe), 1, 65535);
	return probe;
}

#define GET    "GET /status" END "\r\n"
#define HEALTH "GET /readyz" END "\r\n"
#define DOWN   "not ready: the source is not connected\n"

/* Asks once, and gives the body; the connection's address is 127.0.0.`from`. */
static void expect(const struct probe *probe, unsigned from, const char *request, const char *body)
{
	struct buffer answer;
	int fd = dial_from(probe, from);

	assert_true(fd >= 0);
	buffer_init(&answer);
	send_all(fd, request, strlen(request));
	receive_all(fd, &answer);
	close(fd);
	if (strcmp(body_of(&answer), body) != 0)
		fail_msg("%s instead of %s", answer.data ? answer.data : "no answer", body);
	buffer_release(&answer);
}

/* As expect; asks again when too many pages are being rendered. */
static void expect_page(const struct probe *probe, unsigned from)
{
	struct buffer answer;
	bool busy = true;

	buffer_init(&answer);
	for (int again = 0; busy && again < 1000; again++) {
		int fd = dial_from(probe, from);

		assert_true(fd >= 0);
		buffer_clear(&answer);
		send_all(fd, GET, strlen(GET));
		receive_all(fd, &answer);
		close(fd);
		busy = strstr(body_of(&answer), "ask again") != NULL;
		if (busy)
			usleep(10000);
	}
	assert_string_equal(body_of(&answer), "{\"job\":\"j\"}");
	buffer_release(&answer);
}

/* What may hold a connection, as a client would. */
static void begin_slowly(int fd, size_t how)
{
	static const char big[] = "GET /big" END "\r\n";

	if (how % 3 == 1)
		send_all(fd, GET, how % strlen(GET)); /* stops in the middle of its request */
	else if (how % 3 == 2)
		send_all(fd, big, strlen(big)); /* never reads the answer */
}

static bool is_ended(int fd)
{
	char byte[4096];
	ssize_t size;

	while ((size = recv(fd, byte, sizeof(byte), 0)) > 0)
		;
	return size == 0 || errno == ECONNRESET;
}

/* One peer with more connections than there are, another with all that are left, and each with who asks beside it. */
static void slow_clients_test(void **state)
{
	enum { SLOW = 2 * PROBE_CONNECTIONS_MAX };
	struct probe *probe = start(0);
	int slow[SLOW];

	(void)state;
	for (size_t i = 0; i < SLOW; i++) {
		slow[i] = dial_from(probe, 1);
		assert_true(slow[i] >= 0);
		begin_slowly(slow[i], i);
	}
	for (int again = 0; again < 5; again++) {
		expect(probe, 1, HEALTH, DOWN); /* of the same address too: from the kubelet's node, say */
		expect(probe, 2, HEALTH, DOWN);
		expect_page(probe, 2);
	}
	for (size_t i = 0; i < SLOW - PROBE_PEER_CONNECTIONS_MAX - 1; i++)
		assert_true(is_ended(slow[i])); /* the oldest made place */
	for (size_t i = 0; i < SLOW; i++)
		close(slow[i]);
	probe_stop(probe);
}

static void many_peers_test(void **state)
{
	enum { PEERS = 8, EACH_HAS = PROBE_PEER_CONNECTIONS_MAX, SLOW = PEERS * EACH_HAS };
	struct probe *probe = start(0);
	int slow[SLOW];

	(void)state;
	for (size_t i = 0; i < SLOW; i++) {
		slow[i] = dial_from(probe, (unsigned)(2 + i / EACH_HAS));
		assert_true(slow[i] >= 0);
		begin_slowly(slow[i], i);
	}
	for (unsigned from = 1; from < 2 + PEERS; from++) {
		expect(probe, from, HEALTH, DOWN);
		expect_page(probe, from);
	}
	for (size_t i = 0; i < SLOW; i++)
		close(slow[i]);
	probe_stop(probe);
}

/* A request has a deadline, also where a byte of it comes now and then. */
static void deadline_test(void **state)
{
	struct probe *probe = start(200);
	int silent = dial_from(probe, 1), half = dial_from(probe, 1), deaf = dial_from(probe, 1),
	    dripping = dial_from(probe, 1);
	size_t sent = 0;

	(void)state;
	send_all(half, GET, strlen(GET) / 2);
	begin_slowly(deaf, 2);
	while (sent < strlen(GET) && send(dripping, &GET[sent], 1, MSG_NOSIGNAL) == 1) {
		sent++;
		usleep(50000);
	}
	assert_in_range(sent, 1, strlen(GET) - 1);
	assert_true(is_ended(silent));
	assert_true(is_ended(half));
	assert_true(is_ended(deaf));
	assert_true(is_ended(dripping));
	close(silent);
	close(half);
	close(deaf);
	close(dripping);
	probe_stop(probe);
}

/* Nobody's health waits for a page, and of those that wait for one there are only so many. */
static void slow_page_test(void **state)
{
	enum { WAITING = 15 };
	struct probe *probe = start(0);
	int fds[WAITING], refused = 0, served = 0;
	struct buffer answers[WAITING];

	(void)state;
	pthread_mutex_lock(&slow_page);
	for (size_t i = 0; i < WAITING; i++) {
		fds[i] = dial_from(probe, 1);
		send_all(fds[i], "GET /slow" END "\r\n", strlen("GET /slow" END "\r\n"));
	}
	expect(probe, 2, HEALTH, DOWN);
	expect(probe, 2, "GET /healthz" END "\r\n", "");
	expect(probe, 2, GET, "too many pages are being rendered: ask again\n");
	pthread_mutex_unlock(&slow_page);
	for (size_t i = 0; i < WAITING; i++) {
		buffer_init(&answers[i]);
		receive_all(fds[i], &answers[i]);
		close(fds[i]);
		served += strcmp(body_of(&answers[i]), "slow") == 0;
		refused += answers[i].data && strncmp(answers[i].data + 9, "503", 3) == 0;
		buffer_release(&answers[i]);
	}
	assert_int_equal(served, 8);
	assert_int_equal(refused, WAITING - 8);
	expect(probe, 2, GET, "{\"job\":\"j\"}");
	probe_stop(probe);
}

/* Stopped while pages wait. */
static void stop_while_rendering_test(void **state)
{
	struct probe *probe = start(0);
	int fds[3];

	(void)state;
	pthread_mutex_lock(&slow_page);
	for (size_t i = 0; i < 3; i++) {
		fds[i] = dial_from(probe, 1);
		send_all(fds[i], "GET /slow" END "\r\n", strlen("GET /slow" END "\r\n"));
	}
	expect(probe, 2, HEALTH, DOWN);
	pthread_mutex_unlock(&slow_page);
	probe_stop(probe);
	for (size_t i = 0; i < 3; i++) {
		assert_true(is_ended(fds[i]));
		close(fds[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(slow_clients_test),
	        cmocka_unit_test(many_peers_test),
	        cmocka_unit_test(deadline_test),
	        cmocka_unit_test(slow_page_test),
	        cmocka_unit_test(stop_while_rendering_test),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

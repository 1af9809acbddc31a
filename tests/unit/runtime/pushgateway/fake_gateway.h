/*
 * A gateway on loopback for the tests of the sink: it remembers every request whole and answers as it is told. One
 * thread of its own; set what it answers while no request is under way.
 */
#ifndef STREAMJOB_TESTS_FAKE_GATEWAY_H
#define STREAMJOB_TESTS_FAKE_GATEWAY_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define FAKE_REQUESTS_MAX 256

struct fake_request {
	char method[8], path[512];
	char *body; /* NUL-terminated; protocol buffers as the text format that they say the same as */
	bool text;  /* it came as that */
	bool whole; /* all bytes of the body came */
};

struct fake_gateway {
	char url[64];
	int status;          /* of PUT and DELETE */
	const char *headers; /* more lines for any answer, each ended by CRLF */
	int list_status;     /* of GET, */
	const char *list;    /* and the body of GET /api/v1/metrics */
	const char *page;    /* the body of GET /metrics */
	const char *refuse;  /* a PUT whose body has this text is answered by 400; NULL: none is */
	struct fake_request requests[FAKE_REQUESTS_MAX];
	size_t count;
	int listener;
	pthread_t thread;
	pthread_mutex_t mutex;
};

void fake_gateway_start(struct fake_gateway *gateway);
void fake_gateway_stop(struct fake_gateway *gateway);
/* How many requests of that method came so far; the newest of them, or NULL. */
size_t fake_gateway_count(struct fake_gateway *gateway, const char *method);
const struct fake_request *fake_gateway_last(struct fake_gateway *gateway, const char *method);

#endif

/* Who of many connections ends: a machine's own, whatever addresses they come from, leave room for all others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <ifaddrs.h>

#include "lib/probe/clients.h"
#include "lib/probe/own.h"

struct address {
	struct sockaddr_storage is;
};

static const struct sockaddr *address_of(const char *text, struct address *place)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	memset(place, 0, sizeof(*place));
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		memcpy(&place->is, &v4, sizeof(v4));
	else if (inet_pton(AF_INET6, text, &v6.sin6_addr) == 1)
		memcpy(&place->is, &v6, sizeof(v6));
	else
		fail_msg("%s", text);
	return (const struct sockaddr *)&place->is;
}

static void own_addresses(void **state)
{
	static const struct {
		const char *address;
		bool own;
	} cases[] = {
	        {"127.0.0.1", true},          {"127.9.8.7", true},    {"::1", true},        {"::ffff:127.0.0.1", true},
	        {"::ffff:127.200.0.1", true}, {"192.0.2.1", false}, /* for documentation: nobody has it */
	        {"::ffff:192.0.2.1", false},  {"2001:db8::1", false}, {"128.0.0.1", false},
	};
	struct own *own = calloc(1, sizeof(*own));
	struct ifaddrs *all;
	struct address place;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (own_is(own, address_of(cases[i].address, &place), 0) != cases[i].own)
			fail_msg("%s", cases[i].address);
	assert_int_equal(getifaddrs(&all), 0);
	for (const struct ifaddrs *one = all; one; one = one->ifa_next)
		if (one->ifa_addr && (one->ifa_addr->sa_family == AF_INET || one->ifa_addr->sa_family == AF_INET6))
			assert_true(own_is(own, one->ifa_addr, 0));
	freeifaddrs(all);
	assert_false(own_is(own, NULL, 0));
	free(own);
}

/* The kubelet's connection stays, however many the function makes, and from how many addresses. */
static void own_connections_leave_room(void **state)
{
	enum { OTHERS = PROBE_CONNECTIONS_MAX - PROBE_PEER_CONNECTIONS_MAX };
	struct clients clients = {.request_ms = 1000000};
	struct client *others[OTHERS];
	struct address place;
	char text[32];

	(void)state;
	for (int i = 0; i < OTHERS; i++) {
		snprintf(text, sizeof(text), "192.0.2.%d", i + 1);
		others[i] = clients_add(&clients, -1, address_of(text, &place), false, i);
	}
	for (int i = 0; i < 1000; i++) {
		size_t alive = 0;

		snprintf(text, sizeof(text), "127.0.%d.%d", i / 200, i % 200);
		clients_add(&clients, -1, address_of(text, &place), true, 1000 + i);
		for (size_t c = 0; c < clients.count; c++)
			alive += !clients.list[c]->ended;
		assert_true(alive <= PROBE_CONNECTIONS_MAX);
		for (size_t c = clients.count; c-- > 0;) /* as the server does */
			if (clients.list[c]->ended)
				clients_remove(&clients, clients.list[c]);
	}
	for (int i = 0; i < OTHERS; i++)
		assert_false(others[i]->ended);
	assert_int_equal(clients.count, PROBE_CONNECTIONS_MAX);
	while (clients.count)
		clients_remove(&clients, clients.list[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(own_addresses),
	        cmocka_unit_test(own_connections_leave_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

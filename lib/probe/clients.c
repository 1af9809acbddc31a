#include "lib/probe/clients.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

static void set_address(struct client *client, const struct sockaddr *address)
{
	static const unsigned char v4_mapped[ADDRESS_BYTES - 4] = {[10] = 0xff, [11] = 0xff};

	if (address && address->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;

		memcpy(&v6, address, sizeof(v6));
		memcpy(client->address, &v6.sin6_addr, ADDRESS_BYTES);
	} else if (address && address->sa_family == AF_INET) {
		struct sockaddr_in v4;

		memcpy(&v4, address, sizeof(v4));
		memcpy(client->address, v4_mapped, sizeof(v4_mapped));
		memcpy(client->address + sizeof(v4_mapped), &v4.sin_addr, 4);
	}
}

static bool same_peer(const struct client *a, const struct client *b)
{
	return memcmp(a->address, b->address, ADDRESS_BYTES) == 0;
}

static size_t of_peer(const struct clients *clients, const struct client *peer)
{
	size_t count = 0;

	for (size_t i = 0; i < clients->count; i++)
		count += !clients->list[i]->ended && same_peer(clients->list[i], peer);
	return count;
}

static void end(struct client *client)
{
	client->ended = true;
	shutdown(client->fd, SHUT_RDWR);
}

static struct client *oldest_of(const struct clients *clients, const struct client *peer)
{
	struct client *oldest = NULL;

	for (size_t i = 0; i < clients->count; i++) {
		struct client *other = clients->list[i];

		if (!other->ended && same_peer(other, peer) && (!oldest || other->since_ms < oldest->since_ms))
			oldest = other;
	}
	return oldest;
}

static const struct client *peer_with_most(const struct clients *clients)
{
	const struct client *most = NULL;
	size_t count = 0;

	for (size_t i = 0; i < clients->count; i++) {
		size_t here = clients->list[i]->ended ? 0 : of_peer(clients, clients->list[i]);

		if (here > count) {
			count = here;
			most = clients->list[i];
		}
	}
	return most;
}

static size_t alive(const struct clients *clients)
{
	size_t count = 0;

	for (size_t i = 0; i < clients->count; i++)
		count += !clients->list[i]->ended;
	return count;
}

struct client *clients_add(struct clients *clients, int fd, const struct sockaddr *address, bool own, int64_t now_ms)
{
	struct client *client = xcalloc(1, sizeof(*client));

	client->fd = fd;
	client->since_ms = now_ms;
	if (!own)
		set_address(client, address); /* it stays :: otherwise, which no peer has */
	if (of_peer(clients, client) >= PROBE_PEER_CONNECTIONS_MAX)
		end(oldest_of(clients, client));
	else if (alive(clients) >= PROBE_CONNECTIONS_MAX)
		end(oldest_of(clients, peer_with_most(clients)));
	if (clients->count == CLIENTS_MAX)
		end(client);
	else
		clients->list[clients->count++] = client;
	return client;
}

void clients_remove(struct clients *clients, struct client *client)
{
	for (size_t i = 0; i < clients->count; i++)
		if (clients->list[i] == client) {
			memmove(&clients->list[i], &clients->list[i + 1],
			        (clients->count - i - 1) * sizeof(clients->list[0]));
			clients->count--;
			break;
		}
	free(client);
}

void clients_answered(struct client *client, int64_t now_ms)
{
	client->since_ms = now_ms;
}

int64_t clients_expire(struct clients *clients, int64_t now_ms)
{
	int64_t next_ms = -1;

	for (size_t i = 0; i < clients->count; i++) {
		struct client *client = clients->list[i];
		int64_t left_ms = client->since_ms + clients->request_ms - now_ms;

		if (client->ended)
			continue;
		if (left_ms <= 0)
			end(client);
		else if (next_ms < 0 || left_ms < next_ms)
			next_ms = left_ms;
	}
	return next_ms;
}

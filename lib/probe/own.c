#include "lib/probe/own.h"

#include <ifaddrs.h>
#include <string.h>

static bool as_v6(const struct sockaddr *address, struct in6_addr *ret)
{
	if (address && address->sa_family == AF_INET6) {
		struct sockaddr_in6 v6;

		memcpy(&v6, address, sizeof(v6));
		*ret = v6.sin6_addr;
		return true;
	}
	if (address && address->sa_family == AF_INET) {
		struct sockaddr_in v4;

		memcpy(&v4, address, sizeof(v4));
		*ret = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
		memcpy(&ret->s6_addr[12], &v4.sin_addr, sizeof(v4.sin_addr));
		return true;
	}
	return false;
}

static bool is_loopback(const struct in6_addr *address)
{
	return IN6_IS_ADDR_LOOPBACK(address) || (IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127);
}

static void learn(struct own *own, int64_t now_ms)
{
	struct ifaddrs *all;

	if (own->known && now_ms - own->since_ms < OWN_FRESH_MS)
		return;
	own->known = true;
	own->since_ms = now_ms;
	if (getifaddrs(&all) < 0)
		return; /* those of before */
	own->count = 0;
	for (const struct ifaddrs *one = all; one && own->count < OWN_ADDRESSES_MAX; one = one->ifa_next)
		own->count += as_v6(one->ifa_addr, &own->addresses[own->count]);
	freeifaddrs(all);
}

bool own_is(struct own *own, const struct sockaddr *peer, int64_t now_ms)
{
	struct in6_addr address;

	if (!as_v6(peer, &address))
		return false;
	if (is_loopback(&address))
		return true;
	learn(own, now_ms);
	for (size_t i = 0; i < own->count; i++)
		if (IN6_ARE_ADDR_EQUAL(&own->addresses[i], &address))
			return true;
	return false;
}

#include "lib/probe/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/probe/probe.h"

#define PORT_MAX        65535
#define PORT_DIGITS_MAX 5

/* getaddrinfo would take names, and numbers past the largest port. */
static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	return digits && digits <= PORT_DIGITS_MAX && !text[digits] && atoi(text) <= PORT_MAX;
}

/* "host:port", ":port", "[host]:port". */
static int split_address(const char *listen, char *host, size_t host_size, const char **ret_port)
{
	const char *colon = strrchr(listen, ':');
	size_t size;

	if (!colon || !is_port(colon + 1))
		return -1;
	size = (size_t)(colon - listen);
	if (size >= 2 && listen[0] == '[' && listen[size - 1] == ']') {
		listen++;
		size -= 2;
	}
	if (size >= host_size)
		return -1;
	memcpy(host, listen, size);
	host[size] = '\0';
	*ret_port = colon + 1;
	return 0;
}

static int bind_socket(const struct addrinfo *address)
{
	int one = 1,
	    fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->ai_protocol);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0)
		return fd;
	close(fd);
	return -1;
}

int listen_open(const char *where, struct error *err)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
	char host[256];
	const char *port;
	int fd = -1, code;

	if (split_address(where, host, sizeof(host), &port) < 0)
		return error_set(err, "\"%s\" is not an address; write 127.0.0.1:8080, :8080 or [::1]:8080", where);
	if (!host[0])
		hints.ai_family = AF_INET; /* every interface, as pods have them */
	code = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
	if (code)
		return error_set(err, "\"%s\" is not an address: %s", where, gai_strerror(code));
	for (const struct addrinfo *address = found; address && fd < 0; address = address->ai_next)
		fd = bind_socket(address);
	freeaddrinfo(found);
	return fd < 0 ? error_set(err, "cannot listen on %s: %s", where, strerror(errno)) : fd;
}

int listen_port(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} address = {0};
	socklen_t size = sizeof(address);

	if (getsockname(fd, &address.any, &size) < 0)
		return 0;
	return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

#include "lib/probe/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/memory.h"

#define PORT_MAX        65535
#define PORT_DIGITS_MAX 5

struct probe {
	struct MHD_Daemon *daemon;
	const struct probe_page *pages;
	size_t pages_count;
	void *context;
	int port;
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, const char *type, struct buffer *body)
{
	size_t size = body->size;
	struct MHD_Response *response = MHD_create_response_from_buffer(size, buffer_take(body), MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *why)
{
	struct buffer body;

	buffer_init(&body);
	buffer_append_text(&body, why);
	return answer(connection, status, "text/plain", &body);
}

static bool has_body(struct MHD_Connection *connection)
{
	const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH);

	return (length && strcmp(length, "0")) ||
	       MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

/* First called after the headers, then once more: what is answered at the first call ends the connection unread. */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **request)
{
	struct probe *probe = context;
	struct buffer body;

	(void)version;
	(void)upload;
	(void)upload_size;
	if (!*request) {
		*request = probe;
		if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
			return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
		if (has_body(connection))
			return refuse(connection, MHD_HTTP_CONTENT_TOO_LARGE, "a request has no body here\n");
		return MHD_YES;
	}
	buffer_init(&body);
	for (size_t i = 0; i < probe->pages_count; i++) {
		const struct probe_page *page = &probe->pages[i];

		if (!strcmp(url, page->path))
			return answer(connection, (unsigned)page->render(probe->context, &body), page->content_type,
			              &body);
	}
	buffer_append_text(&body, "not found; there are:\n");
	for (size_t i = 0; i < probe->pages_count; i++)
		buffer_printf(&body, "%s\n", probe->pages[i].path);
	return answer(connection, MHD_HTTP_NOT_FOUND, "text/plain", &body);
}

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
	int one = 1, fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, address->ai_protocol);

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, address->ai_addr, address->ai_addrlen) == 0 && listen(fd, PROBE_CONNECTIONS_MAX) == 0)
		return fd;
	close(fd);
	return -1;
}

static int open_socket(const char *where, struct error *err)
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

static int socket_port(int fd)
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

struct probe *probe_start(const char *listen, const struct probe_page *pages, size_t pages_count, void *context,
                          struct error *err)
{
	struct probe *probe;
	int fd = open_socket(listen, err);

	if (fd < 0)
		return NULL;
	probe = xcalloc(1, sizeof(*probe));
	probe->pages = pages;
	probe->pages_count = pages_count;
	probe->context = context;
	probe->port = socket_port(fd);
	probe->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, handle, probe,
	                                 MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
	                                 (unsigned)PROBE_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
	                                 (unsigned)PROBE_IDLE_S, MHD_OPTION_END);
	if (probe->daemon)
		return probe;
	error_set(err, "cannot start the HTTP server on %s", listen);
	close(fd);
	free(probe);
	return NULL;
}

int probe_port(const struct probe *probe)
{
	return probe->port;
}

void probe_stop(struct probe *probe)
{
	if (!probe)
		return;
	MHD_stop_daemon(probe->daemon);
	free(probe);
}

#include "tests/unit/lib/probe/probe_client.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define WAIT_S 30

_Atomic unsigned rendered;

int render_ok(void *context, struct buffer *out)
{
	rendered++;
	buffer_printf(out, "{\"job\":\"%s\"}", (const char *)context);
	return 200;
}

int render_down(void *context, struct buffer *out)
{
	(void)context;
	buffer_append_text(out, "not ready: the source is not connected\n");
	return 503;
}

int render_big(void *context, struct buffer *out)
{
	(void)context;
	for (int i = 0; i < BIG_BYTES; i++)
		buffer_append_char(out, (char)('a' + i % 26));
	return 200;
}

int render_empty(void *context, struct buffer *out)
{
	(void)context;
	(void)out;
	return 200;
}

/* From one of the addresses of this machine: 127.0.0.`from`. */
int dial_from(const struct probe *probe, unsigned from)
{
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + from)};
	struct sockaddr_in address = {.sin_family = AF_INET,
	                              .sin_port = htons((uint16_t)probe_port(probe)),
	                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct timeval wait = {.tv_sec = WAIT_S};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (bind(fd, (struct sockaddr *)&own, sizeof(own)) == 0 &&
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Sends what the peer takes; it may close before the end. */
void send_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);

		if (sent <= 0)
			return;
		data += sent;
		size -= (size_t)sent;
	}
}

/* All that comes until the peer closes; -1 when it is silent too long. */
int receive_all(int fd, struct buffer *out)
{
	char part[16384];
	ssize_t size;

	while ((size = recv(fd, part, sizeof(part), 0)) > 0)
		buffer_append(out, part, (size_t)size);
	return size == 0 || out->size ? 0 : -1;
}

const char *body_of(const struct buffer *answer)
{
	const char *end = answer->data ? strstr(answer->data, "\r\n\r\n") : NULL;

	return end ? end + 4 : "";
}

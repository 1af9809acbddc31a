#include "tests/unit/runtime/pushgateway/fake_gateway.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/runtime/pushgateway/message_text.h"

#define REQUEST_BYTES_MAX (1024 * 1024)

/* `type`: of the content. */
static char *body_text(struct slice body, const char *type)
{
	struct buffer text;

	buffer_init(&text);
	if (strstr(type, "protobuf"))
		message_text(body, &text);
	else
		buffer_append_slice(&text, body);
	buffer_append_text(&text, "");
	return text.data ? buffer_take(&text) : strdup("");
}

/* Reads until the body is whole or the peer has closed. */
static size_t receive(int fd, char *text, char **ret_body, bool *ret_whole)
{
	size_t size = 0, expected = SIZE_MAX;

	*ret_body = NULL;
	while (size < REQUEST_BYTES_MAX - 1 && size < expected) {
		ssize_t got = recv(fd, text + size, REQUEST_BYTES_MAX - 1 - size, 0);
		const char *length;

		if (got <= 0)
			break;
		size += (size_t)got;
		text[size] = '\0';
		if (*ret_body || !(*ret_body = strstr(text, "\r\n\r\n")))
			continue;
		*ret_body += 4;
		length = strstr(text, "Content-Length: ");
		expected = (size_t)(*ret_body - text) +
		           (length && length < *ret_body ? strtoul(length + 16, NULL, 10) : 0);
	}
	*ret_whole = size == expected;
	return size;
}

static void answer(struct fake_gateway *gateway, int fd, const struct fake_request *request)
{
	bool get = !strcmp(request->method, "GET");
	bool refused = !get && gateway->refuse && strstr(request->body, gateway->refuse);
	int status = get ? gateway->list_status : refused ? 400 : gateway->status;
	const char *body = get             ? strcmp(request->path, "/metrics") ? gateway->list : gateway->page
	                   : status == 200 ? ""
	                                   : "scripted failure";
	char head[1024];
	int size = snprintf(head, sizeof(head),
	                    "HTTP/1.1 %d Scripted\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n", status,
	                    strlen(body), gateway->headers ? gateway->headers : "");

	if (send(fd, head, (size_t)size, MSG_NOSIGNAL) == size)
		send(fd, body, strlen(body), MSG_NOSIGNAL);
}

static void serve(struct fake_gateway *gateway, int fd, char *text)
{
	struct fake_request request = {.method = ""};
	size_t size;
	bool kept;
	char *body;

	size = receive(fd, text, &body, &request.whole);
	if (!size)
		return;
	sscanf(text, "%7s %511s", request.method, request.path);
	if (body)
		body[-1] = '\0';
	request.text = strstr(text, "Content-Type: text/plain") != NULL;
	request.body = body ? body_text((struct slice){body, size - (size_t)(body - text)}, text) : strdup("");
	pthread_mutex_lock(&gateway->mutex);
	kept = gateway->count < FAKE_REQUESTS_MAX;
	if (kept)
		gateway->requests[gateway->count++] = request;
	answer(gateway, fd, &request);
	pthread_mutex_unlock(&gateway->mutex);
	if (!kept)
		free(request.body);
}

static void *run(void *argument)
{
	struct fake_gateway *gateway = argument;
	char *text = malloc(REQUEST_BYTES_MAX);
	int fd;

	while ((fd = accept(gateway->listener, NULL, NULL)) >= 0) {
		serve(gateway, fd, text);
		close(fd);
	}
	free(text);
	return NULL;
}

void fake_gateway_start(struct fake_gateway *gateway)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	*gateway = (struct fake_gateway){
	        .status = 200, .list_status = 200, .list = "{\"status\":\"success\",\"data\":[]}", .page = ""};
	gateway->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (gateway->listener < 0 || bind(gateway->listener, (struct sockaddr *)&address, size) < 0 ||
	    listen(gateway->listener, 16) < 0 || getsockname(gateway->listener, (struct sockaddr *)&address, &size) < 0)
		abort();
	snprintf(gateway->url, sizeof(gateway->url), "http://127.0.0.1:%d", ntohs(address.sin_port));
	pthread_mutex_init(&gateway->mutex, NULL);
	if (pthread_create(&gateway->thread, NULL, run, gateway) != 0)
		abort();
}

void fake_gateway_stop(struct fake_gateway *gateway)
{
	shutdown(gateway->listener, SHUT_RDWR);
	pthread_join(gateway->thread, NULL);
	close(gateway->listener);
	for (size_t i = 0; i < gateway->count; i++)
		free(gateway->requests[i].body);
	pthread_mutex_destroy(&gateway->mutex);
}

size_t fake_gateway_count(struct fake_gateway *gateway, const char *method)
{
	size_t count = 0;

	pthread_mutex_lock(&gateway->mutex);
	for (size_t i = 0; i < gateway->count; i++)
		count += !strcmp(gateway->requests[i].method, method);
	pthread_mutex_unlock(&gateway->mutex);
	return count;
}

const struct fake_request *fake_gateway_last(struct fake_gateway *gateway, const char *method)
{
	const struct fake_request *last = NULL;

	pthread_mutex_lock(&gateway->mutex);
	for (size_t i = 0; i < gateway->count; i++)
		if (!strcmp(gateway->requests[i].method, method))
			last = &gateway->requests[i];
	pthread_mutex_unlock(&gateway->mutex);
	return last;
}

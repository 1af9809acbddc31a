#include "lib/probe/probe.h"

#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "lib/base/memory.h"
#include "lib/probe/clients.h"
#include "lib/probe/listen.h"
#include "lib/probe/own.h"
#include "lib/probe/renderer.h"
#include "lib/process/system_clock.h"

struct probe {
	struct probe_options options;
	struct MHD_Daemon *daemon;
	struct clients clients; /* of the server's thread, as what follows */
	struct own own;
	struct renderer renderer;
	pthread_t thread;
	int port;
	int wake_fd; /* a page was rendered, or `stop`: without a thread of its own, libmicrohttpd wakes nobody */
	atomic_bool stop;
};

/* One request, from its headers to the end of its answer. */
struct request {
	struct rendering rendering;
	struct probe *probe;
	struct MHD_Connection *connection;
	bool given;
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

static enum MHD_Result begin(struct probe *probe, struct MHD_Connection *connection, const char *method, void **request)
{
	struct request *begun = xcalloc(1, sizeof(*begun));

	buffer_init(&begun->rendering.body);
	begun->rendering.owner = begun;
	begun->probe = probe;
	begun->connection = connection;
	*request = begun;
	if (strcmp(method, MHD_HTTP_METHOD_GET) && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD\n");
	if (has_body(connection))
		return refuse(connection, MHD_HTTP_CONTENT_TOO_LARGE, "a request has no body here\n");
	return MHD_YES;
}

/* On either thread. */
static void rendered(struct rendering *rendering)
{
	struct request *request = rendering->owner;
	int wake_fd = request->probe->wake_fd;

	MHD_resume_connection(request->connection); /* from here on the request may be gone */
	eventfd_write(wake_fd, 1);
}

static enum MHD_Result give(struct probe *probe, struct MHD_Connection *connection, struct request *request)
{
	MHD_suspend_connection(connection);
	request->given = true;
	if (renderer_give(&probe->renderer, &request->rendering))
		return MHD_YES;
	buffer_append_text(&request->rendering.body, "too many pages are being rendered: ask again\n");
	request->rendering.status = MHD_HTTP_SERVICE_UNAVAILABLE;
	rendered(&request->rendering);
	return MHD_YES;
}

static enum MHD_Result not_found(struct probe *probe, struct MHD_Connection *connection)
{
	struct buffer body;

	buffer_init(&body);
	buffer_append_text(&body, "not found; there are:\n");
	for (size_t i = 0; i < probe->options.pages_count; i++)
		buffer_printf(&body, "%s\n", probe->options.pages[i].path);
	return answer(connection, MHD_HTTP_NOT_FOUND, "text/plain", &body);
}

static const struct probe_page *page_of(const struct probe *probe, const char *url)
{
	for (size_t i = 0; i < probe->options.pages_count; i++)
		if (!strcmp(url, probe->options.pages[i].path))
			return &probe->options.pages[i];
	return NULL;
}

/*
 * First called after the headers, then once more: what is answered at the first call ends the connection unread. For a
 * page that the other thread renders a third time.
 */
static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **state)
{
	struct probe *probe = context;
	struct request *request = *state;
	struct rendering *rendering;

	(void)version;
	(void)upload;
	(void)upload_size;
	if (!request)
		return begin(probe, connection, method, state);
	rendering = &request->rendering;
	if (request->given)
		return answer(connection, rendering->status, rendering->page->content_type, &rendering->body);
	rendering->page = page_of(probe, url);
	if (!rendering->page)
		return not_found(probe, connection);
	if (!rendering->page->health)
		return give(probe, connection, request);
	rendering->status = (unsigned)rendering->page->render(probe->options.context, &rendering->body);
	return answer(connection, rendering->status, rendering->page->content_type, &rendering->body);
}

static int64_t now_ms(void)
{
	return clock_monotonic_ms(&system_clock);
}

static void completed(void *context, struct MHD_Connection *connection, void **state,
                      enum MHD_RequestTerminationCode how)
{
	struct request *request = *state;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

	(void)context;
	(void)how;
	if (info && info->socket_context)
		clients_answered(info->socket_context, now_ms());
	if (request)
		buffer_release(&request->rendering.body);
	free(request);
	*state = NULL;
}

static void connected(void *context, struct MHD_Connection *connection, void **client,
                      enum MHD_ConnectionNotificationCode what)
{
	struct probe *probe = context;

	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		const struct sockaddr *peer =
		        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
		int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;

		*client = clients_add(&probe->clients, fd, peer, own_is(&probe->own, peer, now_ms()), now_ms());
	} else {
		clients_remove(&probe->clients, *client);
	}
}

static void *serve(void *context)
{
	struct probe *probe = context;
	struct pollfd polled[2] = {
	        {.fd = MHD_get_daemon_info(probe->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, .events = POLLIN},
	        {.fd = probe->wake_fd, .events = POLLIN}};

	while (!atomic_load(&probe->stop)) {
		int64_t next_ms = clients_expire(&probe->clients, now_ms());
		MHD_UNSIGNED_LONG_LONG timeout_ms;
		eventfd_t count;

		if (MHD_get_timeout(probe->daemon, &timeout_ms) == MHD_YES &&
		    (next_ms < 0 || timeout_ms < (MHD_UNSIGNED_LONG_LONG)next_ms))
			next_ms = (int64_t)timeout_ms;
		poll(polled, 2, (int)next_ms);
		eventfd_read(probe->wake_fd, &count);
		MHD_run(probe->daemon);
	}
	return NULL;
}

static int start_daemon(struct probe *probe, int fd)
{
	probe->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, probe,
	                                 MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
	                                 (unsigned)CLIENTS_MAX, MHD_OPTION_NOTIFY_CONNECTION, connected, probe,
	                                 MHD_OPTION_NOTIFY_COMPLETED, completed, probe, MHD_OPTION_END);
	return probe->daemon ? 0 : -1;
}

/* From the last to the first that was started. */
static struct probe *start_threads(struct probe *probe, struct error *err)
{
	int code;

	if (renderer_start(&probe->renderer, probe->options.context, rendered, err) < 0) {
		MHD_stop_daemon(probe->daemon);
		return NULL;
	}
	code = pthread_create(&probe->thread, NULL, serve, probe);
	if (!code)
		return probe;
	error_set(err, "cannot start a thread: %s", strerror(code));
	renderer_stop(&probe->renderer);
	MHD_stop_daemon(probe->daemon);
	return NULL;
}

struct probe *probe_start(const struct probe_options *options, struct error *err)
{
	struct probe *probe;
	int fd = listen_open(options->listen, err);

	if (fd < 0)
		return NULL;
	probe = xcalloc(1, sizeof(*probe));
	probe->options = *options;
	probe->clients.request_ms = options->request_ms ? options->request_ms : PROBE_REQUEST_MS;
	probe->port = listen_port(fd);
	probe->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (probe->wake_fd >= 0 && start_daemon(probe, fd) == 0) {
		if (start_threads(probe, err))
			return probe;
	} else {
		error_set(err, "cannot start the HTTP server on %s", options->listen);
		close(fd);
	}
	if (probe->wake_fd >= 0)
		close(probe->wake_fd);
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
	atomic_store(&probe->stop, true);
	eventfd_write(probe->wake_fd, 1);
	pthread_join(probe->thread, NULL);
	renderer_stop(&probe->renderer); /* resumes who waits for a page, as the end of the daemon asks for */
	MHD_stop_daemon(probe->daemon);
	close(probe->wake_fd);
	free(probe);
}

#include "runtime/pushgateway/http.h"

#include <pthread.h>
#include <stdlib.h>

#include <curl/curl.h>

#include "lib/base/memory.h"
#include "lib/process/watch.h"
#include "runtime/port/secret.h"
#include "runtime/pushgateway/message.h"

struct http {
	const struct pushgateway_sink *spec;
	const char *secrets_dir;
	struct stop *stop;
	CURL *curl;
	struct curl_slist *headers, *text_headers;
	char message[CURL_ERROR_SIZE];
	const struct http_request *request; /* the one that is being made */
	size_t sent;                        /* of its body */
	bool late;                          /* given up, as the lease had run out */
};

static void init_library(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

struct http *http_new(const struct pushgateway_sink *spec, const char *secrets_dir, struct stop *stop)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct http *http = xcalloc(1, sizeof(*http));

	pthread_once(&once, init_library);
	http->spec = spec;
	http->secrets_dir = secrets_dir;
	http->stop = stop;
	http->curl = curl_easy_init();
	http->headers = curl_slist_append(NULL, "Content-Type: " MESSAGE_CONTENT_TYPE);
	http->headers = curl_slist_append(http->headers, "Expect:");
	http->text_headers = curl_slist_append(NULL, "Content-Type: " MESSAGE_TEXT_TYPE);
	http->text_headers = curl_slist_append(http->text_headers, "Expect:");
	if (!http->curl || !http->headers || !http->text_headers)
		abort();
	return http;
}

void http_free(struct http *http)
{
	if (!http)
		return;
	curl_easy_cleanup(http->curl);
	curl_slist_free_all(http->headers);
	curl_slist_free_all(http->text_headers);
	free(http);
}

static size_t receive(char *data, size_t size, size_t count, void *context)
{
	struct buffer *answer = context;

	buffer_append(answer, data, size * count);
	return answer->overflow ? 0 : size * count;
}

/* Ends a transfer when the stop's deadline is over. */
static int progress(void *context, curl_off_t total_down, curl_off_t down, curl_off_t total_up, curl_off_t up)
{
	(void)total_down;
	(void)down;
	(void)total_up;
	(void)up;
	return stop_deadline_passed(context);
}

static int set_security(struct http *http, struct error *err)
{
	const struct pushgateway_sink *spec = http->spec;
	const char *credentials = spec->credentials_secret.name, *ca = spec->ca_secret.name;
	char username[SECRET_BYTES_MAX], password[SECRET_BYTES_MAX], path[SECRET_PATH_BYTES_MAX];

	if (credentials) {
		if (secret_read(http->secrets_dir, credentials, "username", username, err) < 0 ||
		    secret_read(http->secrets_dir, credentials, "password", password, err) < 0)
			return -1;
		curl_easy_setopt(http->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
		curl_easy_setopt(http->curl, CURLOPT_USERNAME, username);
		curl_easy_setopt(http->curl, CURLOPT_PASSWORD, password);
		explicit_bzero(password, sizeof(password));
	}
	if (ca) {
		if (secret_path(http->secrets_dir, ca, "ca.crt", path, err) < 0)
			return -1;
		curl_easy_setopt(http->curl, CURLOPT_CAINFO, path);
	}
	return 0;
}

static bool may_send(struct http *http)
{
	http->late = !lease_held(http->request->lease);
	return !http->late;
}

/* The connection stands, nothing of the request is sent. */
static int before_request(void *context, char *peer, char *own, int peer_port, int own_port)
{
	(void)peer;
	(void)own;
	(void)peer_port;
	(void)own_port;
	return may_send(context) ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static size_t send_body(char *data, size_t size, size_t count, void *context)
{
	struct http *http = context;
	struct slice body = http->request->body;
	size_t bytes = size * count < body.size - http->sent ? size * count : body.size - http->sent;

	if (!http->sent && !may_send(http))
		return CURL_READFUNC_ABORT;
	memcpy(data, body.data + http->sent, bytes);
	http->sent += bytes;
	return bytes;
}

/* Where a connection that was kept turns out to be closed, the body is sent again on a new one. */
static int rewind_body(void *context, curl_off_t offset, int origin)
{
	struct http *http = context;

	if (origin != SEEK_SET || offset < 0 || (size_t)offset > http->request->body.size)
		return CURL_SEEKFUNC_FAIL;
	http->sent = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

static void set_body(struct http *http)
{
	CURL *curl = http->curl;

	curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)http->request->body.size);
	curl_easy_setopt(curl, CURLOPT_READFUNCTION, send_body);
	curl_easy_setopt(curl, CURLOPT_READDATA, http);
	curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, rewind_body);
	curl_easy_setopt(curl, CURLOPT_SEEKDATA, http);
}

static void set_request(struct http *http, struct buffer *answer)
{
	CURL *curl = http->curl;

	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, http->request->url);
	curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, http->request->method);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, http->request->text ? http->text_headers : http->headers);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)http->spec->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)http->spec->timeout_ms);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, http->message);
	curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, before_request);
	curl_easy_setopt(curl, CURLOPT_PREREQDATA, http);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, progress);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, http->stop);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "streamjob/" STREAMJOB_VERSION);
	if (!strcmp(http->request->method, "PUT"))
		set_body(http);
}

int http_request(struct http *http, const struct http_request *request, struct buffer *answer,
                 int64_t *ret_retry_after_ms, struct error *err)
{
	curl_off_t retry_after_s = 0;
	CURLcode code;
	long status = 0;

	buffer_clear(answer);
	answer->max = ANSWER_BYTES_MAX;
	*ret_retry_after_ms = 0;
	http->message[0] = '\0';
	http->request = request;
	http->sent = 0;
	http->late = false;
	set_request(http, answer);
	if (set_security(http, err) < 0)
		return 0;
	code = watched(WATCH_SINK, "the request to", "the gateway", http->spec->timeout_ms + RESOLVE_MS,
	               curl_easy_perform(http->curl));
	if (code != CURLE_OK) {
		error_set(err, "%s",
		          http->late         ? "not sent: the job's lease ran out meanwhile"
		          : http->message[0] ? http->message
		                             : curl_easy_strerror(code));
		return 0;
	}
	curl_easy_getinfo(http->curl, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(http->curl, CURLINFO_RETRY_AFTER, &retry_after_s);
	if (retry_after_s > 0)
		*ret_retry_after_ms =
		        retry_after_s < RETRY_AFTER_MS_MAX / 1000 ? retry_after_s * 1000 : RETRY_AFTER_MS_MAX;
	return (int)status;
}

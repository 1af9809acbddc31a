#include "operator/kube/transfer.h"

#include <stdatomic.h>

#include "lib/base/memory.h"

#define PARTIAL_JSON      "application/json;as="
#define PARTIAL_VERSION   "g=meta.k8s.io;v=v1"
#define POLL_MS_MAX       1000
#define REFUSAL_BYTES_MAX ((size_t)64 * 1024)
#define KEEPALIVE_S       30L

static int64_t now_ms(const struct kube_client *client)
{
	return clock_monotonic_ms(client->cluster->clock);
}

static void client_describe(const struct request *request, struct buffer *out)
{
	buffer_printf(out, "%s %.*s", kube_method_names[request->method], (int)strcspn(request->path, "?"),
	              request->path);
}

static bool success(const struct attempt *attempt)
{
	long status = 0;

	curl_easy_getinfo(attempt->client->easy, CURLINFO_RESPONSE_CODE, &status);
	return status >= 200 && status < 300;
}

static void say_opened(struct attempt *attempt)
{
	if (!attempt->opened && attempt->request->opened)
		attempt->request->opened(attempt->request->context);
	attempt->opened = true;
}

static size_t receive(char *data, size_t size, size_t count, void *context)
{
	struct attempt *attempt = context;

	size *= count;
	attempt->heard_ms = now_ms(attempt->client);
	if (!success(attempt)) {
		if (attempt->refusal.size + size <= REFUSAL_BYTES_MAX)
			buffer_append(&attempt->refusal, data, size);
		return size;
	}
	if (!attempt->request->receive(attempt->request->context, data, size)) {
		attempt->stopped = true;
		return 0;
	}
	return size;
}

/* A watch is open once its headers are there, long before its first event. */
static size_t receive_header(char *data, size_t size, size_t count, void *context)
{
	struct attempt *attempt = context;

	size *= count;
	attempt->heard_ms = now_ms(attempt->client);
	if (size <= 2 && data[0] == '\r' && success(attempt))
		say_opened(attempt);
	return size;
}

static void set_tls(CURL *easy, const struct access *access, const struct credentials *credentials)
{
	struct curl_blob blob = {.flags = CURL_BLOB_COPY};

	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (access->ca.text || access->ca.file) {
		/* An empty file trusts nobody, not the system's CAs. */
		blob.data = credentials->ca.size ? credentials->ca.data : (char[]){"\n"};
		blob.len = credentials->ca.size ? credentials->ca.size : 1;
		curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &blob);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); /* else the system's CAs would count beside it */
	}
	if (credentials->certificate.size) {
		blob.data = credentials->certificate.data;
		blob.len = credentials->certificate.size;
		curl_easy_setopt(easy, CURLOPT_SSLCERT_BLOB, &blob);
		blob.data = credentials->key.data;
		blob.len = credentials->key.size;
		curl_easy_setopt(easy, CURLOPT_SSLKEY_BLOB, &blob);
	}
}

static void add_header(struct attempt *attempt, const char *header)
{
	struct curl_slist *headers = curl_slist_append(attempt->headers, header);

	if (!headers)
		memory_exhausted();
	attempt->headers = headers;
}

static void set_headers(struct attempt *attempt)
{
	struct buffer header;

	add_header(attempt, !attempt->request->metadata_only ? "Accept: application/json"
	                    : attempt->request->stream
	                            ? "Accept: " PARTIAL_JSON "PartialObjectMetadata;" PARTIAL_VERSION
	                            : "Accept: " PARTIAL_JSON "PartialObjectMetadataList;" PARTIAL_VERSION);
	add_header(attempt, "Expect:");
	if (attempt->request->content_type) {
		buffer_init(&header);
		buffer_printf(&header, "Content-Type: %s", attempt->request->content_type);
		add_header(attempt, header.data);
		buffer_release(&header);
	}
	if (attempt->credentials->authorization)
		add_header(attempt, attempt->credentials->authorization);
	curl_easy_setopt(attempt->client->easy, CURLOPT_HTTPHEADER, attempt->headers);
}

static void set_url(struct attempt *attempt)
{
	const struct access *access = &attempt->client->cluster->access;
	CURL *easy = attempt->client->easy;
	struct buffer url;

	buffer_init(&url);
	buffer_printf(&url, "%s%s", access->server, attempt->request->path);
	curl_easy_setopt(easy, CURLOPT_URL, url.data);
	buffer_release(&url);
	if (access->connect_to) {
		attempt->route = curl_slist_append(NULL, access->connect_to);
		if (!attempt->route)
			memory_exhausted();
		curl_easy_setopt(easy, CURLOPT_CONNECT_TO, attempt->route);
	}
	if (access->proxy_url)
		curl_easy_setopt(easy, CURLOPT_PROXY, access->proxy_url);
}

static void set_request(struct attempt *attempt)
{
	const struct request *request = attempt->request;
	struct kube_client *client = attempt->client;
	CURL *easy = client->easy;

	curl_easy_reset(easy);
	client->message[0] = '\0';
	set_url(attempt);
	set_headers(attempt);
	set_tls(easy, &client->cluster->access, attempt->credentials);
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, kube_method_names[request->method]);
	if (request->body.size) {
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.data);
	}
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, request->stream ? NULL : "gzip");
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)KUBE_CONNECT_MS_MAX);
	curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, KEEPALIVE_S);
	curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, KEEPALIVE_S);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, client->cluster->user_agent);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->message);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, attempt);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, receive_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, attempt);
}

/* When the transfer is over: whether it came to an end by itself, and how. */
enum ending { ENDED, TIMED_OUT, FELL_SILENT, CANCELLED };

static int64_t wait_ms(const struct attempt *attempt, int64_t now)
{
	int64_t wait = POLL_MS_MAX;

	if (attempt->deadline_ms && attempt->deadline_ms - now < wait)
		wait = attempt->deadline_ms - now;
	if (attempt->request->idle_ms && attempt->heard_ms + attempt->request->idle_ms - now < wait)
		wait = attempt->heard_ms + attempt->request->idle_ms - now;
	return wait;
}

static enum ending transfer(struct attempt *attempt, CURLcode *ret_code)
{
	struct kube_client *client = attempt->client;
	const CURLMsg *message;
	int running = 1, left;

	for (;;) {
		int64_t now;

		if (atomic_load(&client->cancelled) || atomic_exchange(&client->interrupted, false))
			return CANCELLED;
		curl_multi_perform(client->multi, &running);
		if (!running)
			break;
		now = now_ms(client);
		if (attempt->deadline_ms && now >= attempt->deadline_ms)
			return TIMED_OUT;
		if (attempt->request->idle_ms && now >= attempt->heard_ms + attempt->request->idle_ms)
			return FELL_SILENT;
		curl_multi_poll(client->multi, NULL, 0, (int)wait_ms(attempt, now), NULL);
	}
	*ret_code = CURLE_GOT_NOTHING;
	while ((message = curl_multi_info_read(client->multi, &left)))
		if (message->msg == CURLMSG_DONE)
			*ret_code = message->data.result;
	return ENDED;
}

/* The server's certificate, or ours: waiting does not mend it, other files do. */
static bool untrusted(CURLcode code)
{
	return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE ||
	       code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_ISSUER_ERROR;
}

static int fail_transfer(const struct attempt *attempt, enum ending ending, CURLcode code, struct kube_error *err)
{
	const struct kube_client *client = attempt->client;
	struct buffer what;
	int failed;

	buffer_init(&what);
	client_describe(attempt->request, &what);
	if (ending == CANCELLED)
		failed = kube_fail(err, KUBE_CANCELLED, "%s: stopped", what.data);
	else if (ending == TIMED_OUT)
		failed = kube_fail(err, KUBE_UNAVAILABLE, "%s: no answer of %s within the time-out", what.data,
		                   client->cluster->access.server);
	else if (ending == FELL_SILENT)
		failed = kube_fail(err, attempt->opened ? KUBE_SILENT : KUBE_UNAVAILABLE, "%s: silent for %lld ms",
		                   what.data, (long long)attempt->request->idle_ms);
	else
		failed = kube_fail(err, untrusted(code) ? KUBE_UNTRUSTED : KUBE_UNAVAILABLE, "%s: %s: %s", what.data,
		                   client->cluster->access.server,
		                   client->message[0] ? client->message : curl_easy_strerror(code));
	buffer_release(&what);
	return failed;
}

static int fail_status(const struct attempt *attempt, long status, struct kube_error *err)
{
	curl_off_t retry_after_s = 0;
	struct buffer what;
	int failed;

	curl_easy_getinfo(attempt->client->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
	if (retry_after_s > KUBE_RETRY_AFTER_MS_MAX / 1000)
		retry_after_s = KUBE_RETRY_AFTER_MS_MAX / 1000;
	buffer_init(&what);
	client_describe(attempt->request, &what);
	failed = kube_fail_answer(err, what.data, (int)status, retry_after_s * 1000, buffer_slice(&attempt->refusal));
	buffer_release(&what);
	return failed;
}

/* After a transfer: 0, 1 where the receiver ended it, or -1. */
static int conclude(struct attempt *attempt, enum ending ending, CURLcode code, int64_t begun_ms,
                    struct kube_error *err)
{
	struct kube_client *client = attempt->client;
	long status = 0;
	bool answered;

	curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
	answered = ending == ENDED && (code == CURLE_OK || attempt->stopped);
	kube_cluster_count(client->cluster, attempt->request->method, status >= 200 ? (int)status : 0,
	                   attempt->request->stream ? -1 : now_ms(client) - begun_ms);
	if (!answered)
		return fail_transfer(attempt, ending, code, err);
	if (attempt->stopped)
		return 1;
	if (status < 200 || status >= 300)
		return fail_status(attempt, status, err);
	say_opened(attempt);
	return 0;
}

int attempt_perform(struct attempt *attempt, int64_t timeout_ms, struct kube_error *err)
{
	struct kube_client *client = attempt->client;
	int64_t begun_ms = now_ms(client);
	CURLcode code = CURLE_OK;
	enum ending ending;
	int outcome;

	attempt->heard_ms = begun_ms;
	attempt->deadline_ms = timeout_ms ? begun_ms + timeout_ms : 0;
	set_request(attempt);
	curl_multi_add_handle(client->multi, client->easy);
	ending = transfer(attempt, &code);
	outcome = conclude(attempt, ending, code, begun_ms, err);
	curl_multi_remove_handle(client->multi, client->easy);
	/* What the handle was lent goes with the attempt. */
	curl_easy_reset(client->easy);
	if (ending != ENDED && ending != CANCELLED)
		attempt->dead = true;
	return outcome;
}

void attempt_init(struct attempt *attempt, struct kube_client *client, const struct request *request,
                  struct credentials *credentials)
{
	*attempt = (struct attempt){.client = client, .request = request, .credentials = credentials};
	buffer_init(&attempt->refusal);
}

void attempt_release(struct attempt *attempt)
{
	curl_slist_free_all(attempt->headers);
	curl_slist_free_all(attempt->route);
	buffer_release(&attempt->refusal);
}

/*
 * A client is a libcurl multi handle with one easy handle: the multi handle keeps the connection, and can be woken from
 * another thread. A connection on which a request timed out may be dead without anybody having said so: the multi
 * handle and all its connections are replaced then.
 */
#include <stdatomic.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "operator/kube/transfer.h"

#define CONNECTIONS_MAX 2L

static void open_handles(struct kube_client *client)
{
	client->multi = curl_multi_init();
	client->easy = curl_easy_init();
	if (!client->multi || !client->easy)
		memory_exhausted();
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, CONNECTIONS_MAX);
}

static void close_handles(struct kube_client *client)
{
	curl_easy_cleanup(client->easy);
	curl_multi_cleanup(client->multi);
}

struct kube_client *kube_client_new(struct kube_cluster *cluster)
{
	struct kube_client *client = xcalloc(1, sizeof(*client));

	client->cluster = cluster;
	client->timeout_ms = KUBE_REQUEST_MS_DEFAULT;
	pthread_mutex_init(&client->lock, NULL);
	open_handles(client);
	return client;
}

void kube_client_free(struct kube_client *client)
{
	if (!client)
		return;
	close_handles(client);
	pthread_mutex_destroy(&client->lock);
	free(client);
}

static void wake(struct kube_client *client)
{
	pthread_mutex_lock(&client->lock);
	curl_multi_wakeup(client->multi);
	pthread_mutex_unlock(&client->lock);
}

void kube_client_cancel(struct kube_client *client)
{
	atomic_store(&client->cancelled, true);
	wake(client);
}

void kube_client_interrupt(struct kube_client *client)
{
	atomic_store(&client->interrupted, true);
	wake(client);
}

void kube_client_set_timeout(struct kube_client *client, int64_t request_ms)
{
	client->timeout_ms = request_ms;
}

int64_t client_timeout_ms(const struct kube_client *client)
{
	return client->timeout_ms;
}

void kube_client_set_gate(struct kube_client *client, int64_t (*writable_ms)(void *context), void *context)
{
	client->writable_ms = writable_ms;
	client->gate_context = context;
}

static int attempt_request(struct kube_client *client, const struct request *request, int64_t timeout_ms,
                           struct credentials *credentials, struct kube_error *err)
{
	struct attempt attempt;
	int outcome;

	attempt_init(&attempt, client, request, credentials);
	outcome = attempt_perform(&attempt, timeout_ms, err);
	attempt_release(&attempt);
	if (attempt.dead) {
		pthread_mutex_lock(&client->lock);
		close_handles(client);
		open_handles(client);
		pthread_mutex_unlock(&client->lock);
	}
	return outcome;
}

/* How long a write may take: the time-out, or less where the gate will shut before. */
static int ask_gate(const struct kube_client *client, const struct request *request, int64_t *timeout_ms,
                    struct kube_error *err)
{
	int64_t writable_ms;

	if (!request->writes || !client->writable_ms)
		return 0;
	writable_ms = client->writable_ms(client->gate_context);
	if (writable_ms <= 0)
		return kube_fail(err, KUBE_NOT_LEADER, "%s %.*s: not sent: this process does not hold the lease",
		                 kube_method_names[request->method], (int)strcspn(request->path, "?"), request->path);
	if (!*timeout_ms || writable_ms < *timeout_ms)
		*timeout_ms = writable_ms;
	return 0;
}

int client_perform(struct kube_client *client, const struct request *request, struct kube_error *err)
{
	struct credentials *credentials = NULL, *fresh;
	int outcome = -1;

	for (int attempts = 0; attempts < 2; attempts++) {
		int64_t timeout_ms = request->timeout_ms;
		struct error why;

		fresh = credentials_get(client->cluster->credentials, credentials, &why);
		credentials_put(credentials);
		credentials = fresh;
		if (!credentials) {
			outcome = kube_fail(err, KUBE_CREDENTIALS, "%s", why.text);
			break;
		}
		outcome = ask_gate(client, request, &timeout_ms, err);
		if (outcome < 0)
			break;
		outcome = attempt_request(client, request, timeout_ms, credentials, err);
		if (outcome >= 0 || (err->reason != KUBE_UNAUTHORIZED && err->reason != KUBE_UNTRUSTED))
			break;
	}
	credentials_put(credentials);
	return outcome;
}

#include "operator/kube/pod_page.h"

#include <stdatomic.h>
#include <stdlib.h>

#include <curl/curl.h>

#include "lib/base/memory.h"

#define POLL_MS_MAX 1000

struct slot { /* one transfer at a time */
	CURL *easy;
	struct pod_page *page;
	char message[CURL_ERROR_SIZE];
};

struct pod_page_client {
	CURLM *multi;
	struct slot slots[POD_PAGES_PARALLEL_MAX];
	_Atomic bool cancelled;
};

struct pod_page_client *pod_page_client_new(void)
{
	struct pod_page_client *client = xcalloc(1, sizeof(*client));

	client->multi = curl_multi_init();
	if (!client->multi)
		memory_exhausted();
	curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)POD_PAGES_IDLE_MAX);
	for (size_t i = 0; i < POD_PAGES_PARALLEL_MAX; i++) {
		client->slots[i].easy = curl_easy_init();
		if (!client->slots[i].easy)
			memory_exhausted();
	}
	return client;
}

void pod_page_client_free(struct pod_page_client *client)
{
	if (!client)
		return;
	for (size_t i = 0; i < POD_PAGES_PARALLEL_MAX; i++)
		curl_easy_cleanup(client->slots[i].easy);
	curl_multi_cleanup(client->multi);
	free(client);
}

void pod_page_client_cancel(struct pod_page_client *client)
{
	atomic_store(&client->cancelled, true);
	curl_multi_wakeup(client->multi);
}

static size_t receive(char *data, size_t size, size_t count, void *context)
{
	struct buffer *body = context;

	buffer_append(body, data, size * count);
	return body->overflow ? 0 : size * count;
}

static void begin(struct pod_page_client *client, struct slot *slot, struct pod_page *page, int timeout_ms)
{
	CURL *easy = slot->easy;

	slot->page = page;
	slot->message[0] = '\0';
	curl_easy_reset(easy);
	curl_easy_setopt(easy, CURLOPT_URL, page->url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, slot->message);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "streamjob-operator/" STREAMJOB_VERSION);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, slot);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, &page->body);
	curl_multi_add_handle(client->multi, easy);
}

static void finish(struct pod_page_client *client, struct slot *slot, CURLcode code)
{
	struct pod_page *page = slot->page;
	long status = 0;

	curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK)
		page->http_status = (int)status;
	else if (page->body.overflow)
		error_set(&page->error, "GET %s: the answer is larger than %zu bytes", page->url, page->body.max);
	else
		error_set(&page->error, "GET %s: %s", page->url,
		          slot->message[0] ? slot->message : curl_easy_strerror(code));
	curl_multi_remove_handle(client->multi, slot->easy);
	slot->page = NULL;
}

/* Takes what is done; returns how many. */
static size_t reap(struct pod_page_client *client)
{
	const CURLMsg *message;
	size_t done = 0;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left))) {
		struct slot *slot = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&slot);
		finish(client, slot, code);
		done++;
	}
	return done;
}

static void drop_rest(struct pod_page_client *client)
{
	for (size_t i = 0; i < POD_PAGES_PARALLEL_MAX; i++) {
		struct slot *slot = &client->slots[i];

		if (!slot->page)
			continue;
		error_set(&slot->page->error, "GET %s: stopped", slot->page->url);
		curl_multi_remove_handle(client->multi, slot->easy);
		slot->page = NULL;
	}
}

static size_t fill(struct pod_page_client *client, struct pod_page *pages, size_t next, size_t count, int timeout_ms)
{
	for (size_t i = 0; i < POD_PAGES_PARALLEL_MAX && next < count; i++)
		if (!client->slots[i].page)
			begin(client, &client->slots[i], &pages[next++], timeout_ms);
	return next;
}

void pod_pages_get(struct pod_page_client *client, struct pod_page *pages, size_t count, int timeout_ms)
{
	size_t next = 0, done = 0;
	int running;

	for (size_t i = 0; i < count; i++) {
		buffer_clear(&pages[i].body);
		pages[i].http_status = 0;
		error_set(&pages[i].error, "GET %s: stopped", pages[i].url);
	}
	while (done < count && !atomic_load(&client->cancelled)) {
		next = fill(client, pages, next, count, timeout_ms);
		curl_multi_perform(client->multi, &running);
		done += reap(client);
		if (running)
			curl_multi_poll(client->multi, NULL, 0, POLL_MS_MAX, NULL);
	}
	drop_rest(client);
}

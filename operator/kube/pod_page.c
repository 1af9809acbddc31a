#include "operator/kube/pod_page.h"

#include <stdlib.h>

#include <curl/curl.h>

#include "lib/base/memory.h"

struct slot { /* one transfer at a time */
	CURL *easy;
	struct pod_page *page;
	bool enough;
	char message[CURL_ERROR_SIZE];
};

struct pod_page_client {
	CURLM *multi;
	struct slot slots[POD_PAGES_PARALLEL_MAX];
	size_t slow; /* pages under way that are */
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
	for (size_t i = 0; i < POD_PAGES_PARALLEL_MAX; i++) {
		if (client->slots[i].page)
			curl_multi_remove_handle(client->multi, client->slots[i].easy);
		curl_easy_cleanup(client->slots[i].easy);
	}
	curl_multi_cleanup(client->multi);
	free(client);
}

static size_t receive(char *data, size_t size, size_t count, void *context)
{
	struct slot *slot = context;
	struct pod_page *page = slot->page;

	page->bytes += size * count;
	if (page->bytes > page->bytes_max)
		return 0;
	slot->enough = !page->take(page->context, data, size * count);
	return slot->enough ? 0 : size * count;
}

/* Trailers and the headers of answers that only announce one (1xx) come here too. */
static size_t receive_header(char *data, size_t size, size_t count, void *context)
{
	struct slot *slot = context;

	(void)data;
	slot->page->header_bytes += size * count;
	return slot->page->header_bytes > POD_PAGE_HEADER_BYTES ? 0 : size * count;
}

bool pod_page_begin(struct pod_page_client *client, struct pod_page *page)
{
	struct slot *slot = client->slots;

	while (slot < client->slots + POD_PAGES_PARALLEL_MAX && slot->page)
		slot++;
	if (slot == client->slots + POD_PAGES_PARALLEL_MAX || (page->slow && client->slow >= POD_PAGES_SLOW_MAX))
		return false;
	client->slow += page->slow;
	slot->page = page;
	slot->enough = false;
	slot->message[0] = '\0';
	page->http_status = 0;
	page->bytes = page->header_bytes = 0;
	curl_easy_reset(slot->easy);
	curl_easy_setopt(slot->easy, CURLOPT_URL, page->url);
	curl_easy_setopt(slot->easy, CURLOPT_PROTOCOLS_STR, "http");
	curl_easy_setopt(slot->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(slot->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(slot->easy, CURLOPT_TIMEOUT_MS, (long)page->timeout_ms);
	curl_easy_setopt(slot->easy, CURLOPT_ERRORBUFFER, slot->message);
	curl_easy_setopt(slot->easy, CURLOPT_USERAGENT, "streamjob-operator/" STREAMJOB_VERSION);
	curl_easy_setopt(slot->easy, CURLOPT_PRIVATE, slot);
	curl_easy_setopt(slot->easy, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(slot->easy, CURLOPT_WRITEDATA, slot);
	curl_easy_setopt(slot->easy, CURLOPT_HEADERFUNCTION, receive_header);
	curl_easy_setopt(slot->easy, CURLOPT_HEADERDATA, slot);
	curl_multi_add_handle(client->multi, slot->easy);
	return true;
}

static struct pod_page *finish(struct pod_page_client *client, struct slot *slot, CURLcode code)
{
	struct pod_page *page = slot->page;
	long status = 0;

	curl_easy_getinfo(slot->easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK || slot->enough)
		page->http_status = (int)status;
	else if (page->bytes > page->bytes_max)
		error_set(&page->error, "GET %s: the answer is larger than %zu bytes", page->url, page->bytes_max);
	else if (page->header_bytes > POD_PAGE_HEADER_BYTES)
		error_set(&page->error, "GET %s: the headers of the answer are larger than %d bytes", page->url,
		          POD_PAGE_HEADER_BYTES);
	else
		error_set(&page->error, "GET %s: %s", page->url,
		          slot->message[0] ? slot->message : curl_easy_strerror(code));
	curl_multi_remove_handle(client->multi, slot->easy);
	client->slow -= page->slow;
	slot->page = NULL;
	return page;
}

static struct pod_page *reap(struct pod_page_client *client)
{
	const CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(client->multi, &left))) {
		struct slot *slot = NULL;
		CURLcode code = message->data.result;

		if (message->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&slot);
		return finish(client, slot, code);
	}
	return NULL;
}

struct pod_page *pod_page_done(struct pod_page_client *client, int wait_ms)
{
	struct pod_page *page = reap(client);
	int running;

	if (page)
		return page;
	curl_multi_perform(client->multi, &running);
	page = reap(client);
	if (page || wait_ms <= 0)
		return page;
	curl_multi_poll(client->multi, NULL, 0, wait_ms, NULL);
	curl_multi_perform(client->multi, &running);
	return reap(client);
}

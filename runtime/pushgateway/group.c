#include "runtime/pushgateway/group.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "lib/base/memory.h"

static void append_percent(struct buffer *out, struct slice text)
{
	for (size_t i = 0; i < text.size; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c < 0x80 && (isalnum(c) || strchr("-._~", c)))
			buffer_append_char(out, (char)c);
		else
			buffer_printf(out, "%%%02X", c);
	}
}

static void append_base64(struct buffer *out, struct slice text)
{
	char *encoded = xmalloc((text.size + 2) / 3 * 4 + 1);
	int size = EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)text.data, (int)text.size);

	if (!text.size)
		buffer_append_char(out, '=');
	for (int i = 0; i < size; i++)
		buffer_append_char(out, encoded[i] == '+' ? '-' : encoded[i] == '/' ? '_' : encoded[i]);
	free(encoded);
}

static void append_part(struct buffer *out, const char *label, const char *value)
{
	struct slice text = slice_of(value);
	bool encode = !text.size || strchr(value, '/');

	buffer_printf(out, "/%s%s/", label, encode ? "@base64" : "");
	if (encode)
		append_base64(out, text);
	else
		append_percent(out, text);
}

static void append_base(const struct pushgateway_sink *spec, bool credentials, struct buffer *out)
{
	struct slice url = slice_of(spec->url);
	const char *scheme_end = strstr(spec->url, "://");
	const char *host = scheme_end ? scheme_end + 3 : spec->url;
	const char *at = strchr(host, '@');

	while (url.size && url.data[url.size - 1] == '/')
		url.size--;
	if (!credentials && at && at < host + strcspn(host, "/")) {
		buffer_append(out, url.data, (size_t)(host - url.data));
		url.size -= (size_t)(at + 1 - url.data);
		url.data = at + 1;
	}
	buffer_append_slice(out, url);
}

void group_url(const struct pushgateway_sink *spec, bool credentials, struct buffer *out)
{
	append_base(spec, credentials, out);
	buffer_append_text(out, "/metrics");
	append_part(out, "job", spec->job);
	for (size_t i = 0; i < spec->grouping_key.count; i++)
		append_part(out, spec->grouping_key.items[i].key, spec->grouping_key.items[i].value);
}

void group_base_url(const struct pushgateway_sink *spec, struct buffer *out)
{
	append_base(spec, true, out);
}

void group_path(const json_t *labels, struct buffer *out)
{
	const char *name, *job = json_string_value(json_object_get(labels, "job"));
	json_t *value;

	buffer_append_text(out, "/metrics");
	append_part(out, "job", job ? job : "");
	json_object_foreach((json_t *)(uintptr_t)labels, name, value)
	{
		if (strcmp(name, "job") != 0)
			append_part(out, name, json_string_value(value));
	}
}

void group_list_url(const struct pushgateway_sink *spec, struct buffer *out)
{
	append_base(spec, true, out);
	buffer_append_text(out, "/api/v1/metrics");
}

static const char *label(const json_t *labels, const char *name)
{
	return json_string_value(json_object_get(labels, name));
}

bool group_is(const struct pushgateway_sink *spec, const json_t *labels)
{
	const char *job = label(labels, "job"), *instance = label(labels, "instance");
	size_t expected = spec->grouping_key.count + 1;

	if (!job || strcmp(job, spec->job) != 0)
		return false;
	for (size_t i = 0; i < spec->grouping_key.count; i++) {
		const char *value = label(labels, spec->grouping_key.items[i].key);

		if (!value || strcmp(value, spec->grouping_key.items[i].value) != 0)
			return false;
		if (!strcmp(spec->grouping_key.items[i].key, "instance"))
			instance = NULL;
	}
	return json_object_size(labels) == expected + (instance != NULL && !instance[0]);
}

void group_page_url(const struct pushgateway_sink *spec, struct buffer *out)
{
	append_base(spec, true, out);
	buffer_append_text(out, "/metrics");
}

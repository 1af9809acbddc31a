#include "operator/kube/path.h"

#include <ctype.h>

static void append_percent(struct buffer *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x80 && (isalnum(c) || strchr("-._~", c)))
			buffer_append_char(out, (char)c);
		else
			buffer_printf(out, "%%%02X", c);
	}
}

static void append_part(struct buffer *out, const char *part)
{
	if (!part)
		return;
	buffer_append_char(out, '/');
	append_percent(out, part);
}

void path_object(struct buffer *out, const struct kube_resource *resource, const char *namespace, const char *name,
                 const char *subresource)
{
	buffer_append_text(out, resource->root);
	if (namespace) {
		buffer_append_text(out, "/namespaces");
		append_part(out, namespace);
	}
	append_part(out, resource->plural);
	append_part(out, name);
	append_part(out, subresource);
}

void path_query(struct buffer *out, const char *key, const char *value)
{
	if (!value)
		return;
	buffer_append_char(out, out->data && strchr(out->data, '?') ? '&' : '?');
	buffer_append_text(out, key);
	buffer_append_char(out, '=');
	append_percent(out, value);
}

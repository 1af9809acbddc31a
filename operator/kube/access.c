#include "operator/kube/access.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/process/file.h"

static void text_release(struct access_text *text)
{
	if (text->text)
		explicit_bzero(text->text, strlen(text->text));
	free(text->text);
	free(text->file);
}

void access_release(struct access *access)
{
	free(access->server);
	free(access->namespace);
	free(access->connect_to);
	free(access->proxy_url);
	text_release(&access->ca);
	text_release(&access->token);
	text_release(&access->certificate);
	text_release(&access->key);
	exec_plugin_free(access->exec);
	*access = (struct access){0};
}

static char *join(const char *directory, const char *name)
{
	char *path = NULL;

	if (asprintf(&path, "%s/%s", directory, name) < 0)
		memory_exhausted();
	return path;
}

int access_from_pod(const char *host, const char *port, const char *directory, struct access *ret_access,
                    struct error *err)
{
	struct access access = {0};
	struct buffer own;
	char *path = join(directory, "namespace");
	bool ipv6 = strchr(host, ':') != NULL;

	buffer_init(&own);
	if (file_read(path, 256, &own, err) < 0) {
		free(path);
		buffer_release(&own);
		return error_prefix(err, "the Pod's ServiceAccount");
	}
	free(path);
	if (own.size)
		own.data[strcspn(own.data, " \r\n")] = '\0';
	if (asprintf(&access.server, "https://%s%s%s:%s", ipv6 ? "[" : "", host, ipv6 ? "]" : "", port) < 0)
		memory_exhausted();
	access.namespace = buffer_take(&own);
	access.token.file = join(directory, "token");
	access.ca.file = join(directory, "ca.crt");
	*ret_access = access;
	return 0;
}

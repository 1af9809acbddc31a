#include "operator/kube/access.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/memory.h"

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
	*access = (struct access){0};
}

int access_read_file(const char *path, size_t bytes_max, struct buffer *out, struct error *err)
{
	FILE *file = fopen(path, "re");
	char chunk[4096];
	size_t size;
	int failed = 0;

	if (!file)
		return error_set(err, "cannot open %s: %s", path, strerror(errno));
	out->max = bytes_max;
	while ((size = fread(chunk, 1, sizeof(chunk), file)))
		buffer_append(out, chunk, size);
	if (ferror(file))
		failed = error_set(err, "cannot read %s: %s", path, strerror(errno));
	else if (out->overflow)
		failed = error_set(err, "%s is larger than %zu bytes", path, bytes_max);
	fclose(file);
	explicit_bzero(chunk, sizeof(chunk));
	return failed;
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
	if (access_read_file(path, 256, &own, err) < 0) {
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

#include "operator/kube/credentials.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"
#include "lib/process/file.h"

struct credentials_source {
	const struct access *access;
	const struct clock *clock;
	int64_t age_ms_max, read_ms;
	pthread_mutex_t lock;
	struct credentials *current;
};

static void secret_release(struct buffer *text)
{
	if (text->data)
		explicit_bzero(text->data, text->size);
	buffer_release(text);
}

void credentials_put(struct credentials *credentials)
{
	if (!credentials || atomic_fetch_sub(&credentials->references, 1) > 1)
		return;
	buffer_release(&credentials->ca);
	buffer_release(&credentials->certificate);
	secret_release(&credentials->key);
	if (credentials->authorization)
		explicit_bzero(credentials->authorization, strlen(credentials->authorization));
	free(credentials->authorization);
	free(credentials);
}

static int fetch(const struct access_text *from, struct buffer *out, struct error *err)
{
	if (from->text)
		buffer_append_text(out, from->text);
	else if (from->file)
		return file_read(from->file, ACCESS_FILE_BYTES_MAX, out, err);
	return 0;
}

static int fetch_token(const struct access_text *from, struct credentials *credentials, struct error *err)
{
	struct buffer token;
	int failed;

	if (!from->text && !from->file)
		return 0;
	buffer_init(&token);
	failed = fetch(from, &token, err);
	while (token.size && strchr(" \r\n", token.data[token.size - 1]))
		token.data[--token.size] = '\0';
	if (!failed && !token.size)
		failed = error_set(err, "the token in %s is empty", from->file ? from->file : "the kubeconfig");
	if (!failed && strpbrk(token.data, "\r\n"))
		failed = error_set(err, "the token in %s has more than one line",
		                   from->file ? from->file : "the kubeconfig");
	if (!failed && asprintf(&credentials->authorization, "Authorization: Bearer %s", token.data) < 0)
		memory_exhausted();
	secret_release(&token);
	return failed;
}

/* What the plugin says, as if it stood in the kubeconfig. */
static int fetch_from_plugin(const struct access *access, struct credentials *credentials, struct error *err)
{
	struct exec_credential given;
	struct access_text token = {0};
	int failed = exec_plugin_run(access->exec, &given, err);

	if (failed)
		return failed;
	token.text = given.token;
	failed = fetch_token(&token, credentials, err);
	if (given.certificate) {
		buffer_append_text(&credentials->certificate, given.certificate);
		buffer_append_text(&credentials->key, given.key);
	}
	credentials->expires_ms = given.expires_ms;
	exec_credential_release(&given);
	return failed;
}

static int fetch_own(const struct access *access, struct credentials *credentials, struct error *err)
{
	if (fetch(&access->certificate, &credentials->certificate, err) < 0 ||
	    fetch(&access->key, &credentials->key, err) < 0)
		return -1;
	return fetch_token(&access->token, credentials, err);
}

static struct credentials *read_anew(const struct access *access, struct error *err)
{
	struct credentials *credentials = xcalloc(1, sizeof(*credentials));

	atomic_init(&credentials->references, 1);
	buffer_init(&credentials->ca);
	buffer_init(&credentials->certificate);
	buffer_init(&credentials->key);
	if (fetch(&access->ca, &credentials->ca, err) < 0 ||
	    (access->exec ? fetch_from_plugin(access, credentials, err) : fetch_own(access, credentials, err)) < 0) {
		credentials_put(credentials);
		return NULL;
	}
	return credentials;
}

struct credentials_source *credentials_source_new(const struct access *access, int64_t age_ms_max,
                                                  const struct clock *clock)
{
	struct credentials_source *source = xcalloc(1, sizeof(*source));

	source->access = access;
	source->clock = clock;
	source->age_ms_max = age_ms_max;
	pthread_mutex_init(&source->lock, NULL);
	return source;
}

void credentials_source_free(struct credentials_source *source)
{
	if (!source)
		return;
	credentials_put(source->current);
	pthread_mutex_destroy(&source->lock);
	free(source);
}

static bool is_old(const struct credentials_source *source, int64_t now_ms)
{
	if (source->access->exec)
		return clock_wall_ms(source->clock) >= source->current->expires_ms;
	return now_ms - source->read_ms >= source->age_ms_max;
}

struct credentials *credentials_get(struct credentials_source *source, const struct credentials *refused,
                                    struct error *err)
{
	int64_t now_ms = clock_monotonic_ms(source->clock);
	struct credentials *fresh, *credentials;
	struct error why;

	pthread_mutex_lock(&source->lock);
	if (!source->current || refused == source->current || is_old(source, now_ms)) {
		fresh = read_anew(source->access, &why);
		if (fresh) {
			credentials_put(source->current);
			source->current = fresh;
			source->read_ms = now_ms;
		} else if (source->current) {
			log_warn("credentials cannot be read again; the old ones stay in use", "error=\"%s\"",
			         why.text);
		} else {
			error_set(err, "%s", why.text);
		}
	}
	credentials = source->current;
	if (credentials)
		atomic_fetch_add(&credentials->references, 1);
	pthread_mutex_unlock(&source->lock);
	return credentials;
}

#include "runtime/port/secret.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/process/file.h"

int secret_path(const char *secrets_dir, const char *secret, const char *key, char ret_path[SECRET_PATH_BYTES_MAX],
                struct error *err)
{
	snprintf(ret_path, SECRET_PATH_BYTES_MAX, "%s/%s/%s", secrets_dir, secret, key);
	if (access(ret_path, R_OK) == 0)
		return 0;
	return error_set(
	        err, "cannot read %s (key %s of secret %s): %s; mount the secret there, or say where with --secrets",
	        ret_path, key, secret, strerror(errno));
}

int secret_read(const char *secrets_dir, const char *secret, const char *key, char ret_text[SECRET_BYTES_MAX],
                struct error *err)
{
	char path[SECRET_PATH_BYTES_MAX];
	struct buffer text;
	int result;

	if (secret_path(secrets_dir, secret, key, path, err) < 0)
		return -1;
	buffer_init(&text);
	result = file_read(path, SECRET_BYTES_MAX - 1, &text, err);
	while (text.size && (text.data[text.size - 1] == '\n' || text.data[text.size - 1] == '\r'))
		text.data[--text.size] = '\0';
	if (result == 0)
		memcpy(ret_text, text.size ? text.data : "", text.size + 1);
	if (text.data)
		explicit_bzero(text.data, text.capacity);
	buffer_release(&text);
	return result;
}

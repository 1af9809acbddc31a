/* Dead letters as JSON lines, appended; a mutex, as lanes share the file and bad rows are rare. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "lib/data/civil.h"
#include "runtime/file/file.h"
#include "runtime/file/write.h"

#define FLUSH_BYTES (256 * 1024)

struct file_dead_letter {
	struct dead_letter letters;
	const char *path;
	int fd;
	pthread_mutex_t mutex;
	struct buffer text; /* not written yet */
	bool unsynced;
	bool torn; /* the file may end within a line: of a crash, or of a write that failed */
};

static struct file_dead_letter *self(struct dead_letter *letters)
{
	return (struct file_dead_letter *)letters;
}

static int letters_open(struct dead_letter *letters, struct stop *stop, struct error *err)
{
	struct file_dead_letter *file = self(letters);

	(void)stop;
	file->fd = file_watched("the opening of", file->path,
	                        open(file->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
	if (file->fd < 0)
		return error_set(err, "cannot open %s: %s", file->path, strerror(errno));
	file->torn = true;
	return 0;
}

/* "name":"…" where the bytes are UTF-8, else "name_base64":"…"; null where there are none, which is not an empty text.
 */
static void append_bytes(struct buffer *out, const char *name, struct slice bytes)
{
	char *encoded;
	int size;

	if (!bytes.data) {
		buffer_printf(out, ",\"%s\":null", name);
		return;
	}
	if (text_is_utf8(bytes)) {
		buffer_printf(out, ",\"%s\":", name);
		text_json_string(out, bytes);
		return;
	}
	encoded = xmalloc((bytes.size + 2) / 3 * 4 + 1);
	size = EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)bytes.data, (int)bytes.size);
	buffer_printf(out, ",\"%s_base64\":\"%.*s\"", name, size, encoded);
	free(encoded);
}

/* What is written again after a failure comes whole, on a line of its own. */
static int write_out(struct file_dead_letter *file, struct error *err)
{
	if (!file->text.size)
		return 0;
	if (file->torn && ends_within_line(file->path) && write_all(file->fd, SLICE_LITERAL("\n"), file->path, err) < 0)
		return -1;
	file->torn = write_all(file->fd, buffer_slice(&file->text), file->path, err) < 0;
	if (file->torn)
		return -1;
	file->unsynced = true;
	buffer_clear(&file->text);
	return 0;
}

static int end_line(struct file_dead_letter *file, struct error *err)
{
	buffer_append_text(&file->text, "}\n");
	return file->text.size >= FLUSH_BYTES ? write_out(file, err) : 0;
}

static int letters_write(struct dead_letter *letters, const struct record *record, const char *topic,
                         const char *reason, struct error *err)
{
	struct file_dead_letter *file = self(letters);
	int result;

	pthread_mutex_lock(&file->mutex);
	buffer_append_text(&file->text, "{\"topic\":");
	text_json_string(&file->text, slice_of(topic));
	buffer_printf(&file->text,
	              ",\"partition\":%u,\"offset\":%lld,\"timestamp\":%lld,\"reason\":", record->partition,
	              (long long)record->offset, (long long)record->timestamp_ms);
	text_json_string(&file->text, slice_of(reason));
	if (record->line)
		buffer_printf(&file->text, ",\"line\":%llu", (unsigned long long)record->line);
	if (record->element)
		buffer_printf(&file->text, ",\"element\":%u", record->element);
	if (record->key.data)
		append_bytes(&file->text, "key", record->key);
	append_bytes(&file->text, "value", record->value);
	result = end_line(file, err);
	pthread_mutex_unlock(&file->mutex);
	return result;
}

static int letters_write_rows(struct dead_letter *letters, const struct window_result *result, size_t first,
                              size_t rows, const char *sink, const char *reason, struct error *err)
{
	struct file_dead_letter *file = self(letters);
	int outcome;

	pthread_mutex_lock(&file->mutex);
	buffer_append_text(&file->text, "{\"sink\":");
	text_json_string(&file->text, slice_of(sink));
	buffer_printf(&file->text, ",\"sequence\":%llu,\"reason\":", (unsigned long long)result->sequence);
	text_json_string(&file->text, slice_of(reason));
	buffer_append_text(&file->text, ",\"rows\":[");
	for (size_t row = first; row < first + rows; row++) {
		if (row > first)
			buffer_append_char(&file->text, ',');
		result_row_json(result, row, &file->text);
	}
	buffer_append_char(&file->text, ']');
	outcome = end_line(file, err);
	pthread_mutex_unlock(&file->mutex);
	return outcome;
}

static int letters_flush(struct dead_letter *letters, struct stop *stop, struct error *err)
{
	struct file_dead_letter *file = self(letters);
	int result = 0;

	(void)stop;
	pthread_mutex_lock(&file->mutex);
	if (file->text.size)
		result = write_out(file, err);
	if (!result && file->unsynced) {
		if (file_watched("the sync of", file->path, fsync(file->fd)) < 0 &&
		    errno != EINVAL) /* a pipe cannot be synced */
			result = error_set(err, "cannot sync %s: %s", file->path, strerror(errno));
		else
			file->unsynced = false;
	}
	pthread_mutex_unlock(&file->mutex);
	return result;
}

static void letters_close(struct dead_letter *letters)
{
	struct file_dead_letter *file = self(letters);
	struct error err;

	if (file->fd >= 0) {
		write_out(file, &err); /* what the last window did not take; read again at the next start */
		file_watched("the closing of", file->path, close(file->fd));
	}
	buffer_release(&file->text);
	pthread_mutex_destroy(&file->mutex);
	free(file);
}

static const struct dead_letter_ops letters_ops = {
        .name = "file",
        .open = letters_open,
        .write = letters_write,
        .write_rows = letters_write_rows,
        .flush = letters_flush,
        .close = letters_close,
};

struct dead_letter *file_dead_letter_new(const char *path)
{
	struct file_dead_letter *file = xcalloc(1, sizeof(*file));

	file->letters.ops = &letters_ops;
	file->path = path;
	file->fd = -1;
	pthread_mutex_init(&file->mutex, NULL);
	buffer_init(&file->text);
	return &file->letters;
}

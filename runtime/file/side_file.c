#include "runtime/file/side_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "runtime/file/write.h"

static int refuse(const char *path, struct error *err)
{
	return error_set(err,
	                 "%s is cut off or not this sink's side file; bring it back, or move it and the file beside it "
	                 "away to begin anew",
	                 path);
}

static int parse(const char *path, const json_t *root, struct side_file *ret_side, struct error *err)
{
	json_int_t version = json_integer_value(json_object_get(root, "version"));
	const char *life = json_string_value(json_object_get(root, "life"));
	json_int_t sequence = json_integer_value(json_object_get(root, "sequence"));
	const json_t *begin = json_object_get(root, "begin");

	if (version > SIDE_FILE_VERSION)
		return error_set(err,
		                 "%s is of version %" JSON_INTEGER_FORMAT
		                 ", and this program knows version %d: run the program that wrote it, or move it and "
		                 "the file beside it away to begin anew",
		                 path, version, SIDE_FILE_VERSION);
	if (version != SIDE_FILE_VERSION || json_object_size(root) != 4 || !life || !life[0] ||
	    strlen(life) >= LIFE_BYTES_MAX || sequence < 1 || !json_is_integer(begin) || json_integer_value(begin) < 0)
		return refuse(path, err);
	snprintf(ret_side->held.life, sizeof(ret_side->held.life), "%s", life);
	ret_side->held.sequence = (uint64_t)sequence;
	ret_side->begin = json_integer_value(begin);
	return 1;
}

int side_file_read(const char *path, struct side_file *ret_side, struct error *err)
{
	char text[SIDE_FILE_BYTES_MAX];
	FILE *file = file_watched("the opening of", path, fopen(path, "re"));
	json_t *root;
	size_t size;
	int result;

	if (!file && errno == ENOENT)
		return 0;
	if (!file)
		return error_set(err, "cannot open %s: %s", path, strerror(errno));
	size = file_watched("the read of", path, fread(text, 1, sizeof(text), file));
	if (ferror(file)) {
		fclose(file);
		return error_set(err, "cannot read %s: %s", path, strerror(errno));
	}
	fclose(file);
	root = size < sizeof(text) ? json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL) : NULL;
	result = parse(path, root, ret_side, err);
	json_decref(root);
	return result;
}

static int name_of_new(const char *path, char name[PATH_MAX], struct error *err)
{
	if (snprintf(name, PATH_MAX, "%s.new", path) >= PATH_MAX)
		return error_set(err, "%s is too long for the name of a file", path);
	return 0;
}

int side_file_prepare(const char *path, const struct side_file *side, struct error *err)
{
	char name[PATH_MAX], text[SIDE_FILE_BYTES_MAX];
	int fd, size;

	if (name_of_new(path, name, err) < 0)
		return -1;
	size = snprintf(text, sizeof(text),
	                "{\"version\": %d, \"life\": \"%s\", \"sequence\": %" PRIu64 ", \"begin\": %" PRId64 "}\n",
	                SIDE_FILE_VERSION, side->held.life, side->held.sequence, side->begin);
	fd = file_watched("the opening of", name, open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
	if (fd < 0)
		return error_set(err, "cannot write %s: %s", name, strerror(errno));
	if (write_all(fd, (struct slice){text, (size_t)size}, name, err) < 0 ||
	    file_watched("the sync of", name, fsync(fd)) < 0) {
		error_set(err, "cannot write %s: %s", name, strerror(errno));
		close(fd);
		return -1;
	}
	close(fd);
	return 0;
}

static int sync_folder(const char *path, struct error *err)
{
	char copy[PATH_MAX], *folder;
	int fd, result;

	snprintf(copy, sizeof(copy), "%s", path);
	folder = dirname(copy);
	fd = file_watched("the opening of", folder, open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	result = fd < 0 ? -1 : file_watched("the sync of", folder, fsync(fd));
	if (result < 0)
		error_set(err, "cannot sync %s: %s", folder, strerror(errno));
	if (fd >= 0)
		close(fd);
	return result < 0 ? -1 : 0;
}

int side_file_publish(const char *path, struct error *err)
{
	char name[PATH_MAX];

	if (name_of_new(path, name, err) < 0)
		return -1;
	if (file_watched("the renaming of", name, rename(name, path)) < 0)
		return error_set(err, "cannot rename %s: %s", name, strerror(errno));
	return sync_folder(path, err);
}

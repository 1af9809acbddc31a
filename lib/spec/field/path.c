/* The grammar of a column's path; runtime/decode follows the same. */
#include <ctype.h>

#include "lib/spec/field/patterns.h"

#define PATH_PARTS_MAX 16
#define PATH_INDEX_MAX 6 /* digits */

/* Bytes of the part at `at`, or 0. */
static size_t part_size(struct slice path, size_t at)
{
	size_t end = at + 1;

	if (path.data[at] == '.') {
		if (end == path.size || !(isalpha((unsigned char)path.data[end]) || path.data[end] == '_'))
			return 0;
		while (end < path.size &&
		       (isalnum((unsigned char)path.data[end]) || path.data[end] == '_' || path.data[end] == '-'))
			end++;
		return end - at;
	}
	if (path.data[at] != '[' || end == path.size)
		return 0;
	if (path.data[end] == '\'') {
		size_t name = ++end;

		while (end < path.size && path.data[end] != '\'')
			end++;
		return end > name && end + 1 < path.size && path.data[end + 1] == ']' ? end + 2 - at : 0;
	}
	while (end < path.size && isdigit((unsigned char)path.data[end]))
		end++;
	return end > at + 1 && end - at - 1 <= PATH_INDEX_MAX && end < path.size && path.data[end] == ']' ? end + 1 - at
	                                                                                                  : 0;
}

int jobspec_path_check(struct slice path, struct error *err)
{
	size_t parts = 0;

	if (!path.size || path.data[0] != '$')
		return error_set(err, "a path begins with $, like $.metrics.latency_ms");
	if (path.size == 1)
		return error_set(err, "$ is the whole record; add .name, ['name'] or [index]");
	for (size_t at = 1; at < path.size; parts++) {
		size_t size = part_size(path, at);

		if (!size)
			return error_set(err, "at character %zu, \"%.*s\" is not .name, ['name'] or [index]", at + 1,
			                 SLICE_ARG(((struct slice){path.data + at, path.size - at})));
		at += size;
	}
	if (parts > PATH_PARTS_MAX)
		return error_set(err, "the path has %zu parts; at most %d", parts, PATH_PARTS_MAX);
	return 0;
}

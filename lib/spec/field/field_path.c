/* Paths of fields, as problems have them. */
#include <ctype.h>

#include "lib/base/text.h"
#include "lib/spec/field/problems.h"

#define PATH_KEY_MAX 253 /* longer ones are cut: they are no names that anybody meant */

static bool is_plain(struct slice key)
{
	for (size_t i = 0; i < key.size; i++)
		if (!isalnum((unsigned char)key.data[i]) && key.data[i] != '_' && key.data[i] != '-')
			return false;
	return key.size > 0 && key.size <= PATH_KEY_MAX;
}

const char *path_member(struct arena *arena, const char *path, struct slice key)
{
	struct buffer quoted;
	const char *member;

	if (is_plain(key))
		return arena_printf(arena, "%s%s%.*s", path, *path ? "." : "", SLICE_ARG(key));
	buffer_init(&quoted);
	if (key.size > PATH_KEY_MAX)
		key.size = PATH_KEY_MAX;
	text_json_string(&quoted, key);
	member = arena_printf(arena, "%s[%s]", path, quoted.data);
	buffer_release(&quoted);
	return member;
}

const char *path_item(struct arena *arena, const char *path, size_t index)
{
	return arena_printf(arena, "%s[%zu]", path, index);
}

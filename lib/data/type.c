#include <strings.h>

#include "lib/data/type.h"

static const struct {
	const char *name;
	size_t width;
} types[TYPE_COUNT] = {
        [TYPE_NULL] = {"NULL", 1},
        [TYPE_BOOLEAN] = {"BOOLEAN", 1},
        [TYPE_INT] = {"INT", 4},
        [TYPE_BIGINT] = {"BIGINT", 8},
        [TYPE_DOUBLE] = {"DOUBLE", 8},
        [TYPE_STRING] = {"STRING", sizeof(struct slice)},
        [TYPE_TIMESTAMP] = {"TIMESTAMP", 8},
};

const char *type_name(enum type type)
{
	return types[type].name;
}

size_t type_width(enum type type)
{
	return types[type].width;
}

bool type_parse(struct slice name, enum type *ret_type)
{
	for (int t = TYPE_BOOLEAN; t < TYPE_COUNT; t++) {
		if (strlen(types[t].name) == name.size && strncasecmp(types[t].name, name.data, name.size) == 0) {
			*ret_type = (enum type)t;
			return true;
		}
	}
	return false;
}

int schema_find(const struct schema *schema, struct slice name)
{
	for (size_t i = 0; i < schema->count; i++)
		if (slice_equal(slice_of(schema->columns[i].name), name))
			return (int)i;
	return -1;
}

bool is_source_column(const char *name)
{
	return !strncmp(name, SOURCE_COLUMN_PREFIX, strlen(SOURCE_COLUMN_PREFIX));
}

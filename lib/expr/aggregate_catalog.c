#include "lib/expr/aggregate_catalog.h"

#include <ctype.h>
#include <strings.h>

#define OF_1(a)               ARGUMENT_##a
#define OF_2(a, b)            ARGUMENT_##a, ARGUMENT_##b
#define OF_3(a, b, c)         ARGUMENT_##a, ARGUMENT_##b, ARGUMENT_##c
#define OF_N(a, b, c, n, ...) n
#define OF(...)               OF_N(__VA_ARGS__, OF_3, OF_2, OF_1, )(__VA_ARGS__)

static const struct aggregate_entry entries[] = {
#define AGGREGATE(id, symbol, name, form, arguments, result, adds_up, meaning)                                         \
	[AGGREGATE_##id] = {#id, name, FORM_##form, {arguments}, RESULT_##result, adds_up, meaning},
#include "lib/expr/aggregates.def"
#undef AGGREGATE
};

const struct aggregate_entry *aggregate_entry(enum aggregate_kind kind)
{
	return &entries[kind];
}

const struct aggregate_entry *aggregate_entry_find(const char *name, enum aggregate_form form)
{
	for (size_t i = 0; i < AGGREGATE_KINDS; i++)
		if (strcasecmp(entries[i].name, name) == 0 &&
		    (entries[i].form == form || (entries[i].form == FORM_EITHER && form != FORM_ROWS)))
			return &entries[i];
	return NULL;
}

enum aggregate_kind aggregate_entry_kind(const struct aggregate_entry *entry)
{
	return (enum aggregate_kind)(entry - entries);
}

bool aggregate_name(const char *name)
{
	for (size_t i = 0; i < AGGREGATE_KINDS; i++)
		if (strcasecmp(entries[i].name, name) == 0)
			return true;
	return false;
}

bool aggregate_argument_takes(enum aggregate_argument argument, enum type type)
{
	bool number = type == TYPE_INT || type == TYPE_BIGINT || type == TYPE_DOUBLE;

	switch (argument) {
	case ARGUMENT_NONE:
		return type == TYPE_NULL;
	case ARGUMENT_ANY:
		return type != TYPE_NULL;
	case ARGUMENT_ORDERED:
		return type != TYPE_NULL && type != TYPE_BOOLEAN;
	case ARGUMENT_NUMBER:
		return number;
	case ARGUMENT_BOOLEAN:
		return type == TYPE_BOOLEAN;
	case ARGUMENT_DOUBLE:
		return type == TYPE_DOUBLE;
	case ARGUMENT_FRACTION:
		break;
	}
	return false;
}

enum type aggregate_result_type(const struct aggregate_entry *entry, enum type argument)
{
	switch (entry->result) {
	case RESULT_BIGINT:
		return TYPE_BIGINT;
	case RESULT_DOUBLE:
		return TYPE_DOUBLE;
	case RESULT_BOOLEAN:
		return TYPE_BOOLEAN;
	case RESULT_SUM:
		return argument == TYPE_INT ? TYPE_BIGINT : argument;
	case RESULT_ARGUMENT:
		break;
	}
	return argument;
}

const char *aggregate_result_words(const struct aggregate_entry *entry)
{
	static const char *const words[] = {[RESULT_BIGINT] = "BIGINT",
	                                    [RESULT_DOUBLE] = "DOUBLE",
	                                    [RESULT_BOOLEAN] = "BOOLEAN",
	                                    [RESULT_SUM] = "BIGINT or DOUBLE",
	                                    [RESULT_ARGUMENT] = "as the value"};

	return words[entry->result];
}

void append_name(const char *text, struct buffer *out)
{
	for (; *text; text++)
		buffer_append_char(out, (char)toupper((unsigned char)*text));
}

void aggregate_signature(const struct aggregate_entry *entry, struct buffer *out)
{
	static const char *const words[] = {
	        [ARGUMENT_NONE] = "*",           [ARGUMENT_ANY] = "any",           [ARGUMENT_NUMBER] = "number",
	        [ARGUMENT_ORDERED] = "value",    [ARGUMENT_BOOLEAN] = "condition", [ARGUMENT_DOUBLE] = "number",
	        [ARGUMENT_FRACTION] = "fraction"};

	append_name(entry->name, out);
	buffer_append_text(out, entry->form == FORM_DISTINCT ? "(DISTINCT " : "(");
	for (size_t i = 0; i == 0 || entry->arguments[i] != ARGUMENT_NONE; i++)
		buffer_printf(out, "%s%s", i ? ", " : "", words[entry->arguments[i]]);
	buffer_append_char(out, ')');
}

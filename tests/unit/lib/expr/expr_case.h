/* Compiles expressions over one schema with a column of every type, and renders what comes of them. */
#ifndef STREAMJOB_EXPR_CASE_H
#define STREAMJOB_EXPR_CASE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "lib/base/text.h"
#include "lib/expr/expr.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { COLUMN_B, COLUMN_I, COLUMN_L, COLUMN_D, COLUMN_S, COLUMN_T, COLUMN_UPPER, COLUMNS };

static const struct schema_column case_columns[COLUMNS] = {
        {"b", TYPE_BOOLEAN}, {"i", TYPE_INT},       {"l", TYPE_BIGINT},     {"d", TYPE_DOUBLE},
        {"s", TYPE_STRING},  {"t", TYPE_TIMESTAMP}, {"Upper", TYPE_STRING},
};
static const struct schema case_schema = {case_columns, COLUMNS};

/* "OFFSET: wrong; right\n" of each problem. */
static inline void case_add_problem(void *context, size_t offset, const char *wrong, const char *right)
{
	buffer_printf(context, "%zu: %s; %s\n", offset, wrong, right ? right : "(null)");
}

/* Fails the test where the text does not compile. */
static inline struct program *case_compile(const char *name, const char *text)
{
	struct buffer out;
	struct program *program;

	buffer_init(&out);
	program = program_compile(slice_of(text), &case_schema, &(struct expr_problems){case_add_problem, &out});
	if (!program)
		fail_msg("%s: %s does not compile: %s", name, text, out.data);
	if (out.size)
		fail_msg("%s: %s compiles, and has a problem: %s", name, text, out.data);
	buffer_release(&out);
	return program;
}

static inline void case_render(struct buffer *out, struct value value)
{
	if (value.null) {
		buffer_append_text(out, "NULL");
		return;
	}
	switch (value.type) {
	case TYPE_NULL:
		buffer_append_text(out, "?");
		break;
	case TYPE_BOOLEAN:
		buffer_append_text(out, value.boolean ? "true" : "false");
		break;
	case TYPE_INT:
	case TYPE_BIGINT:
	case TYPE_TIMESTAMP:
		text_bigint(out, value.bigint);
		break;
	case TYPE_DOUBLE:
		text_double(out, value.real);
		break;
	case TYPE_STRING:
		buffer_printf(out, "'%.*s'", SLICE_ARG(value.string));
	}
}

#endif

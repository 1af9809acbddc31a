#include "tests/unit/lib/expr/expr_case.h"

const struct schema_column case_columns[COLUMNS] = {
        {"b", TYPE_BOOLEAN}, {"i", TYPE_INT},       {"l", TYPE_BIGINT},     {"d", TYPE_DOUBLE},
        {"s", TYPE_STRING},  {"t", TYPE_TIMESTAMP}, {"Upper", TYPE_STRING},
};
const struct schema case_schema = {case_columns, COLUMNS};

void case_add_problem(void *context, size_t offset, const char *wrong, const char *right)
{
	buffer_printf(context, "%zu: %s; %s\n", offset, wrong, right ? right : "(null)");
}

struct program *case_compile(const char *name, const char *text)
{
	struct buffer out;
	struct program *program;

	buffer_init(&out);
	program = program_compile(slice_of(text), &case_schema, NULL, &(struct expr_problems){case_add_problem, &out});
	if (!program)
		fail_msg("%s: %s does not compile: %s", name, text, out.data);
	if (out.size)
		fail_msg("%s: %s compiles, and has a problem: %s", name, text, out.data);
	buffer_release(&out);
	return program;
}

void case_render(struct buffer *out, struct value value)
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

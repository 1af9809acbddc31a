/* A node as JSON. */
#include "lib/base/text.h"
#include "lib/spec/document/document.h"

bool node_truth(struct slice text)
{
	return text.size && (strchr("tTyY", text.data[0]) || slice_equal(text, SLICE_LITERAL("on")) ||
	                     slice_equal(text, SLICE_LITERAL("On")) || slice_equal(text, SLICE_LITERAL("ON")));
}

static void scalar_json(const struct node *node, struct buffer *out)
{
	int64_t integer;
	double real;

	switch (node_scalar_type(node)) {
	case SCALAR_NULL:
		buffer_append_text(out, "null");
		break;
	case SCALAR_BOOL:
		buffer_append_text(out, node_truth(node->text) ? "true" : "false");
		break;
	case SCALAR_INTEGER:
	case SCALAR_FLOAT:
		if (text_parse_bigint(node->text, &integer))
			text_bigint(out, integer);
		else if (text_parse_double(node->text, &real))
			text_json_double(out, real);
		else
			text_json_string(out, node->text);
		break;
	case SCALAR_STRING:
		text_json_string(out, node->text);
	}
}

void node_json(const struct node *node, struct buffer *out)
{
	bool map = node->kind == NODE_MAP;

	if (node->kind == NODE_SCALAR) {
		scalar_json(node, out);
		return;
	}
	buffer_append_char(out, map ? '{' : '[');
	for (size_t i = 0; i < node->count; i++) {
		buffer_append_text(out, i ? "," : "");
		if (map) {
			text_json_string(out, node->entries[i].key->text);
			buffer_append_char(out, ':');
		}
		node_json(node->entries[i].value, out);
	}
	buffer_append_char(out, map ? '}' : ']');
}

/* Types that meet: PostgreSQL's rules for numbers and for literals without a type. */
#include <stdlib.h>

#include "lib/expr/coerce.h"
#include "lib/expr/kernels.h"

bool type_is_number(enum type type)
{
	return type == TYPE_INT || type == TYPE_BIGINT || type == TYPE_DOUBLE;
}

bool common_type(struct checker *checker, struct node **nodes, size_t count, const char *what, enum type *ret_type)
{
	enum type type = TYPE_NULL;

	for (size_t i = 0; i < count; i++) {
		enum type next = nodes[i]->type;

		if (nodes[i]->untyped || next == type)
			continue;
		if (type == TYPE_NULL) {
			type = next;
		} else if (type_is_number(type) && type_is_number(next)) {
			type = next > type ? next : type; /* INT < BIGINT < DOUBLE */
		} else {
			expr_problem(checker, nodes[i]->offset, "CAST one of them",
			             "%s cannot bring %s and %s together", what, type_name(type), type_name(next));
			return false;
		}
	}
	*ret_type = type == TYPE_NULL ? TYPE_STRING : type;
	return true;
}

static struct node *cast_node(struct checker *checker, struct node *node, enum type type, size_t offset)
{
	struct node *cast = node_new(checker, offset, type, cast_kernel(node->type, type), &node, 1);

	return node_fold(checker, cast);
}

/* A literal takes a type: its text must be of it. */
static struct node *type_literal(struct checker *checker, struct node *node, enum type type)
{
	struct node *typed;

	if (node->value.null) {
		typed = node_constant(checker, node->offset, (struct value){.type = type, .null = true});
	} else if (type == TYPE_STRING) {
		typed = node_constant(checker, node->offset, node->value);
	} else {
		typed = cast_node(checker, node, type, node->offset);
		if (!typed->constant)
			return expr_problem(checker, node->offset, "write a literal of that type",
			                    "'%.*s' is not of type %s", SLICE_ARG(node->value.string), type_name(type));
	}
	return typed;
}

struct node *coerce(struct checker *checker, struct node *node, enum type type, const char *what)
{
	if (node->untyped)
		return type_literal(checker, node, type);
	if (node->type == type)
		return node;
	if (type_is_number(node->type) && type_is_number(type) && node->type < type)
		return cast_node(checker, node, type, node->offset);
	return expr_problem(checker, node->offset, "use a value of that type, or CAST",
	                    "%s needs type %s, this has type %s", what, type_name(type), type_name(node->type));
}

struct node *explicit_cast(struct checker *checker, struct node *node, enum type type, size_t offset)
{
	if (node->untyped)
		return type_literal(checker, node, type);
	if (node->type == type)
		return node;
	if (!cast_kernel(node->type, type))
		return expr_problem(checker, offset, "cast by way of another type", "type %s cannot be cast to %s",
		                    type_name(node->type), type_name(type));
	return cast_node(checker, node, type, offset);
}

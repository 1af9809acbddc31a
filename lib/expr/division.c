/* What PostgreSQL does with 1 / 2, and nobody means of counts and sums: 0. */
#include "lib/expr/expr.h"
#include "lib/expr/kernels.h"

static const struct node *integer_division(const struct node *node)
{
	const struct node *found = NULL;

	if (node->run == arithmetic_kernel('/', TYPE_INT) || node->run == arithmetic_kernel('/', TYPE_BIGINT))
		return node;
	for (size_t i = 0; i < node->count && !found; i++)
		found = integer_division(node->children[i]);
	return found;
}

bool program_divides_integers(const struct program *program, size_t *ret_offset)
{
	const struct node *found = integer_division(program->root);

	if (found)
		*ret_offset = found->offset;
	return found != NULL;
}

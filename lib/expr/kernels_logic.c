/*
 * Logic of three values, and the constructs that evaluate a branch only for the rows that reach it: a branch that is
 * not taken never fails.
 */
#include "lib/expr/kernels.h"

const struct column *run_constant(struct node *node, struct run *run, const uint32_t *rows, size_t n)
{
	(void)run;
	(void)rows;
	(void)n;
	return &node->result;
}

const struct column *run_column(struct node *node, struct run *run, const uint32_t *rows, size_t n)
{
	(void)rows;
	(void)n;
	return &run->batch->columns[node->column];
}

/*
 * AND where `decisive` is 0, OR where it is 1: a side with that value decides; else a NULL makes NULL. The right side
 * is evaluated for the rows that the left one does not decide.
 */
static const struct column *run_both(struct node *node, struct run *run, const uint32_t *rows, size_t n,
                                     uint8_t decisive)
{
	const struct column *left = node->children[0]->run(node->children[0], run, rows, n), *right;
	uint8_t *truth = node->result.booleans, *valid = node->result.valid;
	uint32_t *open = node->scratch[0];
	size_t open_count = 0;

	for (size_t i = 0; i < n; i++) {
		uint32_t row = rows[i];
		bool decided = left->valid[row] && left->booleans[row] == decisive;

		truth[row] = decisive;
		valid[row] = 1;
		open[open_count] = row;
		open_count += !decided;
	}
	if (!open_count)
		return &node->result;
	right = node->children[1]->run(node->children[1], run, open, open_count);
	for (size_t i = 0; i < open_count; i++) {
		uint32_t row = open[i];
		bool decided = right->valid[row] && right->booleans[row] == decisive;

		truth[row] = decided ? decisive : !decisive;
		valid[row] = decided | (left->valid[row] & right->valid[row]);
	}
	return &node->result;
}

const struct column *run_and(struct node *node, struct run *run, const uint32_t *rows, size_t n)
{
	return run_both(node, run, rows, n, 0);
}

const struct column *run_or(struct node *node, struct run *run, const uint32_t *rows, size_t n)
{
	return run_both(node, run, rows, n, 1);
}

const struct column *run_not(struct node *node, struct run *run, const uint32_t *rows, size_t n)
{
	const struct column *argument = node->children[0]->run(node->children[0], run, rows, n);

	for (size_t i = 0; i < n; i++) {
		node->result.valid[rows[i]] = argument->valid[rows[i]];
		node->result.booleans[rows[i]] = !argument->booleans[rows[i]];
	}
	return &node->result;
}

const struct column *run_null_test(struct node *node, struct run *run, const uint32_t *rows, size_t n)
{
	const struct column *argument = node->children[0]->run(node->children[0], run, rows, n);

	for (size_t i = 0; i < n; i++) {
		node->result.valid[rows[i]] = 1;
		node->result.booleans[rows[i]] = (argument->valid[rows[i]] == 0) != node->negated;
	}
	return &node->result;
}

const struct column *run_bool_test(struct node *node, struct run *run, const uint32_t *rows, size_t n)
{
	const struct column *argument = node->children[0]->run(node->children[0], run, rows, n);

	for (size_t i = 0; i < n; i++) {
		uint32_t row = rows[i];
		int found = !argument->valid[row] ? TEST_UNKNOWN : argument->booleans[row] ? TEST_TRUE : TEST_FALSE;

		node->result.valid[row] = 1;
		node->result.booleans[row] = (found == node->column) != node->negated;
	}
	return &node->result;
}

/* Copies the rows of a column into the result. */
static void copy_rows(struct column *to, const struct column *from, const uint32_t *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		to->valid[rows[i]] = from->valid[rows[i]];
	switch (type_width(to->type)) {
	case 1:
		for (size_t i = 0; i < n; i++)
			to->booleans[rows[i]] = from->booleans[rows[i]];
		break;
	case 4:
		for (size_t i = 0; i < n; i++)
			to->ints[rows[i]] = from->ints[rows[i]];
		break;
	case 8:
		for (size_t i = 0; i < n; i++)
			to->bigints[rows[i]] = from->bigints[rows[i]];
		break;
	default:
		for (size_t i = 0; i < n; i++)
			to->strings[rows[i]] = from->strings[rows[i]];
	}
}

/* Children: conditions, results, ELSE. Rows that no condition took so far stand in scratch[0], those of a branch in
 * [1]. */
const struct column *run_case(struct node *node, struct run *run, const uint32_t *rows, size_t n)
{
	size_t whens = node->count / 2, left = n;
	uint32_t *open = node->scratch[0], *taken = node->scratch[1];

	memcpy(open, rows, n * sizeof(*open));
	for (size_t w = 0; w < whens && left; w++) {
		const struct column *condition = node->children[w]->run(node->children[w], run, open, left);
		size_t kept = 0, taken_count = 0;

		for (size_t i = 0; i < left; i++) {
			uint32_t row = open[i];

			if (condition->valid[row] && condition->booleans[row])
				taken[taken_count++] = row;
			else
				open[kept++] = row;
		}
		left = kept;
		if (taken_count)
			copy_rows(&node->result,
			          node->children[whens + w]->run(node->children[whens + w], run, taken, taken_count),
			          taken, taken_count);
	}
	if (left)
		copy_rows(&node->result,
		          node->children[node->count - 1]->run(node->children[node->count - 1], run, open, left), open,
		          left);
	return &node->result;
}

const struct column *run_coalesce(struct node *node, struct run *run, const uint32_t *rows, size_t n)
{
	uint32_t *open = node->scratch[0];
	size_t left = n;

	memcpy(open, rows, n * sizeof(*open));
	for (size_t c = 0; c < node->count && left; c++) {
		const struct column *value = node->children[c]->run(node->children[c], run, open, left);
		size_t kept = 0;

		copy_rows(&node->result, value, open, left);
		for (size_t i = 0; i < left; i++)
			if (!value->valid[open[i]])
				open[kept++] = open[i];
		left = kept;
	}
	return &node->result;
}

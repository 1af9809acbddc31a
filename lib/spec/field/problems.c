#include "lib/spec/field/problems.h"

#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/base/text.h"

void problems_init(struct problems *problems)
{
	*problems = (struct problems){0};
	arena_init(&problems->arena);
}

void problems_release(struct problems *problems)
{
	free(problems->items);
	arena_release(&problems->arena);
	*problems = (struct problems){0};
}

/* Whoever wrote it may have cut it within a character. */
static const char *copy(struct problems *problems, const char *text)
{
	size_t size = text ? strlen(text) : 0, length;
	char *own = text ? arena_string(&problems->arena, slice_of(text)) : NULL;

	for (size_t at = 0; at < size; at += length ? length : 1) {
		length = text_utf8_length(own + at, size - at);
		if (!length)
			own[at] = '?';
	}
	return own;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* What an alias repeats is one problem, at the anchor. */
static bool is_known(const struct problems *problems, const struct problem *one)
{
	for (size_t i = 0; i < problems->count; i++) {
		const struct problem *known = &problems->items[i];

		if (known->line == one->line && known->column == one->column && known->offset == one->offset &&
		    same_text(known->path, one->path) && same_text(known->wrong, one->wrong) &&
		    same_text(known->file, one->file))
			return true;
	}
	return false;
}

static void append(struct problems *problems, struct problem one)
{
	if (is_known(problems, &one))
		return;
	if (problems->count == PROBLEMS_MAX) {
		problems->dropped++;
		return;
	}
	if (!problems->items)
		problems->items = xcalloc(PROBLEMS_MAX, sizeof(*problems->items));
	one.file = copy(problems, one.file);
	one.path = copy(problems, one.path);
	one.wrong = copy(problems, one.wrong);
	one.right = copy(problems, one.right);
	problems->items[problems->count++] = one;
}

void problems_add(struct problems *problems, const char *file, int line, int column, const char *path,
                  const char *wrong, const char *right)
{
	append(problems, (struct problem){file, line, column, path, PROBLEM_NO_OFFSET, wrong, right});
}

void problems_add_at(struct problems *problems, const char *path, size_t offset, const char *wrong, const char *right)
{
	append(problems, (struct problem){NULL, 0, 0, path, offset, wrong, right});
}

static int compare(const void *left, const void *right)
{
	const struct problem *a = *(const struct problem *const *)left, *b = *(const struct problem *const *)right;
	int order = strcmp(a->file ? a->file : "", b->file ? b->file : "");

	if (!order)
		order = (a->line > b->line) - (a->line < b->line);
	if (!order)
		order = (a->column > b->column) - (a->column < b->column);
	return order ? order : (a > b) - (a < b);
}

/* What a file says may hold control characters: a problem is one line, and a terminal is not to be steered by it. */
static void append_clean(struct buffer *out, const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			buffer_printf(out, "\\x%02x", (unsigned char)*text);
		else
			buffer_append_char(out, *text);
	}
}

static void print_one(const struct problem *problem, struct buffer *out)
{
	if (problem->file)
		buffer_printf(out, "%s:", problem->file);
	if (problem->line)
		buffer_printf(out, "%d:%d:", problem->line, problem->column);
	if (problem->file || problem->line)
		buffer_append_char(out, ' ');
	if (problem->path && problem->path[0]) {
		append_clean(out, problem->path);
		buffer_append_text(out, ": ");
	}
	append_clean(out, problem->wrong);
	if (problem->right) {
		buffer_append_text(out, "; ");
		append_clean(out, problem->right);
	}
	buffer_append_char(out, '\n');
}

void problems_print(const struct problems *problems, struct buffer *out)
{
	const struct problem **sorted;

	if (!problems->count)
		return;
	sorted = xcalloc(problems->count, sizeof(const struct problem *));
	for (size_t i = 0; i < problems->count; i++)
		sorted[i] = &problems->items[i];
	qsort(sorted, problems->count, sizeof(const struct problem *), compare);
	for (size_t i = 0; i < problems->count; i++)
		print_one(sorted[i], out);
	free(sorted);
	if (problems->dropped)
		buffer_printf(out, "and %zu more problems\n", problems->dropped);
}

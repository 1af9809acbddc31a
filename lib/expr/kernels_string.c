/* Texts: UTF-8, characters counted as code points; LOWER and UPPER change ASCII letters alone, as PostgreSQL's C locale
 * does. */
#include <limits.h>

#include "lib/expr/kernels.h"

static inline bool begins_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

static size_t characters(struct slice text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.size; i++)
		count += begins_character(text.data[i]);
	return count;
}

/* The byte where character number `index` (from 0) begins, or the end. */
static size_t character_at(struct slice text, int64_t index)
{
	size_t i = 0;

	for (; i < text.size; i++)
		if (begins_character(text.data[i]) && index-- == 0)
			break;
	return i;
}

const struct column *run_length(struct node *node, struct run *run, const uint32_t *rows, size_t n)
{
	const struct column *text = node->children[0]->run(node->children[0], run, rows, n);

	for (size_t i = 0; i < n; i++) {
		uint32_t row = rows[i];

		node->result.valid[row] = text->valid[row];
		if (text->valid[row])
			node->result.ints[row] = (int32_t)characters(text->strings[row]);
	}
	return &node->result;
}

/* Moves the letters from `first` to `last` by `distance`. */
static const struct column *change_case(struct node *node, struct run *run, const uint32_t *rows, size_t n, char first,
                                        char last, int distance)
{
	const struct column *text = node->children[0]->run(node->children[0], run, rows, n);

	for (size_t i = 0; i < n; i++) {
		uint32_t row = rows[i];
		char *copy;

		node->result.valid[row] = text->valid[row];
		if (!text->valid[row])
			continue;
		copy = arena_alloc(run->arena, text->strings[row].size);
		for (size_t b = 0; b < text->strings[row].size; b++) {
			char c = text->strings[row].data[b];

			copy[b] = (char)(c >= first && c <= last ? c + distance : c);
		}
		node->result.strings[row] = (struct slice){copy, text->strings[row].size};
	}
	return &node->result;
}

const struct column *run_lower(struct node *node, struct run *run, const uint32_t *rows, size_t n)
{
	return change_case(node, run, rows, n, 'A', 'Z', 'a' - 'A');
}

const struct column *run_upper(struct node *node, struct run *run, const uint32_t *rows, size_t n)
{
	return change_case(node, run, rows, n, 'a', 'z', 'A' - 'a');
}

const struct column *run_concat(struct node *node, struct run *run, const uint32_t *rows, size_t n)
{
	const struct column *left = node->children[0]->run(node->children[0], run, rows, n);
	const struct column *right = node->children[1]->run(node->children[1], run, rows, n);

	for (size_t i = 0; i < n; i++) {
		uint32_t row = rows[i];
		struct slice a = left->strings[row], b = right->strings[row];
		char *joined;

		node->result.valid[row] = left->valid[row] & right->valid[row];
		if (!node->result.valid[row])
			continue;
		joined = arena_alloc(run->arena, a.size + b.size);
		if (a.size)
			memcpy(joined, a.data, a.size);
		if (b.size)
			memcpy(joined + a.size, b.data, b.size);
		node->result.strings[row] = (struct slice){joined, a.size + b.size};
	}
	return &node->result;
}

/* Characters [start, start + length) counted from 1; what lies before the text is cut off the length. */
static struct slice substring(struct slice text, int64_t start, int64_t length)
{
	int64_t end = start + length;
	size_t from, to;

	if (start < 1)
		start = 1;
	if (end <= start)
		return (struct slice){text.data, 0};
	from = character_at(text, start - 1);
	to = end > INT32_MAX ? text.size : character_at(text, end - 1);
	return (struct slice){text.data + from, to - from};
}

const struct column *run_substring(struct node *node, struct run *run, const uint32_t *rows, size_t n)
{
	const struct column *text = node->children[0]->run(node->children[0], run, rows, n);
	const struct column *start = node->children[1]->run(node->children[1], run, rows, n);
	const struct column *length = node->count == 3 ? node->children[2]->run(node->children[2], run, rows, n) : NULL;

	for (size_t i = 0; i < n; i++) {
		uint32_t row = rows[i];

		node->result.valid[row] = text->valid[row] & start->valid[row] & (length ? length->valid[row] : 1);
		if (!node->result.valid[row])
			continue;
		if (length && length->ints[row] < 0)
			row_fail(run, &node->result, row, "negative substring length not allowed");
		else
			node->result.strings[row] = substring(text->strings[row], start->ints[row],
			                                      length ? length->ints[row] : (int64_t)1 << 40);
	}
	return &node->result;
}

static inline char fold_case(char c, bool fold)
{
	return fold && c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

enum match { MATCH, NO_MATCH, BAD_PATTERN };

/* The bytes of the character at text.data[i]. */
static size_t character_size(struct slice text, size_t i)
{
	size_t end = i + 1;

	while (end < text.size && !begins_character(text.data[end]))
		end++;
	return end - i;
}

/*
 * LIKE by going on greedily and coming back to the last '%' when a literal does not fit: linear in practice, at worst
 * text times pattern, and never recursive. As in PostgreSQL an escape at the pattern's end fails only where text is
 * left for it.
 */
static enum match like(struct slice text, struct slice pattern, int escape, bool fold)
{
	size_t t = 0, p = 0, back_t = 0, back_p = SIZE_MAX;

	for (;;) {
		if (p < pattern.size && pattern.data[p] == '%' && escape != '%') {
			back_p = ++p;
			back_t = t;
			continue;
		}
		if (t == text.size)
			break;
		if (p < pattern.size) {
			bool escaped = (unsigned char)pattern.data[p] == escape;

			if (escaped && p + 1 == pattern.size)
				return BAD_PATTERN;
			if (!escaped && pattern.data[p] == '_') {
				t += character_size(text, t);
				p++;
				continue;
			}
			if (fold_case(pattern.data[p + escaped], fold) == fold_case(text.data[t], fold)) {
				t++;
				p += 1 + escaped;
				continue;
			}
		}
		if (back_p == SIZE_MAX)
			return NO_MATCH;
		back_t += character_size(text, back_t);
		t = back_t;
		p = back_p;
	}
	while (p < pattern.size && pattern.data[p] == '%' && escape != '%')
		p++;
	return p == pattern.size ? MATCH : NO_MATCH;
}

static const struct column *match(struct node *node, struct run *run, const uint32_t *rows, size_t n, bool fold)
{
	const struct column *text = node->children[0]->run(node->children[0], run, rows, n);
	const struct column *pattern = node->children[1]->run(node->children[1], run, rows, n);
	int escape = '\\';

	if (node->count == 3)
		escape = node->children[2]->value.string.size ? (unsigned char)node->children[2]->value.string.data[0]
		                                              : -1;
	for (size_t i = 0; i < n; i++) {
		uint32_t row = rows[i];
		enum match found;

		node->result.valid[row] = text->valid[row] & pattern->valid[row];
		if (!node->result.valid[row])
			continue;
		found = like(text->strings[row], pattern->strings[row], escape, fold);
		node->result.booleans[row] = found == MATCH;
		if (found == BAD_PATTERN)
			row_fail(run, &node->result, row, "LIKE pattern must not end with escape character");
	}
	return &node->result;
}

const struct column *run_like(struct node *node, struct run *run, const uint32_t *rows, size_t n)
{
	return match(node, run, rows, n, false);
}

const struct column *run_ilike(struct node *node, struct run *run, const uint32_t *rows, size_t n)
{
	return match(node, run, rows, n, true);
}

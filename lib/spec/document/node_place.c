/*
 * Where a byte of a scalar's value stands in the file. The source is walked again as YAML reads it (folds, doubled
 * quotes, escapes, the indentation of blocks), and the value's bytes are counted along.
 */
#include <ctype.h>

#include "lib/spec/document/document.h"

struct walk {
	struct slice text;
	size_t at; /* byte in the text */
	int line, column;
};

static char current(const struct walk *walk)
{
	return walk->at < walk->text.size ? walk->text.data[walk->at] : '\0';
}

static bool at_break(const struct walk *walk)
{
	return current(walk) == '\n' || current(walk) == '\r';
}

static bool at_end(const struct walk *walk)
{
	return walk->at >= walk->text.size;
}

static bool at_blank(const struct walk *walk)
{
	return current(walk) == ' ' || current(walk) == '\t';
}

/* One character; returns its bytes. A line break is one character. */
static size_t advance(struct walk *walk)
{
	size_t before = walk->at;

	if (at_break(walk)) {
		walk->at += current(walk) == '\r' && walk->at + 1 < walk->text.size &&
		            walk->text.data[walk->at + 1] == '\n';
		walk->at++;
		walk->line++;
		walk->column = 1;
		return 1;
	}
	do
		walk->at++;
	while (!at_end(walk) && ((unsigned char)current(walk) & 0xc0) == 0x80);
	walk->column++;
	return walk->at - before;
}

/* Blanks and breaks from here on that hold a break: the bytes they become; 0, unmoved, where there is no break. */
static size_t fold(struct walk *walk, bool escaped)
{
	struct walk ahead = *walk;
	size_t breaks = 0;

	while (!at_end(&ahead) && (at_blank(&ahead) || at_break(&ahead))) {
		breaks += at_break(&ahead);
		advance(&ahead);
	}
	if (!breaks)
		return 0;
	*walk = ahead;
	return breaks == 1 ? !escaped : breaks - 1;
}

static size_t utf8_size(unsigned long code)
{
	return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

static size_t advance_escape(struct walk *walk)
{
	unsigned long code = 0;
	size_t digits;
	char kind;

	advance(walk);
	if (at_break(walk))
		return fold(walk, true);
	kind = current(walk);
	advance(walk);
	digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
	for (size_t i = 0; i < digits && isxdigit((unsigned char)current(walk)); i++) {
		char digit = (char)tolower((unsigned char)current(walk));

		code = code * 16 + (unsigned long)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
		advance(walk);
	}
	if (digits)
		return utf8_size(code);
	return kind == 'N' || kind == '_' ? 2 : kind == 'L' || kind == 'P' ? 3 : 1;
}

static void walk_flow(struct walk *walk, enum scalar_style style, size_t offset)
{
	size_t value = 0;

	if (style != SCALAR_PLAIN)
		advance(walk);
	while (value < offset && !at_end(walk)) {
		struct walk before = *walk;
		size_t folded = fold(walk, false), size = folded;

		if (!folded && style == SCALAR_DOUBLE_QUOTED && current(walk) == '\\')
			size = advance_escape(walk);
		else if (!folded)
			size = advance(walk);
		if (!folded && style == SCALAR_SINGLE_QUOTED && walk->text.data[before.at] == '\'')
			advance(walk);
		if (value + size > offset) {
			*walk = before;
			return;
		}
		value += size;
	}
	/* An escaped line break gives no byte and ends before the next one. */
	if (style == SCALAR_DOUBLE_QUOTED && current(walk) == '\\' && walk->at + 1 < walk->text.size &&
	    strchr("\r\n", walk->text.data[walk->at + 1]))
		advance_escape(walk);
}

static size_t indentation(struct walk walk, bool *ret_empty)
{
	size_t spaces = 0;

	for (; current(&walk) == ' '; advance(&walk))
		spaces++;
	*ret_empty = at_break(&walk) || at_end(&walk);
	return spaces;
}

/*
 * What all lines of the block are indented by: the blanks before the first line that is not empty, less those that are
 * the value's own (a header like |2 says so).
 */
static size_t block_indentation(struct walk walk, struct slice value)
{
	size_t first = 0, own = 0, spaces;
	bool empty;

	while (first < value.size && value.data[first] == '\n')
		first++;
	while (first + own < value.size && value.data[first + own] == ' ')
		own++;
	for (;;) {
		spaces = indentation(walk, &empty);
		if (!empty || at_end(&walk))
			return spaces > own ? spaces - own : 0;
		while (!at_end(&walk) && !at_break(&walk))
			advance(&walk);
		advance(&walk);
	}
}

static void skip_spaces(struct walk *walk, size_t most)
{
	for (size_t i = 0; i < most && current(walk) == ' '; i++)
		advance(walk);
}

/* After a line of a folded block: several breaks are one fewer; around lines that begin with a blank nothing is folded.
 */
static size_t fold_block(struct walk *walk, size_t indent, bool folds, bool indented)
{
	size_t breaks = 0;
	bool empty;

	do {
		advance(walk);
		breaks++;
		indentation(*walk, &empty);
		skip_spaces(walk, indent);
	} while (folds && at_break(walk) && empty && !at_end(walk));
	if (!folds || indented || at_blank(walk))
		return breaks;
	return breaks == 1 ? 1 : breaks - 1;
}

static void walk_block(struct walk *walk, const struct node *node, size_t offset)
{
	size_t value = 0, indent;
	bool indented;

	while (!at_end(walk) && !at_break(walk))
		advance(walk);
	advance(walk);
	indent = block_indentation(*walk, node->text);
	skip_spaces(walk, indent);
	indented = at_blank(walk);
	while (value < offset && !at_end(walk)) {
		struct walk before = *walk;
		size_t size = at_break(walk) ? fold_block(walk, indent, node->style == SCALAR_FOLDED, indented)
		                             : advance(walk);

		if (walk->line != before.line)
			indented = at_blank(walk);
		if (value + size > offset) {
			*walk = before;
			return;
		}
		value += size;
	}
}

void node_place(const struct node *node, struct slice text, size_t offset, int *ret_line, int *ret_column)
{
	struct walk walk = {text, node->start, node->line, node->column};

	if (node->kind == NODE_SCALAR && node->style >= SCALAR_LITERAL)
		walk_block(&walk, node, offset);
	else if (node->kind == NODE_SCALAR)
		walk_flow(&walk, node->style, offset);
	*ret_line = walk.line;
	*ret_column = walk.column;
}

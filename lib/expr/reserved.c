/*
 * Columns whose names are words of SQL's own: which of an expression's words would have to be in double quotes is found
 * by trying: a word that names a column is quoted where the parser then comes further than before.
 */
#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/buffer.h"
#include "lib/expr/parse.h"

#define WORDS_MAX 32

struct word {
	size_t offset, size;
	const char *column;
	bool quoted;
};

struct words {
	struct word items[WORDS_MAX];
	size_t count;
};

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

static const char *column_of(const struct schema *schema, const char *word, size_t size)
{
	for (size_t i = 0; schema && i < schema->count; i++)
		if (strlen(schema->columns[i].name) == size && !strncasecmp(schema->columns[i].name, word, size))
			return schema->columns[i].name;
	return NULL;
}

/* The column that a word would name; NULL: none. */
static const char *named_column(const struct checker *checker, const char *word, size_t size)
{
	const char *column = column_of(checker->schema, word, size);

	return column || !checker->aggregates ? column : column_of(aggregate_row(checker->aggregates), word, size);
}

/* Past a text or name in quotes, or a comment, that begins at p; p where none does. */
static const char *past_quotes(const char *p)
{
	if (*p == '\'' || *p == '"') {
		const char *end = strchr(p + 1, *p);

		return end ? end + 1 : p + strlen(p);
	}
	if (p[0] == '-' && p[1] == '-')
		return p + strcspn(p, "\n");
	return p[0] == '/' && p[1] == '*' ? past_comment(p) : p;
}

static void find_words(const struct checker *checker, struct words *words)
{
	const char *p = checker->text;

	while (*p && words->count < WORDS_MAX) {
		const char *next = past_quotes(p), *column;
		size_t size = 0;

		while (next == p && is_word(p[size]))
			size++;
		column = size ? named_column(checker, p, size) : NULL;
		if (column)
			words->items[words->count++] = (struct word){(size_t)(p - checker->text), size, column, false};
		p = next > p ? next : size ? p + size : p + 1;
	}
}

/* How much of the text the parser has left where it stops; -1: it is one expression. */
static long left_over(const struct checker *checker, const struct words *words)
{
	struct buffer text;
	size_t at = 0, offset = 0;
	long left = -1;

	buffer_init(&text);
	for (size_t i = 0; i < words->count; i++) {
		const struct word *word = &words->items[i];

		if (!word->quoted)
			continue;
		buffer_append(&text, checker->text + at, word->offset - at);
		buffer_printf(&text, "\"%s\"", word->column);
		at = word->offset + word->size;
	}
	buffer_append_text(&text, checker->text + at);
	if (!expr_parses(text.data, &offset))
		left = (long)(text.size - offset);
	buffer_release(&text);
	return left;
}

/* Quotes the word with which the parser comes furthest; false where none helps. */
static bool quote_one(const struct checker *checker, struct words *words, long *left)
{
	struct word *best = NULL;

	for (size_t i = 0; i < words->count; i++) {
		struct word *word = &words->items[i];
		long with_quotes;

		if (word->quoted)
			continue;
		word->quoted = true;
		with_quotes = left_over(checker, words);
		word->quoted = false;
		if (with_quotes >= *left)
			continue;
		*left = with_quotes;
		best = word;
	}
	if (best)
		best->quoted = true;
	return best != NULL;
}

/* Where no one of them helps alone. */
static void quote_all(const struct checker *checker, struct words *words, long left)
{
	struct words all = *words;

	for (size_t i = 0; i < all.count; i++)
		all.items[i].quoted = true;
	if (left_over(checker, &all) < left)
		*words = all;
}

static void report(struct checker *checker, const struct word *word)
{
	char right[192];

	snprintf(right, sizeof(right), "write \"%s\" in double quotes", word->column);
	expr_problem(checker, word->offset, right, "%.*s is a word of SQL's own", (int)word->size,
	             checker->text + word->offset);
}

bool expr_reserved_words(struct checker *checker)
{
	struct words words = {.count = 0};
	bool found = false;
	long left;

	find_words(checker, &words);
	left = words.count ? left_over(checker, &words) : -1;
	while (left >= 0 && quote_one(checker, &words, &left))
		;
	if (left >= 0)
		quote_all(checker, &words, left);
	for (size_t i = 0; i < words.count; i++) {
		if (words.items[i].quoted)
			report(checker, &words.items[i]);
		found = found || words.items[i].quoted;
	}
	return found;
}

bool expr_reserved_word_at(struct checker *checker, size_t offset)
{
	struct words words = {.count = 0};

	find_words(checker, &words);
	offset += strspn(checker->text + offset, "( \t\n");
	for (size_t i = 0; i < words.count; i++) {
		if (words.items[i].offset != offset)
			continue;
		report(checker, &words.items[i]);
		return true;
	}
	return false;
}

const char *past_comment(const char *text)
{
	size_t depth = 0;

	do {
		if (text[0] == '/' && text[1] == '*') {
			depth++;
			text += 2;
		} else if (text[0] == '*' && text[1] == '/') {
			depth--;
			text += 2;
		} else {
			text++;
		}
	} while (*text && depth);
	return text;
}

/*
 * What the parser tells of a text, and what is told of words that it does not take for names: inside lib/expr only.
 */
#ifndef STREAMJOB_EXPR_PARSE_H
#define STREAMJOB_EXPR_PARSE_H

#include "lib/expr/tree.h"

#define EXPR_WRAP "SELECT " /* before the text of an expression, so that the parser takes it */

/* statement.c, of a parsed statement: its one expression, or NULL; what "x AS name" names it, or NULL. */
struct json_t;
struct json_t *statement_expression(struct json_t *root);
const char *statement_name(const struct json_t *root);
/* The byte of the text, or its end, where the parser's cursor is: it counts characters from 1, with EXPR_WRAP. */
size_t statement_offset(const char *text, int cursor);
/* The expression, a jansson object; release the root with json_decref. NULL after a problem. */
struct json_t *expr_parse(struct checker *checker, struct slice text, struct json_t **ret_root);
/* Whether the text is one expression alone; else the byte where the parser stops. */
bool expr_parses(const char *text, size_t *ret_offset);

/* The text is none as it stands: adds a problem for each word in it that names a column and has to be quoted. False:
 * there is none. */
bool expr_reserved_words(struct checker *checker);
/* The same of the word at that byte, or in parentheses there, which the parser took for something else than a name. */
bool expr_reserved_word_at(struct checker *checker, size_t offset);

/* Past the comment that begins at text; SQL's comments nest. */
const char *past_comment(const char *text);

#endif

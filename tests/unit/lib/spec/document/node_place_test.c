/*
 * Every letter and digit of a scalar's value is found in the source: in each text, the value's n-th character that is
 * not blank stands where node_place says. The texts' letters are all different, so a wrong place shows.
 */
#include "lib/spec/document/document.h"
#include "tests/unit/lib/spec/job_case.h"

static const struct {
	const char *name, *text;
} rows[] = {
        {"plain", "k: abc def ghi\n"},
        {"plain in flow style", "{k: abc def, x: y}\n"},
        {"plain over lines", "k: abc\n   def\n\n   ghi\n\n\n   jkl\n"},
        {"plain with blanks at the line's end", "k: abc  \n   def \t \n   ghi\n"},
        {"plain with CRLF", "k: abc\r\n   def\r\n\r\n   ghi\r\n"},
        {"single quotes", "k: 'abc def'\n"},
        {"single quotes, doubled", "k: '''ab''''c'' d''e'\n"},
        {"single quotes over lines", "k: 'abc\n  def\n\n  ghi'\n"},
        {"double quotes", "k: \"abc def\"\n"},
        {"double quotes with escapes", "k: \"\\\"ab\\tc\\\\d\\x41e\\u00e9f\\U0001F600g\\/h\"\n"},
        {"double quotes with wide escapes", "k: \"a\\Nb\\_c\\Ld\\Pe\\0f\"\n"},
        {"double quotes over lines", "k: \"abc\n  def\n\n\n  ghi\"\n"},
        {"double quotes with escaped breaks", "k: \"abc\\\n  def \\\n  \\  ghi\\\n\n  jkl\"\n"},
        {"wide characters", "k: \"a\xc3\xa9"
                            "b\xe2\x82\xac"
                            "c\xf0\x9f\x98\x80"
                            "d\"\n"},
        {"wide characters, plain", "k: a\xc3\xa9"
                                   "b \xe2\x82\xac"
                                   "c\n"},
        {"literal", "k: |\n  abc\n  def\n\n  ghi\n"},
        {"literal, more indented", "k: |\n  abc\n    def\n   ghi\n"},
        {"literal with its indentation said", "k: |2-\n    abc\n  def\n"},
        {"literal after empty lines", "k: |+\n\n\n  abc\n  def\n\n"},
        {"literal with a comment", "k: |  # why\n  abc\n"},
        {"folded", "k: >\n  abc\n  def\n\n  ghi\n\n\n  jkl\n"},
        {"folded, more indented", "k: >\n  abc\n  def\n    ghi\n    jkl\n\n    mno\n  pqr\n  stu\n"},
        {"folded and stripped", "k: >-\n  abc\n  def\n"},
        {"folded in a list", "k:\n- x\n- >-\n  abc\n  def\n"},
        {"after an anchor", "k: &anchor 'abc''def'\n"},
        {"after a tag", "k: !!str \"ab\\u0041c\"\n"},
};

static const struct node *last_scalar(const struct node *node)
{
	while (node->kind != NODE_SCALAR)
		node = node->kind == NODE_LIST ? node->entries[node->count - 1].value : node->entries[0].value;
	return node;
}

/* The byte at a line and column of the text. */
static char byte_at(const char *text, int line, int column)
{
	for (; line > 1; line--)
		text = strchr(text, '\n') + 1;
	for (; column > 1; column--)
		do
			text++;
		while ((*text & 0xc0) == 0x80);
	return *text;
}

static void every_character_test(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct slice text = slice_of(rows[i].text);
		struct documents documents;
		struct syntax_problem problem;
		const struct node *node;
		struct arena arena;
		size_t seen = 0;

		arena_init(&arena);
		if (documents_parse(text, 1, &arena, &documents, &problem) < 0)
			fail_msg("%s: %s", rows[i].name, problem.wrong);
		node = last_scalar(documents.roots[0]);
		for (size_t offset = 0; offset < node->text.size; offset++) {
			char c = node->text.data[offset], found;
			int line, column;

			/* What an escape made stands where its backslash does; a column is a character, not a byte. */
			if ((unsigned char)c >= 0x80 || c <= ' ' || c == '"' || c == '\\' || c == '/' || c == 'A' ||
			    c == '\'')
				continue;
			node_place(node, text, offset, &line, &column);
			found = byte_at(rows[i].text, line, column);
			if (found != c)
				fail_msg("%s: '%c' (byte %zu) is not at %d:%d: '%c' is", rows[i].name, c, offset, line,
				         column, found);
			seen++;
		}
		assert_true(seen >= 3);
		arena_release(&arena);
	}
}

static void beyond_test(void **state)
{
	struct slice text = slice_of("k: abc");
	struct documents documents;
	struct syntax_problem problem;
	struct arena arena;
	int line, column;

	(void)state;
	arena_init(&arena);
	assert_int_equal(documents_parse(text, 1, &arena, &documents, &problem), 0);
	node_place(last_scalar(documents.roots[0]), text, 1000, &line, &column);
	assert_int_equal(line, 1);
	assert_int_equal(column, 7);
	node_place(documents.roots[0], text, 5, &line, &column);
	assert_int_equal(column, 1);
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_character_test), cmocka_unit_test(beyond_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Columns whose names are words of SQL's own, every one that the parser knows: as they stand they mean the column, or
 * what is said names the word and the cure; in double quotes they always mean the column. */
#include "tests/unit/lib/expr/expr_case.h"

#include "lib/expr/aggregate_expr.h"

/* libpg_query's, as PostgreSQL has it in common/kwlookup.h. */
struct keyword_list {
	const char *text;
	const uint16_t *offsets;
	int (*hash)(const void *key, size_t size);
	int count, longest;
};
extern const struct keyword_list ScanKeywords;

#define EXPECTED(offset, word, name) #offset ": " word " is a word of SQL's own; write \"" name "\" in double quotes\n"

/* What an expression over the columns says; "" where it compiles. */
static void problems_of(const char *text, const struct schema *schema, struct buffer *out)
{
	const struct expr_problems problems = {case_add_problem, out};
	struct aggregate_expr *aggregate;
	struct program *program;

	buffer_init(out);
	buffer_append_text(out, "");
	if (strstr(text, "MAX(") || strstr(text, "COUNT(")) {
		aggregate = aggregate_expr_compile(slice_of(text), schema, &(struct schema){NULL, 0}, &problems);
		aggregate_expr_free(aggregate);
	} else {
		program = program_compile(slice_of(text), schema, NULL, &problems);
		program_free(program);
	}
}

/* `pattern` with `word` for each #. */
static void fill(struct buffer *out, const char *pattern, const char *word)
{
	buffer_init(out);
	for (; *pattern; pattern++) {
		if (*pattern == '#')
			buffer_append_text(out, word);
		else
			buffer_append_char(out, *pattern);
	}
}

/* What is said names the word and the cure, or there is nothing to say. */
static void expect_cure(const char *word, const char *text, const struct schema *schema)
{
	struct buffer found, cure;

	problems_of(text, schema, &found);
	fill(&cure, ": # is a word of SQL's own; write \"#\" in double quotes\n", word);
	if (found.size && !strstr(found.data, cure.data))
		fail_msg("%s: %s", text, found.data);
	buffer_release(&found);
	buffer_release(&cure);
}

static void expect_nothing(const char *text, const struct schema *schema)
{
	struct buffer found;

	problems_of(text, schema, &found);
	if (found.size)
		fail_msg("%s: %s", text, found.data);
	buffer_release(&found);
}

static void every_keyword_test(void **state)
{
	static const char *const patterns[] = {"#",
	                                       "# > 1",
	                                       "1 < #",
	                                       "# + # * 2",
	                                       "(#)",
	                                       "ABS(#)",
	                                       "# IS NULL",
	                                       "CASE WHEN # > 1 THEN # ELSE 0 END",
	                                       "MAX(#)",
	                                       "COUNT(DISTINCT #)",
	                                       "MAX(#) FILTER (WHERE # > 1)"};
	int words = 0;

	(void)state;
	for (int i = 0; i < ScanKeywords.count; i++) {
		const char *word = ScanKeywords.text + ScanKeywords.offsets[i];
		const struct schema_column column = {word, TYPE_BIGINT};
		const struct schema schema = {&column, 1};
		char quoted[64];

		/* These are values wherever they stand. */
		if (!strcmp(word, "true") || !strcmp(word, "false") || !strcmp(word, "null"))
			continue;
		snprintf(quoted, sizeof(quoted), "\"%s\"", word);
		for (size_t p = 0; p < COUNT(patterns); p++) {
			struct buffer text;

			fill(&text, patterns[p], word);
			expect_cure(word, text.data, &schema);
			buffer_release(&text);
			fill(&text, patterns[p], quoted);
			expect_nothing(text.data, &schema);
			buffer_release(&text);
		}
		words++;
	}
	assert_true(words > 400);
}

static void words_test(void **state)
{
	static const struct schema_column columns[] = {{"user", TYPE_STRING}, {"order", TYPE_STRING},
	                                               {"end", TYPE_BIGINT},  {"Group", TYPE_BIGINT},
	                                               {"case", TYPE_BIGINT}, {"n", TYPE_BIGINT}};
	static const struct schema schema = {columns, COUNT(columns)};
	static const struct {
		const char *text, *expected;
	} rows[] = {
	        {"COUNT(DISTINCT user)", EXPECTED(15, "user", "user")},
	        {"COUNT(DISTINCT order)", EXPECTED(15, "order", "order")},
	        {"MAX(end)", EXPECTED(4, "end", "end")},
	        {"MAX(END)", EXPECTED(4, "END", "end")},
	        {"MAX(Group)", EXPECTED(4, "Group", "Group")},
	        {"MAX(group)", EXPECTED(4, "group", "Group")},
	        {"order = user", EXPECTED(0, "order", "order")},
	        {"order = 'user' AND end > 1", EXPECTED(0, "order", "order") EXPECTED(19, "end", "end")},
	        {"case + end > 1", EXPECTED(0, "case", "case") EXPECTED(7, "end", "end")},
	        {"CASE WHEN end > 1 THEN 1 ELSE 0 END", EXPECTED(10, "end", "end")},
	        {"CASE WHEN n > 1 THEN 1 ELSE 0 END = 1", ""},
	        {"n = /* order */ 1 AND order = 'a' -- end", EXPECTED(22, "order", "order")},
	        {"(CASE WHEN n > 1 THEN 1 ELSE 0 END", "34: syntax error at end of input; write one SQL expression\n"},
	        {"end > > 1", EXPECTED(0, "end", "end")},
	        {"n > > 1", "4: syntax error at or near \">\"; write one SQL expression\n"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buffer found;

		problems_of(rows[i].text, &schema, &found);
		if (strcmp(found.data, rows[i].expected) != 0)
			fail_msg("%s: %s, expected %s", rows[i].text, found.data, rows[i].expected);
		buffer_release(&found);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_keyword_test), cmocka_unit_test(words_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

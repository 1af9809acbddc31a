/* YAML as nodes: places, aliases, and what is no YAML. */
#include "lib/spec/document/document.h"
#include "tests/unit/lib/spec/job_case.h"

struct parsed {
	struct arena arena;
	struct documents documents;
	struct syntax_problem problem;
	int result;
};

static void parse(const char *text, struct parsed *parsed)
{
	*parsed = (struct parsed){0};
	arena_init(&parsed->arena);
	parsed->result = documents_parse(slice_of(text), 3, &parsed->arena, &parsed->documents, &parsed->problem);
}

static void places_test(void **state)
{
	static const struct {
		const char *name, *text, *path;
		int line, column;
		bool whole;
	} rows[] = {
	        {"a value", "a: b\n", "a", 1, 4, true},
	        {"a list's item", "a:\n- b\n-  c\n", "a[1]", 3, 4, true},
	        {"flow style", "{a: [x, {b: c}]}", "a[1].b", 1, 13, true},
	        {"JSON without blanks", "{\"a\":{\"b\":1}}", "a.b", 1, 11, true},
	        {"after an anchor", "a: &x b\n", "a", 1, 7, true},
	        {"after a tag and an anchor", "a: !!str &long 5\n", "a", 1, 16, true},
	        {"an anchored list", "a: &x\n- b\n", "a[0]", 2, 3, true},
	        {"after a wide character", "'\xc3\xa9\xe2\x82\xac': {k: v}\n", "[\"\xc3\xa9\xe2\x82\xac\"].k", 1, 11,
	         true},
	        {"an alias is the anchored node", "a: &x {k: v}\nb: *x\n", "b.k", 1, 11, true},
	        {"a key that is no word", "p: {a.b: v}\n", "p[\"a.b\"]", 1, 10, true},
	        {"a missing key stops above", "a: {b: c}\n", "a.x.y", 1, 4, false},
	        {"an index beyond the end", "a: [b]\n", "a[1]", 1, 4, false},
	        {"CRLF", "a: b\r\nc: d\r\n", "c", 2, 4, true},
	        {"a comment before", "# x\n\n  # y\na: b\n", "a", 4, 4, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct node *node;
		struct parsed parsed;
		bool whole;

		parse(rows[i].text, &parsed);
		if (parsed.result < 0)
			fail_msg("%s: %s", rows[i].name, parsed.problem.wrong);
		node = node_find(parsed.documents.roots[0], rows[i].path, &whole);
		if (node->line != rows[i].line || node->column != rows[i].column || whole != rows[i].whole)
			fail_msg("%s: %s at %d:%d, expected %d:%d", rows[i].name, whole ? "whole" : "part", node->line,
			         node->column, rows[i].line, rows[i].column);
		arena_release(&parsed.arena);
	}
}

static void scalar_types_test(void **state)
{
	static const struct {
		const char *text;
		enum scalar_type type;
	} rows[] = {
	        {"null", SCALAR_NULL},
	        {"~", SCALAR_NULL},
	        {"true", SCALAR_BOOL},
	        {"No", SCALAR_BOOL},
	        {"on", SCALAR_BOOL},
	        {"y", SCALAR_BOOL},
	        {"N", SCALAR_BOOL},
	        {"yN", SCALAR_STRING},
	        {"0", SCALAR_INTEGER},
	        {"-17", SCALAR_INTEGER},
	        {"+5", SCALAR_INTEGER},
	        {"0x1F", SCALAR_INTEGER},
	        {"0o17", SCALAR_INTEGER},
	        {"1_000", SCALAR_INTEGER},
	        {"1.5", SCALAR_FLOAT},
	        {"-.5", SCALAR_FLOAT},
	        {"1.", SCALAR_FLOAT},
	        {"1e6", SCALAR_FLOAT},
	        {"1.5E-3", SCALAR_FLOAT},
	        {".inf", SCALAR_FLOAT},
	        {"-.Inf", SCALAR_FLOAT},
	        {".nan", SCALAR_FLOAT},
	        {".", SCALAR_STRING},
	        {"-", SCALAR_STRING},
	        {"1e", SCALAR_STRING},
	        {"1s", SCALAR_STRING},
	        {"1.2.3", SCALAR_STRING},
	        {"nullable", SCALAR_STRING},
	        {"2026-11-24", SCALAR_STRING},
	        {"512Mi", SCALAR_STRING},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct node node = {.style = SCALAR_PLAIN, .text = slice_of(rows[i].text)};

		if (node_scalar_type(&node) != rows[i].type)
			fail_msg("%s: %d", rows[i].text, (int)node_scalar_type(&node));
		node.style = SCALAR_DOUBLE_QUOTED;
		assert_int_equal(node_scalar_type(&node), SCALAR_STRING);
		node = (struct node){.tagged_string = true, .text = slice_of(rows[i].text)};
		assert_int_equal(node_scalar_type(&node), SCALAR_STRING);
	}
}

static void refused_test(void **state)
{
	static const struct {
		const char *name, *text, *wrong;
		int line;
	} rows[] = {
	        {"a bracket that is not closed", "a: [b\n", "not YAML", 2},
	        {"a quote that is not closed", "a: 'b\n", "not YAML", 2},
	        {"a tab as indentation", "a:\n\tb: c\n", "not YAML", 2},
	        {"two keys in a line", "a: b: c\n", "not YAML", 1},
	        {"indented too little", "a:\n  - b\n - c\n", "not YAML", 3},
	        {"an unknown anchor", "a: *x\n", "there is no anchor &x", 1},
	        {"an anchor of another document", "a: &x b\n---\na: *x\n", "there is no anchor &x", 3},
	        {"an alias in itself", "a: &x [*x]\n", "this alias stands inside", 1},
	        {"a control character", "a: \"b\x01\"\n", "not YAML", 0},
	        {"one document too many", "a\n---\nb\n---\nc\n---\nd\n", "too many documents", 6},
	        {"a bad escape", "a: \"\\q\"\n", "not YAML", 1},
	        {"half a surrogate", "a: \"\\ud800\"\n", "not YAML", 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct parsed parsed;

		parse(rows[i].text, &parsed);
		if (parsed.result == 0)
			fail_msg("%s: not refused", rows[i].name);
		if (!strstr(parsed.problem.wrong, rows[i].wrong) ||
		    (rows[i].line && parsed.problem.line != rows[i].line))
			fail_msg("%s: line %d: %s", rows[i].name, parsed.problem.line, parsed.problem.wrong);
		arena_release(&parsed.arena);
	}
}

static void several_test(void **state)
{
	struct parsed parsed;

	(void)state;
	parse("---\n---\na: 1\n---\n# nothing\n", &parsed);
	assert_int_equal(parsed.result, 0);
	assert_int_equal(parsed.documents.count, 3);
	assert_null(parsed.documents.roots[0]);
	assert_non_null(parsed.documents.roots[1]);
	assert_null(parsed.documents.roots[2]);
	arena_release(&parsed.arena);
	parse("a: 1\n---\nb: [\n", &parsed);
	assert_int_equal(parsed.result, -1);
	assert_int_equal(parsed.documents.count, 1);
	arena_release(&parsed.arena);
}

static void depth_test(void **state)
{
	char text[DOCUMENT_DEPTH_MAX + 8];
	struct parsed parsed;

	(void)state;
	memset(text, '[', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	parse(text, &parsed);
	assert_int_equal(parsed.result, -1);
	assert_string_equal(parsed.problem.wrong, "nested too deeply");
	arena_release(&parsed.arena);
}

static void merge_test(void **state)
{
	static const struct {
		const char *name, *text, *path, *value; /* NULL: not there */
	} rows[] = {
	        {"brought", "d: &d {a: 1, b: 2}\nm: {<<: *d, c: 3}\n", "m.b", "2"},
	        {"own keys win", "d: &d {a: 1}\nm: {<<: *d, a: 3}\n", "m.a", "3"},
	        {"own keys before win too", "d: &d {a: 1}\nm: {a: 3, <<: *d}\n", "m.a", "3"},
	        {"the earlier of a list wins", "d: &d {a: 1}\ne: &e {a: 2, b: 2}\nm: {<<: [*d, *e]}\n", "m.a", "1"},
	        {"the later brings the rest", "d: &d {a: 1}\ne: &e {a: 2, b: 2}\nm: {<<: [*d, *e]}\n", "m.b", "2"},
	        {"the key itself is gone", "d: &d {a: 1}\nm: {<<: *d}\n", "m.<<", NULL},
	        {"through two", "d: &d {a: 1}\ne: &e {<<: *d}\nm: {<<: *e}\n", "m.a", "1"},
	        {"a quoted key is no merge", "d: &d {a: 1}\nm: {'<<': *d}\n", "m.<<.a", "1"},
	        {"a scalar cannot be merged", "m: {<<: 5}\n", "m.<<", "5"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct node *node;
		struct parsed parsed;
		bool whole;

		parse(rows[i].text, &parsed);
		assert_int_equal(parsed.result, 0);
		node = node_find(parsed.documents.roots[0], rows[i].path, &whole);
		if (whole != (rows[i].value != NULL) || (whole && strcmp(node->text.data, rows[i].value) != 0))
			fail_msg("%s: %s", rows[i].name, whole ? node->text.data : "not there");
		arena_release(&parsed.arena);
	}
}

/* Many small maps that each bring a large one: refused before they take memory. */
static void merge_bomb_test(void **state)
{
	struct parsed parsed;
	struct buffer text;

	(void)state;
	buffer_init(&text);
	buffer_append_text(&text, "a: &a {");
	for (int i = 0; i < 190; i++)
		buffer_printf(&text, "k%d: v, ", i);
	buffer_append_text(&text, "}\nb:\n");
	for (int i = 0; i < 50000; i++)
		buffer_append_text(&text, "- {<<: *a}\n");
	parse(text.data, &parsed);
	assert_int_equal(parsed.result, -1);
	assert_string_equal(parsed.problem.wrong, "the file has too many values");
	assert_true(parsed.arena.bytes < 64 << 20);
	arena_release(&parsed.arena);
	buffer_release(&text);
}

/* Ten levels of ten aliases would be 10^10 nodes: they are counted, not made. */
static void bomb_test(void **state)
{
	struct parsed parsed;
	struct buffer text;

	(void)state;
	buffer_init(&text);
	buffer_append_text(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
	for (int i = 1; i < 11; i++) {
		buffer_printf(&text, "a%d: &a%d [", i, i);
		for (int k = 0; k < 10; k++)
			buffer_printf(&text, "%s*a%d", k ? ", " : "", i - 1);
		buffer_append_text(&text, "]\n");
	}
	parse(text.data, &parsed);
	assert_int_equal(parsed.result, 0);
	assert_int_equal(parsed.documents.roots[0]->weight, DOCUMENT_WEIGHT_MAX + 1);
	assert_true(parsed.arena.bytes < 1 << 20);
	arena_release(&parsed.arena);
	buffer_append_text(&text,
	                   "apiVersion: streamjob.dev/v1alpha1\nkind: StreamJob\nmetadata: {name: j}\nspec: *a10\n");
	expect_problems("a bomb as a spec", text.data,
	                "job.yaml:1:1: the document is too large when its aliases are written out; a StreamJob has at "
	                "most 100000 values\n");
	buffer_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(places_test),  cmocka_unit_test(scalar_types_test),
	                                   cmocka_unit_test(refused_test), cmocka_unit_test(several_test),
	                                   cmocka_unit_test(depth_test),   cmocka_unit_test(bomb_test),
	                                   cmocka_unit_test(merge_test),   cmocka_unit_test(merge_bomb_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

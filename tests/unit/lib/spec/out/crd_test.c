/* The CRD reads as YAML, and is a structural schema in which everything is typed, described and bounded. */
#include "lib/spec/field/tables.h"
#include "tests/unit/lib/spec/job_case.h"

#define RULES_MAX  64
#define SCHEMA_KEY "spec.versions[0].schema.openAPIV3Schema"

struct crd {
	struct buffer text;
	struct arena arena;
	const struct node *schema;
	size_t schemas, rules;
};

static void load_crd(struct crd *crd)
{
	struct documents documents;
	struct syntax_problem problem;
	bool whole;

	*crd = (struct crd){0};
	buffer_init(&crd->text);
	arena_init(&crd->arena);
	jobspec_crd(&crd->text);
	if (documents_parse(buffer_slice(&crd->text), 1, &crd->arena, &documents, &problem) < 0)
		fail_msg("%d:%d: %s", problem.line, problem.column, problem.wrong);
	crd->schema = node_find(documents.roots[0], SCHEMA_KEY, &whole);
	assert_true(whole);
}

static void release_crd(struct crd *crd)
{
	buffer_release(&crd->text);
	arena_release(&crd->arena);
}

static const char *word(const struct node *schema, const char *key)
{
	const struct node *node = node_get(schema, key);

	return node ? node->text.data : "";
}

static void demand(bool holds, const struct node *schema, const char *what)
{
	if (!holds)
		fail_msg("line %d of the CRD: %s", schema->line, what);
}

/* `self.name` and has(self.name) only over what is declared. */
static void check_rule(const struct node *rule, const struct node *schema)
{
	const char *cel = word(rule, "rule");

	demand(word(rule, "message")[0], rule, "a rule without message");
	for (const char *at = strstr(cel, "self."); at; at = strstr(at + 5, "self.")) {
		struct slice name = {at + 5, strspn(at + 5, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")};
		char text[64];

		snprintf(text, sizeof(text), "%.*s", SLICE_ARG(name));
		if (!node_get(node_get(schema, "properties"), text))
			fail_msg("line %d: %s: self.%s is not declared", rule->line, cel, text);
	}
	for (const char *at = cel; *at; at++)
		demand(*at != '\n' && *at != '\t', rule, "a rule over lines");
}

static void check_schema(struct crd *crd, const struct node *schema, bool described)
{
	const char *type = word(schema, "type");
	const struct node *properties = node_get(schema, "properties"),
	                  *rules = node_get(schema, "x-kubernetes-validations");

	crd->schemas++;
	demand(*type || node_get(schema, "x-kubernetes-int-or-string"), schema, "no type");
	demand(!described || word(schema, "description")[0], schema, "no description");
	if (!strcmp(type, "string"))
		demand(node_get(schema, "maxLength") || node_get(schema, "enum"), schema, "an unbounded string");
	if (!strcmp(type, "integer") || !strcmp(type, "number"))
		demand(!node_get(schema, "pattern"), schema, "a number with a pattern");
	if (!strcmp(type, "array")) {
		demand(node_get(schema, "maxItems") != NULL, schema, "an unbounded list");
		demand(node_get(schema, "x-kubernetes-list-type") != NULL, schema, "a list without list-type");
		check_schema(crd, node_get(schema, "items"), false);
	}
	if (node_get(schema, "additionalProperties")) {
		demand(!properties, schema, "both properties and additionalProperties");
		demand(node_get(schema, "maxProperties") != NULL, schema, "an unbounded map");
		check_schema(crd, node_get(schema, "additionalProperties"), false);
	}
	for (size_t i = 0; rules && i < rules->count; i++, crd->rules++)
		check_rule(rules->entries[i].value, schema);
	for (size_t i = 0; properties && i < properties->count; i++)
		check_schema(crd, properties->entries[i].value, true);
}

static void structural_test(void **state)
{
	const struct node *properties;
	struct crd crd;

	(void)state;
	load_crd(&crd);
	properties = node_get(crd.schema, "properties");
	check_schema(&crd, node_get(properties, "spec"), true);
	assert_true(crd.schemas > 120);
	assert_true(crd.rules > 20 && crd.rules < RULES_MAX);
	demand(node_get(node_get(node_get(properties, "status"), "properties"), "conditions") != NULL, crd.schema,
	       "no conditions");
	release_crd(&crd);
}

static void check_rows(const struct object *object, const struct node *schema)
{
	const struct node *required = node_get(schema, "required");
	size_t count = 0;

	for (const struct field *field = object->fields; field->name; field++) {
		const struct node *property = node_get(node_get(schema, "properties"), field->name);
		bool listed = false;

		if (!property)
			fail_msg("%s.%s is not in the CRD", object->title, field->name);
		assert_string_equal(word(property, "description"), field->doc);
		for (size_t i = 0; required && i < required->count; i++)
			listed = listed || !strcmp(required->entries[i].value->text.data, field->name);
		if (listed != field->required)
			fail_msg("%s.%s: required differs", object->title, field->name);
		if (field->initial)
			assert_string_equal(word(property, "default"), field->initial);
		if (field->kind == FIELD_OBJECT)
			check_rows(field->object, property);
		if (field->kind == FIELD_OBJECTS)
			check_rows(field->object, node_get(property, "items"));
		if (field->kind == FIELD_KEYED_OBJECTS)
			check_rows(field->object, node_get(property, "additionalProperties"));
		count++;
	}
	if (node_get(schema, "properties"))
		assert_int_equal(node_get(schema, "properties")->count, count);
}

static void table_test(void **state)
{
	struct crd crd;

	(void)state;
	load_crd(&crd);
	check_rows(&spec_object, node_get(node_get(crd.schema, "properties"), "spec"));
	release_crd(&crd);
}

static void reference_test(void **state)
{
	struct buffer out;

	(void)state;
	buffer_init(&out);
	jobspec_reference(&out);
	assert_non_null(strstr(out.data, "\n## Kafka source\n\n`spec.source.kafka`\n"));
	assert_non_null(strstr(out.data, "`spec.source.file`, `spec.sinks[].file`, `spec.deadLetter.file`"));
	assert_non_null(strstr(out.data, "| `startingOffsets` | `earliest`, `latest` | `latest` |"));
	assert_non_null(strstr(out.data, "| `stateBytes` | bytes | `512Mi` | 1Mi to 16Ti |"));
	assert_non_null(strstr(out.data, "| `size` | duration | required | 100ms to 366d |"));
	assert_non_null(strstr(out.data, "| `columns` | map of [Generated column](#generated-column) |"));
	buffer_release(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(structural_test), cmocka_unit_test(table_test),
	                                   cmocka_unit_test(reference_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

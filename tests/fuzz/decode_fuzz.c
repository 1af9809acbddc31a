/*
 * The projecting JSON decoder against jansson: each line of the input is a record, all of them one batch.
 *
 * The same rows must be well formed, and each column must be missing, null, bad or the same value. What differs on
 * purpose, or cannot be known from jansson, is in judge():
 *   - nesting deeper than JSON_DEPTH_MAX is a bad row of ours; jansson goes on to 2,048;
 *   - jansson refuses numbers beyond int64 and double, wherever they stand, and U+0000 in a name; we skip what is not
 *     read and take the name as it is. Integers beyond int64 are loaded as reals then; the rest is not compared;
 *   - a zero byte is nowhere valid, but jansson forgets one that follows a number or a word;
 *   - a number with a point or an exponent is a double to jansson; ours is exact, so an integer column may refuse
 *     1.00000000000000000001 and 1e-999, which are 1 and 0 as doubles.
 */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/data/civil.h"
#include "runtime/decode/json.h"

#define ROWS_MAX 32

static const struct column_spec columns[] = {
        {"s", TYPE_STRING, "$.s", TIMESTAMP_EPOCH_MILLIS},
        {"b", TYPE_BOOLEAN, "$.b", TIMESTAMP_EPOCH_MILLIS},
        {"i", TYPE_INT, "$.i", TIMESTAMP_EPOCH_MILLIS},
        {"l", TYPE_BIGINT, "$.l", TIMESTAMP_EPOCH_MILLIS},
        {"d", TYPE_DOUBLE, "$.d", TIMESTAMP_EPOCH_MILLIS},
        {"millis", TYPE_TIMESTAMP, "$.t", TIMESTAMP_EPOCH_MILLIS},
        {"seconds", TYPE_TIMESTAMP, "$.t", TIMESTAMP_EPOCH_SECONDS},
        {"micros", TYPE_TIMESTAMP, "$.t", TIMESTAMP_EPOCH_MICROS},
        {"nanos", TYPE_TIMESTAMP, "$.t", TIMESTAMP_EPOCH_NANOS},
        {"iso", TYPE_TIMESTAMP, "$.t", TIMESTAMP_ISO8601},
        {"twice", TYPE_DOUBLE, "$.l", TIMESTAMP_EPOCH_MILLIS},
        {"above", TYPE_STRING, "$.a", TIMESTAMP_EPOCH_MILLIS},
        {"element", TYPE_BIGINT, "$.a.b[0]", TIMESTAMP_EPOCH_MILLIS},
        {"below", TYPE_STRING, "$.a.b[1].c", TIMESTAMP_EPOCH_MILLIS},
        {"odd", TYPE_STRING, "$['odd name']", TIMESTAMP_EPOCH_MILLIS},
};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

enum expected { MISSING, IS_NULL, VALUE, BAD };
enum verdict { GOOD_ROW, BAD_ROW, UNKNOWN_ROW };

struct decoded {
	struct json_decoder *decoder;
	struct batch batch;
	struct bad_rows bad;
	uint32_t rows[ROWS_MAX];
	size_t good;
};

static struct record_batch records;
static struct decoded lenient, strict;
static uint64_t rows_compared, values_compared;

static void differs(uint32_t row, const char *column, const char *how)
{
	struct slice text = records.records[row].value;

	fprintf(stderr, "row %u, column %s: %s: %.*s\n", row, column, how, SLICE_ARG(text));
	abort();
}

static bool says_bad(const struct decoded *decoded, uint32_t row, const char **ret_reason)
{
	for (size_t i = 0; i < decoded->bad.count; i++) {
		if (decoded->bad.items[i].row != row)
			continue;
		*ret_reason = decoded->bad.items[i].reason;
		return true;
	}
	return false;
}

/* The deepest nesting of brackets outside of strings. */
static size_t depth_of(struct slice text)
{
	size_t depth = 0, deepest = 0;
	bool quoted = false;

	for (size_t i = 0; i < text.size; i++) {
		char c = text.data[i];

		if (c == '"')
			quoted = !quoted;
		else if (quoted && c == '\\')
			i++;
		else if (!quoted && (c == '{' || c == '['))
			deepest = ++depth > deepest ? depth : deepest;
		else if (!quoted && (c == '}' || c == ']'))
			depth -= depth != 0;
	}
	return deepest;
}

/* A number that a double cannot tell from an integer stands somewhere: of many digits, or next to nothing. */
static bool has_fine_number(struct slice text)
{
	size_t digits = 0;

	for (size_t i = 0; i < text.size; i++) {
		if (text.data[i] != '.')
			digits = text.data[i] >= '0' && text.data[i] <= '9' ? digits + 1 : 0;
		if (digits > 15 || (i && text.data[i] == '-' && (text.data[i - 1] | 0x20) == 'e'))
			return true;
	}
	return false;
}

static json_t *at_path(json_t *root, const char *name)
{
	json_t *b;

	if (!strcmp(name, "element") || !strcmp(name, "below")) {
		b = json_object_get(json_object_get(root, "a"), "b");
		return name[0] == 'e' ? json_array_get(b, 0) : json_object_get(json_array_get(b, 1), "c");
	}
	if (!strcmp(name, "millis") || !strcmp(name, "seconds") || !strcmp(name, "micros") || !strcmp(name, "nanos") ||
	    !strcmp(name, "iso"))
		return json_object_get(root, "t");
	if (!strcmp(name, "above"))
		return json_object_get(root, "a");
	if (!strcmp(name, "odd"))
		return json_object_get(root, "odd name");
	return json_object_get(root, strcmp(name, "twice") ? name : "l");
}

/* A real in a column of integers, `scale` to its unit: the decoder is exact, a double is not. */
static enum expected judge_real(double real, double scale, bool cuts, bool valid, int64_t found, uint32_t row)
{
	double scaled = real * scale, error = fabs((double)found - scaled);

	if (valid) {
		if (error > (cuts ? 1 : 0) + fabs(scaled) * 0x1p-51)
			differs(row, "an integer", "another value than the real");
		return VALUE;
	}
	if (fabs(scaled) < 0x1p53 && (cuts || scaled == floor(scaled)) && !has_fine_number(records.records[row].value))
		return VALUE; /* it should have been valid */
	return BAD;
}

/* Milliseconds in one of the column's units; of an integer that is no time: 1. */
static double unit_of(const struct column_spec *column)
{
	static const double units[] = {[TIMESTAMP_EPOCH_MILLIS] = 1,
	                               [TIMESTAMP_EPOCH_SECONDS] = 1000,
	                               [TIMESTAMP_EPOCH_MICROS] = 1e-3,
	                               [TIMESTAMP_EPOCH_NANOS] = 1e-6};

	return column->type == TYPE_TIMESTAMP ? units[column->format] : 1;
}

static enum expected judge_integer(const json_t *json, const struct column_spec *column, bool valid, int64_t found,
                                   uint32_t row)
{
	double unit = unit_of(column);
	int64_t value;

	if (json_is_real(json)) {
		if (column->type == TYPE_INT && !valid && fabs(json_real_value(json)) >= 0x1p31)
			return BAD;
		return judge_real(json_real_value(json), unit, column->type == TYPE_TIMESTAMP, valid, found, row);
	}
	value = json_integer_value(json);
	if (unit > 1 && __builtin_mul_overflow(value, (int64_t)unit, &value))
		return BAD;
	value = unit < 1 ? value / (int64_t)(1 / unit + 0.5) : value;
	if (column->type == TYPE_INT && (value < INT32_MIN || value > INT32_MAX))
		return BAD;
	if (valid && value != found)
		differs(row, column->name, "another integer");
	return VALUE;
}

static enum expected judge_text(const json_t *json, const struct column_spec *column, const struct value *found,
                                uint32_t row)
{
	struct slice text = {json_string_value(json), json_string_length(json)};
	int64_t ms;

	if (column->type == TYPE_STRING) {
		if (!found->null && !slice_equal(text, found->string))
			differs(row, column->name, "another string");
		return VALUE;
	}
	if (column->type != TYPE_TIMESTAMP || column->format != TIMESTAMP_ISO8601 || !civil_parse(text, &ms))
		return BAD;
	if (!found->null && found->bigint != ms)
		differs(row, column->name, "another time");
	return VALUE;
}

static enum expected judge_value(const json_t *json, const struct column_spec *column, const struct value *found,
                                 uint32_t row)
{
	if (!json)
		return MISSING;
	if (json_is_null(json))
		return IS_NULL;
	if (json_is_string(json))
		return judge_text(json, column, found, row);
	if (json_is_boolean(json)) {
		if (column->type == TYPE_BOOLEAN && !found->null && found->boolean != json_is_true(json))
			differs(row, column->name, "another truth");
		return column->type == TYPE_BOOLEAN ? VALUE : BAD;
	}
	if (!json_is_number(json))
		return BAD;
	if (column->type == TYPE_DOUBLE) {
		if (!found->null && found->real != json_number_value(json))
			differs(row, column->name, "another double");
		return VALUE;
	}
	if (column->type == TYPE_STRING || column->type == TYPE_BOOLEAN || column->format == TIMESTAMP_ISO8601)
		return BAD;
	return judge_integer(json, column, !found->null, found->null ? 0 : found->bigint, row);
}

/* Every column of a row that both call well formed. Returns how many of its fields are bad. */
static size_t compare_columns(json_t *root, uint32_t row)
{
	const char *reason = NULL;
	size_t bad = 0;
	bool refused = false;

	for (size_t c = 0; c < COLUMNS; c++) {
		struct value found = column_value(&lenient.batch.columns[c], row);
		enum expected expected = judge_value(at_path(root, columns[c].name), &columns[c], &found, row);

		if (found.null == (expected == VALUE))
			differs(row, columns[c].name, found.null ? "should have a value" : "should be NULL");
		bad += expected == BAD;
		refused = refused || expected == BAD || expected == MISSING;
		values_compared++;
	}
	if (says_bad(&strict, row, &reason) != refused)
		differs(row, "any", refused ? "strict policies let it pass" : reason);
	return bad;
}

static enum verdict judge(uint32_t row, json_t **ret_root)
{
	struct slice text = records.records[row].value;
	json_error_t error;
	enum json_error_code code;

	if (depth_of(text) > JSON_DEPTH_MAX)
		return UNKNOWN_ROW;
	if (text.size && memchr(text.data, 0, text.size))
		return BAD_ROW;
	*ret_root = json_loadb(text.data, text.size, JSON_ALLOW_NUL, &error);
	if (!*ret_root && json_error_code(&error) == json_error_numeric_overflow)
		*ret_root = json_loadb(text.data, text.size, JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, &error);
	if (*ret_root)
		return json_is_object(*ret_root) ? GOOD_ROW : BAD_ROW;
	code = json_error_code(&error);
	return code == json_error_numeric_overflow || code == json_error_null_byte_in_key ? UNKNOWN_ROW : BAD_ROW;
}

static void compare_rows(void)
{
	size_t bad_fields = 0;
	bool all_known = true;

	for (uint32_t row = 0; row < records.count; row++) {
		const char *reason = "";
		json_t *root = NULL;
		enum verdict verdict = judge(row, &root);
		bool bad = says_bad(&lenient, row, &reason);

		if (verdict == UNKNOWN_ROW) {
			if (!bad && depth_of(records.records[row].value) > JSON_DEPTH_MAX)
				differs(row, "all", "deeper than the cap");
			all_known = all_known && bad;
			continue;
		}
		if (bad != (verdict == BAD_ROW))
			differs(row, "all", bad ? reason : "should be a bad row");
		if (!bad)
			bad_fields += compare_columns(root, row);
		json_decref(root);
		rows_compared++;
	}
	if (all_known && bad_fields != lenient.bad.bad_fields)
		differs(0, "all", "another number of bad fields");
}

static void decode(struct decoded *decoded)
{
	batch_clear(&decoded->batch);
	decoded->good = json_decode(decoded->decoder, &records, &decoded->batch, decoded->rows, &decoded->bad);
	if (decoded->good + decoded->bad.count != records.count)
		differs(0, "all", "a row is neither good nor bad");
	for (size_t i = 1; i < decoded->good; i++)
		if (decoded->rows[i] <= decoded->rows[i - 1])
			differs(decoded->rows[i], "all", "good rows are not ascending");
}

static void print_counts(void)
{
	fprintf(stderr, "compared %llu rows, %llu values\n", (unsigned long long)rows_compared,
	        (unsigned long long)values_compared);
}

static void set_up(struct decoded *decoded, enum bad_policy field_policy)
{
	const struct json_format format = {BAD_SKIP, field_policy, field_policy, TOMBSTONE_SKIP};
	struct schema_column named[COLUMNS];
	bool read[COLUMNS];

	for (size_t c = 0; c < COLUMNS; c++) {
		named[c] = (struct schema_column){columns[c].name, columns[c].type};
		read[c] = true;
	}
	batch_init(&decoded->batch, &(struct schema){named, COLUMNS}, read, ROWS_MAX);
	decoded->decoder = json_decoder_new(columns, COLUMNS, read, &format, INT64_MAX);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	json_object_seed(1);
	set_up(&lenient, BAD_NULL);
	set_up(&strict, BAD_SKIP_ROW);
	atexit(print_counts);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice rest = {(const char *)data, size};

	records.count = 0;
	while (records.count < ROWS_MAX && (rest.size || !records.count)) {
		const char *newline = rest.size ? memchr(rest.data, '\n', rest.size) : NULL;
		size_t line = newline ? (size_t)(newline - rest.data) : rest.size;
		/* A copy of its own size, so that a read past its end is seen. */
		char *copy = malloc(line ? line : 1);

		if (line)
			memcpy(copy, rest.data, line);
		records.records[records.count++] = (struct record){.value = {copy, line}};
		rest.data += line + (newline != NULL);
		rest.size -= line + (newline != NULL);
	}
	decode(&lenient);
	decode(&strict);
	compare_rows();
	for (size_t i = 0; i < records.count; i++)
		free((void *)(uintptr_t)records.records[i].value.data);
	return 0;
}

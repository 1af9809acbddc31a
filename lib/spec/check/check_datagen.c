/* Generated columns: declared ones, each by a generator that makes its type. */
#include <stdio.h>

#include "lib/base/text.h"
#include "lib/spec/check/check.h"

#define DATAGEN_PATH_MAX 192
#define COLUMN_NAMES_MAX 500

/* What generators of numbers can make; a TIMESTAMP as milliseconds. */
static bool is_numeric(enum type type)
{
	return type == TYPE_INT || type == TYPE_BIGINT || type == TYPE_DOUBLE || type == TYPE_TIMESTAMP;
}

static size_t count_digits(const char *text)
{
	return strspn(text, "0123456789");
}

/* As JSON writes it: values go into the records as they are. */
static bool is_json_number(const char *text, bool integer)
{
	size_t digits;

	text += *text == '-';
	digits = count_digits(text);
	if (!digits || (digits > 1 && *text == '0'))
		return false;
	text += digits;
	if (!integer && *text == '.') {
		digits = count_digits(++text);
		if (!digits)
			return false;
		text += digits;
	}
	if (!integer && (*text == 'e' || *text == 'E')) {
		text += 1 + (text[1] == '+' || text[1] == '-');
		digits = count_digits(text);
		if (!digits)
			return false;
		text += digits;
	}
	return !*text;
}

static bool value_fits(const struct column_spec *column, const char *text)
{
	int64_t integer;
	double real;

	switch (column->type) {
	case TYPE_BOOLEAN:
		return !strcmp(text, "true") || !strcmp(text, "false");
	case TYPE_INT:
		return is_json_number(text, true) && text_parse_bigint(slice_of(text), &integer) &&
		       integer >= INT32_MIN && integer <= INT32_MAX;
	case TYPE_BIGINT:
	case TYPE_TIMESTAMP:
		return is_json_number(text, true) && text_parse_bigint(slice_of(text), &integer);
	case TYPE_DOUBLE:
		return is_json_number(text, false) && text_parse_double(slice_of(text), &real);
	case TYPE_NULL:
	case TYPE_STRING:
		break;
	}
	return true;
}

static void check_choice(const struct datagen_column *made, const struct column_spec *column, const char *path,
                         struct problems *problems)
{
	for (size_t i = 0; i < made->values.count; i++) {
		char place[DATAGEN_PATH_MAX + 64];

		if (value_fits(column, made->values.items[i]))
			continue;
		snprintf(place, sizeof(place), "%s.choice.values[%zu]", path, i);
		check_problem(problems, place,
		              column->type == TYPE_TIMESTAMP ? "give milliseconds since 1970-01-01T00:00:00Z"
		                                             : "give a value of the column's type as JSON writes it",
		              "\"%.40s\" is not a %s", made->values.items[i], type_name(column->type));
	}
}

static void check_generator(const struct datagen_column *made, const struct column_spec *column, const char *path,
                            struct problems *problems)
{
	static const char *const names[] = {
	        [GENERATE_SEQUENCE] = "sequence", [GENERATE_CHOICE] = "choice",       [GENERATE_UNIFORM] = "uniform",
	        [GENERATE_NORMAL] = "normal",     [GENERATE_LOGNORMAL] = "lognormal", [GENERATE_NOW] = "now",
	};
	bool fits = made->generator == GENERATE_NOW ? column->type == TYPE_TIMESTAMP : is_numeric(column->type);
	char place[DATAGEN_PATH_MAX + 64];

	if (made->generator == GENERATE_CHOICE) {
		check_choice(made, column, path, problems);
		return;
	}
	snprintf(place, sizeof(place), "%s.%s", path, names[made->generator]);
	if (!fits)
		check_problem(problems, place,
		              made->generator == GENERATE_NOW
		                      ? "use choice, or declare the column as TIMESTAMP"
		                      : "use choice, or declare the column as INT, BIGINT, DOUBLE or TIMESTAMP",
		              "%s does not make a %s, which column %s is", names[made->generator],
		              type_name(column->type), column->name);
}

static const struct column_spec *declared(const struct jobspec *job, const char *name)
{
	for (size_t i = 0; i < job->columns_count; i++)
		if (job->columns[i].name && !strcmp(job->columns[i].name, name))
			return &job->columns[i];
	return NULL;
}

static void unknown_column(const struct jobspec *job, const char *name, const char *path, struct problems *problems)
{
	const char *names[COLUMN_NAMES_MAX] = {NULL}, *nearest;
	struct error right;
	size_t count = 0;

	for (size_t i = 0; i < job->columns_count && count < COLUMN_NAMES_MAX; i++)
		if (job->columns[i].name)
			names[count++] = job->columns[i].name;
	nearest = text_nearest(slice_of(name), names, count);
	if (nearest)
		error_set(&right, "did you mean %s?", nearest);
	else
		error_set(&right, "declare it in spec.columns");
	check_problem(problems, path, right.text, "there is no such column");
}

void check_datagen(const struct jobspec *job, struct problems *problems)
{
	const struct datagen_source *datagen = &job->source.datagen;

	for (size_t i = 0; job->source.kind == SOURCE_DATAGEN && i < datagen->columns_count; i++) {
		const struct datagen_column *made = &datagen->columns[i];
		const struct column_spec *column = made->name ? declared(job, made->name) : NULL;
		char path[DATAGEN_PATH_MAX];

		if (!made->name)
			continue;
		snprintf(path, sizeof(path), "spec.source.datagen.columns.%s", made->name);
		if (!column && job->columns_count)
			unknown_column(job, made->name, path, problems);
		else if (column && column->type != TYPE_NULL)
			check_generator(made, column, path, problems);
	}
}

/* Generated columns: declared ones, each by a generator that makes its type. */
#include <stdio.h>

#include "lib/base/text.h"
#include "lib/data/civil.h"
#include "lib/jobspec/check.h"

#define DATAGEN_PATH_MAX 192
#define COLUMN_NAMES_MAX 500

static bool is_number(enum type type)
{
	return type == TYPE_INT || type == TYPE_BIGINT || type == TYPE_DOUBLE;
}

static bool value_fits(const struct column_spec *column, struct slice text)
{
	int64_t integer;
	double real;

	switch (column->type) {
	case TYPE_BOOLEAN:
		return slice_equal(text, SLICE_LITERAL("true")) || slice_equal(text, SLICE_LITERAL("false"));
	case TYPE_INT:
		return text_parse_bigint(text, &integer) && integer >= INT32_MIN && integer <= INT32_MAX;
	case TYPE_BIGINT:
		return text_parse_bigint(text, &integer);
	case TYPE_DOUBLE:
		return text_parse_double(text, &real) && real - real == 0;
	case TYPE_TIMESTAMP:
		return column->format == TIMESTAMP_ISO8601 ? civil_parse(text, &integer)
		                                           : text_parse_bigint(text, &integer);
	default:
		return true;
	}
}

static void check_choice(const struct datagen_column *made, const struct column_spec *column, const char *path,
                         struct problems *problems)
{
	for (size_t i = 0; i < made->values.count; i++) {
		char place[DATAGEN_PATH_MAX + 64];

		if (value_fits(column, slice_of(made->values.items[i])))
			continue;
		snprintf(place, sizeof(place), "%s.choice.values[%zu]", path, i);
		check_problem(problems, place, "give a value that reads as the column's type", "\"%.40s\" is not a %s",
		              made->values.items[i], type_name(column->type));
	}
}

static void check_generator(const struct datagen_column *made, const struct column_spec *column, const char *path,
                            struct problems *problems)
{
	static const char *const names[] = {
	        [GENERATE_SEQUENCE] = "sequence", [GENERATE_CHOICE] = "choice",       [GENERATE_UNIFORM] = "uniform",
	        [GENERATE_NORMAL] = "normal",     [GENERATE_LOGNORMAL] = "lognormal", [GENERATE_NOW] = "now",
	};
	bool fits = made->generator == GENERATE_NOW ? column->type == TYPE_TIMESTAMP : is_number(column->type);
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
		                      : "use choice, or declare the column as INT, BIGINT or DOUBLE",
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

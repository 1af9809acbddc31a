/* The field table: sources, the generator's columns among them. */
#include "lib/spec/field/tables.h"

#define MEMBER(name) offsetof(struct datagen_column, name)

static const struct field no_fields[] = {{0}};
static const struct object stdin_object = {
        .title = "Standard input", .size = sizeof(struct source_spec), .fields = no_fields};
static const struct object now_object = {.title = "Now", .size = sizeof(struct datagen_column), .fields = no_fields};

static bool weights_match_values(const void *members, const struct node *given)
{
	const struct datagen_column *column = members;

	(void)given;
	return !column->weights || column->weights_count == column->values.count;
}

static bool some_weight(const void *members, const struct node *given)
{
	const struct datagen_column *column = members;
	double sum = 0;

	(void)given;
	for (size_t i = 0; i < column->weights_count; i++)
		sum += column->weights[i];
	return !column->weights || sum > 0;
}

static const struct rule choice_rules[] = {{.cel = "!has(self.weights) || self.weights.size() == self.values.size()",
                                            .wrong = "there is not one weight for each value",
                                            .right = "give as many weights as values, or none",
                                            .field = "weights",
                                            .holds = weights_match_values},
                                           {.cel = "!has(self.weights) || self.weights.exists(w, w > 0.0)",
                                            .wrong = "all weights are 0",
                                            .right = "give at least one value a weight above 0",
                                            .field = "weights",
                                            .holds = some_weight},
                                           {0}};
static const struct field choice_fields[] = {{.name = "values",
                                              .kind = FIELD_STRINGS,
                                              .required = true,
                                              .offset = MEMBER(values),
                                              .min = 1,
                                              .max = 1000,
                                              .item_max = 1024,
                                              .doc = "What to choose from, each a string: a number or true and false "
                                                     "as JSON writes them, a TIMESTAMP as milliseconds."},
                                             {.name = "weights",
                                              .kind = FIELD_DOUBLES,
                                              .offset = MEMBER(weights),
                                              .count_offset = MEMBER(weights_count),
                                              .min = 1,
                                              .max = 1000,
                                              .low = 0,
                                              .high = 1e9,
                                              .computed = "all alike",
                                              .doc = "How often each value comes, relative to the others."},
                                             {0}};
static const struct object choice_object = {
        .title = "Choice", .size = sizeof(struct datagen_column), .fields = choice_fields, .rules = choice_rules};

static bool max_is_above_min(const void *members, const struct node *given)
{
	const struct datagen_column *column = members;

	(void)given;
	return column->max > column->min;
}

static const struct rule sequence_rules[] = {{.cel = "!has(self.start) || !has(self.end) || self.end > self.start",
                                              .wrong = "end is not above start",
                                              .right = "give an end above start",
                                              .field = "end",
                                              .holds = max_is_above_min},
                                             {0}};
static const struct field sequence_fields[] = {{.name = "start",
                                                .kind = FIELD_DOUBLE,
                                                .offset = MEMBER(min),
                                                .initial = "0",
                                                .low = -9007199254740992,
                                                .high = 9007199254740992,
                                                .doc = "The first number."},
                                               {.name = "end",
                                                .kind = FIELD_DOUBLE,
                                                .offset = MEMBER(max),
                                                .initial = "9007199254740992",
                                                .low = -9007199254740992,
                                                .high = 9007199254740992,
                                                .doc = "Before this number it begins at start again."},
                                               {0}};
static const struct object sequence_object = {
        .title = "Sequence", .size = sizeof(struct datagen_column), .fields = sequence_fields, .rules = sequence_rules};

static const struct rule uniform_rules[] = {{.cel = "!has(self.min) || !has(self.max) || self.max > self.min",
                                             .wrong = "max is not above min",
                                             .right = "give a max above min",
                                             .field = "max",
                                             .holds = max_is_above_min},
                                            {0}};
static const struct field uniform_fields[] = {{.name = "min",
                                               .kind = FIELD_DOUBLE,
                                               .offset = MEMBER(min),
                                               .initial = "0",
                                               .low = -FIELD_DOUBLE_MAX,
                                               .high = FIELD_DOUBLE_MAX,
                                               .doc = "The least value."},
                                              {.name = "max",
                                               .kind = FIELD_DOUBLE,
                                               .offset = MEMBER(max),
                                               .initial = "1",
                                               .low = -FIELD_DOUBLE_MAX,
                                               .high = FIELD_DOUBLE_MAX,
                                               .doc = "Every value is below it."},
                                              {0}};
static const struct object uniform_object = {
        .title = "Uniform", .size = sizeof(struct datagen_column), .fields = uniform_fields, .rules = uniform_rules};

static const struct field normal_fields[] = {{.name = "mean",
                                              .kind = FIELD_DOUBLE,
                                              .offset = MEMBER(mean),
                                              .initial = "0",
                                              .low = -FIELD_DOUBLE_MAX,
                                              .high = FIELD_DOUBLE_MAX,
                                              .doc = "The middle."},
                                             {.name = "stddev",
                                              .kind = FIELD_DOUBLE,
                                              .offset = MEMBER(stddev),
                                              .initial = "1",
                                              .low = 0,
                                              .high = FIELD_DOUBLE_MAX,
                                              .doc = "The standard deviation."},
                                             {0}};
static const struct object normal_object = {
        .title = "Normal", .size = sizeof(struct datagen_column), .fields = normal_fields};

static const struct field lognormal_fields[] = {
        {.name = "mean",
         .kind = FIELD_DOUBLE,
         .offset = MEMBER(mean),
         .initial = "0",
         .low = -700,
         .high = 700,
         .doc = "The middle of the value's natural logarithm: 3.4 for a median of 30."},
        {.name = "stddev",
         .kind = FIELD_DOUBLE,
         .offset = MEMBER(stddev),
         .initial = "1",
         .low = 0,
         .high = 100,
         .doc = "The standard deviation of the logarithm."},
        {0}};
static const struct object lognormal_object = {
        .title = "Lognormal", .size = sizeof(struct datagen_column), .fields = lognormal_fields};

#define GENERATOR(generator_name, generator_tag, generator_object, generator_doc)                                      \
	{                                                                                                              \
		.name = generator_name, .kind = FIELD_OBJECT, .variant = true, .tag = generator_tag, .offset = 0,      \
		.object = &generator_object, .doc = generator_doc                                                      \
	}

static const struct field datagen_column_fields[] = {
        GENERATOR("sequence", GENERATE_SEQUENCE, sequence_object,
                  "Counts up by 1. For numbers, and for TIMESTAMP as milliseconds."),
        GENERATOR("choice", GENERATE_CHOICE, choice_object, "One of some values. For every type."),
        GENERATOR("uniform", GENERATE_UNIFORM, uniform_object,
                  "Any number of a range, all alike. For numbers, and for TIMESTAMP as milliseconds."),
        GENERATOR("normal", GENERATE_NORMAL, normal_object, "The normal distribution. For numbers."),
        GENERATOR("lognormal", GENERATE_LOGNORMAL, lognormal_object,
                  "The log-normal distribution, as latencies have. For numbers."),
        GENERATOR("now", GENERATE_NOW, now_object, "The wall clock. For TIMESTAMP."),
        {.name = "nullProbability",
         .kind = FIELD_DOUBLE,
         .offset = MEMBER(null_probability),
         .initial = "0",
         .low = 0,
         .high = 1,
         .doc = "How often the value is null instead."},
        {0}};
static const struct object datagen_column_object = {.title = "Generated column",
                                                    .doc = "By exactly one generator.",
                                                    .size = sizeof(struct datagen_column),
                                                    .fields = datagen_column_fields,
                                                    .tag_offset = MEMBER(generator),
                                                    .key_offset = MEMBER(name)};

static const struct field datagen_fields[] = {
        {.name = "rowsPerSecond",
         .kind = FIELD_DOUBLE,
         .offset = offsetof(struct datagen_source, rows_per_second),
         .initial = "1000",
         .low = 0,
         .high = 1e9,
         .doc = "The rate; 0: as fast as it goes."},
        {.name = "rows",
         .kind = FIELD_INTEGER,
         .offset = offsetof(struct datagen_source, rows),
         .initial = "0",
         .min = 0,
         .max = 1000000000000000,
         .doc = "After so many rows the input ends; 0: never."},
        {.name = "seed",
         .kind = FIELD_INTEGER,
         .offset = offsetof(struct datagen_source, seed),
         .initial = "1",
         .min = 0,
         .max = 9007199254740991,
         .doc = "The same seed gives the same rows (but for now)."},
        {.name = "columns",
         .kind = FIELD_KEYED_OBJECTS,
         .required = true,
         .offset = offsetof(struct datagen_source, columns),
         .count_offset = offsetof(struct datagen_source, columns_count),
         .min = 1,
         .max = 500,
         .item_max = 63,
         .key_pattern = &column_name_pattern,
         .object = &datagen_column_object,
         .doc = "By name of a declared column: how its values are made. Columns without an entry are missing."},
        {0}};
static const struct object datagen_object = {
        .title = "Generator", .size = sizeof(struct datagen_source), .fields = datagen_fields};

static const struct field source_fields[] = {
        {.name = "kafka",
         .kind = FIELD_OBJECT,
         .variant = true,
         .tag = SOURCE_KAFKA,
         .offset = offsetof(struct source_spec, kafka),
         .object = &kafka_source_object,
         .doc = "A Kafka topic. Its rows have the columns kafka_key, kafka_partition, kafka_offset, kafka_timestamp "
                "and kafka_headers too."},
        {.name = "file",
         .kind = FIELD_OBJECT,
         .variant = true,
         .tag = SOURCE_FILE,
         .offset = offsetof(struct source_spec, file),
         .object = &file_object,
         .doc = "A file; the job ends with it."},
        {.name = "stdin",
         .kind = FIELD_OBJECT,
         .variant = true,
         .tag = SOURCE_STDIN,
         .offset = 0,
         .object = &stdin_object,
         .doc = "Standard input, one JSON object a line: write stdin: {}."},
        {.name = "datagen",
         .kind = FIELD_OBJECT,
         .variant = true,
         .tag = SOURCE_DATAGEN,
         .offset = offsetof(struct source_spec, datagen),
         .object = &datagen_object,
         .doc = "Made-up rows, to try a job without any events."},
        {0}};
const struct object source_object = {.title = "Source",
                                     .size = sizeof(struct source_spec),
                                     .fields = source_fields,
                                     .tag_offset = offsetof(struct source_spec, kind)};

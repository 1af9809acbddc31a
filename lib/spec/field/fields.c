/* The field table: what stands between source and sinks. */
#include "lib/spec/field/tables.h"

#define DAY_MS (24 * 60 * 60 * 1000LL)

static const struct choice row_policies[] = {
        {"skip", BAD_SKIP}, {"deadLetter", BAD_DEAD_LETTER}, {"fail", BAD_FAIL}, {NULL, 0}};
static const struct choice field_policies[] = {
        {"null", BAD_NULL}, {"skipRow", BAD_SKIP_ROW}, {"deadLetter", BAD_DEAD_LETTER}, {"fail", BAD_FAIL}, {NULL, 0}};
static const struct choice tombstone_policies[] = {{"skip", TOMBSTONE_SKIP}, {"row", TOMBSTONE_ROW}, {NULL, 0}};
const struct choice column_types[] = {{"BOOLEAN", TYPE_BOOLEAN},
                                      {"INT", TYPE_INT},
                                      {"BIGINT", TYPE_BIGINT},
                                      {"DOUBLE", TYPE_DOUBLE},
                                      {"STRING", TYPE_STRING},
                                      {"TIMESTAMP", TYPE_TIMESTAMP},
                                      {NULL, 0}};
static const struct choice timestamp_formats[] = {
        {"epochMillis", TIMESTAMP_EPOCH_MILLIS}, {"epochSeconds", TIMESTAMP_EPOCH_SECONDS},
        {"epochMicros", TIMESTAMP_EPOCH_MICROS}, {"epochNanos", TIMESTAMP_EPOCH_NANOS},
        {"iso8601", TIMESTAMP_ISO8601},          {NULL, 0}};
static const struct choice window_times[] = {{"processing", 0}, {NULL, 0}};
static const struct choice empty_policies[] = {
        {"skip", EMPTY_SKIP}, {"zero", EMPTY_ZERO}, {"delete", EMPTY_DELETE}, {NULL, 0}};
static const struct choice limit_policies[] = {
        {"fail", LIMIT_FAIL}, {"dropNewGroups", LIMIT_DROP_NEW_GROUPS}, {NULL, 0}};

static const struct field json_fields[] = {
        {.name = "onBadRow",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct json_format, on_bad_row),
         .choices = row_policies,
         .initial = "skip",
         .doc = "A record that is not a JSON object, or a row on which an expression fails: skip it, send it to the "
                "dead letter, or fail the job."},
        {.name = "onBadField",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct json_format, on_bad_field),
         .choices = field_policies,
         .initial = "null",
         .doc = "A field whose value is not of its column's type: read it as NULL, skip the row, send the record to "
                "the dead letter, or fail the job."},
        {.name = "onMissingField",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct json_format, on_missing_field),
         .choices = field_policies,
         .initial = "null",
         .doc = "A field that the record does not have (a JSON null is not missing): read it as NULL, skip the row, "
                "send the record to the dead letter, or fail the job."},
        {.name = "onTombstone",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct json_format, on_tombstone),
         .choices = tombstone_policies,
         .initial = "skip",
         .doc = "A record without a value (Kafka's null, which deletes its key): skip it, or take it as a row whose "
                "columns are all NULL. Both are counted as tombstones; neither is a bad row."},
        {0}};
static const struct object json_object = {
        .title = "JSON format", .size = sizeof(struct json_format), .fields = json_fields};

static const struct field format_fields[] = {{.name = "json",
                                              .kind = FIELD_OBJECT,
                                              .offset = 0,
                                              .object = &json_object,
                                              .doc = "Each record is one JSON object."},
                                             {0}};
const struct object format_object = {.title = "Format", .size = sizeof(struct json_format), .fields = format_fields};

static bool format_is_of_timestamp(const void *members, const struct node *given)
{
	const struct column_spec *column = members;

	return !node_get(given, "format") || column->type == TYPE_TIMESTAMP;
}

static const struct rule column_rules[] = {{.cel = "!has(self.format) || self.type == 'TIMESTAMP'",
                                            .wrong = "format is only for type TIMESTAMP",
                                            .right = "leave it out, or declare the column as TIMESTAMP",
                                            .field = "format",
                                            .holds = format_is_of_timestamp},
                                           {0}};
static const struct field column_fields[] = {
        {.name = "name",
         .kind = FIELD_STRING,
         .required = true,
         .offset = offsetof(struct column_spec, name),
         .min = 1,
         .max = 63,
         .pattern = &column_name_pattern,
         .doc = "What expressions call it."},
        {.name = "type",
         .kind = FIELD_ENUM,
         .required = true,
         .offset = offsetof(struct column_spec, type),
         .choices = column_types,
         .doc = "What its values are: INT has 32 bits, BIGINT 64; TIMESTAMP is in milliseconds, UTC."},
        {.name = "path",
         .kind = FIELD_STRING,
         .offset = offsetof(struct column_spec, path),
         .computed = "$.NAME",
         .min = 1,
         .max = 512,
         .pattern = &path_pattern,
         .doc = "Where the field is in the record: $.metrics.latency_ms, $.items[0].id, $['odd name']."},
        {.name = "format",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct column_spec, format),
         .choices = timestamp_formats,
         .computed = "epochMillis",
         .doc = "How a TIMESTAMP is written in the record: as a number, what is finer than a millisecond cut off, or "
                "as a "
                "text."},
        {0}};
const struct object column_object = {.title = "Column",
                                     .size = sizeof(struct column_spec),
                                     .fields = column_fields,
                                     .rules = column_rules,
                                     .named = true};

static const struct field select_fields[] = {
        {.name = "name",
         .kind = FIELD_STRING,
         .required = true,
         .offset = offsetof(struct named_expr, name),
         .min = 1,
         .max = 63,
         .pattern = &column_name_pattern,
         .doc = "What groupBy and the aggregates call it."},
        {.name = "expr",
         .kind = FIELD_EXPRESSION,
         .required = true,
         .offset = offsetof(struct named_expr, expr),
         .min = 1,
         .max = 10000,
         .doc = "SQL over the declared columns and the source's own; scalar functions of spec.functions "
                "too."},
        {0}};
const struct object select_object = {
        .title = "Select", .size = sizeof(struct named_expr), .fields = select_fields, .named = true};

static bool has_name_or_columns(const void *members, const struct node *given)
{
	(void)members;
	return !node_get(given, "name") != !node_get(given, "columns");
}

static const struct rule aggregate_rules[] = {{.cel = "has(self.name) != has(self.columns)",
                                               .wrong = "one of name and columns is needed, not both",
                                               .right = "give name, or columns for a function whose result has several",
                                               .field = "expr",
                                               .holds = has_name_or_columns},
                                              {0}};
static const struct field aggregate_fields[] = {
        {.name = "name",
         .kind = FIELD_STRING,
         .offset = offsetof(struct aggregate_spec, name),
         .min = 1,
         .max = 63,
         .pattern = &column_name_pattern,
         .doc = "What having and the sinks call it."},
        {.name = "columns",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct aggregate_spec, columns),
         .min = 1,
         .max = 64,
         .item_max = 63,
         .pattern = &column_name_pattern,
         .set = true,
         .doc = "Instead of name: what having and the sinks call the fields of a table aggregate's rows, or of an "
                "aggregate's result that is a row. A table aggregate makes as many result rows for a group as it "
                "yields; the other aggregates' values stand in each."},
        {.name = "expr",
         .kind = FIELD_EXPRESSION,
         .required = true,
         .offset = offsetof(struct aggregate_spec, expr),
         .min = 1,
         .max = 10000,
         .doc = "SQL with aggregates of the catalog (COUNT, SUM, PERCENTILE, ...) or of spec.functions, each with "
                "FILTER (WHERE ...) if need be; a column outside of these must be a group key. With columns: one call "
                "alone."},
        {0}};
const struct object aggregate_object = {.title = "Aggregate",
                                        .size = sizeof(struct aggregate_spec),
                                        .fields = aggregate_fields,
                                        .rules = aggregate_rules};

static bool offset_is_within_size(const void *members, const struct node *given)
{
	const struct window_spec *window = members;

	(void)given;
	return window->offset_ms < window->size_ms;
}

static const struct rule tumbling_rules[] = {{.wrong = "offset is not shorter than size",
                                              .right = "give an offset between 0s and the size",
                                              .field = "offset",
                                              .holds = offset_is_within_size},
                                             {0}};
static const struct field tumbling_fields[] = {
        {.name = "size",
         .kind = FIELD_DURATION,
         .required = true,
         .offset = offsetof(struct window_spec, size_ms),
         .min = 100,
         .max = 366 * DAY_MS,
         .doc = "How long a window is. Windows are aligned to 1970-01-01T00:00:00Z."},
        {.name = "offset",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct window_spec, offset_ms),
         .initial = "0s",
         .min = 0,
         .max = 366 * DAY_MS,
         .doc = "Moves the alignment: windows of 1h with offset 15m begin at quarter past."},
        {.name = "time",
         .kind = FIELD_ENUM,
         .offset = FIELD_NOT_STORED,
         .choices = window_times,
         .initial = "processing",
         .doc = "Whose clock: processing is the wall clock when the row is taken from the source; where that is set "
                "back "
                "or stands still, windows go on by the time that passes."},
        {.name = "onEmpty",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct window_spec, on_empty),
         .choices = empty_policies,
         .initial = "skip",
         .doc = "A window without rows: skip it, write the known groups with the aggregates of nothing (zero), or "
                "delete the Pushgateway's group."},
        {.name = "forgetAfter",
         .kind = FIELD_INTEGER,
         .offset = offsetof(struct window_spec, forget_after),
         .initial = "1440",
         .min = 1,
         .max = 1000000000,
         .doc = "With onEmpty: zero, after how many windows without rows a group is no longer known."},
        {0}};
static const struct object tumbling_object = {.title = "Tumbling window",
                                              .size = sizeof(struct window_spec),
                                              .fields = tumbling_fields,
                                              .rules = tumbling_rules};

static const struct field window_fields[] = {{.name = "tumbling",
                                              .kind = FIELD_OBJECT,
                                              .required = true,
                                              .offset = 0,
                                              .object = &tumbling_object,
                                              .doc = "Windows of one size, side by side."},
                                             {0}};
const struct object window_object = {.title = "Window", .size = sizeof(struct window_spec), .fields = window_fields};

static const struct field watermark_fields[] = {
        {.name = "maxFutureSkew",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct watermark_spec, max_future_skew_ms),
         .initial = "1d",
         .min = 1000,
         .max = 366 * DAY_MS,
         .doc = "A stamp further ahead of the record's own Kafka time (of a file: of its neighbours) is a bad row, and "
                "moves no clock. One of a file that is further behind is late: left out and counted."},
        {0}};
const struct object watermark_object = {
        .title = "Watermark", .size = sizeof(struct watermark_spec), .fields = watermark_fields};

static const struct field limits_fields[] = {
        {.name = "groups",
         .kind = FIELD_INTEGER,
         .offset = offsetof(struct limits_spec, groups),
         .initial = "1000000",
         .min = 1,
         .max = 1000000000,
         .doc = "The most groups a window may have rows of."},
        {.name = "knownGroups",
         .kind = FIELD_INTEGER,
         .offset = offsetof(struct limits_spec, known_groups),
         .initial = "100000",
         .min = 1,
         .max = 1000000000,
         .doc = "With onEmpty: zero, the most groups that are known from earlier windows; of more, those that had rows "
                "last stay."},
        {.name = "stateBytes",
         .kind = FIELD_BYTES,
         .offset = offsetof(struct limits_spec, state_bytes),
         .initial = "512Mi",
         .min = 1 << 20,
         .max = 1LL << 44,
         .doc = "The most memory that the groups of a window may take."},
        {.name = "recordBytes",
         .kind = FIELD_BYTES,
         .offset = offsetof(struct limits_spec, record_bytes),
         .initial = "16Mi",
         .min = 1024,
         .max = 256 << 20,
         .doc = "The longest line or record; a longer one is a bad row (onBadRow). Of a file's no more is kept in "
                "memory than this."},
        {.name = "onLimit",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct limits_spec, on_limit),
         .choices = limit_policies,
         .initial = "fail",
         .doc = "At the limit of groups: fail the job, or drop and count the rows of the groups beyond it "
                "(dropNewGroups): those stay whose keys have the smallest hashes, the same ones when the window is "
                "built again. The limit of bytes always fails."},
        {.name = "badRowShare",
         .kind = FIELD_DOUBLE,
         .offset = offsetof(struct limits_spec, bad_row_share),
         .initial = "0.05",
         .low = 0,
         .high = 1,
         .doc = "The share of bad rows, or of bad values of one column, among the rows of the last windows, past which "
                "the job's input is not OK: /status and the resource say so, with the first example. Where every row "
                "is "
                "bad the job is not Ready."},
        {0}};
const struct object limits_object = {.title = "Limits", .size = sizeof(struct limits_spec), .fields = limits_fields};

/* The field table: sinks and dead letters. */
#include "lib/spec/field/tables.h"

static const struct choice metric_types[] = {{"gauge", METRIC_GAUGE}, {"counter", METRIC_COUNTER}, {NULL, 0}};
static const struct choice row_formats[] = {{"json", FORMAT_JSON}, {"table", FORMAT_TABLE}, {NULL, 0}};

static const struct field metric_fields[] = {
        {.name = "name",
         .kind = FIELD_STRING,
         .required = true,
         .offset = offsetof(struct metric_spec, name),
         .min = 1,
         .max = 200,
         .pattern = &metric_name_pattern,
         .doc = "Name of the metric family; a counter's ends in _total by custom."},
        {.name = "type",
         .kind = FIELD_ENUM,
         .required = true,
         .offset = offsetof(struct metric_spec, type),
         .choices = metric_types,
         .doc = "A gauge is the window's value, a counter the sum over all windows so far, which a restart carries "
                "on."},
        {.name = "help",
         .kind = FIELD_STRING,
         .offset = offsetof(struct metric_spec, help),
         .min = 0,
         .max = 1024,
         .doc = "One line for people, shown by Prometheus."},
        {.name = "value",
         .kind = FIELD_STRING,
         .required = true,
         .offset = offsetof(struct metric_spec, value),
         .min = 1,
         .max = 63,
         .pattern = &column_name_pattern,
         .doc = "The numeric aggregate or group key whose value it is."},
        {.name = "labels",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct metric_spec, labels),
         .min = 0,
         .max = 32,
         .item_max = 63,
         .pattern = &label_name_pattern,
         .set = true,
         .doc = "Group keys or aggregates that become labels. Every group key must be one, or two rows would be the "
                "same series."},
        {0}};
static const struct object metric_object = {
        .title = "Metric", .size = sizeof(struct metric_spec), .fields = metric_fields};

static bool ca_is_for_https(const void *members, const struct node *given)
{
	const struct pushgateway_sink *sink = members;

	(void)given;
	return !sink->ca_secret.name || !strncmp(sink->url, "https://", 8);
}

static bool deadline_holds_an_attempt(const void *members, const struct node *given)
{
	const struct pushgateway_sink *sink = members;

	(void)given;
	return sink->retry_deadline_ms >= sink->timeout_ms;
}

static const struct rule pushgateway_rules[] = {{.cel = "!has(self.caSecretRef) || self.url.startsWith('https://')",
                                                 .wrong = "caSecretRef needs an https URL",
                                                 .right = "write url: https://... or leave caSecretRef out",
                                                 .field = "caSecretRef",
                                                 .holds = ca_is_for_https},
                                                {.wrong = "retryDeadline is shorter than timeout",
                                                 .right = "give attempts at least the time of one",
                                                 .field = "retryDeadline",
                                                 .holds = deadline_holds_an_attempt},
                                                {0}};
static const struct field pushgateway_fields[] = {
        {.name = "url",
         .kind = FIELD_STRING,
         .required = true,
         .offset = offsetof(struct pushgateway_sink, url),
         .min = 1,
         .max = 2048,
         .pattern = &url_pattern,
         .doc = "URL of the Pushgateway, without /metrics."},
        {.name = "job",
         .kind = FIELD_STRING,
         .required = true,
         .offset = offsetof(struct pushgateway_sink, job),
         .min = 1,
         .max = 1024,
         .doc = "The job label of the group. Each window replaces the whole group."},
        {.name = "groupingKey",
         .kind = FIELD_STRING_MAP,
         .offset = offsetof(struct pushgateway_sink, grouping_key),
         .min = 0,
         .max = 16,
         .item_max = 1024,
         .key_pattern = &label_name_pattern,
         .doc = "More labels that name the group."},
        {.name = "metrics",
         .kind = FIELD_OBJECTS,
         .required = true,
         .offset = offsetof(struct pushgateway_sink, metrics),
         .count_offset = offsetof(struct pushgateway_sink, metrics_count),
         .object = &metric_object,
         .min = 1,
         .max = 100,
         .doc = "What is pushed, one series a result row. streamjob_window_start_seconds, "
                "streamjob_window_end_seconds, streamjob_window_sequence and streamjob_window_info are added."},
        {.name = "credentialsSecretRef",
         .kind = FIELD_OBJECT,
         .offset = offsetof(struct pushgateway_sink, credentials_secret),
         .object = &secret_object,
         .doc = "Secret with username and password for basic authentication."},
        {.name = "caSecretRef",
         .kind = FIELD_OBJECT,
         .offset = offsetof(struct pushgateway_sink, ca_secret),
         .object = &secret_object,
         .doc = "Secret with ca.crt, where the gateway's certificate is not signed by a public authority."},
        {.name = "timeout",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct pushgateway_sink, timeout_ms),
         .initial = "5s",
         .min = 100,
         .max = 5 * 60 * 1000,
         .doc = "How long one attempt may take."},
        {.name = "retryDeadline",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct pushgateway_sink, retry_deadline_ms),
         .initial = "30s",
         .min = 100,
         .max = 60 * 60 * 1000,
         .doc = "How long to try again before the status says that the sink is away; then it is tried on."},
        {.name = "maxCounterSeries",
         .kind = FIELD_INTEGER,
         .offset = offsetof(struct pushgateway_sink, max_counter_series),
         .initial = "1000000",
         .min = 1,
         .max = 100000000,
         .doc = "The most series that one counter may have over all windows; what comes beyond is left out, counted, "
                "and goes to the dead letter."},
        {.name = "counterIdleWindows",
         .kind = FIELD_INTEGER,
         .offset = offsetof(struct pushgateway_sink, counter_idle_windows),
         .initial = "10080",
         .min = 0,
         .max = 1000000000,
         .doc = "A counter's series to which no window has added for so many windows is forgotten; where it comes "
                "again it begins at zero. 0: never."},
        {.name = "onRejected",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct pushgateway_sink, on_rejected),
         .choices = rejections,
         .initial = "skip",
         .doc = "A window that the gateway refuses for good (400, 413, 415, 422): send it to the dead letter with the "
                "gateway's words and go on, or fail the job."},
        {0}};
static const struct object pushgateway_object = {.title = "Pushgateway",
                                                 .size = sizeof(struct pushgateway_sink),
                                                 .fields = pushgateway_fields,
                                                 .rules = pushgateway_rules};

static const struct field stdout_fields[] = {{.name = "format",
                                              .kind = FIELD_ENUM,
                                              .offset = offsetof(struct sink_spec, stdout_format),
                                              .choices = row_formats,
                                              .initial = "json",
                                              .doc = "json: an object a line; table: aligned columns for people."},
                                             {0}};
static const struct object stdout_object = {
        .title = "Standard output", .size = sizeof(struct sink_spec), .fields = stdout_fields};

static const struct field sink_fields[] = {
        {.name = "pushgateway",
         .kind = FIELD_OBJECT,
         .variant = true,
         .tag = SINK_PUSHGATEWAY,
         .offset = offsetof(struct sink_spec, pushgateway),
         .object = &pushgateway_object,
         .doc = "A Prometheus Pushgateway: one PUT a window."},
        {.name = "kafka",
         .kind = FIELD_OBJECT,
         .variant = true,
         .tag = SINK_KAFKA,
         .offset = offsetof(struct sink_spec, kafka),
         .object = &kafka_sink_object,
         .doc = "A Kafka topic: one transaction a window, a JSON record a row, keyed by the group key."},
        {.name = "file",
         .kind = FIELD_OBJECT,
         .variant = true,
         .tag = SINK_FILE,
         .offset = offsetof(struct sink_spec, file),
         .object = &file_object,
         .doc = "A file, a JSON object a line."},
        {.name = "stdout",
         .kind = FIELD_OBJECT,
         .variant = true,
         .tag = SINK_STDOUT,
         .offset = 0,
         .object = &stdout_object,
         .doc = "Standard output."},
        {0}};
const struct object sink_object = {.title = "Sink",
                                   .doc = "Exactly one of pushgateway, kafka, file and stdout.",
                                   .size = sizeof(struct sink_spec),
                                   .fields = sink_fields,
                                   .tag_offset = offsetof(struct sink_spec, kind)};

static const struct field dead_letter_fields[] = {
        {.name = "file",
         .kind = FIELD_OBJECT,
         .variant = true,
         .tag = SINK_FILE,
         .offset = offsetof(struct dead_letter_spec, file),
         .object = &file_object,
         .doc = "A file, a JSON object a line: record, topic, partition, offset and reason."},
        {.name = "kafka",
         .kind = FIELD_OBJECT,
         .variant = true,
         .tag = SINK_KAFKA,
         .offset = offsetof(struct dead_letter_spec, kafka),
         .object = &kafka_topic_object,
         .doc = "A Kafka topic: the raw record, with topic, partition, offset and reason as headers."},
        {0}};
const struct object dead_letter_object = {.title = "Dead letter",
                                          .size = sizeof(struct dead_letter_spec),
                                          .fields = dead_letter_fields,
                                          .tag_offset = offsetof(struct dead_letter_spec, kind)};

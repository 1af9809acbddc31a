/* spec.sinks and spec.deadLetter. See jobspec.h. */
#ifndef STREAMJOB_JOBSPEC_SINK_SPEC_H
#define STREAMJOB_JOBSPEC_SINK_SPEC_H

#include "lib/spec/field/kafka_client.h"

enum sink_kind { SINK_NONE, SINK_PUSHGATEWAY, SINK_KAFKA, SINK_FILE, SINK_STDOUT };
enum on_rejected { REJECTED_SKIP, REJECTED_FAIL };
enum metric_type { METRIC_GAUGE, METRIC_COUNTER };
enum row_format { FORMAT_JSON, FORMAT_TABLE };

struct metric_spec {
	const char *name;
	enum metric_type type;
	const char *help;
	const char *value;
	struct names labels;
};
struct pushgateway_sink {
	const char *url, *job;
	struct pairs grouping_key;
	struct metric_spec *metrics;
	size_t metrics_count;
	struct secret_ref credentials_secret, ca_secret; /* basic auth; a CA of one's own */
	int64_t timeout_ms, retry_deadline_ms;
	int64_t max_counter_series, counter_idle_windows; /* idle: 0: never forgotten */
	enum on_rejected on_rejected;
};
/* Do both push to one group of one gateway? A label that is empty is none. */
bool pushgateway_same_group(const struct pushgateway_sink *a, const struct pushgateway_sink *b);
struct kafka_sink_spec {
	struct kafka_client client;
	enum on_rejected on_rejected;
};
struct sink_spec {
	enum sink_kind kind;
	struct pushgateway_sink pushgateway;
	struct kafka_sink_spec kafka;
	struct file_target file;
	enum row_format stdout_format;
};
struct dead_letter_spec {
	enum sink_kind kind;
	struct file_target file;
	struct kafka_client kafka;
}; /* NONE, FILE, KAFKA */

#endif

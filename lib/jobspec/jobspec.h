/*
 * The job file as the program sees it. fields.c, the field table, says for each member its name in the file, type,
 * default, bounds and one line of documentation; loader, check, CRD and reference are made from that table.
 *
 * All strings are NUL-terminated and, with all arrays, live in the jobspec's arena. A string that the file does not
 * give and that has no default is NULL. Times are milliseconds, sizes bytes. Read-only once loaded; any thread.
 */
#ifndef STREAMJOB_JOBSPEC_H
#define STREAMJOB_JOBSPEC_H

#include "lib/base/arena.h"
#include "lib/data/type.h"

enum source_kind { SOURCE_NONE, SOURCE_KAFKA, SOURCE_FILE, SOURCE_STDIN, SOURCE_DATAGEN };
enum sink_kind { SINK_NONE, SINK_PUSHGATEWAY, SINK_KAFKA, SINK_FILE, SINK_STDOUT };
enum bad_policy { BAD_SKIP, BAD_NULL, BAD_SKIP_ROW, BAD_DEAD_LETTER, BAD_FAIL };
enum timestamp_format { TIMESTAMP_EPOCH_MILLIS, TIMESTAMP_EPOCH_SECONDS, TIMESTAMP_ISO8601 };
enum starting_offsets { START_EARLIEST, START_LATEST };
enum offset_loss { OFFSET_LOSS_FAIL, OFFSET_LOSS_EARLIEST };
enum on_empty { EMPTY_SKIP, EMPTY_ZERO, EMPTY_DELETE };
enum on_limit { LIMIT_FAIL, LIMIT_DROP_NEW_GROUPS };
enum on_rejected { REJECTED_SKIP, REJECTED_FAIL };
enum metric_type { METRIC_GAUGE, METRIC_COUNTER };
enum row_format { FORMAT_JSON, FORMAT_TABLE };
enum generator {
	GENERATE_SEQUENCE,
	GENERATE_CHOICE,
	GENERATE_UNIFORM,
	GENERATE_NORMAL,
	GENERATE_LOGNORMAL,
	GENERATE_NOW
};

struct pair { /* of a map, in the order of the file */
	const char *key;
	const char *value;
};
struct pairs {
	struct pair *items;
	size_t count;
};
struct names {
	const char **items;
	size_t count;
};

struct secret_ref {
	const char *name;
}; /* mounted at <secrets>/<name>/ (username, password, ca.crt, …) */
struct kafka_security {
	const char *protocol;  /* PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL */
	const char *mechanism; /* PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 */
	struct secret_ref credentials_secret, ca_secret, client_certificate_secret;
};
struct kafka_client {
	const char *bootstrap_servers;
	const char *topic;
	struct pairs properties;
	struct kafka_security security;
};
struct kafka_source {
	struct kafka_client client;
	const char *group_id; /* default: streamjob-<namespace>-<name> */
	enum starting_offsets starting_offsets;
	enum offset_loss on_offset_loss;
};
struct file_target {
	const char *path;
};
struct datagen_column {
	const char *name; /* of a declared column; nested paths follow the column's path */
	enum generator generator;
	double min, max;     /* uniform, sequence's start and (exclusive) end */
	double mean, stddev; /* normal; lognormal: of the logarithm */
	struct names values; /* choice */
	double *weights;     /* choice; as many as values, or NULL: even */
	size_t weights_count;
	double null_probability;
};
struct datagen_source {
	double rows_per_second; /* 0: as fast as it goes */
	int64_t rows;           /* 0: unbounded */
	int64_t seed;
	struct datagen_column *columns;
	size_t columns_count;
};
struct source_spec {
	enum source_kind kind;
	struct kafka_source kafka;
	struct file_target file;
	struct datagen_source datagen;
};
struct json_format {
	enum bad_policy on_bad_row, on_bad_field, on_missing_field;
};
struct column_spec {
	const char *name;
	enum type type;
	const char *path;
	enum timestamp_format format;
};
struct named_expr {
	const char *name;
	const char *expr;
};
struct window_spec {
	int64_t size_ms, offset_ms;
	enum on_empty on_empty;
};
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
	enum on_rejected on_rejected;
};
struct sink_spec {
	enum sink_kind kind;
	struct pushgateway_sink pushgateway;
	struct kafka_client kafka;
	struct file_target file;
	enum row_format stdout_format;
};
struct dead_letter_spec {
	enum sink_kind kind;
	struct file_target file;
	struct kafka_client kafka;
}; /* NONE, FILE, KAFKA */
struct limits_spec {
	int64_t groups, state_bytes;
	enum on_limit on_limit;
};

struct jobspec {
	const char *name, *namespace; /* namespace "default" where the file has none */
	struct source_spec source;
	struct json_format json;
	struct column_spec *columns;
	size_t columns_count;
	const char *filter, *having; /* NULL where there is none */
	struct named_expr *select, *aggregates;
	size_t select_count, aggregates_count;
	struct window_spec window;
	struct names group_by;
	struct sink_spec *sinks;
	size_t sinks_count;
	struct dead_letter_spec dead_letter;
	struct limits_spec limits;
	int64_t termination_grace_ms;
	char spec_hash[17]; /* 16 hexadecimal digits of the canonical spec's SHA-256 */
	struct arena arena;
};

#endif

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
#include "lib/spec/field/cluster_spec.h"
#include "lib/spec/field/function_spec.h"
#include "lib/spec/field/sink_spec.h"
#include "lib/spec/field/source_spec.h"

#define JOB_API_VERSION "streamjob.dev/v1alpha1"
#define JOB_KIND        "StreamJob"

enum bad_policy { BAD_SKIP, BAD_NULL, BAD_SKIP_ROW, BAD_DEAD_LETTER, BAD_FAIL };
enum tombstone_policy { TOMBSTONE_SKIP, TOMBSTONE_ROW };
enum timestamp_format {
	TIMESTAMP_EPOCH_MILLIS,
	TIMESTAMP_EPOCH_SECONDS,
	TIMESTAMP_EPOCH_MICROS,
	TIMESTAMP_EPOCH_NANOS,
	TIMESTAMP_ISO8601
};
enum on_empty { EMPTY_SKIP, EMPTY_ZERO, EMPTY_DELETE };
enum on_limit { LIMIT_FAIL, LIMIT_DROP_NEW_GROUPS };

struct json_format {
	enum bad_policy on_bad_row, on_bad_field, on_missing_field;
	enum tombstone_policy on_tombstone;
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
struct aggregate_spec {
	const char *name;     /* NULL with columns */
	struct names columns; /* of a table aggregate, or of an aggregate whose result is a row */
	const char *expr;
};
struct window_spec {
	int64_t size_ms, offset_ms;
	enum on_empty on_empty;
	int64_t forget_after; /* windows */
};
struct watermark_spec {
	int64_t max_future_skew_ms;
};
struct limits_spec {
	int64_t groups, known_groups, state_bytes, record_bytes;
	enum on_limit on_limit;
	double bad_row_share; /* 0 to 1 */
};

struct jobspec {
	const char *name, *namespace; /* namespace "default" where the file has none */
	struct source_spec source;
	struct json_format json;
	struct column_spec *columns;
	size_t columns_count;
	const char *filter, *having; /* NULL where there is none */
	struct named_expr *select;
	struct lateral_spec *lateral;
	struct aggregate_spec *aggregates;
	struct function_spec *functions;
	size_t select_count, lateral_count, aggregates_count, functions_count;
	struct window_spec window;
	struct watermark_spec watermark;
	struct names group_by;
	struct sink_spec *sinks;
	size_t sinks_count;
	struct dead_letter_spec dead_letter;
	struct limits_spec limits;
	bool strict, show_values;
	int64_t termination_grace_ms;
	struct cluster_spec cluster;
	char spec_hash[17]; /* 16 hexadecimal digits of the canonical spec's SHA-256 */
	struct arena arena;
};

#endif

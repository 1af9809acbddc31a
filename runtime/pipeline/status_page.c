/* The status as JSON and as Prometheus text. */
#include <jansson.h>
#include <stdlib.h>

#include "lib/metrics/metrics.h"
#include "lib/process/watch.h"
#include "runtime/pipeline/status_page.h"
#include "runtime/pipeline/status_functions.h"
#include "runtime/pipeline/status_json.h"
#include "runtime/pipeline/status_watch.h"
#include "runtime/pipeline/status_partitions.h"

static const char *const phase_names[] = {
        [PHASE_STARTING] = "starting",   [PHASE_CONNECTING] = "connecting", [PHASE_REPLAYING] = "replaying",
        [PHASE_RUNNING] = "running",     [PHASE_DRAINING] = "draining",     [PHASE_FINISHED] = "finished",
        [PHASE_FAILED] = "failed",       [PHASE_RESTARTING] = "restarting", [PHASE_STOPPED] = "stopped",
        [PHASE_COMPLETED] = "completed", [PHASE_INCOMPLETE] = "incomplete",
};

static const char *const part_names[] = {
        [-NOT_READY_FUNCTION] = "function", [-NOT_READY_FAILED] = "failed",     [-NOT_READY_SOURCE] = "source",
        [-NOT_READY_SINK] = "sink",         [-NOT_READY_STARTING] = "starting", [-NOT_READY_DRAINING] = "draining",
        [-NOT_READY_WINDOW] = "window",     [-NOT_READY_CLOCK] = "clock",       [-NOT_READY_INPUT] = "input",
};

static void set_time(json_t *object, const char *key, int64_t ms)
{
	json_object_set_new(object, key, status_time_json(ms));
}

static json_t *rows_json(struct status *status)
{
	struct status_counts counts = status_counts(status);
	json_t *rows = json_object();

	set_integer(rows, "in", counts.rows_in);
	set_integer(rows, "filtered", counts.filtered);
	set_integer(rows, "bad", counts.bad);
	set_integer(rows, "badFields", counts.bad_fields);
	set_integer(rows, "missingFields", losses_count(&status->losses, LOSS_MISSING));
	set_integer(rows, "tombstones", counts.tombstones);
	set_integer(rows, "late", counts.late);
	set_integer(rows, "dropped", counts.dropped);
	set_integer(rows, "deadLettered", counts.dead_lettered);
	set_integer(rows, "out", atomic_load(&status->rows_out));
	return rows;
}

/* The share of bad rows is within limits.badRowShare, or why it is not. */
static json_t *input_json(struct status *status)
{
	struct error message = {.text = ""};
	const char *reason = "";
	bool ok = status_input(status, &reason, &message) == INPUT_OK;
	json_t *json = json_object();

	json_object_set_new(json, "ok", json_boolean(ok));
	json_object_set_new(json, "reason", json_string(reason));
	json_object_set_new(json, "message", status_text_json(message.text));
	return json;
}

static json_t *open_window_json(const struct status *status)
{
	int64_t start_ms = atomic_load(&status->open_start_ms);
	json_t *window;

	if (start_ms == INT64_MIN)
		return json_null();
	window = json_object();
	set_time(window, "start", start_ms);
	set_time(window, "end", atomic_load(&status->open_end_ms));
	return window;
}

static json_t *last_window_json(const struct status *status)
{
	json_t *window;

	if (!status->last.sequence)
		return json_null();
	window = json_object();
	set_time(window, "start", status->last.window.start_ms);
	set_time(window, "end", status->last.window.end_ms);
	set_integer(window, "sequence", status->last.sequence);
	set_integer(window, "rows", status->last.rows);
	return window;
}

static json_t *sink_json(const struct sink_status *sink)
{
	json_t *json = json_object();

	json_object_set_new(json, "target", json_string(sink->target));
	json_object_set_new(json, "healthy", json_boolean(sink->opened && !sink->failing));
	if (sink->accepted_sequence) {
		json_t *accepted = json_object();

		set_integer(accepted, "sequence", sink->accepted_sequence);
		set_time(accepted, "at", sink->accepted_wall_ms);
		json_object_set_new(json, "lastAccepted", accepted);
	}
	set_integer(json, "failures", sink->failures);
	set_integer(json, "rejected", sink->rejected);
	set_integer(json, "leftOut", sink->left_out);
	if (sink->failing)
		set_time(json, "failingSince", sink->failing_wall_ms);
	if (sink->error.text[0])
		json_object_set_new(json, "lastError", status_text_json(sink->error.text));
	return json;
}

/* Whose the job is, and which life: what an operator keeps of it. */
static void add_owner(struct status *status, json_t *root)
{
	struct source *source = status->source ? status->source : status->connecting;
	struct source_owner owner = {0};
	json_t *json;

	if (!source || !source->ops->owner)
		return;
	source->ops->owner(source, &owner);
	json = json_object();
	json_object_set_new(json, "role", json_string(owner.standby ? "standby" : "owner"));
	json_object_set_new(json, "process", json_string(owner.process));
	if (owner.since_wall_ms)
		set_time(json, "since", owner.since_wall_ms);
	if (owner.standby)
		json_object_set_new(json, "reason", json_string(owner.reason));
	else
		json_object_set_new(json, "fenced", json_boolean(!owner.unfenced));
	json_object_set_new(root, "owner", json);
	if (!status->source)
		return;
	json_object_set_new(root, "life", json_string(source->life));
	set_integer(root, "sequence", atomic_load(&status->sequence));
}

/* Everything that the mutex protects. Partitions come last: who needs only their lag stops reading there. */
static void add_protected(struct status *status, json_t *root)
{
	struct partition_status *partitions = xmalloc(STATUS_PARTITIONS_MAX * sizeof(*partitions));
	size_t count = 0;
	json_t *sinks = json_array();

	pthread_mutex_lock(&status->mutex);
	json_object_set_new(root, "recent", status_recent_json(status));
	json_object_set_new(root, "lastWindow", last_window_json(status));
	for (size_t i = 0; i < status->sinks_count; i++)
		json_array_append_new(sinks, sink_json(&status->sinks[i]));
	json_object_set_new(root, "sinks", sinks);
	add_owner(status, root);
	if (status->functions)
		json_object_set_new(root, "functions", status_functions_json(status->functions));
	if (status->source) {
		count = status->source->ops->status(status->source, partitions, STATUS_PARTITIONS_MAX);
		json_object_set_new(root, "lag", status_lag_json(partitions, count));
	}
	if (status->last_error_wall_ms) {
		json_t *error = json_object();

		set_time(error, "at", status->last_error_wall_ms);
		json_object_set_new(error, "message", status_text_json(status->last_error.text));
		json_object_set_new(root, "lastError", error);
	} else {
		json_object_set_new(root, "lastError", json_null());
	}
	if (status->source)
		json_object_set_new(root, "partitions", status_partitions_json(partitions, count));
	pthread_mutex_unlock(&status->mutex);
	free(partitions);
}

int status_page_status(void *context, struct buffer *out)
{
	struct status *status = context;
	struct error reason;
	int part = status_ready(status, &reason);
	int64_t uptime_ms = clock_monotonic_ms(status->clock) - status->started_ms;
	json_t *root = json_object();
	char *text;

	json_object_set_new(root, "name", json_string(status->job->name));
	json_object_set_new(root, "namespace", json_string(status->job->namespace));
	json_object_set_new(root, "specHash", json_string(status->job->spec_hash));
	json_object_set_new(root, "version", json_string(STREAMJOB_VERSION));
	json_object_set_new(root, "phase", json_string(phase_names[atomic_load(&status->phase)]));
	json_object_set_new(root, "ready", json_boolean(!part));
	if (part) {
		json_object_set_new(root, "notReadyPart", json_string(part_names[-part]));
		json_object_set_new(root, "notReadyReason", status_text_json(reason.text));
	}
	json_object_set_new(root, "uptimeSeconds", json_real((double)uptime_ms / 1000));
	json_object_set_new(root, "rows", rows_json(status));
	json_object_set_new(root, "input", input_json(status));
	set_integer(root, "windows", atomic_load(&status->windows));
	set_integer(root, "resultErrors", atomic_load(&status->result_errors));
	json_object_set_new(root, "openWindow", open_window_json(status));
	json_object_set_new(root, "stuck", status_watch_json(clock_monotonic_ms(status->clock)));
	add_protected(status, root);
	text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(10));
	json_decref(root);
	buffer_append_text(out, text ? text : "{}");
	buffer_append_char(out, '\n');
	free(text);
	return 200;
}

int status_page_ready(void *context, struct buffer *out)
{
	struct error reason;

	if (status_ready(context, &reason) == 0) {
		buffer_append_text(out, "ready\n");
		return 200;
	}
	buffer_printf(out, "not ready: %s\n", reason.text);
	return 503;
}

int status_page_health(void *context, struct buffer *out)
{
	struct status *status = context;
	struct watch_stuck stuck;
	struct error err;

	if (atomic_load(&status->phase) == PHASE_FAILED) {
		buffer_append_text(out, "failed\n");
		return 503;
	}
	if (watch_moving(clock_monotonic_ms(status->clock), &stuck, &err) < 0) {
		buffer_printf(out, "stuck: %s; nothing in the process can end it, so the process must be\n", err.text);
		return 503;
	}
	buffer_append_text(out, "ok\n");
	return 200;
}

static void sample(struct buffer *out, const char *name, const char *type, const char *help, double value)
{
	metrics_family(out, name, type, help);
	buffer_append_text(out, name);
	metrics_number(out, value);
}

/* One family with a sample for each sink: the double at `field(sink)`. */
static void sink_family(struct status *status, struct buffer *out, const char *name, const char *type, const char *help,
                        double (*field)(const struct sink_status *sink))
{
	if (!status->sinks_count)
		return;
	metrics_family(out, name, type, help);
	for (size_t i = 0; i < status->sinks_count; i++) {
		buffer_append_text(out, name);
		buffer_append_char(out, '{');
		metrics_label(out, true, "sink", slice_of(status->sinks[i].target));
		buffer_append_char(out, '}');
		metrics_number(out, field(&status->sinks[i]));
	}
}

static double sink_up(const struct sink_status *sink)
{
	return sink->opened && !sink->failing;
}

static double sink_failures(const struct sink_status *sink)
{
	return (double)sink->failures;
}

static double sink_rejected(const struct sink_status *sink)
{
	return (double)sink->rejected;
}

static double sink_left_out(const struct sink_status *sink)
{
	return (double)sink->left_out;
}

static double sink_accepted(const struct sink_status *sink)
{
	return (double)sink->accepted_wall_ms / 1000;
}

/* One family with a sample for each partition whose lag is known. */
static void lag_family(struct buffer *out, const char *name, const char *help,
                       const struct partition_status *partitions, size_t count,
                       int64_t (*field)(const struct partition_status *partition))
{
	metrics_family(out, name, "gauge", help);
	for (size_t i = 0; i < count; i++) {
		if (partitions[i].end < 0 || partitions[i].committed < 0)
			continue;
		buffer_append_text(out, name);
		buffer_append_char(out, '{');
		metrics_label(out, true, "topic", slice_of(partitions[i].topic ? partitions[i].topic : ""));
		buffer_printf(out, ",partition=\"%d\"}", (int)partitions[i].partition);
		metrics_number(out, (double)field(&partitions[i]));
	}
}

static int64_t lag(const struct partition_status *partition)
{
	return partition->end - partition->committed;
}

static void lag_families(struct status *status, struct buffer *out)
{
	struct partition_status *partitions = xmalloc(STATUS_PARTITIONS_MAX * sizeof(*partitions));
	size_t count =
	        status->source ? status->source->ops->status(status->source, partitions, STATUS_PARTITIONS_MAX) : 0;

	if (count) {
		lag_family(out, "streamjob_source_lag", "Records after the committed offset, by partition.", partitions,
		           count, lag);
		lag_family(out, "streamjob_source_lag_in_windows",
		           "The part of the lag that is in windows which are not accepted yet.", partitions, count,
		           status_in_windows);
	}
	free(partitions);
}

int status_page_metrics(void *context, struct buffer *out)
{
	struct status *status = context;
	struct status_counts counts = status_counts(status);
	struct error reason;

	sample(out, "streamjob_ready", "gauge", "1 when data flows: source, sinks and windows on time.",
	       status_ready(status, &reason) == 0);
	sample(out, "streamjob_rows_in_total", "counter", "Records taken from the source.", (double)counts.rows_in);
	sample(out, "streamjob_rows_filtered_total", "counter", "Rows that the filter took out.",
	       (double)counts.filtered);
	sample(out, "streamjob_rows_bad_total", "counter", "Rows left out as bad.", (double)counts.bad);
	sample(out, "streamjob_fields_bad_total", "counter", "Bad fields that became NULL.", (double)counts.bad_fields);
	sample(out, "streamjob_rows_tombstone_total", "counter", "Records without a value.", (double)counts.tombstones);
	sample(out, "streamjob_fields_missing_total", "counter", "Missing fields that became NULL.",
	       (double)losses_count(&status->losses, LOSS_MISSING));
	sample(out, "streamjob_rows_late_total", "counter", "Rows that came after their window had fired.",
	       (double)counts.late);
	sample(out, "streamjob_rows_dropped_total", "counter", "Rows of new groups beyond the limits.",
	       (double)counts.dropped);
	sample(out, "streamjob_rows_dead_lettered_total", "counter", "Rows written to the dead letter.",
	       (double)counts.dead_lettered);
	sample(out, "streamjob_rows_out_total", "counter", "Result rows accepted by the sinks.",
	       (double)atomic_load(&status->rows_out));
	sample(out, "streamjob_windows_total", "counter", "Windows accepted by every sink.",
	       (double)atomic_load(&status->windows));
	sample(out, "streamjob_result_errors_total", "counter", "Result values that became NULL by an error.",
	       (double)atomic_load(&status->result_errors));
	pthread_mutex_lock(&status->mutex);
	sample(out, "streamjob_window_sequence", "gauge", "The last accepted window.", (double)status->last.sequence);
	sink_family(status, out, "streamjob_sink_up", "gauge", "1 when the sink's last attempt was accepted.", sink_up);
	sink_family(status, out, "streamjob_sink_failures_total", "counter", "Failed attempts to write.",
	            sink_failures);
	sink_family(status, out, "streamjob_sink_rejected_total", "counter", "Windows that the sink refused for good.",
	            sink_rejected);
	sink_family(status, out, "streamjob_sink_left_out_total", "counter",
	            "Rows, or a row's samples, that can never be in the sink, of windows that it accepted.",
	            sink_left_out);
	sink_family(status, out, "streamjob_sink_accepted_timestamp_seconds", "gauge",
	            "When the last window was accepted.", sink_accepted);
	sample(out, "streamjob_source_offset_jumps_total", "counter", "Jumps over records that the log no longer had.",
	       status->source ? (double)atomic_load(&status->source->offset_jumps) : 0);
	lag_families(status, out);
	if (status->functions)
		status_functions_metrics(status->functions, out);
	pthread_mutex_unlock(&status->mutex);
	return 200;
}

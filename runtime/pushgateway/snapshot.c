#include "runtime/pushgateway/snapshot.h"

#include "lib/metrics/metrics.h"

static void append_sample(struct buffer *out, const char *name, struct slice labels, double value)
{
	buffer_append_text(out, name);
	if (labels.size) {
		buffer_append_char(out, '{');
		buffer_append_slice(out, labels);
		buffer_append_char(out, '}');
	}
	metrics_number(out, value);
}

static void append_family(const struct family *family, uint64_t window, uint64_t idle_windows, struct buffer *out)
{
	metrics_family(out, family->name, family->counter ? "counter" : "gauge", family->help);
	for (size_t i = 0; i < family->series.count; i++) {
		const struct series *series = &family->series.items[i];

		if (!family->counter || !series_is_idle(series, window, idle_windows))
			append_sample(out, family->name, series_labels(&family->series, series),
			              series->value + series->staged);
	}
}

static void append_window(struct buffer *out, const char *name, const char *help, struct slice labels, double value)
{
	metrics_family(out, name, "gauge", help);
	append_sample(out, name, labels, value);
}

void snapshot_render(const struct families *families, const struct window_result *result, const char *life,
                     struct buffer *out)
{
	const struct slice none = {"", 0};
	struct buffer info;

	for (size_t f = 0; f < families->count; f++)
		append_family(&families->items[f], result->sequence, (uint64_t)families->spec->counter_idle_windows,
		              out);
	append_window(out, "streamjob_window_start_seconds", "Start of the window, Unix time.", none,
	              (double)result->start_ms / 1000);
	append_window(out, "streamjob_window_end_seconds", "End of the window, Unix time.", none,
	              (double)result->end_ms / 1000);
	append_window(out, "streamjob_window_sequence", "Number of the window.", none, (double)result->sequence);
	buffer_init(&info);
	metrics_label(&info, true, "format", SLICE_LITERAL(SNAPSHOT_FORMAT));
	metrics_label(&info, false, "life", slice_of(life));
	append_window(out, "streamjob_window_info", "Under which life of the job the window is numbered.",
	              buffer_slice(&info), 1);
	buffer_release(&info);
}

#include "runtime/pushgateway/snapshot.h"

#include "lib/metrics/metrics.h"
#include "runtime/pushgateway/message.h"

static void append_family(const struct family *family, uint64_t window, uint64_t idle_windows, struct message *out)
{
	if (family->refused)
		return;
	message_family(out, family->name, family->counter, family->help);
	for (size_t i = 0; i < family->series.count; i++) {
		const struct series *series = &family->series.items[i];
		struct slice labels = series_labels(&family->series, series);

		if ((!family->counter || !series_is_idle(series, window, idle_windows)) &&
		    !series_find(&family->taken, labels))
			message_sample(out, labels, series->value + series->staged);
	}
	message_family_end(out);
}

static void append_window(struct message *out, const char *name, const char *help, struct slice labels, double value)
{
	message_family(out, name, false, help);
	message_sample(out, labels, value);
	message_family_end(out);
}

void snapshot_render(const struct families *families, const struct window_result *result, const char *life, bool text,
                     struct buffer *out)
{
	const struct slice none = {"", 0};
	struct message message;
	struct buffer info;

	message_init(&message, text, out);
	for (size_t f = 0; f < families->count; f++)
		append_family(&families->items[f], result->sequence, (uint64_t)families->spec->counter_idle_windows,
		              &message);
	append_window(&message, "streamjob_window_start_seconds", "Start of the window, Unix time.", none,
	              (double)result->start_ms / 1000);
	append_window(&message, "streamjob_window_end_seconds", "End of the window, Unix time.", none,
	              (double)result->end_ms / 1000);
	append_window(&message, "streamjob_window_sequence", "Number of the window.", none, (double)result->sequence);
	buffer_init(&info);
	metrics_label(&info, true, "format", SLICE_LITERAL(SNAPSHOT_FORMAT));
	metrics_label(&info, false, "life", slice_of(life));
	append_window(&message, "streamjob_window_info", "Under which life of the job the window is numbered.",
	              buffer_slice(&info), 1);
	buffer_release(&info);
	message_release(&message);
}

#include <stdio.h>

#include "lib/data/civil.h"
#include "runtime/cli/run.h"

static void append_count(struct buffer *out, double count)
{
	if (count >= 1e6)
		buffer_printf(out, "%.2fM", count / 1e6);
	else if (count >= 1e4)
		buffer_printf(out, "%.1fk", count / 1e3);
	else
		buffer_printf(out, "%.0f", count);
}

/* "08:15:00": the time of day of a window's edge. */
static void append_time(struct buffer *out, int64_t ms)
{
	struct buffer text;

	buffer_init(&text);
	civil_format(&text, ms);
	if (text.size >= 19)
		buffer_append(out, text.data + 11, 8);
	buffer_release(&text);
}

void live_line_show(struct live_line *line, struct status *status)
{
	struct status_counts counts = status_counts(status);
	int64_t now_ms = clock_monotonic_ms(status->clock);
	int64_t in_windows, lag = status_lag(status, &in_windows);
	int64_t start_ms = atomic_load(&status->open_start_ms);
	double seconds = line->before_ms ? (double)(now_ms - line->before_ms) / 1000 : 0;
	struct buffer out;

	buffer_init(&out);
	buffer_append_text(&out, "\r\033[K");
	append_count(&out, seconds > 0 ? (double)(counts.rows_in - line->rows_before) / seconds : 0);
	buffer_append_text(&out, " rows/s");
	if (lag >= 0)
		buffer_printf(&out, "  lag %lld (%lld in open windows)", (long long)lag, (long long)in_windows);
	if (start_ms != INT64_MIN) {
		buffer_append_text(&out, "  window ");
		append_time(&out, start_ms);
		buffer_append_text(&out, " to ");
		append_time(&out, atomic_load(&status->open_end_ms));
	}
	buffer_printf(&out, "  late %llu  bad %llu\r", (unsigned long long)counts.late, (unsigned long long)counts.bad);
	fwrite(out.data, 1, out.size, stderr);
	fflush(stderr);
	buffer_release(&out);
	line->shown = true;
	line->rows_before = counts.rows_in;
	line->before_ms = now_ms;
}

void live_line_clear(struct live_line *line)
{
	if (line->shown)
		fputs("\r\033[K", stderr);
	line->shown = false;
}

#include "runtime/pipeline/losses.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/log.h"
#include "lib/base/memory.h"

static const struct {
	const char *first, *more, *remedy;
} kinds[LOSS_KINDS] = {
        [LOSS_BAD_ROW] = {"a row is bad", "rows are bad",
                          "mend its producer; spec.format.json.onBadRow and onBadField say what becomes of such rows"},
        [LOSS_BAD_VALUE] =
                {"a value is not of its column's type; NULL is read", "values were read as NULL",
                 "mend the producer or the column's type; spec.format.json.onBadField says what becomes of it"},
        [LOSS_MISSING] = {"a field is missing; NULL is read", "missing fields were read as NULL",
                          "check the column's path; spec.format.json.onMissingField says what becomes of such rows"},
        [LOSS_TOMBSTONE] = {"a record has no value", "records have no value",
                            "spec.format.json.onTombstone says what becomes of tombstones"},
        [LOSS_LATE] =
                {"a row is late", "rows are late",
                 "it is left out, for its window has been written; sort the input, or raise watermark.maxFutureSkew"},
        [LOSS_DROPPED] = {"rows of new groups dropped", "rows of new groups dropped",
                          "raise spec.limits, or group by fewer values"},
        [LOSS_RESULT] = {"a result became NULL", "results became NULL",
                         "mend the expression, or guard it with CASE or NULLIF"},
        [LOSS_SUSPECT] = {"times look wrong", "times look wrong", "check the column's format"},
};

void losses_init(struct losses *losses, const struct jobspec *job, const struct clock *clock)
{
	*losses = (struct losses){.clock = clock, .show_values = true};
	pthread_mutex_init(&losses->mutex, NULL);
	losses->reasons = xcalloc(LOSS_REASONS_MAX, sizeof(*losses->reasons));
	losses->columns = xcalloc(job->columns_count + 1, 1);
}

void losses_release(struct losses *losses)
{
	pthread_mutex_destroy(&losses->mutex);
	free(losses->reasons);
	free(losses->columns);
}

static struct loss_reason *find_reason(struct losses *losses, enum loss kind, const char *text)
{
	struct loss_reason *reason;

	for (size_t i = 0; i < losses->reasons_count; i++)
		if (losses->reasons[i].kind == kind && !strcmp(losses->reasons[i].reason, text))
			return &losses->reasons[i];
	if (losses->reasons_count == LOSS_REASONS_MAX)
		return NULL;
	reason = &losses->reasons[losses->reasons_count++];
	*reason = (struct loss_reason){.kind = kind, .renew = true};
	snprintf(reason->reason, sizeof(reason->reason), "%s", text);
	return reason;
}

/* "topic t, partition 0, offset 5", "line 3", or nothing. */
static void append_place(struct buffer *out, const struct loss_note *note)
{
	char place[RECORD_PLACE_MAX];

	if (!note->record)
		return;
	record_place(note->record, place);
	if (note->topic && note->topic[0] && !note->record->line)
		buffer_printf(out, "topic %s, ", note->topic);
	buffer_append_text(out, place);
}

/* At most LOSS_EXCERPT_BYTES, cut at a character; control bytes become spaces. */
static void append_excerpt(struct buffer *out, struct slice excerpt)
{
	size_t size = excerpt.size < LOSS_EXCERPT_BYTES ? excerpt.size : LOSS_EXCERPT_BYTES;

	while (size < excerpt.size && size && ((unsigned char)excerpt.data[size] & 0xc0) == 0x80)
		size--;
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)excerpt.data[i];

		buffer_append_char(out, c < ' ' || c == 0x7f ? ' ' : (char)c);
	}
	buffer_append_text(out, size < excerpt.size ? "…" : "");
}

static void describe(const struct losses *losses, const struct loss_note *note, char ret_text[LOSS_EXAMPLE_MAX])
{
	struct buffer text;

	buffer_init(&text);
	append_place(&text, note);
	buffer_printf(&text, "%s%s", text.size ? ": " : "",
	              losses->show_values && note->details ? note->details : note->reason);
	if (losses->show_values && note->excerpt.data) {
		buffer_append_text(&text, ": ");
		append_excerpt(&text, note->excerpt);
	}
	snprintf(ret_text, LOSS_EXAMPLE_MAX, "%s", text.data);
	buffer_release(&text);
}

static void say_first(const struct losses *losses, enum loss kind, const struct loss_note *note)
{
	const char *reason = losses->show_values && note->details ? note->details : note->reason;
	struct log_site site = {0};
	struct buffer place, excerpt;

	buffer_init(&place);
	buffer_init(&excerpt);
	append_place(&place, note);
	if (losses->show_values && note->excerpt.data)
		append_excerpt(&excerpt, note->excerpt);
	log_write(&site, LOG_LEVEL_WARN, kinds[kind].first, "where=\"%s\" reason=\"%s\" excerpt=\"%s\" remedy=\"%s\"",
	          buffer_slice(&place).data, reason, buffer_slice(&excerpt).data, kinds[kind].remedy);
	buffer_release(&excerpt);
	buffer_release(&place);
}

void losses_note(struct losses *losses, enum loss kind, const struct loss_note *note)
{
	int64_t now_ms = clock_monotonic_ms(losses->clock);
	struct loss_reason *reason;
	struct log_site site = {0};
	uint64_t before, total, unsaid;

	pthread_mutex_lock(&losses->mutex);
	before = losses->kinds[kind].count;
	total = losses->kinds[kind].count += note->count;
	reason = find_reason(losses, kind, note->reason);
	if (reason) {
		reason->losses.count += note->count;
		if (reason->renew)
			describe(losses, note, reason->recent);
		if (!reason->first[0])
			memcpy(reason->first, reason->recent, sizeof(reason->first));
		reason->renew = false;
	}
	unsaid = repeat_due(&losses->said[kind], note->count, now_ms);
	pthread_mutex_unlock(&losses->mutex);
	if (!before)
		say_first(losses, kind, note);
	else if (unsaid)
		log_write(&site, LOG_LEVEL_WARN, kinds[kind].more, "count=%" PRIu64 " in_all=%" PRIu64 " last=\"%s\"",
		          unsaid, total, note->reason);
}

void losses_column(struct losses *losses, size_t column, enum column_use use)
{
	pthread_mutex_lock(&losses->mutex);
	if (losses->columns[column] < use)
		losses->columns[column] = use;
	pthread_mutex_unlock(&losses->mutex);
}

uint64_t losses_count(struct losses *losses, enum loss kind)
{
	uint64_t count;

	pthread_mutex_lock(&losses->mutex);
	count = losses->kinds[kind].count;
	pthread_mutex_unlock(&losses->mutex);
	return count;
}

static void mark_window(struct loss_count *count, unsigned window)
{
	count->at_windows[window] = count->count;
}

void losses_window(struct losses *losses, uint64_t rows)
{
	unsigned window;

	pthread_mutex_lock(&losses->mutex);
	window = losses->window = (losses->window + 1) % LOSS_MARKS_MAX;
	losses->rows.count = rows;
	mark_window(&losses->rows, window);
	for (int kind = 0; kind < LOSS_KINDS; kind++)
		mark_window(&losses->kinds[kind], window);
	for (size_t i = 0; i < losses->reasons_count; i++) {
		mark_window(&losses->reasons[i].losses, window);
		losses->reasons[i].renew = true;
	}
	pthread_mutex_unlock(&losses->mutex);
}

/* Since the oldest of the last windows ended. */
static uint64_t recent(const struct losses *losses, const struct loss_count *count)
{
	return count->count - count->at_windows[(losses->window + 1) % LOSS_MARKS_MAX];
}

/* The reason of this kind that most of the last windows' losses have, or NULL. */
static const struct loss_reason *most(const struct losses *losses, enum loss kind)
{
	const struct loss_reason *found = NULL;

	for (size_t i = 0; i < losses->reasons_count; i++) {
		const struct loss_reason *reason = &losses->reasons[i];

		if (reason->kind == kind && recent(losses, &reason->losses) &&
		    (!found || recent(losses, &reason->losses) > recent(losses, &found->losses)))
			found = reason;
	}
	return found;
}

enum input_state losses_input(struct losses *losses, uint64_t rows, double share_max, const char **ret_reason,
                              struct error *ret_message)
{
	const struct loss_reason *rows_reason, *value_reason;
	enum input_state state = INPUT_OK;
	uint64_t all, bad;

	pthread_mutex_lock(&losses->mutex);
	losses->rows.count = rows;
	all = recent(losses, &losses->rows);
	bad = recent(losses, &losses->kinds[LOSS_BAD_ROW]);
	rows_reason = most(losses, LOSS_BAD_ROW);
	value_reason = most(losses, LOSS_BAD_VALUE);
	if (bad && (double)bad > share_max * (double)all) {
		state = bad >= all ? INPUT_ALL_BAD : INPUT_BAD;
		*ret_reason = "BadRows";
		error_write(ret_message, "%" PRIu64 " of %" PRIu64 " rows of the last windows are bad; for example %s",
		            bad, all, rows_reason ? rows_reason->recent : "of many reasons");
	} else if (value_reason && (double)recent(losses, &value_reason->losses) > share_max * (double)all) {
		state = INPUT_BAD;
		*ret_reason = "BadValues";
		error_write(ret_message,
		            "%" PRIu64 " of %" PRIu64
		            " rows of the last windows have a bad value that is read as NULL; for "
		            "example %s",
		            recent(losses, &value_reason->losses), all, value_reason->recent);
	}
	pthread_mutex_unlock(&losses->mutex);
	return state;
}

/* The end of a run: what became of the rows, in lines of the log. */
#include <inttypes.h>
#include <stdio.h>

#include "runtime/cli/run.h"

#define TEXT_MAX 256

static unsigned long long count_of(uint64_t count)
{
	return count;
}

static void say(const char *text, const char *first)
{
	struct log_site site = {0};

	log_write(&site, LOG_LEVEL_WARN, text, "first=\"%s\"", first);
}

/* Where they have several reasons: how many there are in all. */
static void say_bad_rows(const struct losses *losses, uint64_t rows)
{
	const struct loss_reason *first = NULL;
	size_t reasons = 0;
	char text[TEXT_MAX];

	for (size_t i = 0; i < losses->reasons_count; i++) {
		if (losses->reasons[i].kind != LOSS_BAD_ROW)
			continue;
		first = first ? first : &losses->reasons[i];
		reasons++;
	}
	if (reasons < 2)
		return;
	snprintf(text, sizeof(text), "%llu of %llu rows were bad and left out",
	         count_of(losses->kinds[LOSS_BAD_ROW].count), count_of(rows));
	say(text, first->first);
}

/* "3 of 3 rows were bad and left out: expected '{'". */
static void say_reason(const struct loss_reason *reason, uint64_t rows)
{
	char text[TEXT_MAX];
	unsigned long long count = count_of(reason->losses.count), all = count_of(rows);

	switch (reason->kind) {
	case LOSS_BAD_ROW:
		snprintf(text, sizeof(text), "%llu of %llu rows were bad and left out: %s", count, all, reason->reason);
		break;
	case LOSS_BAD_VALUE:
		snprintf(text, sizeof(text), "%llu values were read as NULL: %s", count, reason->reason);
		break;
	case LOSS_MISSING:
		snprintf(text, sizeof(text), "%llu fields were read as NULL: %s", count, reason->reason);
		break;
	case LOSS_TOMBSTONE:
		snprintf(text, sizeof(text), "%llu of %llu records had no value", count, all);
		break;
	case LOSS_LATE:
		snprintf(text, sizeof(text), "%llu of %llu rows were late and left out", count, all);
		break;
	case LOSS_DROPPED:
		snprintf(text, sizeof(text), "%llu rows of new groups were dropped: %s", count, reason->reason);
		break;
	case LOSS_RESULT:
		snprintf(text, sizeof(text), "%llu results became NULL: %s", count, reason->reason);
		break;
	case LOSS_SUSPECT:
		snprintf(text, sizeof(text), "%s", reason->reason);
		break;
	case LOSS_KINDS:
		return;
	}
	say(text, reason->first);
}

/* A column that no row had: its missing fields need no line of their own. */
static size_t say_columns(const struct losses *losses, const struct jobspec *job)
{
	size_t never = 0;

	for (size_t c = 0; c < job->columns_count; c++) {
		struct log_site site = {0};
		char text[TEXT_MAX];

		if (losses->columns[c] != COLUMN_NEVER_THERE)
			continue;
		never++;
		snprintf(text, sizeof(text), "column %.64s: no row had %.128s", job->columns[c].name,
		         job->columns[c].path);
		log_write(&site, LOG_LEVEL_WARN, text, "remedy=\"check the column's path against the records\"");
	}
	return never;
}

static uint64_t say_sinks(const struct status *status)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < status->sinks_count; i++) {
		const struct sink_status *sink = &status->sinks[i];

		lost += sink->rejected + sink->left_out;
		if (sink->left_out)
			log_warn("a sink could not take all rows of its windows",
			         "sink=\"%s\" left_out=%llu error=\"%s\"", sink->target, count_of(sink->left_out),
			         sink->error.text);
		if (sink->rejected)
			log_warn("a sink rejected windows", "sink=\"%s\" rejected=%llu error=\"%s\"", sink->target,
			         count_of(sink->rejected), sink->error.text);
		else
			log_info("sink", "sink=\"%s\" sequence=%llu failures=%llu", sink->target,
			         count_of(sink->accepted_sequence), count_of(sink->failures));
	}
	return lost;
}

void run_losses(struct status *status, struct error *ret_words)
{
	static const char *const names[LOSS_KINDS] = {[LOSS_BAD_ROW] = "bad rows",
	                                              [LOSS_BAD_VALUE] = "bad values",
	                                              [LOSS_MISSING] = "missing fields",
	                                              [LOSS_TOMBSTONE] = "records without a value",
	                                              [LOSS_LATE] = "late rows",
	                                              [LOSS_DROPPED] = "rows of new groups",
	                                              [LOSS_RESULT] = "results that became NULL"};
	uint64_t sinks = 0, count;
	struct buffer text;

	buffer_init(&text);
	pthread_mutex_lock(&status->losses.mutex);
	for (int kind = 0; kind < LOSS_KINDS; kind++) {
		count = status->losses.kinds[kind].count;
		if (names[kind] && count)
			buffer_printf(&text, "%s%s: %llu", text.size ? ", " : "", names[kind], count_of(count));
	}
	pthread_mutex_unlock(&status->losses.mutex);
	for (size_t i = 0; i < status->sinks_count; i++)
		sinks += status->sinks[i].rejected + status->sinks[i].left_out;
	if (sinks)
		buffer_printf(&text, "%srows or windows that a sink did not take: %llu", text.size ? ", " : "",
		              count_of(sinks));
	error_write(ret_words, "the input has ended, but not all of it is in the result, and strict asks for that; %s",
	            text.size ? text.data : "the log has what was left out");
	buffer_release(&text);
}

bool run_summary(struct status *status)
{
	struct losses *losses = &status->losses;
	struct status_counts counts = status_counts(status);
	uint64_t out = counts.bad + counts.filtered + counts.dropped + counts.tombstones + counts.late, lost;
	uint64_t used = counts.rows_in > out ? counts.rows_in - out : 0;

	log_info("summary", "read=%llu used=%llu filtered=%llu bad=%llu dead_lettered=%llu windows=%llu rows_out=%llu",
	         count_of(counts.rows_in), count_of(used), count_of(counts.filtered), count_of(counts.bad),
	         count_of(counts.dead_lettered), count_of(atomic_load(&status->windows)),
	         count_of(atomic_load(&status->rows_out)));
	lost = say_sinks(status);
	pthread_mutex_lock(&losses->mutex);
	say_bad_rows(losses, counts.rows_in);
	for (size_t i = 0; i < losses->reasons_count; i++)
		say_reason(&losses->reasons[i], counts.rows_in);
	for (int kind = 0; kind < LOSS_KINDS; kind++)
		lost += kind == LOSS_SUSPECT ? 0 : losses->kinds[kind].count;
	if (used + counts.filtered)
		lost += say_columns(losses, status->job);
	pthread_mutex_unlock(&losses->mutex);
	return lost;
}

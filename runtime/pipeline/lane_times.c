/*
 * Whether the first value of each TIMESTAMP column is what its format takes it for: another unit than the column's own
 * would give a time near now, or the time lies decades ahead.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/data/civil.h"
#include "runtime/pipeline/lane_parts.h"

#define NEAR_MS (20.0 * 365.25 * 86400 * 1000)

static const struct unit {
	enum timestamp_format format;
	const char *name;
	double ms;
} units[] = {
        {TIMESTAMP_EPOCH_SECONDS, "epochSeconds", 1000},
        {TIMESTAMP_EPOCH_MILLIS, "epochMillis", 1},
        {TIMESTAMP_EPOCH_MICROS, "epochMicros", 1e-3},
        {TIMESTAMP_EPOCH_NANOS, "epochNanos", 1e-6},
};

static const struct unit *unit_of(enum timestamp_format format)
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (units[i].format == format)
			return &units[i];
	return NULL; /* no number */
}

static bool is_near(double value_ms, double now_ms)
{
	return value_ms > now_ms - NEAR_MS && value_ms < now_ms + NEAR_MS;
}

/* The unit in which the number is a time near now, where its own gives another one; or NULL. */
static const struct unit *better_unit(const struct unit *own, double value_ms, double now_ms)
{
	for (size_t i = 0; own && i < sizeof(units) / sizeof(units[0]); i++)
		if (is_near(value_ms / own->ms * units[i].ms, now_ms))
			return &units[i];
	return NULL;
}

static void judge(struct lane *lane, size_t column, uint32_t row)
{
	const struct column_spec *spec = &lane->setup->job->columns[column];
	int64_t value_ms = lane->batch.columns[column].bigints[row], now_ms = clock_wall_ms(lane->setup->clock);
	const struct unit *own = unit_of(spec->format), *better;
	struct loss_note note = {.count = 1, .record = &lane->records.records[row], .topic = lane_topic(lane)};
	char reason[LOSS_REASON_MAX];

	if (is_near((double)value_ms, (double)now_ms))
		return;
	better = better_unit(own, (double)value_ms, (double)now_ms);
	if (better)
		snprintf(reason, sizeof(reason), "column %.64s has format %s, and its values look like %s", spec->name,
		         own->name, better->name);
	else if (value_ms > now_ms)
		snprintf(reason, sizeof(reason), "column %.64s has times that are decades from now", spec->name);
	else
		return;
	note.reason = reason;
	losses_note(&lane->setup->status->losses, LOSS_SUSPECT, &note);
}

void lane_times_new(struct lane *lane)
{
	const struct jobspec *job = lane->setup->job;

	lane->times = xcalloc(job->columns_count + 1, sizeof(bool));
	for (size_t c = 0; c < job->columns_count; c++) {
		lane->times[c] = job->columns[c].type == TYPE_TIMESTAMP && lane->query->read[c];
		lane->times_left += lane->times[c];
	}
}

void lane_check_times(struct lane *lane, size_t n)
{
	for (size_t c = 0; c < lane->setup->job->columns_count; c++) {
		const uint8_t *valid = lane->batch.columns[c].valid;
		size_t i = 0;

		if (!lane->times[c])
			continue;
		while (i < n && !valid[lane->rows[i]])
			i++;
		if (i == n)
			continue;
		lane->times[c] = false;
		lane->times_left--;
		judge(lane, c, lane->rows[i]);
	}
}

/*
 * The series of one metric family, told apart by their labels as text. Inside runtime/pushgateway only.
 *
 * A window is staged first: what it adds to counters stands beside their values, and counts once the gateway has
 * accepted it. What it refuses is dropped, and leaves no trace.
 */
#ifndef STREAMJOB_PUSHGATEWAY_SERIES_H
#define STREAMJOB_PUSHGATEWAY_SERIES_H

#include "lib/base/buffer.h"

struct series {
	uint64_t hash;
	size_t begin, size;   /* of its labels, rendered without braces, in the table's text */
	double value, staged; /* staged: what the window that is being pushed adds (counter) or says (gauge) */
	uint64_t window;      /* the last one that added to it */
	bool counts;          /* the gateway has accepted it once: not of the staged window alone */
	bool touched;         /* by the staged window */
};

struct series_table {
	struct series *items; /* in the order in which they came */
	size_t count, capacity;
	uint32_t *slots; /* index of an item + 1; 0: empty */
	size_t slots_count;
	struct buffer labels;
};

void series_init(struct series_table *table);
void series_release(struct series_table *table);
void series_clear(struct series_table *table);
static inline struct slice series_labels(const struct series_table *table, const struct series *series)
{
	return (struct slice){table->labels.data + series->begin, series->size};
}
/* The series, made where it is new; NULL past `max`. Valid until the next call. */
struct series *series_get(struct series_table *table, struct slice labels, size_t max);
/* NULL where there is none. Valid until the next series_get. */
const struct series *series_find(const struct series_table *table, struct slice labels);
/* The staged window was accepted as `window`. */
void series_apply(struct series_table *table, uint64_t window);
/* Forgets the staged window. */
void series_drop(struct series_table *table);
/* Whether nothing was added for `idle_windows` windows (0: for ever) once `window` is accepted. */
bool series_is_idle(const struct series *series, uint64_t window, uint64_t idle_windows);
/* Forgets the series that are idle. How many. */
size_t series_forget(struct series_table *table, uint64_t window, uint64_t idle_windows);

#endif

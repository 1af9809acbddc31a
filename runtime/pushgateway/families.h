/*
 * The metric families of a sink: what the entries of `metrics` make of a window. Inside runtime/pushgateway only.
 *
 * Entries of one name are one family, as the text format has it: its labels are those of all of its entries, in the
 * order of their names; where an entry or a row has no value for one, it is empty, which to Prometheus is no label. So
 * what is one series to Prometheus is one series here, wherever it came from.
 */
#ifndef STREAMJOB_PUSHGATEWAY_FAMILIES_H
#define STREAMJOB_PUSHGATEWAY_FAMILIES_H

#include "lib/spec/field/jobspec.h"
#include "lib/base/error.h"
#include "runtime/port/result.h"
#include "runtime/pushgateway/series.h"

#define HOLDERS_MAX 64

struct family {
	const char *name, *help;
	bool counter;
	const char **labels; /* sorted */
	size_t labels_count;
	struct series_table series; /* of a counter: all so far; of a gauge: of the staged window */
	/* What the gateway does not take beside what others hold (conflicts.h): */
	char *refused;             /* all of the family, and why; NULL: not so */
	struct series_table taken; /* series; series.window: their holder */
};

struct entry {                /* of spec->metrics */
	size_t family, value; /* value: a column of the result */
	int *labels;          /* for each label of the family its column, or -1 */
};

struct families {
	const struct pushgateway_sink *spec;
	struct family *items;
	size_t count;
	struct entry *entries;
	char *holders[HOLDERS_MAX]; /* of series that are taken, by words; one past the last is not told by name */
	size_t holders_count;
};

struct families *families_new(const struct pushgateway_sink *spec, const struct schema *result);
void families_free(struct families *families);

enum left_out_why {
	LEFT_OUT_NAN,
	LEFT_OUT_INFINITE,
	LEFT_OUT_NEGATIVE,
	LEFT_OUT_TOTAL,
	LEFT_OUT_TEXT,
	LEFT_OUT_LIMIT,
	LEFT_OUT_TYPE,
	LEFT_OUT_TAKEN
};
struct left_out { /* a sample that cannot be */
	size_t row;
	uint32_t entry;
	enum left_out_why why;
	size_t holder; /* LEFT_OUT_TAKEN */
};
struct staged {
	struct left_out *left_out;
	size_t left_out_count, left_out_capacity;
	size_t merged; /* samples that went into a series that the window had already */
};

/*
 * Stages the window, in place of what was staged before; `add` false: its increments count already. Counters add up
 * what comes to one series; of gauges the last one counts: by the order of the entries, then of the rows.
 */
void families_stage(struct families *families, const struct window_result *result, bool add, struct staged *staged);
void staged_release(struct staged *staged);
/* What the sample is, and why it is left out. */
void left_out_describe(const struct families *families, const struct left_out *left_out, struct error *err);
/* The staged window was accepted as `window`, or refused. */
void families_apply(struct families *families, uint64_t window);
void families_drop(struct families *families);

#endif

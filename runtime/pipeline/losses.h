/*
 * What was left out or read otherwise than it was meant, and that it is said: the first of a kind at once, with where
 * and what to do; then at most one line a minute and kind, with counts; and at the end all of it. What share of the
 * last windows' rows was bad is made from this too.
 *
 * Any thread: it locks. A row without a loss never comes here.
 */
#ifndef STREAMJOB_LOSSES_H
#define STREAMJOB_LOSSES_H

#include <pthread.h>

#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "lib/base/error.h"
#include "lib/base/repeat.h"
#include "lib/spec/field/jobspec.h"
#include "runtime/record/record.h"

#define LOSS_REASON_MAX    160
#define LOSS_EXAMPLE_MAX   1024
#define LOSS_EXCERPT_BYTES 80 /* of a record, in a line of the log */
#define LOSS_REASONS_MAX   64 /* told apart; of others only the sum is known */
#define LOSS_WINDOWS_MAX   5  /* the last windows, of which the input's share is taken */
#define LOSS_MARKS_MAX     (LOSS_WINDOWS_MAX + 1)

enum loss {
	LOSS_BAD_ROW,
	LOSS_BAD_VALUE, /* read as NULL */
	LOSS_MISSING,   /* a field that became NULL */
	LOSS_TOMBSTONE,
	LOSS_LATE,
	LOSS_DROPPED, /* rows of groups beyond the limits */
	LOSS_RESULT,  /* a result that became NULL */
	LOSS_SUSPECT, /* nothing is lost, but hardly meant so */
	LOSS_KINDS,
};

/* One loss, or `count` of one batch whose first is described. */
struct loss_note {
	uint64_t count;
	const char *reason;          /* without any value of a row: losses are summed by it */
	const char *details;         /* the same with values; NULL: there are none */
	struct slice excerpt;        /* of what was lost; data NULL: none */
	const struct record *record; /* where; NULL: at no record */
	const char *topic;           /* of the record; NULL or "": none */
};

struct loss_count {
	uint64_t count, at_windows[LOSS_MARKS_MAX]; /* as it was when each of the last windows ended */
};

struct loss_reason {
	enum loss kind;
	struct loss_count losses;
	char reason[LOSS_REASON_MAX];
	char first[LOSS_EXAMPLE_MAX];  /* of the run: "line 3: byte 2: expected …" */
	char recent[LOSS_EXAMPLE_MAX]; /* of the last windows */
	bool renew;                    /* a window has ended since */
};

struct losses {
	const struct clock *clock;
	bool show_values;
	pthread_mutex_t mutex;
	struct loss_count kinds[LOSS_KINDS], rows;
	struct repeat said[LOSS_KINDS];
	unsigned window; /* index of the last window in at_windows */
	struct loss_reason *reasons;
	size_t reasons_count;
	uint8_t *columns; /* of each declared one: enum column_use */
};

void losses_init(struct losses *losses, const struct jobspec *job, const struct clock *clock);
void losses_release(struct losses *losses);
void losses_note(struct losses *losses, enum loss kind, const struct loss_note *note);
enum column_use { COLUMN_UNREAD, COLUMN_NEVER_THERE, COLUMN_SEEN };
/* The greatest of what the lanes say stays. */
void losses_column(struct losses *losses, size_t column, enum column_use use);
uint64_t losses_count(struct losses *losses, enum loss kind);
/* A window with rows has ended; `rows` have been read in all. */
void losses_window(struct losses *losses, uint64_t rows);

enum input_state { INPUT_OK, INPUT_BAD, INPUT_ALL_BAD };
/* Of the last windows and the open one. Where it is not OK: a reason in one word, and a sentence with an example. */
enum input_state losses_input(struct losses *losses, uint64_t rows, double share_max, const char **ret_reason,
                              struct error *ret_message);

#endif

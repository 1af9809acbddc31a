/*
 * The watchdog: a table of which thread is inside which call since when, and by when that should have returned. A call
 * that lasts longer than its own deadline and a grace is stuck: nothing in this process can end it.
 *
 * Only calls that go out of our hands are in it (a user's function, a file, a request, a call of a client library), and
 * only for as long as one of them lasts: what waits by design (a back-off, a sink that is slow, a lane whose partials
 * are both with it) is in no call. To begin and end one costs a look at the clock and some stores.
 *
 * One table for the process. Threads: each begins and ends its own calls; any may look, and takes no lock.
 */
#ifndef STREAMJOB_WATCH_H
#define STREAMJOB_WATCH_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

#define WATCH_THREADS_MAX 128  /* that can be seen at once; the calls of one more are in no table */
#define WATCH_NAMES_MAX   256  /* different ones in a process's life; what comes after them is "another one" */
#define WATCH_NAME_MAX    160  /* bytes of a name, its end included: longer ones are cut */
#define WATCH_GRACE_MS    5000 /* beyond the deadline, until a call counts as stuck */

/* Whose matter a call is. */
enum watch_part { WATCH_FUNCTION, WATCH_SOURCE, WATCH_SINK };

/* Texts live as long as the process. */
struct watch_stuck {
	enum watch_part part;
	const char *thread;       /* "lane 2" */
	const char *doing, *whom; /* "the write to", "/data/out.jsonl" */
	int64_t for_ms, limit_ms; /* how long it lasts; its deadline */
};

/* The thread has this name in the table, until watch_thread_ends. A thread without one is not seen. */
void watch_thread(const char *format, ...) __attribute__((format(printf, 1, 2)));
void watch_thread_ends(void);

/* A copy for ever, one for equal texts; for `whom`. */
const char *watch_name(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* This thread begins a call: `doing` is a literal, `whom` one or from watch_name. Calls do not nest. */
void watch_begin(enum watch_part part, const char *doing, const char *whom, int64_t limit_ms);
void watch_end(void);

/* Those that are stuck, the longest first, as seen at `now_ms` (monotonic); how many, at most `max`. */
size_t watch_look(int64_t now_ms, struct watch_stuck *ret_stuck, size_t max);
/* "lane 2: the write to /data/out.jsonl has not returned for 40 s; its deadline is 30 s" */
void watch_describe(const struct watch_stuck *stuck, struct error *ret_words);
/* 0, or -1 and the one that is stuck longest. */
int watch_moving(int64_t now_ms, struct watch_stuck *ret_stuck, struct error *err);

/* EXPRESSION, as a call that is watched; its value. */
#define watched(part, doing, whom, limit_ms, expression)                                                               \
	__extension__({                                                                                                \
		watch_begin((part), (doing), (whom), (limit_ms));                                                      \
		__auto_type watched_value = (expression);                                                              \
		watch_end();                                                                                           \
		watched_value;                                                                                         \
	})

#endif

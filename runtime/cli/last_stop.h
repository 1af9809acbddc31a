/*
 * The stop that nothing holds up: a moment after the deadline of an ordered stop the process ends, whatever its threads
 * do, and says which call held it up. Main's thread may hang in a line of the log like any other, so a thread of its
 * own takes the signals.
 *
 * One for the process.
 */
#ifndef STREAMJOB_CLI_LAST_STOP_H
#define STREAMJOB_CLI_LAST_STOP_H

#include "runtime/port/stop.h"

#define LAST_STOP_MS  1000 /* after the deadline, for what ends by itself when it has passed */
#define ANNOUNCE_MS   1000 /* for main's thread to say that a stop is ordered; then it is ordered without a word */
#define LAST_WORD_MS  500  /* for the log to take why the process ends */
#define SAME_ORDER_MS 300  /* a signal that comes again within it is the same order: timeout(1) sends it twice */

/*
 * Begins to take SIGTERM and SIGINT, which every thread has blocked. The first one sets the stop's deadline and wakes
 * the calling thread, which is main's, by SIGUSR1; a second one ends the process at once, unless it is the first one
 * again. Called once.
 */
void last_stop_watch(struct stop *stop, int64_t grace_ms);
/* Main's thread, when it is woken: the signal of a stop that it is to announce, and then to request; 0: none. */
int last_stop_signal(void);
/* The job has ended: its stop goes, and the process is to end with this code. */
void last_stop_ended(int code);

#endif

/*
 * A sink, dead letters and clocks that do what a test says and write down what they are asked. With a source beside
 * them (step_source.h, row_source.h) the pipeline between is the real one, without a file, a server or a wall clock.
 */
#ifndef STREAMJOB_TEST_SCRIPTED_PORTS_H
#define STREAMJOB_TEST_SCRIPTED_PORTS_H

#include <pthread.h>

#include "runtime/port/port.h"

#define SCRIPT_WINDOWS_MAX 64
#define SCRIPT_LETTERS_MAX 64

/* What the ports of one job were asked: a line an event, from any thread. */
struct witness {
	pthread_mutex_t mutex;
	struct buffer text;
	_Atomic int closed; /* how many ports */
};

void witness_init(struct witness *witness);
void witness_release(struct witness *witness);
void witness_note(struct witness *witness, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Until the text is there; notes that it waited in vain. */
void witness_wait(struct witness *witness, const char *text);

/* The wall clock stands where a test sets it; the monotonic one is real, or stands too. */
struct scripted_clock {
	struct clock clock;
	bool stands;
	_Atomic int64_t wall_ms, passed_ms; /* the latter is the monotonic one where it stands */
};
void scripted_clock_init(struct scripted_clock *clock, int64_t wall_ms);

struct sink_script {
	const char *outcomes; /* of the writes: 'a'ccepts, asks for 'r'etry, re'j'ects; then, and by NULL, accepts */
	bool open_fails, stop_while_opening;
};

struct scripted_sink {
	struct sink sink;
	struct witness *witness;
	struct sink_script script;
	uint64_t first_sequence; /* that opening must be told */
	size_t writes, windows;
	uint64_t sequences[SCRIPT_WINDOWS_MAX]; /* of the windows that were accepted */
	struct buffer rows;                     /* theirs, as JSON lines without window_start and window_end */
};
void scripted_sink_init(struct scripted_sink *sink, struct witness *witness);
void scripted_sink_release(struct scripted_sink *sink);

struct scripted_letters {
	struct dead_letter letters;
	struct witness *witness;
	size_t count;
	int64_t offsets[SCRIPT_LETTERS_MAX];
	char reason[4096]; /* the last one's */
};
void scripted_letters_init(struct scripted_letters *letters, struct witness *witness);

#endif

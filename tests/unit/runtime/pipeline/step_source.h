/* A source that takes the steps of a test, one a take. It does not rewind. */
#ifndef STREAMJOB_TEST_STEP_SOURCE_H
#define STREAMJOB_TEST_STEP_SOURCE_H

#include "runtime/pipeline/handover.h"
#include "tests/unit/runtime/pipeline/scripted_ports.h"

#define STEPS_MAX 12

enum step_kind { STEP_RECORDS = 0, STEP_NOTHING, STEP_BOUNDARY, STEP_STOP, STEP_WAIT, STEP_FAIL, STEP_END };

/* The wall clock becomes `ms`, the monotonic one at least `passed_ms`, then the take gives what `kind` says. */
struct step {
	int64_t ms;
	const char *text; /* of RECORDS: keys, one letter a record, '!' for a bad one, or one whole record; of WAIT:
	                     what the witness must have seen before it goes on */
	enum step_kind kind;
	unsigned lane;
	int64_t passed_ms;
};

struct step_source {
	struct source source;
	const struct step *steps; /* all lanes'; the last is STEP_END */
	struct witness *witness;
	struct scripted_clock *clock;
	struct stop *stop;
	size_t next[LANES_MAX]; /* step of each lane */
	int64_t offsets[LANES_MAX];
	char texts[LANES_MAX][STEPS_MAX * 64];
};

void step_source_init(struct step_source *source, const struct step *steps, size_t partitions, struct witness *witness,
                      struct scripted_clock *clock);

#endif

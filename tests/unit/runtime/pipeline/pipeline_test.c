/* A whole job by script: what each clock and each source makes of the windows, and in which order delivery goes. */
#include "tests/unit/runtime/pipeline/scripted_run.h"

#define FIRST(rows) "pending 1 at 1\nsink 1 from 0 to 1000:" rows "\naccepted 1 at 1\n"
#define LIMIT_1     "  limits: {groups: 1}\n"
#define LIMIT_DROP  "  limits: {groups: 1, onLimit: dropNewGroups}\n"
#define LETTERS     "  format: {json: {onBadRow: deadLetter}}\n"
#define BAD_FAILS   "  format: {json: {onBadRow: fail}}\n"

#define TAKE(at, records)                                                                                              \
	{                                                                                                              \
		.ms = (at), .text = (records)                                                                          \
	}
#define TAKE_AFTER(passed, at, records)                                                                                \
	{                                                                                                              \
		.passed_ms = (passed), .ms = (at), .text = (records)                                                   \
	}
#define STEP(at, what)                                                                                                 \
	{                                                                                                              \
		.ms = (at), .kind = STEP_##what                                                                        \
	}
#define WAIT(at, words)                                                                                                \
	{                                                                                                              \
		.ms = (at), .text = (words), .kind = STEP_WAIT                                                         \
	}
#define THE_END                                                                                                        \
	{                                                                                                              \
		.kind = STEP_END                                                                                       \
	}

static const struct row {
	const char *name, *window, *more, *clock_column;
	struct step steps[STEPS_MAX];
	size_t partitions; /* 0: one */
	struct boundary boundary;
	struct sink_script sink;
	bool fail_on_rejected;
	const char *failure; /* NULL: it ends well; else a part of what it says */
	const char *log;
} rows[] = {
        {.name = "two windows",
         .steps = {TAKE(100, "xxy"), TAKE(1500, "x"), THE_END},
         .log = "pending 1 at 3\nsink 1 from 0 to 1000: x=2 y=1\naccepted 1 at 3\n"
                "pending 2 at 4\nsink 2 from 1000 to 2000: x=1\naccepted 2 at 4\n"},
        {.name = "a record of the last millisecond counts",
         .steps = {TAKE(999, "x"), TAKE(1000, "y"), THE_END},
         .log = FIRST(" x=1") "pending 2 at 2\nsink 2 from 1000 to 2000: y=1\naccepted 2 at 2\n"},
        {.name = "a window fires without new data",
         .steps = {TAKE(100, "x"), STEP(1000, NOTHING), WAIT(1001, "accepted 1"), TAKE(1002, "y"), THE_END},
         .log = FIRST(" x=1") "pending 2 at 2\nsink 2 from 1000 to 2000: y=1\naccepted 2 at 2\n"},
        {.name = "a clock that steps back reopens nothing",
         .steps = {TAKE(1500, "x"), STEP(2100, NOTHING), TAKE(400, "y"), TAKE(1700, "y"), TAKE(2999, "y"),
                   TAKE(3000, "z"), THE_END},
         .log = "pending 1 at 1\nsink 1 from 1000 to 2000: x=1\naccepted 1 at 1\n"
                "pending 2 at 4\nsink 2 from 2000 to 3000: y=3\naccepted 2 at 4\n"
                "pending 3 at 5\nsink 3 from 3000 to 4000: z=1\naccepted 3 at 5\n"},
        {.name = "a clock that was set back holds no window open",
         .steps = {TAKE(20100, "x"), TAKE_AFTER(500, 600, "x"), TAKE_AFTER(1000, 1100, "y"),
                   TAKE_AFTER(2000, 2100, "z"), THE_END},
         .log = "pending 1 at 2\nsink 1 from 20000 to 21000: x=2\naccepted 1 at 2\n"
                "pending 2 at 3\nsink 2 from 21000 to 22000: y=1\naccepted 2 at 3\n"
                "pending 3 at 4\nsink 3 from 22000 to 23000: z=1\naccepted 3 at 4\n"},
        {.name = "a clock that stands still holds no window open",
         .steps = {TAKE(100, "x"), TAKE_AFTER(950, 100, "y"), TAKE_AFTER(2000, 100, "z"), THE_END},
         .log = "pending 1 at 1\nsink 1 from 0 to 1000: x=1\naccepted 1 at 1\n"
                "pending 2 at 2\nsink 2 from 1000 to 2000: y=1\naccepted 2 at 2\n"
                "pending 3 at 3\nsink 3 from 2000 to 3000: z=1\naccepted 3 at 3\n"},
        {.name = "a clock that was set forward for a moment",
         .steps = {TAKE(100, "x"), TAKE_AFTER(10, 3600110, "y"), TAKE_AFTER(20, 120, "y"), TAKE_AFTER(1100, 1200, "z"),
                   THE_END},
         .log = FIRST(" x=1") "pending 2 at 3\nsink 2 from 3600000 to 3601000: y=2\naccepted 2 at 3\n"
                              "pending 3 at 4\nsink 3 from 3601000 to 3602000: z=1\naccepted 3 at 4\n"},
        {.name = "a clock that steps forward fires what is due",
         .steps = {TAKE(100, "x"), STEP(3600100, NOTHING), TAKE(3600200, "y"), THE_END},
         .log = FIRST(" x=1") "pending 2 at 2\nsink 2 from 3600000 to 3601000: y=1\naccepted 2 at 2\n"},
        {.name = "times before the epoch, an offset",
         .window = ", offset: 250ms",
         .steps = {TAKE(-751, "x"), TAKE(-750, "y"), THE_END},
         .log = "pending 1 at 1\nsink 1 from -1750 to -750: x=1\naccepted 1 at 1\n"
                "pending 2 at 2\nsink 2 from -750 to 250: y=1\naccepted 2 at 2\n"},
        {.name = "nothing at all", .steps = {STEP(100, NOTHING), THE_END}, .log = ""},
        {.name = "rows that are filtered out move the offsets",
         .more = "  filter: k = 'y'\n",
         .steps = {TAKE(100, "x"), TAKE(1100, "y"), THE_END},
         .log = "accepted 0 at 1\npending 1 at 2\nsink 1 from 1000 to 2000: y=1\naccepted 1 at 2\n"},
        {.name = "HAVING takes groups out",
         .more = "  having: c > 1\n",
         .steps = {TAKE(100, "xxy"), TAKE(1100, "y"), THE_END},
         .log = "pending 1 at 3\nsink 1 from 0 to 1000: x=2\naccepted 1 at 3\naccepted 1 at 4\n"},
        {.name = "empty windows are skipped",
         .steps = {TAKE(100, "x"), STEP(1100, NOTHING), TAKE(2100, "y"), THE_END},
         .log = FIRST(" x=1") "pending 2 at 2\nsink 2 from 2000 to 3000: y=1\naccepted 2 at 2\n"},
        {.name = "empty windows have the known keys",
         .window = ", onEmpty: zero",
         .steps = {TAKE(100, "x"), STEP(1100, NOTHING), TAKE(2100, "y"), THE_END},
         .log = FIRST(" x=1") "pending 2 at -1\nsink 2 from 1000 to 2000: x=0\naccepted 2 at -1\n"
                              "pending 3 at 2\nsink 3 from 2000 to 3000: x=0 y=1\naccepted 3 at 2\n"},
        {.name = "empty windows delete the group",
         .window = ", onEmpty: delete",
         .steps = {TAKE(100, "x"), STEP(1100, NOTHING), TAKE(2100, "y"), THE_END},
         .log = FIRST(" x=1") "pending 2 at -1\nsink 2 from 1000 to 2000: delete\naccepted 2 at -1\n"
                              "pending 3 at 2\nsink 3 from 2000 to 3000: y=1\naccepted 3 at 2\n"},
        {.name = "a drain flushes the open window",
         .steps = {TAKE(100, "x"), STEP(200, STOP), TAKE(300, "y"), THE_END},
         .log = FIRST(" x=1")},
        {.name = "a drain takes no empty window for one", .steps = {STEP(100, STOP), THE_END}, .log = ""},
        {.name = "a limit that fails",
         .more = LIMIT_1,
         .steps = {TAKE(100, "xxy"), THE_END},
         .failure = "spec.limits has groups: 1, stateBytes: ",
         .log = ""},
        {.name = "a limit that drops groups: the smallest hashes stay",
         .more = LIMIT_DROP,
         .steps = {TAKE(100, "xyx"), THE_END},
         .log = "pending 1 at 3\nsink 1 from 0 to 1000: x=2\naccepted 1 at 3\n"},
        {.name = "a limit that drops groups: in any order",
         .more = LIMIT_DROP,
         .steps = {TAKE(100, "y"), TAKE(200, "yxyx"), THE_END},
         .log = "pending 1 at 5\nsink 1 from 0 to 1000: x=2\naccepted 1 at 5\n"},
        {.name = "a limit that drops groups, over two lanes",
         .more = LIMIT_DROP,
         .partitions = 2,
         .steps = {TAKE(100, "xx"), {.ms = 100, .text = "y", .lane = 1}, THE_END},
         .log = "pending 1 at 2 1\nsink 1 from 0 to 1000: x=2\naccepted 1 at 2 1\n"},
        {.name = "a limit that drops groups, over two lanes, the other way round",
         .more = LIMIT_DROP,
         .partitions = 2,
         .steps = {TAKE(100, "yy"), {.ms = 100, .text = "x", .lane = 1}, THE_END},
         .log = "pending 1 at 2 1\nsink 1 from 0 to 1000: x=1\naccepted 1 at 2 1\n"},
        {.name = "a limit that fails, over two lanes",
         .more = LIMIT_1,
         .partitions = 2,
         .steps = {TAKE(100, "xx"), {.ms = 100, .text = "y", .lane = 1}, THE_END},
         .failure = "the lanes' groups together pass spec.limits (groups: 1",
         .log = ""},
        {.name = "known keys are not of the window's limit",
         .window = ", onEmpty: zero",
         .more = LIMIT_1,
         .steps = {TAKE(100, "x"), TAKE(1100, "y"), TAKE(2100, "z"), THE_END},
         .log = FIRST(" x=1") "pending 2 at 2\nsink 2 from 1000 to 2000: x=0 y=1\naccepted 2 at 2\n"
                              "pending 3 at 3\nsink 3 from 2000 to 3000: x=0 y=0 z=1\naccepted 3 at 3\n"},
        {.name = "of too many known keys the latest stay",
         .window = ", onEmpty: zero",
         .more = "  limits: {knownGroups: 2}\n",
         .steps = {TAKE(100, "zx"), TAKE(1100, "x"), TAKE(2100, "y"), THE_END},
         .log = "pending 1 at 2\nsink 1 from 0 to 1000: x=1 z=1\naccepted 1 at 2\n"
                "pending 2 at 3\nsink 2 from 1000 to 2000: x=1 z=0\naccepted 2 at 3\n"
                "pending 3 at 4\nsink 3 from 2000 to 3000: x=0 y=1\naccepted 3 at 4\n"},
        {.name = "known keys are forgotten",
         .window = ", onEmpty: zero, forgetAfter: 1",
         .steps = {TAKE(100, "xy"), TAKE(1100, "y"), TAKE(2100, "y"), TAKE(3100, "xy"), THE_END},
         .log = "pending 1 at 2\nsink 1 from 0 to 1000: x=1 y=1\naccepted 1 at 2\n"
                "pending 2 at 3\nsink 2 from 1000 to 2000: x=0 y=1\naccepted 2 at 3\n"
                "pending 3 at 4\nsink 3 from 2000 to 3000: y=1\naccepted 3 at 4\n"
                "pending 4 at 6\nsink 4 from 3000 to 4000: x=1 y=1\naccepted 4 at 6\n"},
        {.name = "a clock that leaps over windows leaves none of them out",
         .window = ", onEmpty: zero",
         .steps = {TAKE(100, "x"), TAKE(3100, "y"), THE_END},
         .log = FIRST(" x=1") "pending 2 at -1\nsink 2 from 1000 to 2000: x=0\naccepted 2 at -1\n"
                              "pending 3 at -1\nsink 3 from 2000 to 3000: x=0\naccepted 3 at -1\n"
                              "pending 4 at 2\nsink 4 from 3000 to 4000: x=0 y=1\naccepted 4 at 2\n"},
        {.name = "rows that leap over windows do not either",
         .window = ", onEmpty: delete",
         .clock_column = "t",
         .steps = {TAKE(99000, "{\"k\":\"x\",\"t\":100}"), TAKE(99000, "{\"k\":\"x\",\"t\":2500}"), THE_END},
         .log = FIRST(" x=1") "pending 2 at -1\nsink 2 from 1000 to 2000: delete\naccepted 2 at -1\n"
                              "pending 3 at 2\nsink 3 from 2000 to 3000: x=1\naccepted 3 at 2\n"},
        {.name = "two lanes make one window",
         .partitions = 2,
         .steps = {TAKE(100, "xx"), {.ms = 100, .text = "xy", .lane = 1}, THE_END},
         .log = "pending 1 at 2 2\nsink 1 from 0 to 1000: x=3 y=1\naccepted 1 at 2 2\n"},
        {.name = "a sink that asks for retries gets the same window again",
         .sink = {.outcomes = "rr"},
         .steps = {TAKE(100, "x"), THE_END},
         .log = "pending 1 at 1\nsink 1 from 0 to 1000: x=1\nsink 1 from 0 to 1000: x=1\n"
                "sink 1 from 0 to 1000: x=1\naccepted 1 at 1\n"},
        {.name = "a window that is refused goes to the dead letter",
         .sink = {.outcomes = "j"},
         .steps = {TAKE(100, "x"), TAKE(1000, "y"), THE_END},
         .log = "pending 1 at 1\nsink 1 from 0 to 1000: x=1\nletter of window 1, scripted: the sink says j\n"
                "accepted 1 at 1\npending 2 at 2\nsink 2 from 1000 to 2000: y=1\naccepted 2 at 2\n"},
        {.name = "a window that is refused fails the job",
         .sink = {.outcomes = "j"},
         .fail_on_rejected = true,
         .steps = {TAKE(100, "x"), THE_END},
         .failure = "sink scripted rejected window 1: the sink says j",
         .log = "pending 1 at 1\nsink 1 from 0 to 1000: x=1\n"},
        {.name = "a pending window is built again, whatever the clock says",
         .boundary = {.pending = true, .sequence = 5, .start_ms = 3000, .end_ms = 4000},
         .steps = {TAKE(9000, "x"), TAKE(11000, "y"), STEP(12000, BOUNDARY), WAIT(12000, "resume"), TAKE(12100, "z"),
                   THE_END},
         .log = "sink 5 from 3000 to 4000: x=1 y=1\naccepted 5 at 2\nresume\n"
                "pending 6 at 3\nsink 6 from 12000 to 13000: z=1\naccepted 6 at 3\n"},
        {.name = "a pending window without rows is accepted",
         .boundary = {.pending = true, .sequence = 5, .start_ms = 3000, .end_ms = 4000},
         .steps = {STEP(9000, BOUNDARY), WAIT(9000, "resume"), THE_END},
         .log = "accepted 5 at -1\nresume\n"},
        {.name = "the rest of a pending window is in a window of its own",
         .boundary = {.pending = true, .sequence = 1, .start_ms = 0, .end_ms = 1000},
         .steps = {TAKE(100, "x"), STEP(100, BOUNDARY), WAIT(100, "resume"), TAKE(200, "y"), THE_END},
         .log = "sink 1 from 0 to 1000: x=1\naccepted 1 at 1\nresume\n"
                "pending 2 at 2\nsink 2 from 0 to 1000: y=1\naccepted 2 at 2\n"},
        {.name = "half a pending window is left to the next start",
         .boundary = {.pending = true, .sequence = 5, .start_ms = 3000, .end_ms = 4000},
         .steps = {TAKE(9000, "x"), STEP(9000, STOP), THE_END},
         .log = ""},
        {.name = "one lane's half of a pending window is left to the next start",
         .boundary = {.pending = true, .sequence = 5, .start_ms = 3000, .end_ms = 4000},
         .partitions = 2,
         .steps = {TAKE(9000, "x"),
                   STEP(9000, BOUNDARY),
                   {.ms = 9000, .text = "y", .lane = 1},
                   {.ms = 9000, .kind = STEP_STOP, .lane = 1},
                   THE_END},
         .log = ""},
        {.name = "after an accepted boundary the next sequence follows",
         .boundary = {.pending = false, .sequence = 7, .start_ms = 3000, .end_ms = 4000},
         .steps = {TAKE(9000, "x"), THE_END},
         .log = "pending 8 at 1\nsink 8 from 9000 to 10000: x=1\naccepted 8 at 1\n"},
        {.name = "bad rows are dead letters before the offsets move",
         .more = LETTERS,
         .steps = {TAKE(100, "x!"), THE_END},
         .log = "letter 1: byte 2: expected a name in quotes\n"
                "pending 1 at 2\nsink 1 from 0 to 1000: x=1\naccepted 1 at 2\n"},
        {.name = "bad rows alone move the offsets", .steps = {TAKE(100, "!!"), THE_END}, .log = "accepted 0 at 2\n"},
        {.name = "a bad row that fails the job",
         .more = BAD_FAILS,
         .steps = {TAKE(100, "x!"), THE_END},
         .failure = "the record at partition 0, offset 1 is bad, and the job's policy is to fail: byte 2: ",
         .log = ""},
        {.name = "a source that fails",
         .steps = {TAKE(100, "x"), STEP(200, FAIL), THE_END},
         .failure = "the log is on fire",
         .log = ""},
        {.name = "a sink that cannot be opened",
         .sink = {.open_fails = true},
         .steps = {TAKE(100, "x"), THE_END},
         .failure = "sink scripted: no such place",
         .log = ""},
        {.name = "a stop while a sink is opened is a drain",
         .sink = {.stop_while_opening = true},
         .steps = {TAKE(100, "x"), THE_END},
         .log = ""},
        {.name = "a column plays the clock",
         .clock_column = "t",
         .steps = {TAKE(99000, "{\"k\":\"x\",\"t\":100}"), TAKE(99000, "{\"k\":\"x\",\"t\":999}"),
                   TAKE(99000, "{\"k\":\"y\",\"t\":5}"), TAKE(99000, "{\"k\":\"x\",\"t\":2500}"),
                   TAKE(99000, "{\"k\":\"z\"}"), THE_END},
         .log = "pending 1 at 3\nsink 1 from 0 to 1000: x=2 y=1\naccepted 1 at 3\n"
                "pending 2 at 5\nsink 2 from 2000 to 3000: x=1 z=1\naccepted 2 at 5\n"},
        {.name = "rows that are filtered out move the column's clock",
         .clock_column = "t",
         .more = "  filter: k <> 'y'\n",
         .steps = {TAKE(99000, "{\"k\":\"x\",\"t\":100}"), TAKE(99000, "{\"k\":\"y\",\"t\":1000}"),
                   TAKE(99000, "{\"k\":\"x\",\"t\":200}"), THE_END},
         .log = FIRST(" x=1") "pending 2 at 3\nsink 2 from 1000 to 2000: x=1\naccepted 2 at 3\n"},
};

/* A window of 1 s, COUNT(*) by k; `window` is put into the window, `more` into the spec. */
static struct scripted_run *run_of(const struct row *row, unsigned lanes)
{
	struct scripted_run *run;
	struct buffer spec;

	buffer_init(&spec);
	buffer_printf(&spec,
	              "  window: {tumbling: {size: 1s%s}}\n  groupBy: [k]\n  aggregates: [{name: c, expr: COUNT(*)}]\n"
	              "  deadLetter: {file: {path: unused}}\n%s",
	              row->window ? row->window : "", row->more ? row->more : "");
	run = scripted_on_steps(row->name, spec.data, row->partitions ? row->partitions : 1, row->steps, lanes);
	run->steps.source.boundary = row->boundary;
	run->sink.script = row->sink;
	run->sink.sink.fail_on_rejected = row->fail_on_rejected;
	run->options.clock_column = row->clock_column;
	buffer_release(&spec);
	return run;
}

static void steps_test(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct scripted_run *run = run_of(&rows[i], 4);

		scripted_run(run);
		if ((run->outcome < 0) != (rows[i].failure != NULL))
			fail_msg("%s: %d %s\n%s", rows[i].name, run->outcome, run->error.text, run->witness.text.data);
		if (rows[i].failure && !strstr(run->error.text, rows[i].failure))
			fail_msg("%s: %s", rows[i].name, run->error.text);
		if (strcmp(run->witness.text.data, rows[i].log) != 0)
			fail_msg("%s:\n%s", rows[i].name, run->witness.text.data);
		assert_int_equal(atomic_load(&run->status.phase), run->outcome < 0 ? PHASE_FAILED : PHASE_FINISHED);
		scripted_free(run);
	}
}

/* What the status counts of the rows. */
static void counts_test(void **state)
{
	static const struct row row = {
	        .name = "counts",
	        .more = "  filter: k <> 'f'\n  limits: {groups: 2, onLimit: dropNewGroups}\n" LETTERS,
	        .steps = {TAKE(100, "xyx!z"), TAKE(1100, "f"), THE_END},
	};
	struct scripted_run *run = run_of(&row, 1);
	struct status_counts counts;

	(void)state;
	scripted_run(run);
	assert_int_equal(run->outcome, 0);
	counts = status_counts(&run->status);
	assert_int_equal(counts.rows_in, 6);
	assert_int_equal(counts.filtered, 1);
	assert_int_equal(counts.bad, 1);
	assert_int_equal(counts.dead_lettered, 1);
	assert_int_equal(counts.dropped, 1);
	assert_int_equal(atomic_load(&run->status.rows_out), 2);
	assert_int_equal(atomic_load(&run->status.windows), 1);
	assert_int_equal(run->status.last.sequence, 1);
	scripted_free(run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(steps_test), cmocka_unit_test(counts_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

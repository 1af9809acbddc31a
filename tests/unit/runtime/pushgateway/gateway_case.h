/* The Pushgateway sink before a scripted gateway: what its tests have in common. */
#ifndef STREAMJOB_TESTS_GATEWAY_CASE_H
#define STREAMJOB_TESTS_GATEWAY_CASE_H

#include "runtime/pushgateway/pushgateway.h"
#include "tests/unit/runtime/port/passing_time.h"
#include "tests/unit/runtime/pushgateway/fake_gateway.h"

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))
#define CASE(test)  cmocka_unit_test_setup_teardown(test, set_up, tear_down)

extern struct fake_gateway gateway;
extern struct stop stop;
extern const char *labels[];
extern struct sink_spec sinks[2];
extern struct jobspec job;
extern struct buffer left_out; /* the rows that were left out and why, a line each */

struct row {
	const char *k, *l; /* NULL: NULL */
	double x;
};

int set_up(void **state);
int tear_down(void **state);
struct sink *new_sink(void);
struct sink *open_sink(const char *life, uint64_t next, bool pending);
enum sink_outcome push(struct sink *sink, uint64_t sequence, const struct row *rows, size_t count, struct error *err);
/* In this round or, where the pause after a failure is longer, in one of the next. */
void must_push(struct sink *sink, uint64_t sequence, const struct row *rows, size_t count);
/* The lines of the last PUT that are samples of rows_total and rows, in their order. */
void expect_samples(const char *name, const char *expected);

#endif

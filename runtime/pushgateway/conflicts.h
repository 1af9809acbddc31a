/*
 * What keeps the gateway from taking a sink's snapshot as a whole: of one name it holds one type, over all groups and
 * its own metrics, and of one set of labels one series. Inside runtime/pushgateway only.
 */
#ifndef STREAMJOB_PUSHGATEWAY_CONFLICTS_H
#define STREAMJOB_PUSHGATEWAY_CONFLICTS_H

#include "lib/spec/field/jobspec.h"
#include "runtime/pushgateway/families.h"

/*
 * Marks in `families`, in place of what was marked before, what others hold: families whose name has another type, and
 * series. `list` is the answer of /api/v1/metrics, `page` that of /metrics, which has the gateway's own metrics too.
 * How many there are; -1: no such answer.
 */
int conflicts_read(const struct pushgateway_sink *spec, struct slice list, struct slice page, struct families *families,
                   struct error *err);
/* Nothing is marked any more. */
void conflicts_clear(struct families *families);

#endif

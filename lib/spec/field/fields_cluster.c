/* The field table: what goes with a StreamJob that is deleted. */
#include "lib/spec/field/tables.h"

static const struct choice deletions[] = {{"Keep", DELETION_KEEP}, {"Delete", DELETION_DELETE}, {NULL, 0}};

static const struct field deletion_fields[] = {
        {.name = "pushgateway",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct deletion_spec, pushgateway),
         .choices = deletions,
         .initial = "Keep",
         .doc = "The groups of the Pushgateway sinks when the StreamJob is deleted: keep what they hold, or delete "
                "them once the pods have drained."},
        {.name = "timeout",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct deletion_spec, timeout_ms),
         .initial = "1m",
         .min = 1000,
         .max = 60 * 60 * 1000,
         .doc = "How long a deletion may wait for the gateway; then the StreamJob goes, and an Event says so."},
        {0}};
const struct object deletion_object = {
        .title = "Deletion policy", .size = sizeof(struct deletion_spec), .fields = deletion_fields};

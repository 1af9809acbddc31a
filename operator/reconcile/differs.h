/*
 * Has a live object drifted from what was applied? Only what was applied is looked at: fields and list elements that
 * others own, and those that the API server fills in, are no drift.
 */
#ifndef STREAMJOB_DIFFERS_H
#define STREAMJOB_DIFFERS_H

#include <jansson.h>
#include <stdbool.h>

/* `live` lacks something of `desired`, or has another value there. Quantities are compared by value. */
bool object_differs(const json_t *desired, const json_t *live);

#endif

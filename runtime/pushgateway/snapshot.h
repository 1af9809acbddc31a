/*
 * The staged window as messages (message.h): what one PUT carries. Inside runtime/pushgateway only.
 */
#ifndef STREAMJOB_PUSHGATEWAY_SNAPSHOT_H
#define STREAMJOB_PUSHGATEWAY_SNAPSHOT_H

#include "runtime/pushgateway/families.h"

#define SNAPSHOT_FORMAT "1" /* of what a later start reads back: counters, sequence and info */

/* All families, the window's own start, end and sequence, and the life under which it was numbered. */
void snapshot_render(const struct families *families, const struct window_result *result, const char *life, bool text,
                     struct buffer *out);

#endif

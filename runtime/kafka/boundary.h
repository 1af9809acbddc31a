/*
 * The boundary of a window in the metadata of a committed offset: "sj1 p=1 seq=12 start=… end=… to=…". Inside
 * runtime/kafka only.
 */
#ifndef STREAMJOB_KAFKA_BOUNDARY_H
#define STREAMJOB_KAFKA_BOUNDARY_H

#include "runtime/port/port.h"

#define BOUNDARY_TEXT_MAX 160 /* Kafka keeps 4,096 bytes a partition */

/* `to`: where this partition ends in the window. */
void boundary_format(const struct boundary *boundary, int64_t to, char text[BOUNDARY_TEXT_MAX]);
/* False where the text is not ours (another tool committed): then there is no boundary. */
bool boundary_parse(struct slice text, struct boundary *ret_boundary, int64_t *ret_to);

#endif

/*
 * What the stores keep of an object, and the index by which children are found: a first owner that is no object, whose
 * UID is "namespace/job" of the instance label. So the children of an earlier StreamJob of the same name are found too.
 */
#ifndef STREAMJOB_TRIM_H
#define STREAMJOB_TRIM_H

#include <jansson.h>

#include "operator/reconcile/kind.h"

void (*trim_of(enum kind kind))(json_t *object);

#endif

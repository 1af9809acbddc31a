/*
 * An object as YAML in kubectl's form: keys in order, two blanks a level, texts of several lines as blocks. So lines of
 * it are the lines that `kubectl get -o yaml` shows, and two of them differ only where their objects do.
 */
#ifndef STREAMJOB_MANIFEST_H
#define STREAMJOB_MANIFEST_H

#include <jansson.h>

#include "lib/base/buffer.h"

void manifest_write(const json_t *object, struct buffer *out);

#endif

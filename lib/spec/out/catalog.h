/*
 * What a job can be made of: every aggregate, function, source, format, window and sink, each with its signature and
 * one line, from the rows that the compiler and the loader work by.
 */
#ifndef STREAMJOB_CATALOG_H
#define STREAMJOB_CATALOG_H

#include "lib/base/buffer.h"

/* `streamjob explain --catalog`: text for people. */
void catalog_text(struct buffer *out);
/* The reference's sections of what has no section of fields: aggregates and functions. */
void catalog_reference(struct buffer *out);

#endif

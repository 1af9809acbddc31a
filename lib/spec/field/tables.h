/*
 * The field table's objects: fields_*.c have them, spec_object is the root.
 */
#ifndef STREAMJOB_TABLES_H
#define STREAMJOB_TABLES_H

#include "lib/base/buffer.h"
#include "lib/spec/field/fields.h"

extern const struct object spec_object;
extern const struct object source_object, sink_object, dead_letter_object, format_object, column_object, select_object,
        aggregate_object, window_object, watermark_object, limits_object, deletion_object, function_object,
        lateral_object;
extern const struct object kafka_source_object, kafka_sink_object, kafka_topic_object, file_object, secret_object;

/* The types of columns and of functions' results. */
extern const struct choice column_types[];
/* onRejected of sinks. */
extern const struct choice rejections[];

const struct field *object_field(const struct object *object, struct slice name);
/* "a, b and c": of the object's fields or, for variants_only, its variants. */
void object_names(const struct object *object, bool variants_only, const char *last, struct buffer *out);
void choice_names(const struct choice *choices, const char *last, struct buffer *out);

#endif

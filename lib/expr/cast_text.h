/*
 * Values from and to texts as PostgreSQL reads and writes them: inside lib/expr only. Reading returns NULL, or the
 * reason why the text is not of that type, and the output is untouched then. Spaces around a value are passed over.
 */
#ifndef STREAMJOB_EXPR_CAST_TEXT_H
#define STREAMJOB_EXPR_CAST_TEXT_H

#include "lib/base/arena.h"

const char *cast_text_to_boolean(struct slice text, uint8_t *ret_value);
const char *cast_text_to_int(struct slice text, int32_t *ret_value);
const char *cast_text_to_bigint(struct slice text, int64_t *ret_value);
const char *cast_text_to_double(struct slice text, double *ret_value);
const char *cast_text_to_timestamp(struct slice text, int64_t *ret_ms);

struct slice cast_bigint_to_text(struct arena *arena, int64_t value);
/* The shortest digits that no other double has: "2.5", "1e+15", "NaN", "Infinity". */
struct slice cast_double_to_text(struct arena *arena, double value);
/* "2026-11-24 08:00:00.5+00", "0044-03-15 12:00:00+00 BC". */
struct slice cast_timestamp_to_text(struct arena *arena, int64_t ms);

#endif

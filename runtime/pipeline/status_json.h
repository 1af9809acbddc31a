/* Values of the status as JSON: inside runtime/pipeline only. */
#ifndef STREAMJOB_STATUS_JSON_H
#define STREAMJOB_STATUS_JSON_H

#include <jansson.h>
#include <stdint.h>

/* Words of anybody: bytes that are not UTF-8 become U+FFFD, so that no message is left out for one of them. */
json_t *status_text_json(const char *text);
json_t *status_time_json(int64_t ms);
struct status;
/* {rowsPerSecond, badShare}; the mutex is held. */
json_t *status_recent_json(struct status *status);

static inline void set_integer(json_t *object, const char *key, uint64_t value)
{
	json_object_set_new(object, key, json_integer((json_int_t)value));
}

#endif

/* The watchdog's table as /status has it: the calls that no deadline ends. Any thread; no lock. */
#ifndef STREAMJOB_STATUS_WATCH_H
#define STREAMJOB_STATUS_WATCH_H

#include <jansson.h>
#include <stdint.h>

/* All of them, the longest first; `now_ms` is monotonic. */
json_t *status_watch_json(int64_t now_ms);
/* The longest one of this function; null where there is none. */
json_t *status_watch_function_json(int64_t now_ms, const char *name);

#endif

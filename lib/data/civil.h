/*
 * Civil time: milliseconds since the Unix epoch to and from text, proleptic Gregorian calendar, UTC.
 * Days to date after Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
 */
#ifndef STREAMJOB_CIVIL_H
#define STREAMJOB_CIVIL_H

#include "lib/base/buffer.h"

struct civil_time {
	int64_t year; /* 0 is 1 BC */
	int month, day, hour, minute, second, millisecond;
};

struct civil_time civil_from_ms(int64_t ms);

/* "2026-11-24T08:00:00.000Z": 24 bytes for the years 0000 to 9999. */
void civil_format(struct buffer *out, int64_t ms);

/*
 * ISO 8601 / RFC 3339: "2026-11-24T08:00:00Z", "2026-11-24 08:00:00.123456+02:00", "2026-11-24" (midnight UTC).
 * Years 0001 to 9999. No offset means UTC, else at most 15:59; fractions beyond milliseconds are cut; 24:00:00 is the
 * next midnight, and second 60, a leap second without a fraction, the next minute's first. false where it is not a real
 * date and time.
 */
bool civil_parse(struct slice text, int64_t *ret_ms);

#endif

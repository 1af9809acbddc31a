#include "runtime/record/record.h"

#include <inttypes.h>
#include <stdio.h>

void record_place(const struct record *record, char ret_text[RECORD_PLACE_MAX])
{
	int size;

	if (record->line)
		size = snprintf(ret_text, RECORD_PLACE_MAX, "line %" PRIu64, record->line);
	else
		size = snprintf(ret_text, RECORD_PLACE_MAX, "partition %" PRIu32 ", offset %" PRId64, record->partition,
		                record->offset);
	if (record->element)
		snprintf(ret_text + size, RECORD_PLACE_MAX - (size_t)size, ", element %" PRIu32, record->element);
}

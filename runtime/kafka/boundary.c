#include "runtime/kafka/boundary.h"

#include <inttypes.h>
#include <stdio.h>

void boundary_format(const struct boundary *boundary, int64_t to, char text[BOUNDARY_TEXT_MAX])
{
	snprintf(text, BOUNDARY_TEXT_MAX, "sj1 p=%d seq=%" PRIu64 " start=%" PRId64 " end=%" PRId64 " to=%" PRId64,
	         boundary->pending, boundary->sequence, boundary->start_ms, boundary->end_ms, to);
}

bool boundary_parse(struct slice text, struct boundary *ret_boundary, int64_t *ret_to)
{
	char copy[BOUNDARY_TEXT_MAX];
	struct boundary boundary = {0};
	int pending, length = -1;
	int64_t to;

	if (!text.size || text.size >= sizeof(copy))
		return false;
	memcpy(copy, text.data, text.size);
	copy[text.size] = '\0';
	if (sscanf(copy, "sj1 p=%d seq=%" SCNu64 " start=%" SCNd64 " end=%" SCNd64 " to=%" SCNd64 "%n", &pending,
	           &boundary.sequence, &boundary.start_ms, &boundary.end_ms, &to, &length) != 5 ||
	    length != (int)text.size || pending < 0 || pending > 1)
		return false;
	boundary.pending = pending;
	*ret_boundary = boundary;
	*ret_to = to;
	return true;
}

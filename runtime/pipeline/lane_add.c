/* The good rows of a batch go to the open window: through the lateral functions, where there are any. */
#include "runtime/pipeline/lane_parts.h"

int lane_add(struct lane *lane, uint32_t from, uint32_t to, struct error *err)
{
	size_t n = lane->good;
	const uint32_t *rows = between(lane->rows, &n, from, to);

	return lane->query->lateral_count ? lane_lateral(lane, rows, n, err)
	                                  : lane_update(lane, rows, n, from, to, err);
}

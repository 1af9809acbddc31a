/* Calls that do not come back: what a deadline cannot end, as of native code that runs in this process. */
#include <inttypes.h>

#include "runtime/pipeline/functions_watch.h"

struct stuck functions_stuck(const struct functions *functions, size_t function)
{
	int64_t now_ms = clock_monotonic_ms(functions->clock);
	struct stuck longest = {.any = false};

	for (unsigned lane = 0; lane < LANES_MAX; lane++) {
		const struct udf_watch *watch = &functions->watches[lane * functions->count + function];
		int64_t since_ms = atomic_load(&watch->since_ms), for_ms = now_ms - since_ms;

		if (!since_ms || for_ms <= atomic_load(&watch->limit_ms) + UDF_GRACE_MS || for_ms <= longest.for_ms)
			continue;
		longest = (struct stuck){true, lane, watch->method, for_ms};
	}
	return longest;
}

int functions_moving(const struct functions *functions, struct error *err)
{
	for (size_t f = 0; f < functions->count; f++) {
		struct stuck stuck = functions_stuck(functions, f);

		if (stuck.any)
			return error_set(err,
			                 "function %s, %s: lane %u has been inside this call for %" PRId64
			                 " s, longer than its timeout and %d s of grace; the call cannot be ended, the "
			                 "process must be",
			                 functions->items[f].spec->name, stuck.method, stuck.lane, stuck.for_ms / 1000,
			                 UDF_GRACE_MS / 1000);
	}
	return 0;
}

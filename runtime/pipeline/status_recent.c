/* How the counts went of late, as a part of /status. */
#include "runtime/pipeline/status.h"
#include "runtime/pipeline/status_json.h"

json_t *status_recent_json(struct status *status)
{
	struct status_counts counts = status_counts(status);
	const struct recent_sample now = {
	        .at_ms = clock_monotonic_ms(status->clock), .rows = counts.rows_in, .bad = counts.bad};
	struct recent_figures figures = recent_look(&status->recent, &now);
	json_t *json = json_object();

	json_object_set_new(json, "rowsPerSecond", json_real(figures.rows_per_second));
	json_object_set_new(json, "badShare", json_real(figures.bad_share));
	return json;
}

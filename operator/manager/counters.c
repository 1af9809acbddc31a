#include "operator/manager/counters.h"

#include "lib/metrics/metrics.h"

static const double bounds_s[BUCKETS] = {0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4,
                                         0.5,   0.75, 1,     2,    5,   10,   20,  30,   45,  60};
static const char *const result_names[RESULT_COUNT] = {
        [RECONCILE_SUCCESS] = "success",
        [RECONCILE_REQUEUE_AFTER] = "requeue_after",
        [RECONCILE_REQUEUE] = "requeue",
        [RECONCILE_ERROR] = "error",
};

#define CONTROLLER "controller=\"streamjob\""

void counters_count(struct counters *counters, enum reconcile_result result, int64_t elapsed_us)
{
	size_t bucket = 0;

	while (bucket < BUCKETS && (double)elapsed_us / 1e6 > bounds_s[bucket])
		bucket++;
	atomic_fetch_add(&counters->results[result], 1);
	atomic_fetch_add(&counters->buckets[bucket], 1);
	atomic_fetch_add(&counters->sum_us, (uint64_t)elapsed_us);
}

static void histogram(const struct counters *counters, struct buffer *out)
{
	static const char name[] = "controller_runtime_reconcile_time_seconds";
	uint64_t total = 0;

	metrics_family(out, name, "histogram", "Length of time per reconciliation per controller");
	for (size_t i = 0; i <= BUCKETS; i++) {
		total += atomic_load(&counters->buckets[i]);
		if (i < BUCKETS)
			buffer_printf(out, "%s_bucket{" CONTROLLER ",le=\"%g\"}", name, bounds_s[i]);
		else
			buffer_printf(out, "%s_bucket{" CONTROLLER ",le=\"+Inf\"}", name);
		metrics_number(out, (double)total);
	}
	buffer_printf(out, "%s_sum{" CONTROLLER "}", name);
	metrics_number(out, (double)atomic_load(&counters->sum_us) / 1e6);
	buffer_printf(out, "%s_count{" CONTROLLER "}", name);
	metrics_number(out, (double)total);
}

static void one(const char *name, const char *type, const char *help, double value, struct buffer *out)
{
	metrics_family(out, name, type, help);
	buffer_printf(out, "%s{" CONTROLLER "}", name);
	metrics_number(out, value);
}

void counters_metrics(const struct counters *counters, unsigned workers, struct buffer *out)
{
	metrics_family(out, "controller_runtime_reconcile_total", "counter",
	               "Total number of reconciliations per controller");
	for (size_t i = 0; i < RESULT_COUNT; i++) {
		buffer_printf(out, "controller_runtime_reconcile_total{" CONTROLLER ",result=\"%s\"}", result_names[i]);
		metrics_number(out, (double)atomic_load(&counters->results[i]));
	}
	one("controller_runtime_reconcile_errors_total", "counter",
	    "Total number of reconciliation errors per controller",
	    (double)atomic_load(&counters->results[RECONCILE_ERROR]), out);
	one("controller_runtime_active_workers", "gauge", "Number of currently used workers per controller",
	    atomic_load(&counters->active), out);
	one("controller_runtime_max_concurrent_reconciles", "gauge",
	    "Maximum number of concurrent reconciles per controller", workers, out);
	histogram(counters, out);
}

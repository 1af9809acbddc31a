#include "runtime/pipeline/recover.h"

#include <string.h>

#include "lib/base/log.h"
#include "lib/process/pause.h"

#define PAUSE_STEP_MS 20

/* False where the stop came first. */
static bool wait_unless_stopped(const struct recovery *recovery, int64_t ms)
{
	const struct clock *clock = recovery->stop->clock;
	int64_t end_ms = clock_monotonic_ms(clock) + ms;

	while (!atomic_load(&recovery->stop->requested)) {
		if (clock_monotonic_ms(clock) >= end_ms)
			return true;
		pause_ms(PAUSE_STEP_MS);
	}
	return false;
}

/* The cause, and whether there is a next try: after a pause. */
static enum recovered next_try(struct recovery *recovery, struct error *err)
{
	struct functions *functions = recovery->functions;
	struct clock const *clock = recovery->stop->clock;
	bool stopped;
	int64_t wait_ms;

	pthread_mutex_lock(&functions->mutex);
	*err = functions->cause;
	stopped = functions->stopped;
	recovery->failures = functions->progress ? 1 : recovery->failures + 1;
	functions->progress = false;
	pthread_mutex_unlock(&functions->mutex);
	status_error(recovery->status, err);
	if (stopped && !recovery->bounded) {
		log_error("the job has stopped reading; its offsets stay", "error=\"%s\"", err->text);
		status_phase(recovery->status, PHASE_STOPPED);
		while (wait_unless_stopped(recovery, PAUSE_STEP_MS * 10))
			;
	}
	if (stopped)
		return RECOVERED_NOT;
	if (recovery->bounded && recovery->failures > RESTARTS_MAX) {
		error_prefix(err, "given up after %d restarts", RESTARTS_MAX);
		return RECOVERED_NOT;
	}
	if (recovery->bounded && atomic_load(&recovery->stop->requested))
		return RECOVERED_NOT;
	wait_ms = udf_backoff_ms(recovery->failures, (uint64_t)clock_monotonic_ms(clock) * 0x9e3779b97f4a7c15u);
	status_phase(recovery->status, PHASE_RESTARTING);
	log_warn("restarting from what is committed", "failures=%u wait_ms=%lld error=\"%s\"", recovery->failures,
	         (long long)wait_ms, err->text);
	if (wait_unless_stopped(recovery, wait_ms))
		return RECOVERED;
	return recovery->bounded ? RECOVERED_NOT : RECOVERED_DRAINED;
}

enum recovered recover(struct recovery *recovery, struct source *source, unsigned lanes, struct error *err)
{
	enum recovered next = next_try(recovery, err);

	if (next != RECOVERED)
		return next;
	functions_recover(recovery->functions, lanes);
	if (source->ops->rewind(source, err) < 0)
		return RECOVERED_NOT;
	return RECOVERED;
}

/*
 * Its code does not load, or ends the process: that does not mend itself, as what open() waits for may, or a machine
 * that is slow or short of memory.
 */
static bool import_failed(struct functions *functions)
{
	bool failed = false;

	pthread_mutex_lock(&functions->mutex);
	for (size_t f = 0; f < functions->count; f++) {
		const struct function_state *state = &functions->items[f];

		failed |= state->failed_at == FAILED_STARTING && !strcmp(state->error_method, "import") &&
		          (!strcmp(state->error_reason, udf_reason_name(UDF_START)) ||
		           !strcmp(state->error_reason, udf_reason_name(UDF_CRASH)));
	}
	pthread_mutex_unlock(&functions->mutex);
	return failed;
}

int recover_load(struct recovery *recovery, struct error *err)
{
	while (functions_load(recovery->functions, err) < 0) {
		enum recovered next;

		if (import_failed(recovery->functions)) {
			recovery->refused = true;
			status_error(recovery->status, err);
			return -1;
		}
		next = next_try(recovery, err);
		if (next != RECOVERED)
			return next == RECOVERED_NOT ? -1 : 1;
		functions_recover(recovery->functions, 1);
	}
	return 0;
}

#include "runtime/pipeline/job_clock.h"

#define REBASE_MS 1000 /* so much of the past is looked at */

void job_clock_init(struct job_clock *job_clock, const struct clock *clock)
{
	*job_clock = (struct job_clock){.clock = clock};
	pthread_mutex_init(&job_clock->mutex, NULL);
}

void job_clock_release(struct job_clock *job_clock)
{
	pthread_mutex_destroy(&job_clock->mutex);
}

static void begin_from(struct job_clock *self, int64_t wall_ms, int64_t monotonic_ms, int64_t job_ms)
{
	self->wall_ms = wall_ms;
	self->monotonic_ms = monotonic_ms;
	self->job_ms = job_ms;
}

/* Under the mutex. */
static int64_t advance(struct job_clock *self, int64_t wall_ms, int64_t monotonic_ms)
{
	int64_t passed_ms = monotonic_ms - self->monotonic_ms, walked_ms = wall_ms - self->wall_ms, job_ms;

	if (!self->running || wall_ms >= self->job_ms + passed_ms) {
		begin_from(self, wall_ms, monotonic_ms, wall_ms);
		job_ms = wall_ms;
	} else {
		bool set_back = walked_ms < 0;

		walked_ms = set_back ? 0 : walked_ms > passed_ms ? passed_ms : walked_ms;
		job_ms = self->job_ms + passed_ms - walked_ms / JOB_CLOCK_SLEW;
		job_ms = job_ms < wall_ms ? wall_ms : job_ms;
		if (set_back || passed_ms >= REBASE_MS)
			begin_from(self, wall_ms, monotonic_ms, job_ms);
	}
	if (!self->running || job_ms > self->last_ms)
		self->last_ms = job_ms;
	self->running = true;
	return self->last_ms;
}

int64_t job_clock_ms(struct job_clock *job_clock)
{
	int64_t job_ms;

	pthread_mutex_lock(&job_clock->mutex);
	job_ms = advance(job_clock, clock_wall_ms(job_clock->clock), clock_monotonic_ms(job_clock->clock));
	pthread_mutex_unlock(&job_clock->mutex);
	return job_ms;
}

int64_t job_clock_ahead_ms(struct job_clock *job_clock)
{
	int64_t ahead_ms = 0, wall_ms;

	pthread_mutex_lock(&job_clock->mutex);
	wall_ms = clock_wall_ms(job_clock->clock);
	if (job_clock->running)
		ahead_ms = advance(job_clock, wall_ms, clock_monotonic_ms(job_clock->clock)) - wall_ms;
	pthread_mutex_unlock(&job_clock->mutex);
	return ahead_ms;
}

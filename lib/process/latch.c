#include "lib/process/latch.h"

#include "lib/process/condition.h"

void latch_init(struct latch *latch)
{
	pthread_mutex_init(&latch->lock, NULL);
	condition_init(&latch->opened);
	latch->is_open = false;
}

void latch_release(struct latch *latch)
{
	pthread_cond_destroy(&latch->opened);
	pthread_mutex_destroy(&latch->lock);
}

void latch_open(struct latch *latch)
{
	pthread_mutex_lock(&latch->lock);
	latch->is_open = true;
	pthread_cond_broadcast(&latch->opened);
	pthread_mutex_unlock(&latch->lock);
}

bool latch_is_open(struct latch *latch)
{
	return latch_wait(latch, 0);
}

bool latch_wait(struct latch *latch, int64_t ms)
{
	struct timespec until = condition_deadline(ms);
	bool is_open;

	pthread_mutex_lock(&latch->lock);
	while (!latch->is_open && pthread_cond_timedwait(&latch->opened, &latch->lock, &until) == 0)
		;
	is_open = latch->is_open;
	pthread_mutex_unlock(&latch->lock);
	return is_open;
}

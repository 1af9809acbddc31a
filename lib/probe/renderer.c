#include "lib/probe/renderer.h"

#include <string.h>

static void drop_first(struct renderer *renderer)
{
	renderer->waiting_count--;
	memmove(renderer->waiting, renderer->waiting + 1, renderer->waiting_count * sizeof(renderer->waiting[0]));
}

/* The page that is being rendered stays the first of those that wait until it is done. */
static void *render(void *context)
{
	struct renderer *renderer = context;

	pthread_mutex_lock(&renderer->mutex);
	for (;;) {
		struct rendering *rendering;

		while (!renderer->waiting_count && !renderer->stop)
			pthread_cond_wait(&renderer->given, &renderer->mutex);
		if (!renderer->waiting_count)
			break;
		rendering = renderer->waiting[0];
		if (!renderer->stop) {
			pthread_mutex_unlock(&renderer->mutex);
			rendering->status = (unsigned)rendering->page->render(renderer->context, &rendering->body);
			pthread_mutex_lock(&renderer->mutex);
		}
		drop_first(renderer);
		renderer->done(rendering);
	}
	pthread_mutex_unlock(&renderer->mutex);
	return NULL;
}

int renderer_start(struct renderer *renderer, void *context, void (*done)(struct rendering *), struct error *err)
{
	int code;

	*renderer = (struct renderer){.context = context, .done = done};
	pthread_mutex_init(&renderer->mutex, NULL);
	pthread_cond_init(&renderer->given, NULL);
	code = pthread_create(&renderer->thread, NULL, render, renderer);
	return code ? error_set(err, "cannot start a thread: %s", strerror(code)) : 0;
}

bool renderer_give(struct renderer *renderer, struct rendering *rendering)
{
	bool taken;

	pthread_mutex_lock(&renderer->mutex);
	taken = renderer->waiting_count < RENDERER_WAITING_MAX && !renderer->stop;
	if (taken) {
		renderer->waiting[renderer->waiting_count++] = rendering;
		pthread_cond_signal(&renderer->given);
	}
	pthread_mutex_unlock(&renderer->mutex);
	return taken;
}

void renderer_stop(struct renderer *renderer)
{
	pthread_mutex_lock(&renderer->mutex);
	renderer->stop = true;
	pthread_cond_signal(&renderer->given);
	pthread_mutex_unlock(&renderer->mutex);
	pthread_join(renderer->thread, NULL);
	pthread_cond_destroy(&renderer->given);
	pthread_mutex_destroy(&renderer->mutex);
}

/*
 * The thread that renders the pages which may take a while, so that nobody's health waits behind them.
 *
 * At most RENDERER_WAITING_MAX pages wait or are being rendered: who comes then is told so and asks again.
 */
#ifndef STREAMJOB_PROBE_RENDERER_H
#define STREAMJOB_PROBE_RENDERER_H

#include <pthread.h>
#include <stdbool.h>

#include "lib/base/buffer.h"
#include "lib/probe/probe.h"

#define RENDERER_WAITING_MAX 8

/* One page to render. It is the renderer's from renderer_give until `done` is called with it. */
struct rendering {
	const struct probe_page *page;
	struct buffer body;
	unsigned status;
	void *owner;
};

struct renderer {
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t given;
	struct rendering *waiting[RENDERER_WAITING_MAX];
	size_t waiting_count;
	bool stop;
	void *context; /* of the pages */
	/* On the renderer's thread; at the stop with status 0 for those that were not rendered. */
	void (*done)(struct rendering *rendering);
};

int renderer_start(struct renderer *renderer, void *context, void (*done)(struct rendering *), struct error *err);
/* False when too many wait. */
bool renderer_give(struct renderer *renderer, struct rendering *rendering);
/* Waits for the page that is being rendered. */
void renderer_stop(struct renderer *renderer);

#endif

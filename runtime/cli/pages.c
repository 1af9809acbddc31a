#include "runtime/cli/pages.h"

#include "lib/base/log.h"
#include "runtime/pipeline/status_page.h"

static int render(struct pages *pages, int (*page)(void *context, struct buffer *out), struct buffer *out)
{
	int status;

	pthread_rwlock_rdlock(&pages->lock);
	status = page(pages->shown, out);
	pthread_rwlock_unlock(&pages->lock);
	return status;
}

static int health(void *context, struct buffer *out)
{
	return render(context, status_page_health, out);
}

static int ready(void *context, struct buffer *out)
{
	return render(context, status_page_ready, out);
}

static int metrics(void *context, struct buffer *out)
{
	return render(context, status_page_metrics, out);
}

static int status(void *context, struct buffer *out)
{
	return render(context, status_page_status, out);
}

void pages_init(struct pages *pages, struct status *shown)
{
	*pages = (struct pages){.shown = shown};
	pthread_rwlock_init(&pages->lock, NULL);
}

int pages_serve(struct pages *pages, const char *listen, struct error *err)
{
	static const struct probe_page list[] = {
	        {"/healthz", "text/plain; charset=utf-8", health, true},
	        {"/readyz", "text/plain; charset=utf-8", ready, true},
	        {"/metrics", "text/plain; version=0.0.4; charset=utf-8", metrics, false},
	        {"/status", "application/json", status, false},
	};
	const struct probe_options options = {
	        .listen = listen, .pages = list, .pages_count = sizeof(list) / sizeof(list[0]), .context = pages};

	pages->probe = probe_start(&options, err);
	if (!pages->probe)
		return -1;
	log_info("serving status", "listen=\"%s\" port=%d", listen, probe_port(pages->probe));
	return 0;
}

void pages_show(struct pages *pages, struct status *shown)
{
	pthread_rwlock_wrlock(&pages->lock);
	pages->shown = shown;
	pthread_rwlock_unlock(&pages->lock);
}

void pages_draining(struct pages *pages)
{
	pthread_rwlock_rdlock(&pages->lock);
	status_phase(pages->shown, PHASE_DRAINING);
	pthread_rwlock_unlock(&pages->lock);
}

void pages_release(struct pages *pages)
{
	probe_stop(pages->probe);
	pthread_rwlock_destroy(&pages->lock);
}

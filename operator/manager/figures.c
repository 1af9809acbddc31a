#include "operator/manager/figures.h"

#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "lib/metrics/metrics.h"
#include "operator/reconcile/object.h"

enum family { READY, STALLED, SUSPENDED, LAG, WINDOW, FAMILIES };

static const struct {
	const char *name, *help;
} families[FAMILIES] = {
        [READY] = {"streamjob_job_ready", "1 when the job is Ready: data flows, or none is to flow."},
        [STALLED] = {"streamjob_job_stalled", "1 when the job waits for a change of its spec."},
        [SUSPENDED] = {"streamjob_job_suspended", "1 when spec.suspend is true."},
        [LAG] = {"streamjob_job_lag", "Records of the source that no accepted window has yet, as its pod last said."},
        [WINDOW] = {"streamjob_job_last_window_end_seconds",
                    "When the last closed window ended, as its pod last said."},
};

struct job { /* an element of the tree, found by its key */
	double of_status[FAMILIES];
	double lag, window; /* that a pod told */
	int64_t told_ms;    /* 0: none did */
	char key[];
};

struct figures {
	pthread_mutex_t mutex;
	void *jobs; /* tsearch's */
};

struct figures *figures_new(void)
{
	struct figures *figures = xcalloc(1, sizeof(*figures));

	pthread_mutex_init(&figures->mutex, NULL);
	return figures;
}

void figures_free(struct figures *figures)
{
	if (!figures)
		return;
	tdestroy(figures->jobs, free);
	pthread_mutex_destroy(&figures->mutex);
	free(figures);
}

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct job *)a)->key, ((const struct job *)b)->key);
}

static struct job *job_new(const char *key)
{
	size_t size = strlen(key) + 1;
	struct job *job = xcalloc(1, sizeof(*job) + size);

	memcpy(job->key, key, size);
	return job;
}

static bool is_true(const json_t *job, const char *condition)
{
	const json_t *one = object_condition(object_at(job, "status", "conditions", NULL), condition);

	return !strcmp(object_text(one, "status", NULL), "True");
}

static double window_of(const json_t *lastWindow)
{
	return (double)object_time(object_text(lastWindow, "end", NULL)) / 1000;
}

static void read_status(const json_t *job, double of_status[FAMILIES])
{
	of_status[READY] = is_true(job, "Ready");
	of_status[STALLED] = is_true(job, "Stalled");
	of_status[SUSPENDED] = json_is_true(object_at(job, "spec", "suspend", NULL));
	of_status[LAG] = (double)object_integer(job, "status", "lag", NULL);
	of_status[WINDOW] = window_of(object_at(job, "status", "lastWindow", NULL));
}

/* Under the mutex; `job` is taken. */
static struct job *find_or_add(struct figures *figures, struct job *job)
{
	struct job **found = tsearch(job, &figures->jobs, compare);

	if (!found)
		memory_exhausted();
	if (*found != job)
		free(job);
	return *found;
}

void figures_seen(struct figures *figures, const char *key, const json_t *job)
{
	struct job *one = job_new(key), **found;

	pthread_mutex_lock(&figures->mutex);
	if (job) {
		read_status(job, find_or_add(figures, one)->of_status);
	} else {
		found = tfind(one, &figures->jobs, compare);
		if (found) {
			struct job *gone = *found;

			tdelete(one, &figures->jobs, compare);
			free(gone);
		}
		free(one);
	}
	pthread_mutex_unlock(&figures->mutex);
}

void figures_told(struct figures *figures, const char *key, const json_t *document, int64_t now_ms)
{
	const json_t *lag = json_object_get(document, "lag"), *window = json_object_get(document, "lastWindow");
	struct job *probe = job_new(key), **found;

	pthread_mutex_lock(&figures->mutex);
	found = tfind(probe, &figures->jobs, compare);
	if (found) {
		(*found)->lag = json_is_integer(lag) ? (double)json_integer_value(lag) : (*found)->of_status[LAG];
		(*found)->window = window_of(window) > 0 ? window_of(window) : (*found)->of_status[WINDOW];
		(*found)->told_ms = now_ms;
	}
	pthread_mutex_unlock(&figures->mutex);
	free(probe);
}

struct listing {
	bool (*wanted)(void *context, const char *key);
	void *context;
	int64_t now_ms;
	const struct job **jobs;
	size_t count, room;
};

static void list(const void *node, VISIT visit, void *context)
{
	struct listing *listing = context;
	const struct job *job = *(const struct job *const *)node;

	if ((visit != postorder && visit != leaf) || !listing->wanted(listing->context, job->key))
		return;
	if (listing->count == listing->room) {
		listing->room = listing->room ? 2 * listing->room : 64;
		listing->jobs = xrealloc(listing->jobs, listing->room * sizeof(const struct job *));
	}
	listing->jobs[listing->count++] = job;
}

static double value_of(const struct job *job, enum family family, int64_t now_ms)
{
	if ((family != LAG && family != WINDOW) || !job->told_ms || now_ms - job->told_ms > FIGURES_TOLD_MS)
		return job->of_status[family];
	return family == LAG ? job->lag : job->window;
}

static void print_job(const struct job *job, enum family family, int64_t now_ms, struct buffer *out)
{
	const char *name = strchr(job->key, '/') + 1;

	buffer_append_text(out, families[family].name);
	buffer_append_char(out, '{');
	metrics_label(out, true, "namespace", (struct slice){job->key, (size_t)(name - job->key) - 1});
	metrics_label(out, false, "name", slice_of(name));
	buffer_append_char(out, '}');
	metrics_number(out, value_of(job, family, now_ms));
}

void figures_metrics(struct figures *figures, bool (*wanted)(void *context, const char *key), void *context,
                     int64_t now_ms, struct buffer *out)
{
	struct listing listing = {.wanted = wanted, .context = context};

	pthread_mutex_lock(&figures->mutex);
	twalk_r(figures->jobs, list, &listing);
	for (enum family f = READY; f < FAMILIES; f++) {
		metrics_family(out, families[f].name, "gauge", families[f].help);
		for (size_t i = 0; i < listing.count; i++)
			print_job(listing.jobs[i], f, now_ms, out);
	}
	pthread_mutex_unlock(&figures->mutex);
	free(listing.jobs);
}

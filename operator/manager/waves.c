/*
 * Behind a mutex: `known`, {key: waits} of the jobs that have been looked at; `running`, {key: {until, wasReady}} as
 * the store has them; `given`, {key: at}: turns that no status in the store shows yet.
 */
#include "operator/manager/waves.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "lib/metrics/metrics.h"
#include "operator/reconcile/object.h"

#define LIMIT_MAX    1000000
#define GIVEN_MS_MAX 60000 /* a turn that no status shows by then, for it cannot be written, holds nobody up */

struct waves {
	pthread_mutex_t mutex;
	struct waves_limit limit;
	json_t *known, *running, *given;
	char *halted; /* NULL: they go on */
	size_t at_once;
};

bool waves_limit_parse(const char *text, struct waves_limit *ret_limit)
{
	size_t size = strlen(text);
	bool percent = size && text[size - 1] == '%';
	int64_t number;

	if (!text_parse_bigint((struct slice){text, size - percent}, &number) || number < 1 ||
	    number > (percent ? 100 : LIMIT_MAX))
		return false;
	*ret_limit = percent ? (struct waves_limit){.percent = number} : (struct waves_limit){.count = number};
	return true;
}

struct waves *waves_new(struct waves_limit limit)
{
	struct waves *waves = xcalloc(1, sizeof(*waves));

	pthread_mutex_init(&waves->mutex, NULL);
	waves->limit = limit;
	waves->known = json_object();
	waves->running = json_object();
	waves->given = json_object();
	return waves;
}

void waves_free(struct waves *waves)
{
	if (!waves)
		return;
	json_decref(waves->known);
	json_decref(waves->running);
	json_decref(waves->given);
	free(waves->halted);
	pthread_mutex_destroy(&waves->mutex);
	free(waves);
}

void waves_seen(struct waves *waves, const char *key, const json_t *job)
{
	const json_t *update = object_at(job, "status", "update", NULL);

	pthread_mutex_lock(&waves->mutex);
	if (update)
		json_object_set_new(waves->running, key, json_deep_copy(update));
	else
		json_object_del(waves->running, key);
	if (update || !job)
		json_object_del(waves->given, key);
	if (!job)
		json_object_del(waves->known, key);
	pthread_mutex_unlock(&waves->mutex);
}

void waves_note(struct waves *waves, const char *key, bool waits)
{
	pthread_mutex_lock(&waves->mutex);
	json_object_set_new(waves->known, key, json_boolean(waits));
	if (!waits)
		json_object_del(waves->given, key);
	pthread_mutex_unlock(&waves->mutex);
}

bool waves_may_update(struct waves *waves, const char *key)
{
	bool may;

	pthread_mutex_lock(&waves->mutex);
	may = json_object_get(waves->given, key) != NULL;
	pthread_mutex_unlock(&waves->mutex);
	return may;
}

json_t *waves_halted(struct waves *waves)
{
	json_t *halted;

	pthread_mutex_lock(&waves->mutex);
	halted = waves->halted ? json_string(waves->halted) : NULL;
	pthread_mutex_unlock(&waves->mutex);
	return halted;
}

/* Without jobs that are none of `keys`: of namespaces that are out of sight. Under the mutex, as all below. */
static json_t *in_sight(const json_t *map, const json_t *keys)
{
	json_t *some = json_object(), *key;
	size_t index;

	json_array_foreach(keys, index, key)
	{
		if (json_object_get(map, json_string_value(key)))
			json_object_set(some, json_string_value(key), json_object_get(map, json_string_value(key)));
	}
	return some;
}

/* The first of `running` that was Ready and is past its deadline, or NULL. */
static const char *find_late(json_t *running, int64_t wall_ms)
{
	const char *key, *first = NULL;
	json_t *update;

	json_object_foreach(running, key, update)
	{
		if (json_is_true(json_object_get(update, "wasReady")) &&
		    wall_ms >= object_time(object_text(update, "until", NULL)) && (!first || strcmp(key, first) < 0))
			first = key;
	}
	return first;
}

static size_t count_fresh(json_t *given, int64_t wall_ms)
{
	size_t count = 0;
	const char *key;
	json_t *at;

	json_object_foreach(given, key, at)
	{
		int64_t age_ms = wall_ms - json_integer_value(at);

		count += age_ms > -GIVEN_MS_MAX && age_ms < GIVEN_MS_MAX;
	}
	return count;
}

/* True where it changed. */
static bool set_halted(struct waves *waves, const char *late)
{
	bool same = waves->halted && late ? !strcmp(waves->halted, late) : !waves->halted && !late;

	if (same)
		return false;
	free(waves->halted);
	waves->halted = late ? xstrdup(late) : NULL;
	return true;
}

static bool is_waiting(const struct waves *waves, const char *key)
{
	return json_is_true(json_object_get(waves->known, key)) && !json_object_get(waves->running, key) &&
	       !json_object_get(waves->given, key);
}

static bool are_all_known(const struct waves *waves, const json_t *keys)
{
	size_t index;
	json_t *key;

	json_array_foreach(keys, index, key)
	{
		if (!json_object_get(waves->known, json_string_value(key)))
			return false;
	}
	return true;
}

/* The next ones, as many as there is room for; or all that wait, for they are to say that they are halted, or go on. */
static json_t *choose(struct waves *waves, const json_t *keys, size_t room, bool all, int64_t wall_ms)
{
	json_t *chosen = json_array(), *key;
	size_t index;

	json_array_foreach(keys, index, key)
	{
		const char *text = json_string_value(key);
		bool waits = is_waiting(waves, text);

		if (waits && room) {
			json_object_set_new(waves->given, text, json_integer(wall_ms));
			room--;
		}
		if (waits && (all || json_object_get(waves->given, text)))
			json_array_append(chosen, key);
	}
	return chosen;
}

json_t *waves_turn(struct waves *waves, const json_t *keys, int64_t wall_ms)
{
	json_t *running, *given, *chosen;
	size_t share, used, room;
	bool changed;

	pthread_mutex_lock(&waves->mutex);
	running = in_sight(waves->running, keys);
	given = in_sight(waves->given, keys);
	share = json_array_size(keys) * (size_t)waves->limit.percent / 100;
	waves->at_once = waves->limit.count ? (size_t)waves->limit.count : share ? share : 1;
	changed = set_halted(waves, find_late(running, wall_ms));
	used = json_object_size(running) + count_fresh(given, wall_ms);
	room = waves->halted || used >= waves->at_once || !are_all_known(waves, keys) ? 0 : waves->at_once - used;
	chosen = room || changed ? choose(waves, keys, room, changed, wall_ms) : json_array();
	pthread_mutex_unlock(&waves->mutex);
	json_decref(running);
	json_decref(given);
	return chosen;
}

static size_t count_waiting(const struct waves *waves)
{
	size_t count = 0;
	const char *key;
	json_t *waits;

	json_object_foreach(waves->known, key, waits)
	{
		count += is_waiting(waves, key);
	}
	return count;
}

bool waves_are_idle(struct waves *waves)
{
	bool idle;

	pthread_mutex_lock(&waves->mutex);
	idle = !waves->halted && !json_object_size(waves->running) && !count_waiting(waves);
	pthread_mutex_unlock(&waves->mutex);
	return idle;
}

static void gauge(struct buffer *out, const char *name, const char *help, double value)
{
	metrics_family(out, name, "gauge", help);
	buffer_append_text(out, name);
	metrics_number(out, value);
}

void waves_metrics(struct waves *waves, struct buffer *out)
{
	pthread_mutex_lock(&waves->mutex);
	gauge(out, "streamjob_updates_halted",
	      "1 when jobs wait since one that got this operator's version or image was Ready and is not.",
	      waves->halted != NULL);
	gauge(out, "streamjob_updates_running", "Jobs that get this operator's version or image now.",
	      (double)(json_object_size(waves->running) + json_object_size(waves->given)));
	gauge(out, "streamjob_updates_waiting", "Jobs that wait for their turn to get it.",
	      (double)count_waiting(waves));
	pthread_mutex_unlock(&waves->mutex);
}

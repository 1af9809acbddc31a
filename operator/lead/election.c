#include "operator/lead/election.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/memory.h"

#define MICROTIME_SIZE 48

void election_release(struct election *election)
{
	free(election->seen);
	election->seen = NULL;
}

static const json_t *spec_of(const json_t *lease)
{
	return json_object_get(lease, "spec");
}

const char *election_holder(const json_t *lease)
{
	const char *holder = json_string_value(json_object_get(spec_of(lease), "holderIdentity"));

	return holder ? holder : "";
}

/* The record is another one when anything in it changed: a renewal, a holder, a transition. */
static void remember(struct election *election, const json_t *lease, int64_t now_ms)
{
	char *record = json_dumps(spec_of(lease), JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);

	if (!record)
		record = xstrdup("");
	if (!election->seen || strcmp(election->seen, record) != 0)
		election->seen_ms = now_ms;
	free(election->seen);
	election->seen = record;
}

enum election_move election_look(struct election *election, const json_t *lease, int64_t now_ms)
{
	const char *holder = election_holder(lease);
	json_int_t duration_s = json_integer_value(json_object_get(spec_of(lease), "leaseDurationSeconds"));
	int64_t duration_ms = election->duration_ms;

	if (!lease)
		return ELECTION_CREATE;
	remember(election, lease, now_ms);
	if (strcmp(holder, election->identity) == 0)
		return ELECTION_RENEW;
	if (!*holder)
		return ELECTION_TAKE;
	if (duration_s > 0 && duration_s < INT32_MAX)
		duration_ms = duration_s * 1000;
	return now_ms - election->seen_ms >= duration_ms ? ELECTION_TAKE : ELECTION_WAIT;
}

static json_t *microtime(int64_t wall_ms)
{
	char text[MICROTIME_SIZE];
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm tm;
	size_t size;

	gmtime_r(&seconds, &tm);
	size = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text + size, sizeof(text) - size, ".%03d000Z", (int)(wall_ms % 1000));
	return json_string(text);
}

static json_t *copy_of(const json_t *lease, const char *namespace, const char *name)
{
	json_t *copy = lease ? json_deep_copy(lease)
	                     : json_pack("{s:s, s:s, s:{s:s, s:s}}", "apiVersion", "coordination.k8s.io/v1", "kind",
	                                 "Lease", "metadata", "namespace", namespace, "name", name);

	json_object_del(json_object_get(copy, "metadata"), "managedFields");
	if (!json_is_object(json_object_get(copy, "spec")))
		json_object_set_new(copy, "spec", json_object());
	return copy;
}

json_t *election_record(const struct election *election, const json_t *lease, const char *namespace, const char *name,
                        int64_t wall_ms)
{
	json_t *copy = copy_of(lease, namespace, name), *spec = json_object_get(copy, "spec");
	json_int_t transitions = json_integer_value(json_object_get(spec, "leaseTransitions"));

	if (strcmp(election_holder(lease), election->identity) != 0) {
		json_object_set_new(spec, "acquireTime", microtime(wall_ms));
		json_object_set_new(spec, "leaseTransitions", json_integer(lease ? transitions + 1 : 0));
		json_object_set_new(spec, "holderIdentity", json_string(election->identity));
	}
	json_object_set_new(spec, "leaseDurationSeconds", json_integer(election->duration_ms / 1000));
	json_object_set_new(spec, "renewTime", microtime(wall_ms));
	return copy;
}

json_t *election_give_up(const json_t *lease, int64_t wall_ms)
{
	json_t *copy = copy_of(lease, NULL, NULL), *spec = json_object_get(copy, "spec");

	json_object_set_new(spec, "holderIdentity", json_string(""));
	json_object_set_new(spec, "leaseDurationSeconds", json_integer(1));
	json_object_set_new(spec, "renewTime", microtime(wall_ms));
	return copy;
}

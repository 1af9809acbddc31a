#include "runtime/kafka/place.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include <jansson.h>

#include "lib/base/hash.h"
#include "lib/base/text.h"
#include "runtime/kafka/kafka.h"

#define EXCERPT_BYTES 80

static const char *const state_names[] = {
        [PLACE_RUNNING] = "running", [PLACE_DRAINING] = "draining", [PLACE_ENDED] = "ended"};
#define STATES_COUNT (sizeof(state_names) / sizeof(state_names[0]))

static void add_text(struct buffer *out, const char *key, const char *value)
{
	buffer_printf(out, ",\"%s\":", key);
	text_json_string(out, slice_of(value));
}

void place_format(const struct place *place, bool whole, int64_t to, struct buffer *out)
{
	const struct boundary *boundary = &place->boundary;

	buffer_printf(out, "{\"streamjob\":%d,\"sequence\":%" PRIu64 ",\"pending\":%s,\"to\":%" PRId64, PLACE_VERSION,
	              boundary->sequence, boundary->pending ? "true" : "false", to);
	if (whole) {
		buffer_printf(out, ",\"start\":%" PRId64 ",\"end\":%" PRId64, boundary->start_ms, boundary->end_ms);
		add_text(out, "life", place->life);
		add_text(out, "owner", place->owner);
		add_text(out, "process", place->process);
		add_text(out, "query", place->query);
		add_text(out, "topicId", place->topic_id);
		if (place->anew)
			buffer_append_text(out, ",\"anew\":true");
		add_text(out, "state", state_names[place->state]);
		buffer_printf(out,
		              ",\"lease\":%" PRId64 ",\"request\":%" PRId64 ",\"drain\":%" PRId64
		              ",\"counter\":%" PRId64 ",\"rollout\":%" PRId64,
		              place->lease_ms, place->request_ms, place->drain_ms, place->counter, place->rollout);
	}
	buffer_append_char(out, '}');
}

static bool take_number(const json_t *object, const char *key, int64_t min, int64_t *ret_number)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < min)
		return false;
	*ret_number = json_integer_value(value);
	return true;
}

static bool take_text(const json_t *object, const char *key, char *ret_text, size_t size)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (!text || strlen(text) >= size)
		return false;
	memcpy(ret_text, text, strlen(text) + 1);
	return true;
}

static bool take_state(const json_t *object, enum place_state *ret_state)
{
	const char *name = json_string_value(json_object_get(object, "state"));

	for (size_t i = 0; name && i < STATES_COUNT; i++) {
		if (strcmp(name, state_names[i]) == 0) {
			*ret_state = (enum place_state)i;
			return true;
		}
	}
	return false;
}

static bool take_part(const json_t *object, struct boundary *boundary, int64_t *ret_to)
{
	const json_t *pending = json_object_get(object, "pending");
	int64_t sequence;

	if (!json_is_boolean(pending) || !take_number(object, "sequence", 0, &sequence) ||
	    !take_number(object, "to", -1, ret_to))
		return false;
	boundary->sequence = (uint64_t)sequence;
	boundary->pending = json_is_true(pending);
	return true;
}

static bool take_mark(const json_t *object, struct place *place)
{
	place->anew = json_is_true(json_object_get(object, "anew"));
	return take_number(object, "start", INT64_MIN, &place->boundary.start_ms) &&
	       take_number(object, "end", INT64_MIN, &place->boundary.end_ms) &&
	       take_text(object, "life", place->life, sizeof(place->life)) && place->life[0] &&
	       take_text(object, "owner", place->owner, sizeof(place->owner)) &&
	       take_text(object, "process", place->process, sizeof(place->process)) &&
	       take_text(object, "query", place->query, sizeof(place->query)) &&
	       take_text(object, "topicId", place->topic_id, sizeof(place->topic_id)) &&
	       take_state(object, &place->state) && take_number(object, "lease", 0, &place->lease_ms) &&
	       take_number(object, "request", 0, &place->request_ms) &&
	       take_number(object, "drain", 0, &place->drain_ms) &&
	       take_number(object, "counter", 0, &place->counter) && take_number(object, "rollout", 0, &place->rollout);
}

static enum place_kind foreign(struct slice text, const char *what, struct error *err)
{
	int shown = (int)(text.size < EXCERPT_BYTES ? text.size : EXCERPT_BYTES);

	error_write(err, "%s: \"%.*s%s\"", what, shown, text.data, text.size > EXCERPT_BYTES ? "…" : "");
	return PLACE_FOREIGN;
}

static enum place_kind read_object(const json_t *object, struct slice text, struct place *place, int64_t *to,
                                   struct error *err)
{
	int64_t version;

	if (!take_number(object, "streamjob", 1, &version))
		return foreign(text, "its metadata is not a StreamJob's", err);
	if (version > PLACE_VERSION) {
		error_write(err,
		            "its metadata was written by a newer StreamJob (version %" PRId64 "; this one reads %d)",
		            version, PLACE_VERSION);
		return PLACE_FOREIGN;
	}
	if (!take_part(object, &place->boundary, to))
		return foreign(text, "its metadata lacks the sequence, whether it is pending, or where it ends", err);
	if (!json_object_get(object, "life"))
		return PLACE_PART;
	return take_mark(object, place) ? PLACE_WHOLE
	                                : foreign(text, "its metadata lacks a part of the owner's mark", err);
}

enum place_kind place_parse(struct slice text, struct place *ret_place, int64_t *ret_to, struct error *err)
{
	struct place place = {0};
	enum place_kind kind;
	json_error_t json_err;
	json_t *object;
	int64_t to = -1;

	if (!text.size)
		return PLACE_NONE;
	object = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES, &json_err);
	if (!json_is_object(object)) {
		json_decref(object);
		return foreign(text, "its metadata is not a StreamJob's, or was cut off", err);
	}
	kind = read_object(object, text, &place, &to, err);
	json_decref(object);
	if (kind == PLACE_FOREIGN)
		return kind;
	*ret_place = place;
	*ret_to = to;
	return kind;
}

void kafka_life_place(const char *group, const char *topic, char ret_place[LIFE_BYTES_MAX])
{
	char hex[HASH_SHA256_HEX];
	struct buffer place;

	buffer_init(&place);
	buffer_append_text(&place, group);
	buffer_append_char(&place, '\n'); /* in no group's and no topic's name */
	buffer_append_text(&place, topic);
	hash_sha256_hex(buffer_slice(&place), hex);
	buffer_release(&place);
	snprintf(ret_place, LIFE_BYTES_MAX, "%.*s-", LIFE_PLACE_DIGITS, hex);
}

void life_new(const char *group, const char *topic, char ret_life[LIFE_BYTES_MAX])
{
	char place[LIFE_BYTES_MAX];
	uint64_t number;

	kafka_life_place(group, topic, place);
	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		abort();
	snprintf(ret_life, LIFE_BYTES_MAX, "%.*s%016" PRIx64, LIFE_PLACE_DIGITS + 1, place, number);
}

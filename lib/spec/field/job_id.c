#include "lib/spec/field/job_id.h"

#include <stdio.h>

#include "lib/base/buffer.h"
#include "lib/base/hash.h"

#define ID_START    "streamjob."
#define HASH_DIGITS 16

void job_id(const char *namespace, const char *name, char ret_id[JOB_ID_MAX + 1])
{
	char whole[sizeof(ID_START) + NAMESPACE_MAX + 1 + JOB_NAME_MAX + 1], hex[HASH_SHA256_HEX];
	int start = snprintf(whole, sizeof(whole), ID_START "%.*s.", NAMESPACE_MAX, namespace);

	snprintf(whole + start, sizeof(whole) - (size_t)start, "%.*s", JOB_NAME_MAX, name);
	for (char *c = whole + start; *c; c++)
		*c = *c == '.' ? '_' : *c;
	if (strlen(whole) <= JOB_ID_MAX) {
		snprintf(ret_id, JOB_ID_MAX + 1, "%s", whole);
		return;
	}
	hash_sha256_hex(slice_of(whole), hex);
	snprintf(ret_id, JOB_ID_MAX + 1, "%.*s__%.*s", JOB_ID_MAX - HASH_DIGITS - 2, whole, HASH_DIGITS, hex);
}

static bool is_inside_character(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* How many sinks before it write to its topic. */
static size_t sinks_before(const struct jobspec *job, size_t index)
{
	const char *topic = job->sinks[index].kafka.client.topic;
	size_t count = 0;

	for (size_t i = 0; i < index; i++)
		count += job->sinks[i].kind == SINK_KAFKA && !strcmp(job->sinks[i].kafka.client.topic, topic);
	return count;
}

void job_sink_id(const struct jobspec *job, size_t index, char ret_id[JOB_ID_MAX + 1])
{
	size_t size = JOB_ID_MAX - HASH_DIGITS - 1, before = sinks_before(job, index);
	char own[JOB_ID_MAX + 1], hex[HASH_SHA256_HEX];
	struct buffer id;

	job_id(job->namespace, job->name, own);
	buffer_init(&id);
	buffer_printf(&id, "%s.sink-%s", job->source.kind == SOURCE_KAFKA ? job->source.kafka.group_id : own,
	              job->sinks[index].kafka.client.topic);
	if (before)
		buffer_printf(&id, ":%zu", before + 1);
	if (id.size <= JOB_ID_MAX) {
		snprintf(ret_id, JOB_ID_MAX + 1, "%s", id.data);
	} else {
		while (is_inside_character(id.data[size]))
			size--;
		hash_sha256_hex(buffer_slice(&id), hex);
		snprintf(ret_id, JOB_ID_MAX + 1, "%.*s.%.*s", (int)size, id.data, HASH_DIGITS, hex);
	}
	buffer_release(&id);
}

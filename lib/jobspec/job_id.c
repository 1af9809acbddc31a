#include "lib/jobspec/job_id.h"

#include <stdio.h>

#include "lib/base/hash.h"

#define ID_START    "streamjob."
#define HASH_DIGITS 16
#define SUFFIX_MAX  32

_Static_assert(sizeof(ID_START) + JOB_NAME_MAX + 1 + JOB_NAME_MAX <= JOB_ID_MAX + 1, "a job's id is never cut");

void job_id(const char *namespace, const char *name, char ret_id[JOB_ID_MAX + 1])
{
	snprintf(ret_id, JOB_ID_MAX + 1, ID_START "%.*s.%.*s", JOB_NAME_MAX, namespace, JOB_NAME_MAX, name);
}

static bool is_inside_character(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

void job_sink_id(const struct jobspec *job, size_t index, char ret_id[JOB_ID_MAX + 1])
{
	bool has_group = job->source.kind == SOURCE_KAFKA;
	char own[JOB_ID_MAX + 1], suffix[SUFFIX_MAX], hash[1 + HASH_DIGITS + 1] = "", hex[HASH_SHA256_HEX];
	const char *id = has_group ? job->source.kafka.group_id : own;
	size_t size, room;

	job_id(job->namespace, job->name, own);
	room = JOB_ID_MAX - (size_t)snprintf(suffix, sizeof(suffix), ".sink-%zu", index);
	size = strlen(id);
	if (size > room) {
		hash_sha256_hex(slice_of(id), hex);
		snprintf(hash, sizeof(hash), ".%.*s", HASH_DIGITS, hex);
		for (size = room - strlen(hash); is_inside_character(id[size]); size--)
			;
	}
	snprintf(ret_id, JOB_ID_MAX + 1, "%.*s%s%s", (int)size, id, hash, suffix);
}

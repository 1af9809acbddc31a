#include "operator/reconcile/names.h"

#include <ctype.h>
#include <stdio.h>

#include "lib/base/hash.h"

#define HASH_DIGITS    16
#define SERVICE_PREFIX "sj-"
#define POINTED_PREFIX "sj--" /* no job's name begins with '-', so no other Service is called so */

void name_child(const char *job, const char *suffix, size_t max, char ret_name[NAME_MAX_BYTES + 1])
{
	size_t suffix_size = strlen(suffix), size = strlen(job);
	char hex[HASH_SHA256_HEX];

	if (size + suffix_size < max) {
		snprintf(ret_name, NAME_MAX_BYTES + 1, "%s%s", job, suffix);
		return;
	}
	hash_sha256_hex(slice_of(job), hex);
	size = max - suffix_size - HASH_DIGITS - 1;
	snprintf(ret_name, NAME_MAX_BYTES + 1, "%.*s-%.*s%s", (int)size, job, HASH_DIGITS, hex, suffix);
	if (ret_name[size - 1] == '.')
		ret_name[size - 1] = '-'; /* ".-" is no name, and a shorter one could be another job's */
}

void name_workload(const char *job, char ret_name[NAME_MAX_BYTES + 1])
{
	name_child(job, "", NAME_WORKLOAD_MAX, ret_name);
}

void name_label(const char *job, char ret_label[NAME_LABEL_MAX + 1])
{
	char hex[HASH_SHA256_HEX];

	if (strlen(job) <= NAME_LABEL_MAX) {
		snprintf(ret_label, NAME_LABEL_MAX + 1, "%s", job);
		return;
	}
	hash_sha256_hex(slice_of(job), hex);
	snprintf(ret_label, NAME_LABEL_MAX + 1, "%.*s_%.*s", NAME_LABEL_MAX - HASH_DIGITS - 1, job, HASH_DIGITS, hex);
}

/* Begins with a letter, which no name of ours does by chance, and fits. */
static bool is_service_name(const char *job)
{
	return !isdigit((unsigned char)job[0]) && strncmp(job, SERVICE_PREFIX, strlen(SERVICE_PREFIX)) != 0 &&
	       !strchr(job, '.') && strlen(job) <= NAME_LABEL_MAX;
}

void name_service(const char *job, char ret_name[NAME_MAX_BYTES + 1])
{
	char prefixed[sizeof(POINTED_PREFIX) + NAME_MAX_BYTES], hex[HASH_SHA256_HEX];

	if (is_service_name(job)) {
		snprintf(ret_name, NAME_MAX_BYTES + 1, "%s", job);
		return;
	}
	snprintf(prefixed, sizeof(prefixed), "%s%s", strchr(job, '.') ? POINTED_PREFIX : SERVICE_PREFIX, job);
	if (!strchr(job, '.')) {
		name_child(prefixed, "", NAME_LABEL_MAX, ret_name);
		return;
	}
	hash_sha256_hex(slice_of(prefixed), hex);
	snprintf(ret_name, NAME_MAX_BYTES + 1, "%.*s-%.*s", NAME_LABEL_MAX - HASH_DIGITS - 1, prefixed, HASH_DIGITS,
	         hex);
	for (char *c = ret_name; *c; c++)
		*c = *c == '.' ? '-' : *c;
}

void name_hashed(const char *prefix, const char *text, char ret_name[NAME_MAX_BYTES + 1])
{
	char hex[HASH_SHA256_HEX];

	hash_sha256_hex(slice_of(text), hex);
	snprintf(ret_name, NAME_MAX_BYTES + 1, "%s%.*s", prefix, HASH_DIGITS, hex);
}

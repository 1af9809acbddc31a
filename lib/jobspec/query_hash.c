/* The part of the canonical spec that decides what rows become of a window: not where they come from or go to. */
#include <stdlib.h>

#include <jansson.h>

#include "lib/base/hash.h"
#include "lib/base/memory.h"
#include "lib/jobspec/load.h"

void jobspec_query_hash(const struct jobspec *job, char ret_hash[JOBSPEC_QUERY_HASH_BYTES])
{
	static const char *const parts[] = {"format",  "columns",   "filter",     "select", "lateral", "window",
	                                    "groupBy", "functions", "aggregates", "having", "limits"};
	static const char *const of_kafka[] = {"keyEncoding", "headerEncoding"};
	char hex[HASH_SHA256_HEX];
	json_t *root, *query = json_object();
	const json_t *spec, *kafka;
	struct buffer text;
	char *dump;

	buffer_init(&text);
	jobspec_canonical(job, &text);
	root = json_loadb(text.data, text.size, 0, NULL);
	buffer_release(&text);
	spec = json_object_get(root, "spec");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		json_object_set(query, parts[i], json_object_get(spec, parts[i]));
	kafka = json_object_get(json_object_get(spec, "source"), "kafka");
	for (size_t i = 0; i < sizeof(of_kafka) / sizeof(of_kafka[0]); i++)
		json_object_set(query, of_kafka[i], json_object_get(kafka, of_kafka[i]));
	dump = json_dumps(query, JSON_COMPACT | JSON_SORT_KEYS);
	if (!dump)
		abort(); /* no memory */
	hash_sha256_hex(slice_of(dump), hex);
	memcpy(ret_hash, hex, JOBSPEC_QUERY_HASH_BYTES - 1);
	ret_hash[JOBSPEC_QUERY_HASH_BYTES - 1] = '\0';
	free(dump);
	json_decref(query);
	json_decref(root);
}

#include "runtime/pipeline/status_partitions.h"

#include "runtime/pipeline/status_json.h"

int64_t status_in_windows(const struct partition_status *partition)
{
	return partition->position > partition->committed ? partition->position - partition->committed : 0;
}

json_t *status_partitions_json(const struct partition_status *partitions, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		const struct partition_status *p = &partitions[i];
		json_t *json = json_object();

		json_object_set_new(json, "topic", json_string(p->topic ? p->topic : ""));
		json_object_set_new(json, "partition", json_integer(p->partition));
		json_object_set_new(json, "committed", json_integer(p->committed));
		json_object_set_new(json, "position", json_integer(p->position));
		json_object_set_new(json, "end", json_integer(p->end));
		if (p->end >= 0 && p->committed >= 0)
			json_object_set_new(json, "lag", json_integer(p->end - p->committed));
		if (p->committed >= 0)
			json_object_set_new(json, "lagInWindows", json_integer(status_in_windows(p)));
		json_array_append_new(list, json);
	}
	return list;
}

json_t *status_lag_json(const struct partition_status *partitions, size_t count)
{
	int64_t sum = 0;
	bool known = false;

	for (size_t i = 0; i < count; i++) {
		const struct partition_status *p = &partitions[i];

		if (p->end < 0 || p->committed < 0)
			continue;
		known = true;
		sum += p->end - p->committed;
	}
	return known ? json_integer(sum) : json_null();
}

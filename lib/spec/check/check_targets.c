/* Files, topics and gateway groups: no two things write the same. */
#include <stdio.h>

#include "lib/spec/check/check.h"

#define TARGET_PATH_MAX 64

static bool same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

static const char *label(const struct pairs *pairs, const char *key)
{
	for (size_t i = 0; i < pairs->count; i++)
		if (!strcmp(pairs->items[i].key, key))
			return pairs->items[i].value;
	return NULL;
}

/* A label that is empty is none. */
static bool has_labels_of(const struct pairs *a, const struct pairs *b)
{
	for (size_t i = 0; i < b->count; i++) {
		const char *value = label(a, b->items[i].key);

		if (strcmp(value ? value : "", b->items[i].value) != 0)
			return false;
	}
	return true;
}

static bool same_url(const char *a, const char *b)
{
	size_t a_size = a ? strlen(a) : 0, b_size = b ? strlen(b) : 0;

	while (a_size && a[a_size - 1] == '/')
		a_size--;
	while (b_size && b[b_size - 1] == '/')
		b_size--;
	return a_size && a_size == b_size && !memcmp(a, b, a_size);
}

bool pushgateway_same_group(const struct pushgateway_sink *a, const struct pushgateway_sink *b)
{
	return same_url(a->url, b->url) && same(a->job, b->job) && has_labels_of(&a->grouping_key, &b->grouping_key) &&
	       has_labels_of(&b->grouping_key, &a->grouping_key);
}

static void check_pair(const struct jobspec *job, size_t first, size_t second, struct problems *problems)
{
	const struct sink_spec *a = &job->sinks[first], *b = &job->sinks[second];
	char path[TARGET_PATH_MAX];

	if (a->kind != b->kind)
		return;
	if (a->kind == SINK_FILE && same(a->file.path, b->file.path)) {
		snprintf(path, sizeof(path), "spec.sinks[%zu].file.path", second);
		check_problem(problems, path, "choose another file", "spec.sinks[%zu] writes this file already", first);
	}
	if (a->kind == SINK_KAFKA && same(a->kafka.client.topic, b->kafka.client.topic) &&
	    same(a->kafka.client.bootstrap_servers, b->kafka.client.bootstrap_servers)) {
		snprintf(path, sizeof(path), "spec.sinks[%zu].kafka.topic", second);
		check_problem(problems, path, "choose another topic", "spec.sinks[%zu] writes this topic already",
		              first);
	}
	if (a->kind == SINK_PUSHGATEWAY && pushgateway_same_group(&a->pushgateway, &b->pushgateway)) {
		snprintf(path, sizeof(path), "spec.sinks[%zu].pushgateway", second);
		check_problem(problems, path, "give it another job or groupingKey, or put all metrics in one sink",
		              "spec.sinks[%zu] pushes to the same group, and each push replaces the whole group",
		              first);
	}
}

static void check_file(const struct jobspec *job, const char *file, const char *path, struct problems *problems)
{
	if (job->source.kind == SOURCE_FILE && same(job->source.file.path, file))
		check_problem(problems, path, "choose another file", "this is the file that the job reads");
}

void check_targets(const struct jobspec *job, struct problems *problems)
{
	const struct dead_letter_spec *letters = &job->dead_letter;
	char path[TARGET_PATH_MAX];

	for (size_t i = 0; i < job->sinks_count; i++) {
		const struct sink_spec *sink = &job->sinks[i];

		for (size_t k = 0; k < i; k++)
			check_pair(job, k, i, problems);
		snprintf(path, sizeof(path), "spec.sinks[%zu].file.path", i);
		if (sink->kind == SINK_FILE)
			check_file(job, sink->file.path, path, problems);
		if (sink->kind == SINK_FILE && letters->kind == SINK_FILE && same(sink->file.path, letters->file.path))
			check_problem(problems, "spec.deadLetter.file.path", "choose another file",
			              "spec.sinks[%zu] writes this file", i);
		if (sink->kind == SINK_KAFKA && letters->kind == SINK_KAFKA &&
		    same(sink->kafka.client.topic, letters->kafka.topic) &&
		    same(sink->kafka.client.bootstrap_servers, letters->kafka.bootstrap_servers))
			check_problem(problems, "spec.deadLetter.kafka.topic", "choose another topic",
			              "spec.sinks[%zu] writes this topic", i);
	}
	if (letters->kind == SINK_FILE)
		check_file(job, letters->file.path, "spec.deadLetter.file.path", problems);
}

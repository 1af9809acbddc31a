/* What the job files before this one pushed to Pushgateways, and no sink of this one does. */
#include <stdlib.h>

#include "lib/base/memory.h"
#include "runtime/cli/previous.h"
#include "runtime/kafka/kafka.h"

static bool is_named(const struct jobspec *job, const struct pushgateway_sink *group)
{
	for (size_t i = 0; i < job->sinks_count; i++)
		if (job->sinks[i].kind == SINK_PUSHGATEWAY && pushgateway_same_group(&job->sinks[i].pushgateway, group))
			return true;
	return false;
}

static bool is_known(const struct former_groups *former, const struct pushgateway_sink *group)
{
	for (size_t i = 0; i < former->count; i++)
		if (pushgateway_same_group(former->groups[i].spec, group))
			return true;
	return false;
}

static void add_groups(struct former_groups *former, const struct jobspec *job, const struct jobspec *before)
{
	const struct kafka_source *source = &before->source.kafka;

	if (before->source.kind != SOURCE_KAFKA || strcmp(before->name, job->name) != 0 ||
	    strcmp(before->namespace, job->namespace) != 0)
		return;
	for (size_t i = 0; i < before->sinks_count && former->count < FORMER_GROUPS_MAX; i++) {
		const struct pushgateway_sink *group = &before->sinks[i].pushgateway;

		if (before->sinks[i].kind != SINK_PUSHGATEWAY || is_named(job, group) || is_known(former, group))
			continue;
		former->groups[former->count].spec = group;
		kafka_life_place(source->group_id, source->client.topic, former->groups[former->count].place);
		former->count++;
	}
}

static bool take_file(void *context, const struct previous_file *given, const char *path, const char *problem,
                      struct jobspecs *jobs)
{
	struct former_groups *former = context;

	(void)given;
	(void)path;
	if (problem)
		return false;
	former->files = xrealloc(former->files, (former->files_count + 1) * sizeof(*former->files));
	former->files[former->files_count++] = *jobs;
	*jobs = (struct jobspecs){0};
	return false;
}

void former_groups_find(const struct run_options *options, const struct jobspec *job, struct former_groups *ret_former)
{
	struct former_groups *former = ret_former;

	*former = (struct former_groups){.groups = xcalloc(FORMER_GROUPS_MAX, sizeof(struct former_group))};
	previous_each(options, take_file, former);
	for (size_t f = 0; f < former->files_count; f++)
		for (size_t i = 0; i < former->files[f].count; i++)
			add_groups(former, job, former->files[f].items[i]);
}

void former_groups_release(struct former_groups *former)
{
	for (size_t f = 0; f < former->files_count; f++)
		jobspecs_release(&former->files[f]);
	free(former->files);
	free(former->groups);
}

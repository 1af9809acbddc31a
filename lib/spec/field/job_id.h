/*
 * What a job is called in systems that many jobs share: its consumer groups and transactional ids. The parts are joined
 * by a point, which no namespace has; of a job's name it becomes '_', which no name has. So different jobs have
 * different ids, and none is that of another job's sink.
 */
#ifndef STREAMJOB_JOB_ID_H
#define STREAMJOB_JOB_ID_H

#include "lib/spec/field/jobspec.h"

#define NAMESPACE_MAX 63  /* characters */
#define JOB_NAME_MAX  253 /* characters: of a name in Kubernetes */
#define JOB_ID_MAX    249 /* bytes: of spec.source.kafka.groupId, too */

/* "streamjob.NAMESPACE.NAME"; over JOB_ID_MAX bytes it is cut, and "__" and a hash of the whole stand behind it. */
void job_id(const char *namespace, const char *name, char ret_id[JOB_ID_MAX + 1]);
/*
 * Of the Kafka sink spec.sinks[index], "GROUP.sink-TOPIC", so that it stays what it is when another sink comes or goes;
 * a second one to the topic has ":2" behind it, which no topic has. GROUP is the source's consumer group, which belongs
 * to one job only, or the job's id where the source has none. Over JOB_ID_MAX bytes it is cut, at a character's end,
 * and a hash of the whole stands behind it.
 */
void job_sink_id(const struct jobspec *job, size_t index, char ret_id[JOB_ID_MAX + 1]);

#endif

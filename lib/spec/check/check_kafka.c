/* librdkafka's properties that the job file has fields for, or that delivery rests on. */
#include <stdio.h>

#include "lib/spec/check/check.h"

#define KAFKA_PATH_MAX 384

static const struct owned {
	const char *name, *right;
} owned[] = {
        {"bootstrap.servers", "use the field bootstrapServers"},
        {"metadata.broker.list", "use the field bootstrapServers"},
        {"group.id", "use source.kafka.groupId"},
        {"auto.offset.reset", "use source.kafka.startingOffsets and onOffsetLoss"},
        {"enable.auto.commit", "leave it out: offsets move when every sink has accepted the window"},
        {"auto.commit.interval.ms", "leave it out: offsets move when every sink has accepted the window"},
        {"enable.auto.offset.store", "leave it out: offsets move when every sink has accepted the window"},
        {"enable.partition.eof", "leave it out: the source sets it"},
        {"offset.store.method", "leave it out: offsets are kept by the broker"},
        {"partition.assignment.strategy", "leave it out: the job reads all partitions"},
        {"group.instance.id", "leave it out: the job reads all partitions"},
        {"group.protocol", "leave it out: the group only keeps offsets"},
        {"group.remote.assignor", "leave it out: the group only keeps offsets"},
        {"session.timeout.ms", "leave it out: the job is no member of its group"},
        {"heartbeat.interval.ms", "leave it out: the job is no member of its group"},
        {"max.poll.interval.ms", "leave it out: the job is no member of its group"},
        {"isolation.level", "leave it out: records of open and aborted transactions are never read"},
        {"transactional.id", "leave it out: it is made from the groupId"},
        {"transaction.timeout.ms", "leave it out: the sink sets it"},
        {"enable.idempotence", "leave it out: the sink needs it"},
        {"acks", "leave it out: the sink waits for all replicas"},
        {"request.required.acks", "leave it out: the sink waits for all replicas"},
        {"security.protocol", "use the field security.protocol"},
        {"sasl.mechanism", "use the field security.mechanism"},
        {"sasl.mechanisms", "use the field security.mechanism"},
        {"sasl.username", "use the field security.credentialsSecretRef"},
        {"sasl.password", "use the field security.credentialsSecretRef: a job file holds no secrets"},
        {"ssl.ca.location", "use the field security.caSecretRef"},
        {"ssl.ca.pem", "use the field security.caSecretRef"},
        {"ssl.certificate.location", "use the field security.clientCertificateSecretRef"},
        {"ssl.certificate.pem", "use the field security.clientCertificateSecretRef"},
        {"ssl.key.location", "use the field security.clientCertificateSecretRef"},
        {"ssl.key.pem", "use the field security.clientCertificateSecretRef: a job file holds no secrets"},
        {"ssl.key.password", "use the field security.clientCertificateSecretRef: a job file holds no secrets"},
        {"ssl.keystore.password", "use the field security.clientCertificateSecretRef: a job file holds no secrets"},
};

static void check_properties(const struct kafka_client *client, const char *path, struct problems *problems)
{
	for (size_t i = 0; i < client->properties.count; i++) {
		const char *key = client->properties.items[i].key;
		char place[KAFKA_PATH_MAX];

		for (size_t k = 0; k < sizeof(owned) / sizeof(owned[0]); k++) {
			if (strcmp(owned[k].name, key) != 0)
				continue;
			snprintf(place, sizeof(place), strchr(key, '.') ? "%s.properties[\"%s\"]" : "%s.properties.%s",
			         path, key);
			check_problem(problems, place, owned[k].right, "the job sets this property itself");
		}
	}
}

static bool same(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

/* The job would read its own output, window after window. */
static void check_loop(const struct jobspec *job, const struct kafka_client *client, const char *path,
                       struct problems *problems)
{
	const struct kafka_client *source = &job->source.kafka.client;
	char place[KAFKA_PATH_MAX];

	if (job->source.kind != SOURCE_KAFKA || !same(source->topic, client->topic) ||
	    !same(source->bootstrap_servers, client->bootstrap_servers))
		return;
	snprintf(place, sizeof(place), "%s.topic", path);
	check_problem(problems, place, "choose another topic", "%s is the topic that the job reads", client->topic);
}

void check_kafka(const struct jobspec *job, struct problems *problems)
{
	char path[KAFKA_PATH_MAX];

	if (job->source.kind == SOURCE_KAFKA)
		check_properties(&job->source.kafka.client, "spec.source.kafka", problems);
	for (size_t i = 0; i < job->sinks_count; i++) {
		if (job->sinks[i].kind != SINK_KAFKA)
			continue;
		snprintf(path, sizeof(path), "spec.sinks[%zu].kafka", i);
		check_properties(&job->sinks[i].kafka.client, path, problems);
		check_loop(job, &job->sinks[i].kafka.client, path, problems);
	}
	if (job->dead_letter.kind == SINK_KAFKA) {
		check_properties(&job->dead_letter.kafka, "spec.deadLetter.kafka", problems);
		check_loop(job, &job->dead_letter.kafka, "spec.deadLetter.kafka", problems);
	}
}

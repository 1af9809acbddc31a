/* What a Kafka source, sink and dead letter say alike, and lists of strings. See jobspec.h. */
#ifndef STREAMJOB_JOBSPEC_KAFKA_CLIENT_H
#define STREAMJOB_JOBSPEC_KAFKA_CLIENT_H

#include <stddef.h>
#include <stdint.h>

struct pair { /* of a map, in the order of the file */
	const char *key;
	const char *value;
};
struct pairs {
	struct pair *items;
	size_t count;
};
struct names {
	const char **items;
	size_t count;
};

struct file_target {
	const char *path;
};
struct secret_ref {
	const char *name;
}; /* mounted at <secrets>/<name>/ (username, password, ca.crt, …) */
struct kafka_security {
	const char *protocol;  /* PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL */
	const char *mechanism; /* PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 */
	struct secret_ref credentials_secret, ca_secret, client_certificate_secret;
};
struct kafka_client {
	const char *bootstrap_servers;
	const char *topic;
	struct pairs properties;
	struct kafka_security security;
};

#endif

/*
 * What every librdkafka handle of ours has in common. Inside runtime/kafka only.
 */
#ifndef STREAMJOB_KAFKA_CLIENT_H
#define STREAMJOB_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>

#include "lib/base/error.h"
#include "lib/spec/field/jobspec.h"
#include "lib/process/watch.h"

struct setting {
	const char *key, *value;
};

/*
 * A configuration with brokers, TLS, SASL (secrets read from <secrets_dir>/<name>/), `settings` (ended by {NULL}) and
 * then the user's properties. NULL: a file or a property is wrong. Logs go to lib/base/log. The caller's until a handle
 * takes it.
 */
rd_kafka_conf_t *client_conf(const struct kafka_client *spec, const char *secrets_dir, const struct setting *settings,
                             struct error *err);
/* A handle; the configuration is used up in any case. */
rd_kafka_t *client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct error *err);
/* Reads username and password again; a connection made from now on uses them. */
void client_refresh(rd_kafka_t *rk, const struct kafka_client *spec, const char *secrets_dir);
/* The end of a handle, whose threads it waits for. */
#define CLIENT_END_MS  30000
#define CLIENT_CALL_MS 30000 /* the watchdog's deadline of a call that has none of its own */
void client_end(rd_kafka_t *rk, enum watch_part part, const struct kafka_client *spec, int flags);
/* When a call that is given `timeout_ms` returns: librdkafka waits for an answer of the broker that it has asked for as
 * long as socket.timeout.ms says, whatever time the call is given. */
int64_t client_limit_ms(const rd_kafka_t *rk, int timeout_ms);
/* "the broker at HOST:PORT", for the watchdog. */
const char *client_peer(const struct kafka_client *spec);
/* Which right the job's user lacks where the broker says so, to be put behind what was refused; else "". */
const char *client_cure(rd_kafka_resp_err_t code);
/* Says what failed and why; is -1. */
int client_error(struct error *err, rd_kafka_resp_err_t code, const char *doing);

#endif

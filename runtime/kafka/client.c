#include "runtime/kafka/client.h"

#include <stdlib.h>
#include <syslog.h>

#include "lib/base/log.h"
#include "runtime/port/secret.h"

/* librdkafka's own lines; on its threads. */
static void log_line(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
	(void)rk;
	if (level <= LOG_ERR)
		log_warn("librdkafka", "facility=%s text=\"%s\"", facility, text);
	else
		log_debug("librdkafka", "facility=%s text=\"%s\"", facility, text);
}

static int set(rd_kafka_conf_t *conf, const char *key, const char *value, struct error *err)
{
	char why[512];

	if (rd_kafka_conf_set(conf, key, value, why, sizeof(why)) == RD_KAFKA_CONF_OK)
		return 0;
	return error_set(err, "Kafka property %s: %s", key, why);
}

static int set_path(rd_kafka_conf_t *conf, const char *property, const char *secrets_dir, const char *secret,
                    const char *key, struct error *err)
{
	char path[SECRET_PATH_BYTES_MAX];

	if (secret_path(secrets_dir, secret, key, path, err) < 0)
		return -1;
	return set(conf, property, path, err);
}

static int set_secret(rd_kafka_conf_t *conf, const char *property, const char *secrets_dir, const char *secret,
                      const char *key, struct error *err)
{
	char text[SECRET_BYTES_MAX];
	int result = secret_read(secrets_dir, secret, key, text, err);

	if (!result)
		result = set(conf, property, text, err);
	explicit_bzero(text, sizeof(text));
	return result;
}

static int set_security(rd_kafka_conf_t *conf, const struct kafka_security *security, const char *secrets_dir,
                        struct error *err)
{
	const char *ca = security->ca_secret.name, *own = security->client_certificate_secret.name;
	const char *credentials = security->credentials_secret.name;

	if (security->protocol && set(conf, "security.protocol", security->protocol, err) < 0)
		return -1;
	if (ca && set_path(conf, "ssl.ca.location", secrets_dir, ca, "ca.crt", err) < 0)
		return -1;
	if (own && (set_path(conf, "ssl.certificate.location", secrets_dir, own, "tls.crt", err) < 0 ||
	            set_path(conf, "ssl.key.location", secrets_dir, own, "tls.key", err) < 0))
		return -1;
	if (!security->protocol || strncmp(security->protocol, "SASL", 4))
		return 0;
	if (security->mechanism && set(conf, "sasl.mechanism", security->mechanism, err) < 0)
		return -1;
	if (credentials && (set_secret(conf, "sasl.username", secrets_dir, credentials, "username", err) < 0 ||
	                    set_secret(conf, "sasl.password", secrets_dir, credentials, "password", err) < 0))
		return -1;
	return 0;
}

rd_kafka_conf_t *client_conf(const struct kafka_client *spec, const char *secrets_dir, const struct setting *settings,
                             struct error *err)
{
	rd_kafka_conf_t *conf = rd_kafka_conf_new();
	int result;

	rd_kafka_conf_set_log_cb(conf, log_line);
	result = set(conf, "bootstrap.servers", spec->bootstrap_servers, err);
	if (!result)
		result = set(conf, "client.id", "streamjob", err);
	if (!result)
		result = set_security(conf, &spec->security, secrets_dir, err);
	for (; settings->key && !result; settings++)
		result = set(conf, settings->key, settings->value, err);
	for (size_t i = 0; i < spec->properties.count && !result; i++)
		result = set(conf, spec->properties.items[i].key, spec->properties.items[i].value, err);
	if (!result)
		return conf;
	rd_kafka_conf_destroy(conf);
	return NULL;
}

rd_kafka_t *client_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, struct error *err)
{
	char why[512];
	rd_kafka_t *rk = rd_kafka_new(type, conf, why, sizeof(why));

	if (rk)
		return rk;
	rd_kafka_conf_destroy(conf);
	error_set(err, "cannot make a Kafka client: %s", why);
	return NULL;
}

const char *client_peer(const struct kafka_client *spec)
{
	return watch_name("the broker at %s", spec->bootstrap_servers);
}

int64_t client_limit_ms(const rd_kafka_t *rk, int timeout_ms)
{
	char text[32];
	size_t size = sizeof(text);
	int64_t answer_ms = 0;

	if (rd_kafka_conf_get(rd_kafka_conf((rd_kafka_t *)(uintptr_t)rk), "socket.timeout.ms", text, &size) ==
	    RD_KAFKA_CONF_OK)
		answer_ms = strtol(text, NULL, 10);
	return answer_ms > timeout_ms ? answer_ms : timeout_ms;
}

void client_end(rd_kafka_t *rk, enum watch_part part, const struct kafka_client *spec, int flags)
{
	watch_begin(part, "the end of the client of", client_peer(spec), CLIENT_END_MS);
	rd_kafka_destroy_flags(rk, flags);
	watch_end();
}

void client_refresh(rd_kafka_t *rk, const struct kafka_client *spec, const char *secrets_dir)
{
	const char *secret = spec->security.credentials_secret.name;
	char username[SECRET_BYTES_MAX] = "", password[SECRET_BYTES_MAX] = "";
	struct error err;

	if (!secret || !spec->security.protocol || strncmp(spec->security.protocol, "SASL", 4) != 0)
		return;
	if (secret_read(secrets_dir, secret, "username", username, &err) < 0 ||
	    secret_read(secrets_dir, secret, "password", password, &err) < 0)
		log_warn("credentials cannot be read again", "error=\"%s\"", err.text);
	else
		rd_kafka_error_destroy(rd_kafka_sasl_set_credentials(rk, username, password));
	explicit_bzero(username, sizeof(username));
	explicit_bzero(password, sizeof(password));
}

const char *client_cure(rd_kafka_resp_err_t code)
{
	switch ((int)code) {
	case RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED:
		return "; the job's user needs Write and Describe on this transactional id";
	case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
		return "; the job's user needs Read on this group";
	case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
		return "; the job's user needs Read and Describe on this topic";
	default:
		return "";
	}
}

int client_error(struct error *err, rd_kafka_resp_err_t code, const char *doing)
{
	return error_set(err, "%s: %s", doing, rd_kafka_err2str(code));
}

/* The field table: what every Kafka client has, the source and the sink. */
#include "lib/spec/field/job_id.h"
#include "lib/spec/field/tables.h"

static const struct choice protocols[] = {
        {"PLAINTEXT", 0}, {"SSL", 0}, {"SASL_PLAINTEXT", 0}, {"SASL_SSL", 0}, {NULL, 0}};
static const struct choice mechanisms[] = {{"PLAIN", 0}, {"SCRAM-SHA-256", 0}, {"SCRAM-SHA-512", 0}, {NULL, 0}};
static const struct choice starts[] = {{"earliest", START_EARLIEST}, {"latest", START_LATEST}, {NULL, 0}};
static const struct choice losses[] = {{"fail", OFFSET_LOSS_FAIL}, {"earliest", OFFSET_LOSS_EARLIEST}, {NULL, 0}};
static const struct choice encodings[] = {
        {"utf8", BYTES_UTF8}, {"base64", BYTES_BASE64}, {"hex", BYTES_HEX}, {NULL, 0}};

static bool is_sasl(const struct kafka_security *security)
{
	return !strncmp(security->protocol, "SASL_", 5);
}

static bool is_tls(const struct kafka_security *security)
{
	return strstr(security->protocol, "SSL") != NULL;
}

static bool sasl_is_whole(const void *members, const struct node *given)
{
	const struct kafka_security *security = members;

	(void)given;
	return !is_sasl(security) || (security->mechanism && security->credentials_secret.name);
}

static bool sasl_fields_have_sasl(const void *members, const struct node *given)
{
	const struct kafka_security *security = members;

	(void)given;
	return is_sasl(security) || (!security->mechanism && !security->credentials_secret.name);
}

static bool tls_fields_have_tls(const void *members, const struct node *given)
{
	const struct kafka_security *security = members;

	(void)given;
	return is_tls(security) || (!security->ca_secret.name && !security->client_certificate_secret.name);
}

static const struct rule security_rules[] = {
        {.cel = "!has(self.protocol) || !self.protocol.startsWith('SASL_') || (has(self.mechanism) && "
                "has(self.credentialsSecretRef))",
         .wrong = "a SASL protocol needs mechanism and credentialsSecretRef",
         .right = "add both, or use protocol PLAINTEXT or SSL",
         .field = "protocol",
         .holds = sasl_is_whole},
        {.cel = "(has(self.protocol) && self.protocol.startsWith('SASL_')) || (!has(self.mechanism) && "
                "!has(self.credentialsSecretRef))",
         .wrong = "mechanism and credentialsSecretRef need a SASL protocol",
         .right = "use protocol SASL_PLAINTEXT or SASL_SSL, or leave them out",
         .field = "protocol",
         .holds = sasl_fields_have_sasl},
        {.cel = "(has(self.protocol) && self.protocol.endsWith('SSL')) || (!has(self.caSecretRef) && "
                "!has(self.clientCertificateSecretRef))",
         .wrong = "caSecretRef and clientCertificateSecretRef need a TLS protocol",
         .right = "use protocol SSL or SASL_SSL, or leave them out",
         .field = "protocol",
         .holds = tls_fields_have_tls},
        {0}};
static const struct field security_fields[] = {
        {.name = "protocol",
         .kind = FIELD_WORD,
         .offset = offsetof(struct kafka_security, protocol),
         .choices = protocols,
         .initial = "PLAINTEXT",
         .doc = "How the brokers are spoken to."},
        {.name = "mechanism",
         .kind = FIELD_WORD,
         .offset = offsetof(struct kafka_security, mechanism),
         .choices = mechanisms,
         .doc = "How SASL proves who the job is."},
        {.name = "credentialsSecretRef",
         .kind = FIELD_OBJECT,
         .offset = offsetof(struct kafka_security, credentials_secret),
         .object = &secret_object,
         .doc = "Secret with username and password."},
        {.name = "caSecretRef",
         .kind = FIELD_OBJECT,
         .offset = offsetof(struct kafka_security, ca_secret),
         .object = &secret_object,
         .doc = "Secret with ca.crt, where the brokers' certificates are not signed by a public authority."},
        {.name = "clientCertificateSecretRef",
         .kind = FIELD_OBJECT,
         .offset = offsetof(struct kafka_security, client_certificate_secret),
         .object = &secret_object,
         .doc = "Secret with tls.crt and tls.key, where the brokers ask for a certificate."},
        {0}};
static const struct object security_object = {.title = "Kafka security",
                                              .size = sizeof(struct kafka_security),
                                              .fields = security_fields,
                                              .rules = security_rules};

/* The client is the source's first member, so these rows fit both. */
_Static_assert(offsetof(struct kafka_source, client) == 0, "struct kafka_source begins with its client");
#define KAFKA_CLIENT_FIELDS(topic_doc)                                                                                 \
	{.name = "bootstrapServers",                                                                                   \
	 .kind = FIELD_STRING,                                                                                         \
	 .required = true,                                                                                             \
	 .offset = offsetof(struct kafka_client, bootstrap_servers),                                                   \
	 .min = 1,                                                                                                     \
	 .max = 4096,                                                                                                  \
	 .doc = "Some brokers, host:port, separated by commas."},                                                      \
	{                                                                                                              \
		.name = "topic", .kind = FIELD_STRING, .required = true,                                               \
		.offset = offsetof(struct kafka_client, topic), .min = 1, .max = 249, .pattern = &topic_pattern,       \
		.doc = topic_doc                                                                                       \
	}
#define KAFKA_CLIENT_TAIL                                                                                              \
	{.name = "properties",                                                                                         \
	 .kind = FIELD_STRING_MAP,                                                                                     \
	 .offset = offsetof(struct kafka_client, properties),                                                          \
	 .min = 0,                                                                                                     \
	 .max = 100,                                                                                                   \
	 .item_max = 4096,                                                                                             \
	 .doc = "Settings of librdkafka that the job does not set itself."},                                           \
	{                                                                                                              \
		.name = "security", .kind = FIELD_OBJECT, .offset = offsetof(struct kafka_client, security),           \
		.object = &security_object, .doc = "TLS and SASL; secrets are read from mounted files."                \
	}

static const struct field kafka_source_fields[] = {
        KAFKA_CLIENT_FIELDS("The topic to read, all partitions."),
        {.name = "groupId",
         .kind = FIELD_STRING,
         .offset = offsetof(struct kafka_source, group_id),
         .computed = "streamjob.NAMESPACE.NAME",
         .min = 1,
         .max = JOB_ID_MAX,
         .doc = "The consumer group that holds the job's offsets and window boundaries. No other program may use it. "
                "The Kafka sinks call their transactions and their progress groups GROUPID.sink-TOPIC. The job's user "
                "needs Read on it, Read and Describe on the topic, and Write and Describe on the transactional id "
                "streamjob.source.GROUPID, by which the broker keeps a second process of the job away; brokers without "
                "transactions (before Kafka 0.11) do not, and the job's status and log say so."},
        {.name = "startingOffsets",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct kafka_source, starting_offsets),
         .choices = starts,
         .initial = "latest",
         .doc = "Where the first start begins; later ones go on from the committed offsets."},
        {.name = "onOffsetLoss",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct kafka_source, on_offset_loss),
         .choices = losses,
         .initial = "fail",
         .doc = "A committed offset that the broker no longer has: fail the job, or go on from the earliest record "
                "and count the jump."},
        {.name = "keyEncoding",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct kafka_source, key_encoding),
         .choices = encodings,
         .initial = "utf8",
         .doc = "How kafka_key is made of the key's bytes: as a text, where one that is not UTF-8 is a bad field (see "
                "format.json.onBadField); or in base64 (RFC 4648, padded) or lower-case hex, every key."},
        {.name = "headerEncoding",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct kafka_source, header_encoding),
         .choices = encodings,
         .initial = "utf8",
         .doc = "The same for the values of the headers in kafka_headers; their names are texts in each case."},
        {.name = "lease",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct kafka_source, lease_ms),
         .initial = "5s",
         .min = 100,
         .max = 60000,
         .doc = "How long after a commit a sink that cannot be fenced may be asked. The place is committed again every "
                "2 "
                "leases, and a process that stands by takes over after 6 without a commit."},
        KAFKA_CLIENT_TAIL,
        {0}};
const struct object kafka_source_object = {
        .title = "Kafka source", .size = sizeof(struct kafka_source), .fields = kafka_source_fields};

static const struct field kafka_topic_fields[] = {
        KAFKA_CLIENT_FIELDS("The topic to write, made beforehand."), KAFKA_CLIENT_TAIL, {0}};
const struct object kafka_topic_object = {
        .title = "Kafka topic", .size = sizeof(struct kafka_client), .fields = kafka_topic_fields};

_Static_assert(offsetof(struct kafka_sink_spec, client) == 0, "struct kafka_sink_spec begins with its client");
static const struct field kafka_sink_fields[] = {
        KAFKA_CLIENT_FIELDS("The topic to write, made beforehand."),
        {.name = "onRejected",
         .kind = FIELD_ENUM,
         .offset = offsetof(struct kafka_sink_spec, on_rejected),
         .choices = rejections,
         .initial = "skip",
         .doc = "What the brokers refuse for good: a row (too large, or not one that the topic takes) goes to the dead "
                "letter and the rest of its window is written, a window (no such topic, no right to it) goes there as "
                "a "
                "whole, with the broker's words; or fail the job."},
        KAFKA_CLIENT_TAIL,
        {0}};
const struct object kafka_sink_object = {
        .title = "Kafka sink", .size = sizeof(struct kafka_sink_spec), .fields = kafka_sink_fields};

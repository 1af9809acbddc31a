/* Shapes of strings: each regular expression for the CRD has its C check beside it. */
#include <ctype.h>

#include "lib/base/text.h"
#include "lib/spec/field/patterns.h"

static bool all(struct slice text, const char *others)
{
	for (size_t i = 0; i < text.size; i++)
		if (!isalnum((unsigned char)text.data[i]) && (!text.data[i] || !strchr(others, text.data[i])))
			return false;
	return text.size > 0;
}

static bool starts_with_digit(struct slice text)
{
	return text.size && isdigit((unsigned char)text.data[0]);
}

static bool is_identifier(struct slice text)
{
	return all(text, "_") && !starts_with_digit(text);
}

static bool is_label_name(struct slice text)
{
	return is_identifier(text) && !(text.size > 1 && text.data[0] == '_' && text.data[1] == '_');
}

static bool is_metric_name(struct slice text)
{
	return all(text, "_:") && !starts_with_digit(text);
}

static bool is_topic(struct slice text)
{
	return all(text, "._-") && !slice_equal(text, SLICE_LITERAL(".")) && !slice_equal(text, SLICE_LITERAL(".."));
}

static bool is_lower(struct slice text, const char *others)
{
	for (size_t i = 0; i < text.size; i++)
		if (isupper((unsigned char)text.data[i]))
			return false;
	return all(text, others) && isalnum((unsigned char)text.data[0]) &&
	       isalnum((unsigned char)text.data[text.size - 1]);
}

static bool is_dns_label(struct slice text)
{
	return is_lower(text, "-");
}

static bool is_secret_name(struct slice text)
{
	for (size_t i = 0; i + 1 < text.size; i++)
		if ((text.data[i] == '.' && !isalnum((unsigned char)text.data[i + 1])) ||
		    (text.data[i + 1] == '.' && !isalnum((unsigned char)text.data[i])))
			return false;
	return is_lower(text, "-.");
}

static bool is_url(struct slice text)
{
	size_t scheme = text.size > 8 && !memcmp(text.data, "https://", 8)  ? 8
	                : text.size > 7 && !memcmp(text.data, "http://", 7) ? 7
	                                                                    : 0;

	for (size_t i = scheme; i < text.size; i++)
		if ((unsigned char)text.data[i] <= ' ' || text.data[i] == 0x7f || strchr("?#@", text.data[i]))
			return false;
	return scheme && text.data[scheme] != '/' && text.data[scheme] != ':';
}

/* "module:attribute", "/opt/lib.so:symbol". */
static bool is_entrypoint(struct slice text)
{
	const char *colon = memchr(text.data, ':', text.size);
	size_t left = colon ? (size_t)(colon - text.data) : 0;
	struct slice symbol = {text.data + left + 1, text.size - left - 1};

	for (size_t i = 0; i < left; i++)
		if ((unsigned char)text.data[i] <= ' ' || text.data[i] == 0x7f)
			return false;
	return left && all(symbol, "_.") && !starts_with_digit(symbol);
}

static bool is_path(struct slice text)
{
	struct error err;

	return jobspec_path_check(text, &err) == 0;
}

static bool is_duration(struct slice text)
{
	struct error err;
	int64_t value;

	return text_parse_duration(text, &value, &err) == 0;
}

static bool is_bytes(struct slice text)
{
	struct error err;
	int64_t value;

	return text_parse_bytes(text, &value, &err) == 0;
}

const struct pattern variable_name_pattern = {
        .regex = "^[A-Za-z_][A-Za-z0-9_]*$",
        .matches = is_identifier,
        .what = "the name of an environment variable: letters, digits and _, no digit first"};
const struct pattern column_name_pattern = {"^[A-Za-z_][A-Za-z0-9_]*$", is_identifier,
                                            "a name: letters, digits and _, not beginning with a digit"};
const struct pattern job_name_pattern = {
        "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", is_dns_label,
        "a DNS-1123 label: lower-case letters, digits and -, beginning and ending with a letter or digit"};
const struct pattern secret_name_pattern = {
        "^[a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*$", is_secret_name,
        "a DNS-1123 name: lower-case letters, digits, - and ., beginning and ending with a letter or digit"};
const struct pattern topic_pattern = {"^[A-Za-z0-9._-]+$", is_topic, "a topic's name: letters, digits, ., _ and -"};
const struct pattern url_pattern = {
        "^https?://[^/:?#@\\s][^?#@\\s]*$", is_url,
        "a URL like http://pushgateway:9091, without user, query or fragment (credentials go to credentialsSecretRef)"};
const struct pattern metric_name_pattern = {"^[A-Za-z_:][A-Za-z0-9_:]*$", is_metric_name,
                                            "a metric's name: letters, digits, _ and :, not beginning with a digit"};
const struct pattern label_name_pattern = {"^(_|_?[A-Za-z0-9][A-Za-z0-9_]*)$", is_label_name,
                                           "a label's name: letters, digits and _, not beginning with a digit or __"};
const struct pattern path_pattern = {"^[$]([.][A-Za-z_][A-Za-z0-9_-]*|\\['[^']+'\\]|\\[[0-9]{1,6}\\])+$", is_path,
                                     "a path: $ and then .name, ['name'] or [index], at most 16 of them"};
const struct pattern duration_pattern = {"^([0-9]+(d|h|ms|m|s))+$", is_duration,
                                         "a duration like 500ms, 30s, 1m30s, 2h or 1d"};
const struct pattern bytes_pattern = {"^[0-9]+(Ki|Mi|Gi|Ti|k|M|G|T)?$", is_bytes, "a size like 4096, 512Mi or 1G"};
const struct pattern entrypoint_pattern = {"^[^:\\s]+:[A-Za-z_.][A-Za-z0-9_.]*$", is_entrypoint,
                                           "module:attribute, such as metrics:BucketScore"};

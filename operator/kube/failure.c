#include "operator/kube/failure.h"

#include <stdio.h>

#define WORDS_BYTES_MAX 768

static const char *const names[] = {
        [KUBE_UNAVAILABLE] = "unavailable",
        [KUBE_SILENT] = "silent",
        [KUBE_UNTRUSTED] = "untrusted",
        [KUBE_CREDENTIALS] = "credentials",
        [KUBE_UNAUTHORIZED] = "unauthorized",
        [KUBE_FORBIDDEN] = "forbidden",
        [KUBE_ENDING_NAMESPACE] = "namespace-terminating",
        [KUBE_NOT_FOUND] = "not-found",
        [KUBE_CONFLICT] = "conflict",
        [KUBE_ALREADY_EXISTS] = "already-exists",
        [KUBE_GONE] = "gone",
        [KUBE_VERSION_TOO_LARGE] = "version-too-large",
        [KUBE_INVALID] = "invalid",
        [KUBE_THROTTLED] = "throttled",
        [KUBE_MALFORMED] = "malformed",
        [KUBE_TOO_LARGE] = "too-large",
        [KUBE_NOT_LEADER] = "not-leader",
        [KUBE_CANCELLED] = "cancelled",
};

const char *kube_reason_name(enum kube_reason reason)
{
	return names[reason];
}

int kube_fail(struct kube_error *err, enum kube_reason reason, const char *format, ...)
{
	char text[ERROR_TEXT_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	err->reason = reason;
	err->http_status = 0;
	err->retry_after_ms = 0;
	return error_set(&err->error, "%s", text);
}

static const char *string_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* One of the causes in details has this text under `key`, "reason" or "field". */
static bool has_cause(const json_t *status, const char *key, const char *text)
{
	const json_t *causes = json_object_get(json_object_get(status, "details"), "causes");
	size_t i;
	const json_t *cause;

	json_array_foreach(causes, i, cause)
	{
		if (strcmp(string_of(cause, key), text) == 0)
			return true;
	}
	return false;
}

/* Servers before 1.21 say it in words only. */
static bool version_too_large(const json_t *status)
{
	return has_cause(status, "reason", "ResourceVersionTooLarge") ||
	       strncmp(string_of(status, "message"), "Too large resource version", 26) == 0;
}

static enum kube_reason reason_of(int code, const json_t *status)
{
	if (version_too_large(status))
		return KUBE_VERSION_TOO_LARGE;
	switch (code) {
	case 400:
		return KUBE_INVALID;
	case 422: /* a patch with another object's UID wants to change what cannot be changed */
		return has_cause(status, "field", "metadata.uid") ? KUBE_CONFLICT : KUBE_INVALID;
	case 401:
		return KUBE_UNAUTHORIZED;
	case 403:
		return has_cause(status, "reason", "NamespaceTerminating") ? KUBE_ENDING_NAMESPACE : KUBE_FORBIDDEN;
	case 404:
		return KUBE_NOT_FOUND;
	case 409:
		return strcmp(string_of(status, "reason"), "AlreadyExists") == 0 ? KUBE_ALREADY_EXISTS : KUBE_CONFLICT;
	case 410:
		return KUBE_GONE;
	case 413:
		return KUBE_TOO_LARGE;
	case 429:
		return KUBE_THROTTLED;
	default:
		break;
	}
	if (code >= 500 || code == 408)
		return KUBE_UNAVAILABLE;
	return code >= 400 ? KUBE_INVALID : KUBE_MALFORMED;
}

static int64_t retry_after(const json_t *status, int64_t header_ms)
{
	json_int_t seconds =
	        json_integer_value(json_object_get(json_object_get(status, "details"), "retryAfterSeconds"));
	int64_t ms = header_ms;

	if (seconds > 0 && seconds <= KUBE_RETRY_AFTER_MS_MAX / 1000 && seconds * 1000 > ms)
		ms = seconds * 1000;
	if (seconds > KUBE_RETRY_AFTER_MS_MAX / 1000 || ms > KUBE_RETRY_AFTER_MS_MAX)
		ms = KUBE_RETRY_AFTER_MS_MAX;
	return ms;
}

static int fail_status(struct kube_error *err, const char *request, int code, const json_t *status, int64_t retry_ms,
                       struct slice words)
{
	if (words.size > WORDS_BYTES_MAX)
		words.size = WORDS_BYTES_MAX;
	while (words.size && (words.data[words.size - 1] == '\n' || words.data[words.size - 1] == ' '))
		words.size--;
	kube_fail(err, reason_of(code, status), "%s: the API server answered %d%s%.*s", request, code,
	          words.size ? ": " : "", SLICE_ARG(words));
	err->http_status = code;
	err->retry_after_ms = retry_after(status, retry_ms);
	return -1;
}

int kube_fail_answer(struct kube_error *err, const char *request, int http_status, int64_t retry_after_ms,
                     struct slice body)
{
	json_t *status = json_loadb(body.data, body.size, JSON_ALLOW_NUL, NULL);
	const char *message = string_of(status, "message");
	int failed = fail_status(err, request, http_status, status, retry_after_ms,
	                         *message ? slice_of(message)
	                         : status ? (struct slice){"", 0}
	                                  : body);

	json_decref(status);
	return failed;
}

int kube_fail_event(struct kube_error *err, const char *request, const json_t *status)
{
	int code = (int)json_integer_value(json_object_get(status, "code"));

	/* A stream that broke inside the server has no code. */
	return fail_status(err, request, code ? code : 500, status, 0, slice_of(string_of(status, "message")));
}

/* What the runtime says of itself in /status. Members that a later or earlier version lacks read as healthy or unknown.
 */
#include "operator/reconcile/health.h"

#include <ctype.h>

#define CONNECT_S  5  /* to connect is no failure before that */
#define REASON_MAX 64 /* of the CRD */

/* The part of the job that the runtime names in notReadyPart, as a reason. */
static const struct part {
	const char *name, *reason;
} parts[] = {
        {"source", "SourceUnavailable"}, {"sink", "SinkFailing"},  {"function", "FunctionFailing"},
        {"window", "WindowOverdue"},     {"failed", "JobFailed"},  {"starting", "Starting"},
        {"draining", "Draining"},        {"finished", "Finished"}, {"input", "InputFailing"},
        {"clock", "ClockSetBack"},
};

static const char *reason_of(const char *part)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!strcmp(part, parts[i].name))
			return parts[i].reason;
	return "NotReady";
}

static const char *or_unknown(const char *text)
{
	return text[0] ? text : "no error was given";
}

static void judge_functions(const json_t *functions, struct finding *finding)
{
	size_t index, count = json_array_size(functions);
	json_t *one;

	json_array_foreach(functions, index, one)
	{
		const json_t *error = json_object_get(one, "lastError");

		if (!json_is_false(json_object_get(one, "healthy")))
			continue;
		finding_set(finding, TRUTH_FALSE, "FunctionFailing", "function %s (%lld restarts): %s",
		            object_text(one, "name", NULL), (long long)object_integer(one, "restarts", NULL),
		            or_unknown(json_is_string(error) ? json_string_value(error)
		                                             : object_text(error, "message", NULL)));
		return;
	}
	if (count)
		finding_set(finding, TRUTH_TRUE, "FunctionsHealthy", "%zu %s healthy", count,
		            count == 1 ? "function is" : "functions are");
	else
		finding_set(finding, TRUTH_TRUE, "NoFunctions", "the job has no functions");
}

static void judge_sinks(const json_t *sinks, struct finding *finding)
{
	size_t index;
	json_t *one;

	json_array_foreach(sinks, index, one)
	{
		const char *error = object_text(one, "lastError", NULL), *target = object_text(one, "target", NULL),
		           *since;

		if (json_is_true(json_object_get(one, "healthy")))
			continue;
		if (!error[0] && !object_integer(one, "failures", NULL)) {
			finding_set(finding, TRUTH_UNKNOWN, "Starting", "sink %s is not open yet", target);
			return;
		}
		since = object_text(one, "failingSince", NULL);
		finding_set(finding, TRUTH_FALSE, "SinkFailing", "sink %s%s%s: %s", target, since[0] ? ", since " : "",
		            since, or_unknown(error));
		return;
	}
	finding_set(finding, TRUTH_TRUE, "SinksHealthy", "every sink accepts what it is sent");
}

/* A reason of a condition as the API has it. */
static bool is_reason(const char *text)
{
	size_t size = strlen(text);

	return size > 0 && size <= REASON_MAX && isalpha((unsigned char)text[0]) &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") == size;
}

static void judge_input(const json_t *input, struct finding *finding)
{
	const char *reason = object_text(input, "reason", NULL), *words = object_text(input, "message", NULL);

	if (json_is_true(json_object_get(input, "ok")))
		finding_set(finding, TRUTH_TRUE, is_reason(reason) ? reason : "InputOK", "%s",
		            words[0] ? words : "the rows that are read can be used");
	else if (json_is_false(json_object_get(input, "ok")))
		finding_set(finding, TRUTH_FALSE, is_reason(reason) ? reason : "BadInput", "%s", or_unknown(words));
	else
		finding_set(finding, TRUTH_UNKNOWN, "NotReported", "the runtime does not say how its input is");
}

void document_judge(const json_t *document, struct health *health)
{
	const char *words = object_text(document, "notReadyReason", NULL);
	const char *part = object_text(document, "notReadyPart", NULL);

	judge_functions(json_object_get(document, "functions"), &health->functions);
	judge_sinks(json_object_get(document, "sinks"), &health->sinks);
	judge_input(json_object_get(document, "input"), &health->input);
	if (health->functions.truth == TRUTH_FALSE)
		finding_set(&health->ready, TRUTH_FALSE, health->functions.reason, "%s",
		            health->functions.message.data);
	else if (json_is_true(json_object_get(document, "ready")))
		finding_set(&health->ready, TRUTH_TRUE, "Running", "data flows");
	else if (!strcmp(part, "source") && json_number_value(json_object_get(document, "uptimeSeconds")) < CONNECT_S)
		finding_set(&health->ready, TRUTH_FALSE, "Starting", "the source is being connected");
	else if (!strcmp(part, "window"))
		/* The runtime's words count the milliseconds: a message that changes at every look. */
		finding_set(&health->ready, TRUTH_FALSE, "WindowOverdue",
		            "a window has ended and is not accepted by every sink; the last accepted one ended at %s",
		            or_unknown(object_text(document, "lastWindow", "end", NULL)));
	else if (!strcmp(part, "clock")) /* and the seconds */
		finding_set(
		        &health->ready, TRUTH_FALSE, reason_of(part),
		        "the clock of the pod's machine was set back or stands still, and the windows' times are ahead "
		        "of it; the pod's /readyz says by how much");
	else
		finding_set(&health->ready, TRUTH_FALSE, reason_of(part), "%s", or_unknown(words));
}

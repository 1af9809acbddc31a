/* What a verdict is made of: findings. */
#include <stdarg.h>
#include <stdio.h>

#include "lib/base/text.h"
#include "operator/reconcile/health.h"

void finding_set(struct finding *finding, enum truth truth, const char *reason, const char *format, ...)
{
	char text[4096];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	finding->truth = truth;
	finding->reason = reason;
	buffer_clear(&finding->message);
	finding->message.max = MESSAGE_BYTES_MAX;
	for (char *end = text + strlen(text); !text_is_utf8(slice_of(text)) && end > text;)
		*--end = '\0'; /* cut within a character */
	buffer_append_text(&finding->message, text);
}

bool finding_keep(const struct view *view, const char *type, struct finding *finding)
{
	static const char *const truths[] = {"Unknown", "False", "True"};
	const json_t *before = object_condition(object_at(view->job, "status", "conditions", NULL), type);

	for (int truth = TRUTH_UNKNOWN; truth <= TRUTH_TRUE; truth++) {
		if (strcmp(object_text(before, "status", NULL), truths[truth]) != 0)
			continue;
		finding->truth = (enum truth)truth;
		finding->reason = object_text(before, "reason", NULL);
		buffer_clear(&finding->message);
		finding->message.max = MESSAGE_BYTES_MAX;
		buffer_append_text(&finding->message, object_text(before, "message", NULL));
		return true;
	}
	return false;
}

void health_again(struct health *health, int64_t ms)
{
	if (!health->again_ms || ms < health->again_ms)
		health->again_ms = ms;
}

void health_release(struct health *health)
{
	struct finding *findings[] = {
	        &health->ready,  &health->reconciling, &health->stalled,    &health->functions, &health->sinks,
	        &health->input,  &health->understood,  &health->updated,    &health->suspended, &health->succeeded,
	        &health->paused, &health->shared,      &health->ended_badly};

	for (size_t i = 0; i < sizeof(findings) / sizeof(findings[0]); i++)
		buffer_release(&findings[i]->message);
	json_decref(health->rollback);
}

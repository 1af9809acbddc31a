#include "operator/reconcile/status_due.h"

#include "operator/reconcile/object.h"
#include "operator/reconcile/steps.h"
#include "operator/reconcile/view.h"

#define LAG_PART 10 /* a lag is another when it moved by this part of it */

/* Without figures, and without the words of conditions (of those that are true, where `keeps_words`). */
static json_t *urgent_part(const json_t *status, bool keeps_words)
{
	static const char *const figures[] = {"lag",           "lastPush",   "lastWindow", "rows",
	                                      "rowsPerSecond", "badPercent", "lastError"};
	json_t *part = json_deep_copy(status);
	size_t index;
	json_t *condition;

	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
		json_object_del(part, figures[i]);
	json_object_del(json_object_get(part, "place"), "sequence");
	json_array_foreach(json_object_get(part, "conditions"), index, condition)
	{
		if (!keeps_words || !strcmp(object_text(condition, "status", NULL), "True"))
			json_object_del(condition, "message");
	}
	return part;
}

static bool differs_in_urgent(const json_t *before, const json_t *status, bool keeps_words)
{
	json_t *old = urgent_part(before, keeps_words), *new = urgent_part(status, keeps_words);
	bool differs = !json_equal(old, new);

	json_decref(old);
	json_decref(new);
	return differs;
}

/* A lag that moved by less than a tenth is the same to who reads it. */
static bool is_same_lag(const json_t *before, const json_t *status)
{
	const json_t *old = json_object_get(before, "lag"), *new = json_object_get(status, "lag");
	double a = (double)json_integer_value(old), b = (double)json_integer_value(new);

	return !old == !new && (a > b ? a - b : b - a) * LAG_PART <= (a > b ? a : b);
}

/* Rows that were counted since, within the same window, are nothing to write for. */
static bool would_notice(const json_t *before, const json_t *status)
{
	json_t *old = json_copy(object_borrow(before)), *new = json_copy(object_borrow(status));
	bool notices;

	json_object_del(old, "rows");
	json_object_del(new, "rows");
	if (is_same_lag(before, status)) {
		json_object_del(old, "lag");
		json_object_del(new, "lag");
	}
	notices = !json_equal(old, new);
	json_decref(old);
	json_decref(new);
	return notices;
}

bool status_is_due(struct plan *plan, const json_t *before, const json_t *status)
{
	int64_t age_ms = plan->view->observed->figures_age_ms, rest_ms;
	int64_t figures_ms = plan->view->settings->figures_ms;

	if (!before || differs_in_urgent(before, status, false))
		return true;
	if (differs_in_urgent(before, status, true))
		rest_ms = WORDS_MS;
	else if (would_notice(before, status))
		rest_ms = figures_ms ? figures_ms : FIGURES_MS;
	else
		return false;
	if (age_ms < rest_ms)
		plan_again(plan, rest_ms - age_ms);
	return age_ms >= rest_ms;
}

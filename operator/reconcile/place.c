#include "operator/reconcile/place.h"

#include "operator/reconcile/desired.h"
#include "operator/reconcile/owner.h"

void place_known(const struct view *view, struct place *ret_place)
{
	const json_t *document = pod_document(view, speaking_pod(view)), *before;
	const char *life = object_text(document, "life", NULL);
	int64_t sequence = object_integer(document, "sequence", NULL);

	before = object_at(view->job, "status", "place", NULL);
	*ret_place = (struct place){object_text(before, "life", NULL), object_integer(before, "sequence", NULL),
	                            object_text(before, "specHash", NULL)};
	if (!life[0] || document_stands_by(document))
		return;
	if (strcmp(life, ret_place->life) != 0 || sequence > ret_place->sequence) {
		ret_place->life = life;
		ret_place->sequence = sequence;
	}
	if (object_text(document, "specHash", NULL)[0])
		ret_place->spec_hash = object_text(document, "specHash", NULL);
}

/* What the ConfigMap has; no life where it cannot be read. The texts live as long as `ret_json`. */
static void place_written(const json_t *live, struct place *ret_place, json_t **ret_json)
{
	*ret_json = json_loads(object_text(live, "data", PLACE_FILE, NULL), 0, NULL);
	*ret_place =
	        (struct place){object_text(*ret_json, "life", NULL), object_integer(*ret_json, "sequence", NULL), ""};
}

static bool are_pods_to_go(const struct view *view)
{
	return !pods_allowed(view) && object_integer(view_deployment(view), "spec", "replicas", NULL) > 0;
}

void plan_place(struct plan *plan)
{
	const struct view *view = plan->view;
	int64_t now_ms = view->observed->now_ms, written_ms;
	char name[NAME_MAX_BYTES + 1];
	struct place known, written;
	const json_t *live;
	json_t *json;

	place_known(view, &known);
	if (!known.life[0])
		return;
	view_place_name(view, name);
	live = view_child(view, KIND_CONFIG_MAP, name);
	written_ms = object_time(object_text(live, "data", PLACE_WRITTEN, NULL));
	place_written(live, &written, &json);
	if (!strcmp(written.life, known.life) &&
	    (written.sequence == known.sequence ||
	     (now_ms >= written_ms && now_ms - written_ms < PLACE_MS && !are_pods_to_go(view))))
		plan_apply(plan, KIND_CONFIG_MAP, desired_place(view, &written, written_ms), live);
	else
		plan_apply(plan, KIND_CONFIG_MAP, desired_place(view, &known, now_ms), live);
	json_decref(json);
}

/* The steps by which a job keeps the code with which data flowed. */
#include "operator/reconcile/desired.h"
#include "operator/reconcile/kept_code.h"
#include "operator/reconcile/steps.h"

static bool is_wanted(const struct view *view, const json_t *code, const char *copy)
{
	char name[NAME_MAX_BYTES + 1];
	const char *config_map;
	json_t *hash;

	json_object_foreach(object_borrow(code), config_map, hash)
	{
		(void)kept_code_copy(view, json_string_value(hash), name);
		if (!strcmp(name, copy))
			return true;
	}
	return false;
}

void plan_kept_code(struct plan *plan, const json_t *code)
{
	const struct view *view = plan->view;
	char name[NAME_MAX_BYTES + 1];
	const char *config_map;
	json_t *hash, *one;
	size_t index;

	json_object_foreach(object_borrow(code), config_map, hash)
	{
		if (!kept_code_copy(view, json_string_value(hash), name))
			plan_step(plan, VERB_COPY_CODE, KIND_CONFIG_MAP,
			          desired_code(view, name, config_map, json_string_value(hash)));
	}
	json_array_foreach(view->observed->children[KIND_CONFIG_MAP], index, one)
	{
		if (object_is_controlled(one, view->uid) &&
		    !strcmp(object_label(one, LABEL_COMPONENT), COMPONENT_CODE) &&
		    !is_wanted(view, code, object_name(one)))
			plan_delete(plan, KIND_CONFIG_MAP, one);
	}
}

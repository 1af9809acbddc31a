/* The spec of a view, read and checked. */
#include "operator/reconcile/allowed.h"
#include "operator/reconcile/manifest.h"
#include "operator/reconcile/view.h"

/*
 * The spec is loaded from the YAML that kubectl shows for the object, so that a problem's line is one that a user can
 * look up: `kubectl get streamjob NAME -o yaml`.
 */
void view_load(const struct view *view, const json_t *job, struct problems *problems, struct jobspecs *ret_jobs)
{
	json_t *shown = json_copy(object_borrow(job)), *metadata = json_copy(json_object_get(job, "metadata"));
	struct buffer text;

	json_object_del(metadata, "managedFields");
	json_object_set_new(shown, "metadata", metadata);
	json_object_del(shown, "status");
	json_object_set_new(shown, "apiVersion", json_string(JOB_API_VERSION));
	json_object_set_new(shown, "kind", json_string(JOB_KIND));
	buffer_init(&text);
	manifest_write(shown, &text);
	jobspecs_load_live(view->name, buffer_slice(&text), view->observed->checked, problems, ret_jobs);
	allowed_check(view, job, problems);
	buffer_release(&text);
	json_decref(shown);
}

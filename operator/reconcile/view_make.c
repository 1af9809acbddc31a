/* A view from what was observed: the spec, what the job went back to, the roll-out. */
#include "operator/reconcile/view.h"

static void load_spec(struct view *view)
{
	view_load(view, view->job, &view->problems, &view->jobs);
	view->spec = view->jobs.count && !view->problems.count ? view->jobs.items[0] : NULL;
}

void view_init(struct view *view, const struct observed *observed, const struct settings *settings)
{
	*view = (struct view){.observed = observed,
	                      .settings = settings,
	                      .job = observed->job,
	                      .name = object_name(observed->job),
	                      .namespace = object_text(observed->job, "metadata", "namespace", NULL),
	                      .uid = object_uid(observed->job),
	                      .deleting = object_is_deleted(observed->job)};
	name_label(view->name, view->label);
	problems_init(&view->problems);
	problems_init(&view->unknown);
	view->problems.unknown = &view->unknown;
	load_spec(view);
	rollback_find(view);
	if (view->spec)
		previous_find(view, &view->previous);
	if (view->spec)
		rollout_next(view, &view->rollout);
	else
		rollout_last(view, &view->rollout);
	update_find(view, &view->update);
}

void view_release(struct view *view)
{
	rollback_release(&view->rollback);
	previous_release(&view->previous);
	jobspecs_release(&view->jobs);
	problems_release(&view->problems);
	problems_release(&view->unknown);
}

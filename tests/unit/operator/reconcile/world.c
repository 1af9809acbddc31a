#include "tests/unit/operator/reconcile/world.h"

#include "operator/reconcile/code.h"
#include "operator/reconcile/container.h"
#include "operator/reconcile/merge.h"
#include "operator/reconcile/trim.h"

const struct settings test_settings = {
        .image = "streamjob:test", .own_namespace = "streamjob-system", .cluster_id = "test-cluster"};

/* `spec` is JSON with members beyond the smallest good spec. */
static json_t *world_job(const char *spec)
{
	static const char smallest[] =
	        "{\"source\": {\"kafka\": {\"bootstrapServers\": \"kafka:9092\", \"topic\": \"events\"}},"
	        " \"columns\": [{\"name\": \"bucket\", \"type\": \"STRING\"}],"
	        " \"window\": {\"tumbling\": {\"size\": \"1m\"}}, \"groupBy\": [\"bucket\"],"
	        " \"aggregates\": [{\"name\": \"n\", \"expr\": \"COUNT(*)\"}],"
	        " \"sinks\": [{\"pushgateway\": {\"url\": \"http://pushgateway:9091\", \"job\": \"home\", \"metrics\": "
	        "[{\"name\": \"n\", \"type\": \"gauge\", \"value\": \"n\", \"labels\": [\"bucket\"]}]}}]}";
	json_t *whole = json_loads(smallest, 0, NULL), *more = json_loads(spec, 0, NULL);

	assert_non_null(whole);
	if (!more)
		fail_msg("not JSON: %s", spec);
	json_object_update(whole, more);
	json_decref(more);
	return json_pack("{s:s, s:s, s:{s:s, s:s, s:s, s:s, s:i}, s:o}", "apiVersion", "streamjob.dev/v1alpha1", "kind",
	                 "StreamJob", "metadata", "name", "home-feed", "namespace", "reco", "uid", JOB_UID,
	                 "resourceVersion", "1", "generation", 1, "spec", whole);
}

void world_init(struct world *world, const char *spec)
{
	*world = (struct world){.job = world_job(spec),
	                        .reports = json_object(),
	                        .code = json_object(),
	                        .seen = json_array(),
	                        .now_ms = NOW_MS,
	                        .figures_age_ms = INT64_MAX};
	for (int k = 0; k < KIND_COUNT; k++)
		world->children[k] = json_array();
}

void world_release(struct world *world)
{
	json_decref(world->job);
	json_decref(world->reports);
	json_decref(world->code);
	json_decref(world->seen);
	for (int k = 0; k < KIND_COUNT; k++)
		json_decref(world->children[k]);
}

/* As the API server counts it. */
static void count_generation(struct world *world)
{
	json_t *metadata = json_object_get(world->job, "metadata");
	char hash[OBJECT_HASH_SIZE];

	object_hash(json_object_get(world->job, "spec"), hash);
	if (world->spec_seen[0] && strcmp(hash, world->spec_seen) != 0)
		json_object_set_new(metadata, "generation",
		                    json_integer(object_integer(metadata, "generation", NULL) + 1));
	memcpy(world->spec_seen, hash, sizeof(hash));
}

/* As the stores have them: without what nobody reads. */
static const json_t *world_kept(struct world *world, enum kind kind)
{
	json_t *kept = json_array(), *one;
	size_t index;

	json_array_foreach(world->children[kind], index, one)
	{
		if (trim_keeps(kind, one))
			json_array_append_new(kept, json_deep_copy(one));
	}
	json_array_foreach(kept, index, one)
	{
		trim_object(kind, one);
	}
	json_array_append_new(world->seen, kept);
	return kept;
}

void world_look(struct world *world, struct observed *observed, struct plan *plan)
{
	count_generation(world);
	world->settings = test_settings;
	if (world->image)
		world->settings.image = world->image;
	*observed = (struct observed){.job = world->job,
	                              .reports = world->reports,
	                              .code = world->code,
	                              .now_ms = world->now_ms,
	                              .deleting_ms = world->deleting_ms,
	                              .figures_age_ms = world->figures_age_ms,
	                              .may_update = world->may_update,
	                              .namespace_ends = world->namespace_ends};
	for (int k = 0; k < KIND_COUNT; k++)
		observed->children[k] = world_kept(world, (enum kind)k);
	plan_make(observed, &world->settings, plan);
}

static void world_step(struct world *world, const struct step *step)
{
	const char *name = object_name(step->object);
	json_t *live = step->kind == KIND_STREAM_JOB ? world->job
	                                             : object_borrow(object_named(world->children[step->kind], name));
	json_t *copy = json_deep_copy(step->object);

	switch (step->verb) {
	case VERB_CREATE:
	case VERB_COPY_CODE:
		assert_null(live);
		json_object_set_new(json_object_get(copy, "metadata"), "uid", json_sprintf("uid-%d", ++world->serial));
		json_object_set_new(json_object_get(copy, "metadata"), "creationTimestamp",
		                    json_sprintf("2027-01-15T08:%02d:%02dZ", world->serial / 60, world->serial % 60));
		json_array_append(world->children[step->kind], copy);
		break;
	case VERB_APPLY:
	case VERB_MERGE:
		assert_non_null(live);
		assert_string_equal(object_uid(live), object_uid(copy));
		if (step->verb == VERB_APPLY)
			merge_strategic(live, copy);
		else
			json_object_update_recursive(live, copy);
		break;
	case VERB_DELETE:
		assert_non_null(live);
		assert_string_equal(object_uid(live), object_uid(copy));
		for (size_t i = 0; i < json_array_size(world->children[step->kind]); i++)
			if (json_array_get(world->children[step->kind], i) == live)
				json_array_remove(world->children[step->kind], i);
	}
	json_decref(copy);
}

size_t world_turn(struct world *world, size_t steps_max)
{
	struct observed observed;
	struct plan plan;
	size_t taken = 0;
	json_t *status, *seen = world->job;

	json_array_clear(world->seen);
	world_look(world, &observed, &plan);
	world->job = json_deep_copy(seen); /* the plan points into what it saw, which steps leave alone */
	for (; taken < plan.steps_count && taken < steps_max; taken++)
		world_step(world, &plan.steps[taken]);
	if (taken == plan.steps_count && (status = plan_status(&plan, NULL, NULL))) {
		json_object_set(world->job, "status", json_object_get(status, "status"));
		json_decref(status);
	}
	plan_release(&plan);
	json_decref(seen);
	return taken;
}

json_t *world_named(struct world *world, enum kind kind, const char *name)
{
	return object_borrow(object_named(world->children[kind], name));
}

void world_remove(struct world *world, enum kind kind, const char *name)
{
	size_t index;
	json_t *one;

	json_array_foreach(world->children[kind], index, one)
	{
		if (!strcmp(object_name(one), name)) {
			json_array_remove(world->children[kind], index);
			return;
		}
	}
	fail_msg("there is no %s %s", kind_names[kind].kind, name);
}

/* The ReplicaSet that the Deployment's controller makes, and its mark on the Deployment. */
static json_t *world_replica_set(struct world *world, json_t *deployment)
{
	const char *name = object_name(deployment);
	json_t *one = world_named(world, KIND_REPLICA_SET, object_uid(deployment));
	json_t *notes = json_object_get(json_object_get(deployment, "metadata"), "annotations");

	if (one)
		return one;
	json_object_set_new(notes, "deployment.kubernetes.io/revision", json_string("1"));
	one = json_pack("{s:{s:s, s:s, s:s, s:{s:s}, s:{s:s}, s:[{s:s, s:s, s:s, s:b}]}}", "metadata", "name",
	                object_uid(deployment), "uid", object_uid(deployment), "creationTimestamp",
	                "2027-01-15T08:00:00Z", "labels", LABEL_INSTANCE, "home-feed", "annotations",
	                "deployment.kubernetes.io/revision", "1", "ownerReferences", "kind", "Deployment", "name", name,
	                "uid", object_uid(deployment), "controller", 1);
	json_object_set_new(json_object_get(one, "metadata"), "uid", json_sprintf("rs-%s", object_uid(deployment)));
	json_array_append_new(world->children[KIND_REPLICA_SET], one);
	return one;
}

json_t *world_pod(struct world *world, const char *name, const char *status)
{
	json_t *deployment = world_named(world, KIND_DEPLOYMENT, "home-feed");
	json_t *pod = json_deep_copy(object_at(deployment, "spec", "template", NULL)), *metadata;
	json_t *parsed = json_loads(status, 0, NULL);

	assert_non_null(deployment);
	if (!parsed)
		fail_msg("not JSON: %s", status);
	metadata = json_object_get(pod, "metadata");
	json_object_set_new(metadata, "name", json_string(name));
	json_object_set_new(metadata, "uid", json_sprintf("uid-%s", name));
	json_object_set_new(metadata, "creationTimestamp",
	                    json_sprintf("2027-01-15T08:30:%02dZ", ++world->serial % 60));
	json_object_set_new(metadata, "ownerReferences",
	                    json_pack("[{s:s, s:s, s:b}]", "kind", "ReplicaSet", "uid",
	                              object_uid(world_replica_set(world, deployment)), "controller", 1));
	json_object_set_new(pod, "status", parsed);
	json_array_append_new(world->children[KIND_POD], pod);
	return pod;
}

void world_code(struct world *world, const char *name, const char *data)
{
	json_t *config_map = json_pack("{s:{s:s}, s:o}", "metadata", "name", name, "data", json_loads(data, 0, NULL));

	code_reduce(config_map);
	json_object_set_new(world->code, name, json_string(code_hash_of(config_map)));
	json_decref(config_map);
}

void world_report(struct world *world, const char *pod, const char *document)
{
	json_t *parsed = json_loads(document, 0, NULL), *key = json_sprintf("uid-%s", pod);

	if (!parsed)
		fail_msg("not JSON: %s", document);
	json_object_set_new(world->reports, json_string_value(key),
	                    json_pack("{s:I, s:I, s:o}", "at", (json_int_t)world->now_ms, "restarts",
	                              (json_int_t)container_restarts(object_named(world->children[KIND_POD], pod)),
	                              "document", parsed));
	json_decref(key);
}

char *world_condition(struct world *world, const char *type)
{
	const json_t *condition = object_condition(object_at(world->job, "status", "conditions", NULL), type);
	char *text;

	assert_true(asprintf(&text, "%s %s %s", object_text(condition, "status", NULL),
	                     object_text(condition, "reason", NULL), object_text(condition, "message", NULL)) > 0);
	return text;
}

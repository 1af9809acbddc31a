/* The field table: the spec itself, and what its parts must agree on. */
#include "lib/spec/field/tables.h"

static bool has_dead_letter(const struct jobspec *job)
{
	return job->dead_letter.kind != SINK_NONE;
}

static bool bad_rows_have_a_place(const void *members, const struct node *given)
{
	const struct jobspec *job = members;

	(void)given;
	return has_dead_letter(job) || job->json.on_bad_row != BAD_DEAD_LETTER;
}

static bool bad_fields_have_a_place(const void *members, const struct node *given)
{
	const struct jobspec *job = members;

	(void)given;
	return has_dead_letter(job) || job->json.on_bad_field != BAD_DEAD_LETTER;
}

static bool missing_fields_have_a_place(const void *members, const struct node *given)
{
	const struct jobspec *job = members;

	(void)given;
	return has_dead_letter(job) || job->json.on_missing_field != BAD_DEAD_LETTER;
}

static bool one_stdout(const void *members, const struct node *given)
{
	const struct jobspec *job = members;
	size_t count = 0;

	(void)given;
	for (size_t i = 0; i < job->sinks_count; i++)
		count += job->sinks[i].kind == SINK_STDOUT;
	return count <= 1;
}

static bool one_pod_at_most(const void *members, const struct node *given)
{
	(void)given;
	return ((const struct jobspec *)members)->cluster.parallelism <= 1;
}

static bool errors_have_a_place(const void *members, const struct node *given)
{
	const struct jobspec *job = members;

	(void)given;
	for (size_t i = 0; i < job->functions_count; i++)
		if (job->functions[i].on_error == EXCEPTION_DEAD_LETTER && !has_dead_letter(job))
			return false;
	return true;
}

static bool poison_rows_have_a_place(const void *members, const struct node *given)
{
	const struct jobspec *job = members;

	(void)given;
	for (size_t i = 0; i < job->functions_count; i++)
		if (job->functions[i].on_poison_row == POISON_DEAD_LETTER && !has_dead_letter(job))
			return false;
	return true;
}

#define FUNCTIONS_CEL(policy)                                                                                          \
	"has(self.deadLetter) || !has(self.functions) || !self.functions.exists(f, has(f." policy ") && f." policy     \
	" == 'deadLetter')"
#define DEAD_LETTER_CEL(policy)                                                                                        \
	"has(self.deadLetter) || !has(self.format) || !has(self.format.json) || !has(self.format.json." policy         \
	") || self.format.json." policy " != 'deadLetter'"
#define DEAD_LETTER_WRONG "the policy is deadLetter, but there is no spec.deadLetter"
#define DEAD_LETTER_RIGHT "add deadLetter with a file or a Kafka topic, or choose another policy"

static const struct rule spec_rules[] = {{.cel = DEAD_LETTER_CEL("onBadRow"),
                                          .wrong = DEAD_LETTER_WRONG,
                                          .right = DEAD_LETTER_RIGHT,
                                          .field = "format.json.onBadRow",
                                          .holds = bad_rows_have_a_place},
                                         {.cel = DEAD_LETTER_CEL("onBadField"),
                                          .wrong = DEAD_LETTER_WRONG,
                                          .right = DEAD_LETTER_RIGHT,
                                          .field = "format.json.onBadField",
                                          .holds = bad_fields_have_a_place},
                                         {.cel = DEAD_LETTER_CEL("onMissingField"),
                                          .wrong = DEAD_LETTER_WRONG,
                                          .right = DEAD_LETTER_RIGHT,
                                          .field = "format.json.onMissingField",
                                          .holds = missing_fields_have_a_place},
                                         {.cel = FUNCTIONS_CEL("onError"),
                                          .wrong = "onError is deadLetter, but there is no spec.deadLetter",
                                          .right = DEAD_LETTER_RIGHT,
                                          .field = "functions",
                                          .holds = errors_have_a_place},
                                         {.cel = FUNCTIONS_CEL("onPoisonRow"),
                                          .wrong = "onPoisonRow is deadLetter, but there is no spec.deadLetter",
                                          .right = DEAD_LETTER_RIGHT,
                                          .field = "functions",
                                          .holds = poison_rows_have_a_place},
                                         {.cel = "self.sinks.filter(s, has(s.stdout)).size() <= 1",
                                          .wrong = "more than one sink is stdout",
                                          .right = "keep one of them",
                                          .field = "sinks",
                                          .holds = one_stdout},
                                         {.cel = "!has(self.parallelism) || self.parallelism <= 1",
                                          .wrong = "more than one pod is not possible yet",
                                          .right = "use 1; a pod uses as many cores as its resources give it",
                                          .field = "parallelism",
                                          .holds = one_pod_at_most},
                                         {0}};

static const struct choice evictions[] = {
        {"allow", EVICTIONS_ALLOW}, {"block", EVICTIONS_BLOCK}, {"leave", EVICTIONS_LEAVE}, {NULL, 0}};
static const struct choice rollbacks[] = {{"never", ROLLBACK_NEVER}, {"auto", ROLLBACK_AUTO}, {NULL, 0}};

static const struct field spec_fields[] = {
        {.name = "source",
         .kind = FIELD_OBJECT,
         .required = true,
         .offset = offsetof(struct jobspec, source),
         .object = &source_object,
         .doc = "Where the rows come from: exactly one of kafka, file, stdin and datagen."},
        {.name = "format",
         .kind = FIELD_OBJECT,
         .offset = offsetof(struct jobspec, json),
         .object = &format_object,
         .doc = "How a record is written, and what to do with one that is not."},
        {.name = "columns",
         .kind = FIELD_OBJECTS,
         .required = true,
         .offset = offsetof(struct jobspec, columns),
         .count_offset = offsetof(struct jobspec, columns_count),
         .object = &column_object,
         .min = 1,
         .max = 500,
         .doc = "The fields of a record that the job may read. Only those that an expression names are read."},
        {.name = "filter",
         .kind = FIELD_EXPRESSION,
         .offset = offsetof(struct jobspec, filter),
         .min = 1,
         .max = 10000,
         .doc = "A BOOLEAN SQL expression: only rows for which it is true go on."},
        {.name = "select",
         .kind = FIELD_OBJECTS,
         .offset = offsetof(struct jobspec, select),
         .count_offset = offsetof(struct jobspec, select_count),
         .object = &select_object,
         .min = 0,
         .max = 200,
         .doc = "Columns computed for each row that passed the filter."},
        {.name = "lateral",
         .kind = FIELD_OBJECTS,
         .offset = offsetof(struct jobspec, lateral),
         .count_offset = offsetof(struct jobspec, lateral_count),
         .object = &lateral_object,
         .min = 0,
         .max = 8,
         .doc = "Table functions, after select: each row becomes as many as the function yields for it."},
        {.name = "window",
         .kind = FIELD_OBJECT,
         .required = true,
         .offset = offsetof(struct jobspec, window),
         .object = &window_object,
         .doc = "Which rows are aggregated together."},
        {.name = "watermark",
         .kind = FIELD_OBJECT,
         .offset = offsetof(struct jobspec, watermark),
         .object = &watermark_object,
         .doc = "Which stamps are believed, where a column plays the clock (run --clock)."},
        {.name = "groupBy",
         .kind = FIELD_STRINGS,
         .offset = offsetof(struct jobspec, group_by),
         .min = 0,
         .max = 32,
         .item_max = 63,
         .pattern = &column_name_pattern,
         .set = true,
         .doc = "Names of columns, of select or of lateral: one result row for each combination of their values. None: "
                "one row a "
                "window."},
        {.name = "functions",
         .kind = FIELD_OBJECTS,
         .offset = offsetof(struct jobspec, functions),
         .count_offset = offsetof(struct jobspec, functions_count),
         .object = &function_object,
         .min = 0,
         .max = 32,
         .doc = "The user's own functions, in Python or C. Each runs in a process of its own, under a deadline."},
        {.name = "aggregates",
         .kind = FIELD_OBJECTS,
         .required = true,
         .offset = offsetof(struct jobspec, aggregates),
         .count_offset = offsetof(struct jobspec, aggregates_count),
         .object = &aggregate_object,
         .min = 1,
         .max = 200,
         .doc = "What is computed for each group."},
        {.name = "having",
         .kind = FIELD_EXPRESSION,
         .offset = offsetof(struct jobspec, having),
         .min = 1,
         .max = 10000,
         .doc = "A BOOLEAN SQL expression over group keys and aggregates: only groups for which it is true are "
                "written."},
        {.name = "sinks",
         .kind = FIELD_OBJECTS,
         .required = true,
         .offset = offsetof(struct jobspec, sinks),
         .count_offset = offsetof(struct jobspec, sinks_count),
         .object = &sink_object,
         .min = 1,
         .max = 16,
         .doc = "Where the result of each window goes. The input's offsets move when all of them have accepted it."},
        {.name = "deadLetter",
         .kind = FIELD_OBJECT,
         .offset = offsetof(struct jobspec, dead_letter),
         .object = &dead_letter_object,
         .doc = "Where records go that could not be used, and windows that a sink refused: exactly one of file and "
                "kafka."},
        {.name = "limits",
         .kind = FIELD_OBJECT,
         .offset = offsetof(struct jobspec, limits),
         .object = &limits_object,
         .doc = "How much a window may hold, and how much of the input may be bad."},
        {.name = "strict",
         .kind = FIELD_BOOLEAN,
         .offset = offsetof(struct jobspec, strict),
         .initial = "false",
         .doc = "A run that left anything out (bad rows or values, late rows, dropped groups, rejected windows) "
                "ends with exit code 3, as `run --strict` does."},
        {.name = "showValues",
         .kind = FIELD_BOOLEAN,
         .offset = offsetof(struct jobspec, show_values),
         .initial = "false",
         .doc = "Logs and status of the pods show values of rows: excerpts of bad ones, and what functions raised on "
                "them. Else they name place and reason only. `run` on a laptop always shows them."},
        {.name = "terminationGracePeriod",
         .kind = FIELD_DURATION,
         .offset = offsetof(struct jobspec, termination_grace_ms),
         .initial = "30s",
         .min = 1000,
         .max = 60 * 60 * 1000,
         .doc = "How long a stop may take to flush open windows, have them accepted and commit."},
        {.name = "parallelism",
         .kind = FIELD_INTEGER,
         .cluster = true,
         .offset = offsetof(struct jobspec, cluster.parallelism),
         .initial = "1",
         .min = 0,
         .max = 1000,
         .doc = "How many pods run the job: 0 or 1."},
        {.name = "suspend",
         .kind = FIELD_BOOLEAN,
         .cluster = true,
         .offset = offsetof(struct jobspec, cluster.suspend),
         .initial = "false",
         .doc = "Pods drain and go, the offsets stay; false again goes on from there."},
        {.name = "image",
         .kind = FIELD_STRING,
         .cluster = true,
         .offset = offsetof(struct jobspec, cluster.image),
         .computed = "the operator's",
         .min = 1,
         .max = 512,
         .doc = "The image of the runtime."},
        {.name = "resources",
         .kind = FIELD_JSON,
         .cluster = true,
         .offset = offsetof(struct jobspec, cluster.resources),
         .doc = "Of the runtime's container, as core/v1 ResourceRequirements: requests, limits and claims."},
        {.name = "podTemplate",
         .kind = FIELD_JSON,
         .cluster = true,
         .offset = offsetof(struct jobspec, cluster.pod_template),
         .doc = "Merged into the pods' template, as core/v1 PodTemplateSpec by strategic-merge rules. metadata: labels "
                "and annotations; spec: affinity, containers (the runtime's is streamjob: env, envFrom, volumeMounts), "
                "dnsConfig, dnsPolicy, hostAliases, imagePullSecrets, initContainers, nodeSelector, "
                "priorityClassName, runtimeClassName, schedulerName, securityContext, serviceAccountName (one that the "
                "operator was told to allow), tolerations, topologySpreadConstraints and volumes. What is against the "
                "Pod Security Standard \"restricted\" is refused, and what it asks for is filled in."},
        {.name = "class",
         .kind = FIELD_STRING,
         .cluster = true,
         .offset = offsetof(struct jobspec, cluster.class),
         .computed = "operators without a class",
         .min = 1,
         .max = 63,
         .pattern = &job_name_pattern,
         .doc = "Which operators take the job: those with this --class."},
        {.name = "progressDeadline",
         .kind = FIELD_DURATION,
         .cluster = true,
         .offset = offsetof(struct jobspec, cluster.progress_deadline_ms),
         .initial = "10m",
         .min = 1000,
         .max = 24 * 60 * 60 * 1000,
         .doc = "How long a change of what the pods run may take until data flows."},
        {.name = "evictions",
         .kind = FIELD_ENUM,
         .cluster = true,
         .offset = offsetof(struct jobspec, cluster.evictions),
         .choices = evictions,
         .initial = "allow",
         .doc = "What the job's PodDisruptionBudget says to a node that is drained: allow: the pod drains and commits, "
                "and goes on "
                "elsewhere; block: the node waits, while the pod is ready, until this is allow again or the job is "
                "suspended; leave: there is none, for one of your own has the pod: the API server evicts no pod that "
                "two have."},
        {.name = "rollback",
         .kind = FIELD_ENUM,
         .cluster = true,
         .offset = offsetof(struct jobspec, cluster.rollback),
         .choices = rollbacks,
         .initial = "never",
         .doc = "What happens to a new spec with which no data flows by the progressDeadline, for a cause that is the "
                "job's own and not the world's: never: it is only said; auto: the pods go back to the last spec with "
                "which data flowed, and this one stays as it is."},
        {.name = "deletionPolicy",
         .kind = FIELD_OBJECT,
         .cluster = true,
         .offset = offsetof(struct jobspec, cluster.deletion),
         .object = &deletion_object,
         .doc = "What goes with a StreamJob that is deleted."},
        {0}};
const struct object spec_object = {
        .title = "Spec", .size = sizeof(struct jobspec), .fields = spec_fields, .rules = spec_rules};

const struct field *object_field(const struct object *object, struct slice name)
{
	for (const struct field *field = object->fields; field->name; field++)
		if (slice_equal(slice_of(field->name), name))
			return field;
	return NULL;
}

static void append_name(const char *name, size_t index, size_t count, const char *last, struct buffer *out)
{
	if (index)
		buffer_append_text(out, index + 1 == count ? last : ", ");
	buffer_append_text(out, name);
}

void object_names(const struct object *object, bool variants_only, const char *last, struct buffer *out)
{
	size_t count = 0, index = 0;

	for (const struct field *field = object->fields; field->name; field++)
		count += field->variant || !variants_only;
	for (const struct field *field = object->fields; field->name; field++)
		if (field->variant || !variants_only)
			append_name(field->name, index++, count, last, out);
}

void choice_names(const struct choice *choices, const char *last, struct buffer *out)
{
	size_t count = 0;

	while (choices[count].name)
		count++;
	for (size_t i = 0; i < count; i++)
		append_name(choices[i].name, i, count, last, out);
}

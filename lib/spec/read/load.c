/* A file's documents, and in each StreamJob what stands around the spec. */
#include "lib/spec/read/load.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/hash.h"
#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "lib/spec/check/check.h"
#include "lib/spec/field/job_id.h"
#include "lib/spec/read/read.h"

#define JOB_GROUP "streamjob.dev/"

static const struct field name_field = {
        .name = "name", .kind = FIELD_STRING, .min = 1, .max = JOB_NAME_MAX, .pattern = &secret_name_pattern};
static const struct field namespace_field = {
        .name = "namespace", .kind = FIELD_STRING, .min = 1, .max = NAMESPACE_MAX, .pattern = &job_name_pattern};

/* The text of a plain scalar or string under the root, or "". */
static struct slice root_text(const struct node *root, const char *key)
{
	const struct node *node = node_get(root, key);

	return node && node->kind == NODE_SCALAR ? node->text : SLICE_LITERAL("");
}

static bool starts_with(struct slice text, const char *start)
{
	return text.size >= strlen(start) && !memcmp(text.data, start, strlen(start));
}

static bool is_stream_job(const struct node *root)
{
	return slice_equal(root_text(root, "kind"), SLICE_LITERAL(JOB_KIND)) ||
	       starts_with(root_text(root, "apiVersion"), JOB_GROUP);
}

static void read_type(struct reader *reader, const struct node *root)
{
	const struct node *version = node_get(root, "apiVersion"), *kind = node_get(root, "kind");

	if (!version)
		read_problem(reader, root, "apiVersion", "is missing", "write apiVersion: " JOB_API_VERSION);
	else if (!slice_equal(root_text(root, "apiVersion"), SLICE_LITERAL(JOB_API_VERSION)))
		read_problem(reader, version, "apiVersion", "this version is not known", "use " JOB_API_VERSION);
	if (!kind)
		read_problem(reader, root, "kind", "is missing", "write kind: " JOB_KIND);
	else if (!slice_equal(root_text(root, "kind"), SLICE_LITERAL(JOB_KIND)))
		read_problem(reader, kind, "kind", "this kind is not known", "use " JOB_KIND);
}

static void read_metadata(struct reader *reader, const struct node *root, struct jobspec *job)
{
	const struct node *metadata = node_get(root, "metadata"), *name = node_get(metadata, "name"),
	                  *namespace = node_get(metadata, "namespace");

	if (!metadata)
		read_problem(reader, root, "metadata", "is missing", "write metadata: {name: ...}");
	else if (metadata->kind != NODE_MAP)
		read_problem(reader, metadata, "metadata", "is not an object", "write metadata: {name: ...}");
	else if (!name)
		read_problem(reader, metadata, "metadata.name", "is missing", "give the job a name");
	else
		read_scalar(reader, &name_field, name, "metadata.name", &job->name);
	job->namespace = "default";
	if (namespace)
		read_scalar(reader, &namespace_field, namespace, "metadata.namespace", &job->namespace);
}

static void read_root(struct reader *reader, const struct node *root, struct jobspec *job)
{
	static const char *const known[] = {"apiVersion", "kind", "metadata", "spec", "status"};
	const struct node *spec = node_get(root, "spec");

	read_type(reader, root);
	read_metadata(reader, root, job);
	for (size_t i = 0; i < root->count; i++) {
		const struct node *key = root->entries[i].key;
		const char *nearest;
		struct error right;
		size_t k = 0;

		if (key->kind != NODE_SCALAR)
			continue;
		while (k < 5 && !slice_equal(key->text, slice_of(known[k])))
			k++;
		if (k < 5)
			continue;
		nearest = text_nearest(key->text, known, 5);
		if (nearest)
			error_set(&right, "did you mean %s?", nearest);
		else
			error_set(&right, "known here: apiVersion, kind, metadata and spec");
		read_problem(reader, key, path_member(reader->scratch, "", key->text), "unknown field", right.text);
	}
	read_defaults(reader, &spec_object, job);
	if (spec)
		read_object(reader, &spec_object, spec, "spec", job);
	else
		read_problem(reader, root, "spec", "is missing", "say what the job does");
}

/* Defaults that depend on other fields. */
static void compute_defaults(struct jobspec *job)
{
	struct kafka_source *kafka = &job->source.kafka;
	char id[JOB_ID_MAX + 1];

	for (size_t i = 0; i < job->columns_count; i++)
		if (!job->columns[i].path && job->columns[i].name)
			job->columns[i].path = arena_printf(&job->arena, "$.%s", job->columns[i].name);
	for (size_t i = 0; i < job->functions_count; i++)
		if (job->functions[i].on_poison_row == POISON_UNSET)
			job->functions[i].on_poison_row =
			        job->dead_letter.kind == SINK_NONE ? POISON_FAIL : POISON_DEAD_LETTER;
	if (job->source.kind == SOURCE_KAFKA && !kafka->group_id && job->name) {
		job_id(job->namespace, job->name, id);
		kafka->group_id = arena_string(&job->arena, slice_of(id));
	}
}

/* Gives the problems from `first` on, which have only a path, their place. */
static void find_places(struct problems *problems, size_t first, const char *file, struct slice text,
                        const struct node *root)
{
	for (size_t i = first; i < problems->count; i++) {
		struct problem *problem = &problems->items[i];
		const struct node *node;
		bool whole;

		if (problem->file)
			continue;
		problem->file = arena_string(&problems->arena, slice_of(file));
		node = node_find(root, problem->path, &whole);
		if (!node)
			continue;
		problem->line = node->line;
		problem->column = node->column;
		if (whole && problem->offset != PROBLEM_NO_OFFSET)
			node_place(node, text, problem->offset, &problem->line, &problem->column);
	}
}

static void free_job(struct jobspec *job)
{
	struct arena arena = job->arena;

	arena_release(&arena);
	free(job);
}

/* Of the canonical spec; where its shape is bad, of `spec` as it was given. */
static void make_key(const struct jobspec *job, bool good, const struct node *spec, char ret_key[HASH_SHA256_HEX])
{
	struct buffer text;

	buffer_init(&text);
	if (good)
		jobspec_canonical(job, &text);
	else if (spec)
		node_json(spec, &text);
	hash_sha256_hex(buffer_slice(&text), ret_key);
	buffer_release(&text);
}

/* NULL after at least one problem. */
static struct jobspec *load_job(struct reader *reader, struct slice text, const struct node *root)
{
	struct jobspec *job = xcalloc(1, sizeof(*job));
	struct problems *warnings = reader->problems->warnings;
	size_t first = reader->problems->count, before = read_count(reader);
	char key[HASH_SHA256_HEX] = "";
	bool good;

	arena_init(&job->arena);
	reader->arena = &job->arena;
	if (root->weight > DOCUMENT_WEIGHT_MAX) {
		read_problem(reader, root, "", "the document is too large when its aliases are written out",
		             "a StreamJob has at most 100000 values");
		free_job(job);
		return NULL;
	}
	read_duplicates(reader, root, "");
	read_root(reader, root, job);
	compute_defaults(job);
	jobspec_function_forms(job);
	good = read_count(reader) == before;
	if (good || reader->checked)
		make_key(job, good, node_get(root, "spec"), key);
	jobspec_check(job, good ? reader->loader : NULL, reader->checked, key, reader->problems);
	find_places(reader->problems, first, reader->file, text, root);
	if (warnings)
		find_places(warnings, 0, reader->file, text, root);
	if (read_count(reader) == before) {
		memcpy(job->spec_hash, key, sizeof(job->spec_hash) - 1);
		return job;
	}
	free_job(job);
	return NULL;
}

static void load_documents(struct reader *reader, struct slice text, const struct documents *documents,
                           struct jobspecs *jobs)
{
	jobs->items = xcalloc(documents->count + 1, sizeof(*jobs->items));
	for (size_t i = 0; i < documents->count; i++) {
		const struct node *root = documents->roots[i];
		struct jobspec *job;

		jobs->documents += root != NULL;
		if (!root || root->kind != NODE_MAP || !is_stream_job(root))
			continue;
		jobs->found++;
		job = load_job(reader, text, root);
		if (job)
			jobs->items[jobs->count++] = job;
	}
}

/* Its own message where the text is no UTF-8: libyaml's has no place. */
static bool check_utf8(struct reader *reader, struct slice text)
{
	struct slice line = {text.data, 0};
	int number = 1;

	if (text_is_utf8(text))
		return true;
	for (;; line.data += line.size + 1, number++) {
		const char *end = memchr(line.data, '\n', text.size - (size_t)(line.data - text.data));

		line.size = end ? (size_t)(end - line.data) : text.size - (size_t)(line.data - text.data);
		if (!text_is_utf8(line) || !end)
			break;
	}
	problems_add(reader->problems, reader->file, number, 1, "", "this line is not UTF-8", "save the file as UTF-8");
	return false;
}

static int load(struct reader reader, struct slice text, struct jobspecs *ret_jobs)
{
	struct problems *problems = reader.problems;
	struct arena arena;
	struct documents documents;
	struct syntax_problem syntax;
	size_t before = read_count(&reader);

	*ret_jobs = (struct jobspecs){0};
	arena_init(&arena);
	reader.scratch = &arena;
	if (text.size >= 3 && !memcmp(text.data, "\xef\xbb\xbf", 3))
		text = (struct slice){text.data + 3, text.size - 3};
	if (text.size > JOB_FILE_BYTES_MAX) {
		problems_add(problems, reader.file, 0, 0, "", "the file has more than 4 MiB", "a job file is smaller");
	} else if (check_utf8(&reader, text)) {
		if (documents_parse(text, JOB_DOCUMENTS_MAX, &arena, &documents, &syntax) < 0)
			problems_add(problems, reader.file, syntax.line, syntax.column, "", syntax.wrong, syntax.right);
		load_documents(&reader, text, &documents, ret_jobs);
	}
	arena_release(&arena);
	return read_count(&reader) == before ? 0 : -1;
}

int jobspecs_load(const char *file, struct slice text, struct problems *problems, struct jobspecs *ret_jobs)
{
	return load((struct reader){.file = file, .problems = problems}, text, ret_jobs);
}

int jobspecs_load_calling(const char *file, struct slice text, const struct function_loader *loader,
                          struct problems *problems, struct jobspecs *ret_jobs)
{
	return load((struct reader){.file = file, .problems = problems, .loader = loader}, text, ret_jobs);
}

int jobspecs_load_live(const char *file, struct slice text, const struct checked_specs *checked,
                       struct problems *problems, struct jobspecs *ret_jobs)
{
	return load((struct reader){.file = file, .problems = problems, .checked = checked, .live = true}, text,
	            ret_jobs);
}

void jobspecs_release(struct jobspecs *jobs)
{
	for (size_t i = 0; i < jobs->count; i++)
		free_job(jobs->items[i]);
	free(jobs->items);
	*jobs = (struct jobspecs){0};
}

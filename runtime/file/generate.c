#include "runtime/file/generate.h"

#include <math.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "lib/base/text.h"
#include "lib/data/civil.h"

struct generator_tree {
	char *name; /* of a member; NULL: an array's element or the root */
	bool is_array;
	const struct datagen_column *generator; /* of a leaf */
	const struct column_spec *column;
	double *cumulative; /* weights of a choice */
	struct generator_tree **children;
	size_t count;
};

static uint64_t rotate(uint64_t x, int bits)
{
	return x << bits | x >> (64 - bits);
}

void random_seed(struct random *random, uint64_t seed)
{
	for (size_t i = 0; i < 4; i++) {
		uint64_t z = seed += 0x9e3779b97f4a7c15u;

		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
		z = (z ^ z >> 27) * 0x94d049bb133111ebu;
		random->state[i] = z ^ z >> 31;
	}
}

static uint64_t random_next(struct random *random)
{
	uint64_t *s = random->state, result = rotate(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

/* [0, 1) */
static double random_unit(struct random *random)
{
	return (double)(random_next(random) >> 11) * 0x1p-53;
}

/* Box-Muller, one value a call */
static double random_normal(struct random *random)
{
	double radius = sqrt(-2 * log(1 - random_unit(random)));

	return radius * cos(6.283185307179586 * random_unit(random));
}

static struct generator_tree *node_new(void)
{
	return xcalloc(1, sizeof(struct generator_tree));
}

static void add_child(struct generator_tree *node, struct generator_tree *child)
{
	node->children = xrealloc(node->children, (node->count + 1) * sizeof(struct generator_tree *));
	node->children[node->count++] = child;
}

static struct generator_tree *member(struct generator_tree *node, struct slice name)
{
	struct generator_tree *child;

	for (size_t i = 0; i < node->count; i++)
		if (node->children[i]->name && slice_equal(slice_of(node->children[i]->name), name))
			return node->children[i];
	child = node_new();
	child->name = xmalloc(name.size + 1);
	memcpy(child->name, name.data, name.size);
	child->name[name.size] = '\0';
	add_child(node, child);
	return child;
}

static struct generator_tree *element(struct generator_tree *node, size_t index)
{
	node->is_array = true;
	while (node->count <= index)
		add_child(node, node_new());
	return node->children[index];
}

/* The leaf of a path that the job check let pass. */
static struct generator_tree *leaf(struct generator_tree *node, const char *path)
{
	const char *p = path + 1;

	while (*p) {
		size_t size;

		if (*p == '.') {
			size = strcspn(p + 1, ".[");
			node = member(node, (struct slice){p + 1, size});
			p += size + 1;
		} else if (p[1] == '\'') {
			size = strcspn(p + 2, "'");
			node = member(node, (struct slice){p + 2, size});
			p += size + 4;
		} else {
			node = element(node, strtoul(p + 1, NULL, 10));
			p = strchr(p, ']') + 1;
		}
	}
	return node;
}

static double *make_cumulative(const struct datagen_column *generator)
{
	double *cumulative = xcalloc(generator->values.count, sizeof(double));
	double total = 0;

	for (size_t i = 0; i < generator->values.count; i++) {
		total += generator->weights ? generator->weights[i] : 1;
		cumulative[i] = total;
	}
	return cumulative;
}

struct generator_tree *generator_tree_new(const struct jobspec *job)
{
	const struct datagen_source *datagen = &job->source.datagen;
	struct generator_tree *root = node_new();

	for (size_t g = 0; g < datagen->columns_count; g++) {
		for (size_t c = 0; c < job->columns_count; c++) {
			struct generator_tree *node;

			if (strcmp(job->columns[c].name, datagen->columns[g].name))
				continue;
			node = leaf(root, job->columns[c].path);
			node->generator = &datagen->columns[g];
			node->column = &job->columns[c];
			node->cumulative = make_cumulative(&datagen->columns[g]);
		}
	}
	return root;
}

void generator_tree_free(struct generator_tree *tree)
{
	if (!tree)
		return;
	for (size_t i = 0; i < tree->count; i++)
		generator_tree_free(tree->children[i]);
	free(tree->children);
	free(tree->cumulative);
	free(tree->name);
	free(tree);
}

/* A time in the column's own format. */
static void render_time(const struct column_spec *column, int64_t ms, struct buffer *out)
{
	if (column->format == TIMESTAMP_ISO8601) {
		buffer_append_char(out, '"');
		civil_format(out, ms);
		buffer_append_char(out, '"');
	} else if (column->format == TIMESTAMP_EPOCH_SECONDS) {
		buffer_printf(out, "%s%lld.%03d", ms < 0 ? "-" : "", (long long)llabs(ms / 1000),
		              (int)llabs(ms % 1000));
	} else {
		text_bigint(out, ms);
		if (ms && column->format == TIMESTAMP_EPOCH_MICROS)
			buffer_append_text(out, "000");
		if (ms && column->format == TIMESTAMP_EPOCH_NANOS)
			buffer_append_text(out, "000000");
	}
}

static void render_number(const struct column_spec *column, double value, struct buffer *out)
{
	if (column->type == TYPE_TIMESTAMP)
		render_time(column, (int64_t)value, out);
	else if (column->type == TYPE_DOUBLE)
		text_json_double(out, value);
	else
		text_bigint(out, (int64_t)floor(value));
}

static void render_choice(const struct generator_tree *node, struct random *random, struct buffer *out)
{
	const struct names *values = &node->generator->values;
	double point = random_unit(random) * node->cumulative[values->count - 1];
	size_t i = 0;

	while (i + 1 < values->count && point >= node->cumulative[i])
		i++;
	if (node->column->type == TYPE_STRING)
		text_json_string(out, slice_of(values->items[i]));
	else if (node->column->type == TYPE_TIMESTAMP)
		render_time(node->column, strtoll(values->items[i], NULL, 10), out);
	else
		buffer_append_text(out, values->items[i]);
}

static double sequence_value(const struct datagen_column *generator, int64_t row)
{
	if (generator->max > generator->min)
		return generator->min + fmod((double)row, generator->max - generator->min);
	return generator->min + (double)row;
}

static void render_leaf(const struct generator_tree *node, struct random *random, int64_t row, int64_t now_ms,
                        struct buffer *out)
{
	const struct datagen_column *generator = node->generator;
	double value = 0;

	if (generator->null_probability > 0 && random_unit(random) < generator->null_probability) {
		buffer_append_text(out, "null");
		return;
	}
	switch (generator->generator) {
	case GENERATE_CHOICE:
		render_choice(node, random, out);
		return;
	case GENERATE_NOW:
		render_time(node->column, now_ms, out);
		return;
	case GENERATE_SEQUENCE:
		value = sequence_value(generator, row);
		break;
	case GENERATE_UNIFORM:
		value = generator->min + random_unit(random) * (generator->max - generator->min);
		break;
	case GENERATE_NORMAL:
		value = generator->mean + generator->stddev * random_normal(random);
		break;
	case GENERATE_LOGNORMAL:
		value = exp(generator->mean + generator->stddev * random_normal(random));
		break;
	}
	render_number(node->column, value, out);
}

void generator_tree_render(struct generator_tree *tree, struct random *random, int64_t row, int64_t now_ms,
                           struct buffer *out)
{
	if (!tree->count && tree->generator) {
		render_leaf(tree, random, row, now_ms, out);
		return;
	}
	buffer_append_char(out, tree->is_array ? '[' : '{');
	for (size_t i = 0; i < tree->count; i++) {
		struct generator_tree *child = tree->children[i];

		if (i)
			buffer_append_char(out, ',');
		if (!tree->is_array) {
			text_json_string(out, slice_of(child->name));
			buffer_append_char(out, ':');
		}
		if (child->count || child->generator)
			generator_tree_render(child, random, row, now_ms, out);
		else
			buffer_append_text(out, "null");
	}
	buffer_append_char(out, tree->is_array ? ']' : '}');
}

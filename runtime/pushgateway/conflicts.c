#include "runtime/pushgateway/conflicts.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include <jansson.h>

#include "lib/base/memory.h"
#include "runtime/pushgateway/group.h"
#include "runtime/pushgateway/held.h"

/* What the parts of a histogram or summary are called. */
static const char *const parts[] = {"_bucket", "_count", "_sum"};

struct reading {
	const struct pushgateway_sink *spec;
	struct families *families;
	int found;
};

static bool is_compound(const char *type)
{
	return !strcasecmp(type, "histogram") || !strcasecmp(type, "summary");
}

static const char *type_of(const struct family *family)
{
	return family->counter ? "counter" : "gauge";
}

static struct slice lowered(const char *type, char text[32])
{
	size_t size = strlen(type) < 31 ? strlen(type) : 31;

	for (size_t i = 0; i < size; i++)
		text[i] = (char)(type[i] >= 'A' && type[i] <= 'Z' ? type[i] - 'A' + 'a' : type[i]);
	return (struct slice){text, size};
}

static void refuse(struct reading *reading, struct family *family, const char *name, const char *type,
                   const char *holder)
{
	struct buffer words;
	char text[32];

	if (family->refused)
		return;
	buffer_init(&words);
	buffer_printf(&words, "%s has the %.*s %s, and this is a %s: to a gateway a name is of one type", holder,
	              SLICE_ARG(lowered(type, text)), name, type_of(family));
	family->refused = buffer_take(&words);
	reading->found++;
}

static bool is_part_of(const char *name, const char *compound)
{
	size_t size = strlen(compound);

	for (size_t i = 0; !strncmp(name, compound, size) && i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!strcmp(name + size, parts[i]))
			return true;
	return false;
}

/* A family of somebody else, with its type in any case of letters. */
static void judge_type(struct reading *reading, const char *name, const char *type, const char *holder)
{
	for (size_t f = 0; f < reading->families->count; f++) {
		struct family *family = &reading->families->items[f];

		if (!strcmp(family->name, name) ? strcasecmp(type, type_of(family)) != 0
		                                : is_compound(type) && is_part_of(family->name, name))
			refuse(reading, family, name, type, holder);
	}
}

static const char *text_of(const json_t *labels, const char *name)
{
	const char *text = json_string_value(json_object_get(labels, name));

	return text ? text : "";
}

/* The value that the sink's group gives a label, "" where it has none; a label without text is none. */
static const char *own_label(const struct pushgateway_sink *spec, const char *name)
{
	if (!strcmp(name, "job"))
		return spec->job;
	for (size_t i = 0; i < spec->grouping_key.count; i++)
		if (!strcmp(spec->grouping_key.items[i].key, name))
			return spec->grouping_key.items[i].value;
	return "";
}

static bool has_label(const struct family *family, const char *name)
{
	for (size_t l = 0; l < family->labels_count; l++)
		if (!strcmp(family->labels[l], name))
			return true;
	return false;
}

/* Could a series of the family in the sink's own group have these labels? */
static bool could_be_own(const struct pushgateway_sink *spec, const struct family *family, const json_t *labels)
{
	const char *name;
	json_t *unused;

	if (strcmp(text_of(labels, "job"), spec->job) != 0)
		return false;
	for (size_t i = 0; i < spec->grouping_key.count; i++)
		if (strcmp(text_of(labels, spec->grouping_key.items[i].key), spec->grouping_key.items[i].value) != 0)
			return false;
	json_object_foreach((json_t *)(uintptr_t)labels, name, unused)
	{
		if (text_of(labels, name)[0] && !own_label(spec, name)[0] && !has_label(family, name))
			return false;
	}
	return true;
}

static void judge_series(struct reading *reading, struct family *family, const json_t *metrics, size_t holder)
{
	struct buffer labels;
	json_t *sample;
	size_t index;

	buffer_init(&labels);
	json_array_foreach(metrics, index, sample)
	{
		const json_t *of = json_object_get(sample, "labels");
		struct series *taken;

		if (!could_be_own(reading->spec, family, of))
			continue;
		held_labels(family, of, &labels);
		taken = series_get(&family->taken, buffer_slice(&labels), SIZE_MAX);
		if (!taken)
			continue;
		taken->window = holder;
		reading->found++;
	}
	buffer_release(&labels);
}

static void judge_group(struct reading *reading, const json_t *group, json_t *seen)
{
	struct families *families = reading->families;
	bool own = group_is(reading->spec, json_object_get(group, "labels"));
	size_t holder = families->holders_count;
	struct buffer path;
	const char *name;
	json_t *value;

	buffer_init(&path);
	buffer_append_text(&path, "the group ");
	group_path(json_object_get(group, "labels"), &path);
	json_object_foreach((json_t *)(uintptr_t)group, name, value)
	{
		const json_t *metrics = json_object_get(value, "metrics");

		if (!json_is_array(metrics))
			continue;
		json_object_set_new(seen, name, json_true());
		if (own)
			continue;
		judge_type(reading, name, text_of(value, "type"), path.data);
		for (size_t f = 0; f < families->count; f++)
			if (!strcmp(families->items[f].name, name))
				judge_series(reading, &families->items[f], metrics, holder);
	}
	if (!own && holder < HOLDERS_MAX)
		families->holders[families->holders_count++] = buffer_take(&path);
	buffer_release(&path);
}

/* "# TYPE NAME type": those that no group has are the gateway's own. */
static void judge_page(struct reading *reading, struct slice page, const json_t *seen)
{
	const char *end = page.data + page.size;

	for (const char *line = page.data; line < end;) {
		const char *next = memchr(line, '\n', (size_t)(end - line));
		char name[256], type[32], text[512];
		size_t size = (size_t)((next ? next : end) - line);

		if (size < sizeof(text)) {
			memcpy(text, line, size);
			text[size] = '\0';
			if (sscanf(text, "# TYPE %255s %31s", name, type) == 2 && !json_object_get(seen, name))
				judge_type(reading, name, type, "the gateway itself");
		}
		line = next ? next + 1 : end;
	}
}

void conflicts_clear(struct families *families)
{
	for (size_t f = 0; f < families->count; f++) {
		struct family *family = &families->items[f];

		free(family->refused);
		family->refused = NULL;
		series_clear(&family->taken);
	}
	while (families->holders_count)
		free(families->holders[--families->holders_count]);
}

int conflicts_read(const struct pushgateway_sink *spec, struct slice list, struct slice page, struct families *families,
                   struct error *err)
{
	json_error_t json_err;
	json_t *root = json_loadb(list.data, list.size, JSON_ALLOW_NUL, &json_err), *group, *seen;
	const json_t *groups = json_object_get(root, "data");
	struct reading reading = {.spec = spec, .families = families};
	size_t index;

	if (!json_is_array(groups)) {
		json_decref(root);
		return error_set(err, "the answer of /api/v1/metrics is not a Pushgateway's; is the URL right?");
	}
	conflicts_clear(families);
	seen = json_object();
	json_array_foreach(groups, index, group)
	{
		judge_group(&reading, group, seen);
	}
	judge_page(&reading, page, seen);
	json_decref(seen);
	json_decref(root);
	return reading.found;
}

/*
 * The longest common subsequence of lines, by the table of its lengths, after common lines at both ends were set aside.
 * Walking the table gives the script: ' ' kept, '-' taken out, '+' put in; runs of it with their context are hunks.
 */
#include "operator/manager/diff.h"

#include <stdlib.h>

#include "lib/base/memory.h"

struct lines {
	struct slice *items;
	size_t count;
};

struct edit {
	char mark;
	struct slice line;
};

struct script {
	struct edit *edits;
	size_t count;
};

static void split(struct slice text, struct lines *ret_lines)
{
	size_t count = 1;

	for (size_t i = 0; i < text.size; i++)
		count += text.data[i] == '\n';
	*ret_lines = (struct lines){xcalloc(count, sizeof(struct slice)), 0};
	while (text.size) {
		const char *end = memchr(text.data, '\n', text.size);
		size_t size = end ? (size_t)(end - text.data) : text.size;

		ret_lines->items[ret_lines->count++] = (struct slice){text.data, size};
		size += end != NULL;
		text = (struct slice){text.data + size, text.size - size};
	}
}

static void add(struct script *script, char mark, struct slice line)
{
	script->edits[script->count++] = (struct edit){mark, line};
}

/* lengths[i * (columns) + j]: of what old[i..] and new[j..] have in common. */
static uint32_t *common_lengths(const struct lines *old, const struct lines *new)
{
	size_t columns = new->count + 1;
	uint32_t *lengths = xcalloc((old->count + 1) * columns, sizeof(*lengths));

	for (size_t i = old->count; i-- > 0;)
		for (size_t j = new->count; j-- > 0;) {
			uint32_t below = lengths[(i + 1) * columns + j], beside = lengths[i * columns + j + 1];

			if (slice_equal(old->items[i], new->items[j]))
				lengths[i * columns + j] = lengths[(i + 1) * columns + j + 1] + 1;
			else
				lengths[i * columns + j] = below > beside ? below : beside;
		}
	return lengths;
}

static void compare_middle(const struct lines *old, const struct lines *new, struct script *script)
{
	size_t columns = new->count + 1, i = 0, j = 0;
	uint32_t *lengths = (old->count + 1) * columns <= DIFF_PAIRS_MAX ? common_lengths(old, new) : NULL;

	while (lengths && i < old->count && j < new->count) {
		if (slice_equal(old->items[i], new->items[j])) {
			add(script, ' ', old->items[i++]);
			j++;
		} else if (lengths[(i + 1) * columns + j] >= lengths[i * columns + j + 1]) {
			add(script, '-', old->items[i++]);
		} else {
			add(script, '+', new->items[j++]);
		}
	}
	while (i < old->count)
		add(script, '-', old->items[i++]);
	while (j < new->count)
		add(script, '+', new->items[j++]);
	free(lengths);
}

static void compare(struct lines old, struct lines new, struct script *ret_script)
{
	size_t head = 0, tail = 0;
	struct script *script = ret_script;

	*script = (struct script){xcalloc(old.count + new.count + 1, sizeof(struct edit)), 0};
	while (head < old.count && head < new.count &&slice_equal(old.items[head], new.items[head]))
		add(script, ' ', old.items[head++]);
	while (tail < old.count - head &&
	       tail < new.count - head &&slice_equal(old.items[old.count - 1 - tail], new.items[new.count - 1 - tail]))
		tail++;
	compare_middle(&(struct lines){old.items + head, old.count - head - tail},
	               &(struct lines){new.items + head, new.count - head - tail}, script);
	for (size_t i = old.count - tail; i < old.count; i++)
		add(script, ' ', old.items[i]);
}

/* The end of the hunk whose first change is at `from`: after more than twice the context without another. */
static size_t hunk_end(const struct script *script, size_t from)
{
	size_t last = from;

	for (size_t i = from; i < script->count && i <= last + 2 * DIFF_CONTEXT_LINES + 1; i++)
		if (script->edits[i].mark != ' ')
			last = i;
	return last + 1 + DIFF_CONTEXT_LINES < script->count ? last + 1 + DIFF_CONTEXT_LINES : script->count;
}

static void write_range(char mark, size_t line, size_t count, struct buffer *out)
{
	buffer_printf(out, " %c%zu", mark, count ? line : line - 1);
	if (count != 1)
		buffer_printf(out, ",%zu", count);
}

/* Lines count from 1 in each text; `from` and `to` are of the script. */
static void write_hunk(const struct script *script, size_t from, size_t to, size_t old_line, size_t new_line,
                       struct buffer *out)
{
	size_t old_count = 0, new_count = 0;

	for (size_t i = from; i < to; i++) {
		old_count += script->edits[i].mark != '+';
		new_count += script->edits[i].mark != '-';
	}
	buffer_append_text(out, "@@");
	write_range('-', old_line, old_count, out);
	write_range('+', new_line, new_count, out);
	buffer_append_text(out, " @@\n");
	for (size_t i = from; i < to; i++) {
		buffer_append_char(out, script->edits[i].mark);
		buffer_append_slice(out, script->edits[i].line);
		buffer_append_char(out, '\n');
	}
}

static void write_hunks(const struct script *script, struct buffer *out)
{
	size_t old_line = 1, new_line = 1, done = 0;

	for (size_t i = 0; i < script->count;) {
		size_t from, to;

		if (script->edits[i].mark == ' ') {
			i++;
			continue;
		}
		from = i > done + DIFF_CONTEXT_LINES ? i - DIFF_CONTEXT_LINES : done;
		to = hunk_end(script, i);
		for (; done < from; done++) {
			old_line++;
			new_line++;
		}
		write_hunk(script, from, to, old_line, new_line, out);
		for (; done < to; done++) {
			old_line += script->edits[done].mark != '+';
			new_line += script->edits[done].mark != '-';
		}
		i = to;
	}
}

bool diff_unified(const char *old_name, struct slice old_text, const char *new_name, struct slice new_text,
                  struct buffer *out)
{
	struct lines old, new;
	struct script script;

	if (slice_equal(old_text, new_text))
		return false;
	split(old_text, &old);
	split(new_text, &new);
	compare(old, new, &script);
	buffer_printf(out, "--- %s\n+++ %s\n", old_name, new_name);
	write_hunks(&script, out);
	free(old.items);
	free(new.items);
	free(script.edits);
	return true;
}

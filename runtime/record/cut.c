#include "runtime/record/cut.h"

#include <stdio.h>

#include "lib/base/text.h"

#define BLANKS_MAX (64 * 1024) /* of white space before the first line: an array is not looked for behind it */

static const char not_closed[] = "the input ends within an array: it was cut off, or is not written to its end";

void cutter_init(struct cutter *cutter, int64_t record_bytes)
{
	struct buffer text;

	*cutter = (struct cutter){.record_bytes = (size_t)record_bytes};
	cutter->place = (struct cut_place){.line = 1};
	buffer_init(&text);
	text_bytes(&text, record_bytes);
	snprintf(cutter->too_long, sizeof(cutter->too_long),
	         "longer than %s, which limits.recordBytes allows; what follows these bytes is left out", text.data);
	buffer_release(&text);
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool cutter_open_array(struct cutter *cutter, struct slice text)
{
	size_t blank = 0;

	while (blank < text.size && is_space(text.data[blank]))
		blank++;
	if (blank == text.size || text.data[blank] != '[')
		return false;
	cutter_go_to(cutter, &(struct cut_place){.mode = CUT_BEGIN, .line = 1});
	cutter->alone = true;
	return true;
}

bool cutter_at_end(const struct cutter *cutter, size_t done, size_t size)
{
	return done == size && cutter->place.mode != CUT_FIRST_ELEMENT && cutter->place.mode != CUT_ELEMENT;
}

void cutter_go_to(struct cutter *cutter, const struct cut_place *place)
{
	cutter->place = *place;
	cutter->scanned = cutter->scanned_lines = 0;
	cutter->skipping = cutter->quoted = cutter->escaped = false;
	cutter->depth = 0;
}

/* The first `size` bytes are done with. */
static size_t pass(struct cutter *cutter, size_t size)
{
	cutter->place.offset += (int64_t)size;
	cutter->place.line += cutter->scanned_lines;
	cutter->scanned = cutter->scanned_lines = 0;
	return size;
}

/* A text that is cut off does not end within a character. */
static size_t whole_characters(const char *bytes, size_t size)
{
	size_t end = size;

	while (end && size - end < 3 && ((unsigned char)bytes[end] & 0xc0) == 0x80)
		end--;
	return ((unsigned char)bytes[end] & 0xc0) == 0x80 ? size : end;
}

static void add(struct cutter *cutter, const char *bytes, size_t size, const char *wrong, struct record_batch *batch)
{
	if (size > cutter->record_bytes) {
		size = whole_characters(bytes, cutter->record_bytes);
		wrong = cutter->too_long;
	}
	batch->records[batch->count++] = (struct record){.value = {bytes, size},
	                                                 .offset = cutter->place.offset,
	                                                 .timestamp_ms = -1,
	                                                 .line = cutter->place.line,
	                                                 .element = cutter->place.element,
	                                                 .wrong = wrong};
}

/* Lines or an array? 0 bytes are done with, but for the '['. */
static size_t begin(struct cutter *cutter, const char *bytes, size_t size, bool last)
{
	size_t blank = 0;

	for (; blank < size && is_space(bytes[blank]); blank++)
		cutter->scanned_lines += bytes[blank] == '\n';
	if (blank < size && bytes[blank] == '[') {
		cutter->place.mode = CUT_FIRST_ELEMENT;
		cutter->place.element = 1;
		return pass(cutter, blank + 1);
	}
	cutter->scanned_lines = 0;
	if (blank < size || last || size > BLANKS_MAX)
		cutter->place.mode = CUT_LINES;
	return 0;
}

/* An empty line is no record. 0: its end is not there yet. */
static size_t cut_line(struct cutter *cutter, const char *bytes, size_t size, bool last, struct record_batch *batch)
{
	const char *newline = memchr(bytes + cutter->scanned, '\n', size - cutter->scanned);
	size_t length = newline ? (size_t)(newline - bytes) : size;

	cutter->scanned = size;
	if (!newline && !last && !cutter->skipping && length <= cutter->record_bytes + 1) /* one for a CR */
		return 0;
	if (!cutter->skipping) {
		size_t line = length - (length && bytes[length - 1] == '\r' && (newline || last));

		if (line)
			add(cutter, bytes, line, NULL, batch);
	}
	cutter->skipping = !newline;
	cutter->scanned_lines = newline != NULL;
	return pass(cutter, length + (newline != NULL));
}

/* To the ',' or ']' behind an element, or to the end of the bytes; counts its lines. */
static size_t scan_element(struct cutter *cutter, const char *bytes, size_t size)
{
	size_t at = cutter->scanned;

	for (; at < size; at++) {
		char c = bytes[at];

		cutter->scanned_lines += c == '\n';
		if (cutter->quoted) {
			cutter->quoted = cutter->escaped || c != '"';
			cutter->escaped = !cutter->escaped && c == '\\';
		} else if (c == '"') {
			cutter->quoted = true;
		} else if (c == '{' || c == '[') {
			cutter->depth++;
		} else if (cutter->depth && (c == '}' || c == ']')) {
			cutter->depth--;
		} else if (!cutter->depth && (c == ',' || c == ']')) {
			break;
		}
	}
	cutter->scanned = at;
	return at;
}

static size_t skip_blanks(struct cutter *cutter, const char *bytes, size_t size)
{
	size_t blank = 0;

	for (; blank < size && is_space(bytes[blank]); blank++)
		cutter->scanned_lines += bytes[blank] == '\n';
	return pass(cutter, blank);
}

/* The input ends within the array: what there is of an element is given, and that the rest is not there is said. */
static size_t end_open_array(struct cutter *cutter, const char *bytes, size_t size, struct record_batch *batch)
{
	bool whole = size && !cutter->depth && !cutter->quoted && !cutter->skipping;

	add(cutter, bytes, size, whole ? NULL : not_closed, batch);
	cutter->place.element++;
	cutter->place.mode = whole ? CUT_ELEMENT : CUT_END;
	cutter->depth = 0;
	cutter->quoted = cutter->skipping = false;
	return pass(cutter, size);
}

/* At the first byte of an element that is no white space. 0: its end is not there yet. */
static size_t cut_element(struct cutter *cutter, const char *bytes, size_t size, bool last, struct record_batch *batch)
{
	bool empty = cutter->place.mode == CUT_FIRST_ELEMENT && size && bytes[0] == ']' && !cutter->scanned;
	size_t end = scan_element(cutter, bytes, size), length = end;

	if (end == size && last)
		return end_open_array(cutter, bytes, size, batch);
	if (end == size && !cutter->skipping && end <= cutter->record_bytes)
		return 0;
	while (length && end < size && is_space(bytes[length - 1]))
		length--;
	if (!cutter->skipping && !empty)
		add(cutter, bytes, length, NULL, batch);
	cutter->skipping = end == size;
	if (end == size)
		return pass(cutter, end);
	if (bytes[end] == ',') {
		cutter->place.mode = CUT_ELEMENT;
		cutter->place.element++;
	} else {
		cutter->place.mode = cutter->alone ? CUT_BEHIND : CUT_BEGIN;
		cutter->place.element = 0;
	}
	return pass(cutter, end + 1);
}

/* Behind an array that should be alone. */
static size_t end_alone(struct cutter *cutter, const char *bytes, size_t size, struct record_batch *batch)
{
	size_t blank = skip_blanks(cutter, bytes, size);

	cutter->place.mode = CUT_END;
	if (blank < size)
		add(cutter, bytes + blank, size - blank, "something follows the end of the array", batch);
	return blank + pass(cutter, size - blank);
}

static size_t cut_one(struct cutter *cutter, const char *bytes, size_t size, bool last, struct record_batch *batch)
{
	size_t blank = 0;

	switch (cutter->place.mode) {
	case CUT_BEGIN:
		return begin(cutter, bytes, size, last);
	case CUT_LINES:
		return cut_line(cutter, bytes, size, last, batch);
	case CUT_FIRST_ELEMENT:
	case CUT_ELEMENT:
		if (!cutter->scanned && !cutter->skipping)
			blank = skip_blanks(cutter, bytes, size);
		return blank ? blank : cut_element(cutter, bytes, size, last, batch);
	case CUT_BEHIND:
		return end_alone(cutter, bytes, size, batch);
	case CUT_END:
		break;
	}
	return size;
}

size_t cut_records(struct cutter *cutter, const char *bytes, size_t size, bool last, struct record_batch *batch)
{
	size_t done = 0;

	while (batch->count < BATCH_ROWS_MAX) {
		enum cut_mode before = cutter->place.mode;
		size_t one;

		if (done == size && !(last && (before == CUT_FIRST_ELEMENT || before == CUT_ELEMENT)))
			break;
		one = cut_one(cutter, bytes + done, size - done, last, batch);
		done += one;
		if (!one && cutter->place.mode == before)
			break;
	}
	return done;
}

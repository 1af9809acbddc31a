/* Durations, sizes and nearest names. */
#include <stdint.h>

#include "lib/base/text.h"

#define NEAREST_TEXT_MAX 64

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit duration_units[] = {
        {"d", 86400000}, {"h", 3600000}, {"ms", 1}, {"m", 60000}, {"s", 1000},
};
static const struct unit byte_units[] = {
        {"Ki", 1LL << 10}, {"Mi", 1LL << 20}, {"Gi", 1LL << 30}, {"Ti", 1LL << 40},
        {"k", 1000},       {"M", 1000000},    {"G", 1000000000}, {"T", 1000000000000},
};

/* Reads digits; false without any or past int64. */
static bool read_digits(struct slice *text, int64_t *ret_value)
{
	int64_t value = 0;
	size_t i = 0;

	for (; i < text->size && text->data[i] >= '0' && text->data[i] <= '9'; i++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, text->data[i] - '0', &value))
			return false;
	text->data += i;
	text->size -= i;
	*ret_value = value;
	return i > 0;
}

static const struct unit *read_unit(struct slice *text, const struct unit *units, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(units[i].name);

		if (text->size >= size && memcmp(text->data, units[i].name, size) == 0) {
			text->data += size;
			text->size -= size;
			return &units[i];
		}
	}
	return NULL;
}

int text_parse_duration(struct slice text, int64_t *ret_ms, struct error *err)
{
	struct slice rest = text;
	int64_t total = 0;
	bool good = text.size > 0;

	while (good && rest.size) {
		int64_t value, part;
		const struct unit *unit;

		good = read_digits(&rest, &value);
		unit = good ? read_unit(&rest, duration_units, sizeof(duration_units) / sizeof(duration_units[0]))
		            : NULL;
		good = unit && !__builtin_mul_overflow(value, unit->factor, &part) &&
		       !__builtin_add_overflow(total, part, &total);
	}
	if (!good)
		return error_set(err, "\"%.*s\" is not a duration; write it like 500ms, 30s, 1m30s, 2h or 1d",
		                 SLICE_ARG(text));
	*ret_ms = total;
	return 0;
}

void text_duration(struct buffer *out, int64_t ms)
{
	static const struct unit units[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};

	if (ms == 0)
		buffer_append_text(out, "0s");
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (ms >= units[i].factor) {
			text_bigint(out, ms / units[i].factor);
			buffer_append_text(out, units[i].name);
		}
		ms %= units[i].factor;
	}
}

int text_parse_bytes(struct slice text, int64_t *ret_bytes, struct error *err)
{
	struct slice rest = text;
	int64_t value = 0, factor = 1;
	bool good = read_digits(&rest, &value);

	if (good && rest.size) {
		const struct unit *unit = read_unit(&rest, byte_units, sizeof(byte_units) / sizeof(byte_units[0]));

		good = unit && !rest.size;
		factor = unit ? unit->factor : 1;
	}
	if (!good || __builtin_mul_overflow(value, factor, &value))
		return error_set(err, "\"%.*s\" is not a size in bytes; write it like 4096, 512Mi or 1G",
		                 SLICE_ARG(text));
	*ret_bytes = value;
	return 0;
}

void text_bytes(struct buffer *out, int64_t bytes)
{
	static const struct unit units[] = {{"Ti", 1LL << 40}, {"Gi", 1LL << 30}, {"Mi", 1LL << 20}, {"Ki", 1LL << 10}};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (bytes && bytes % units[i].factor == 0) {
			text_bigint(out, bytes / units[i].factor);
			buffer_append_text(out, units[i].name);
			return;
		}
	}
	text_bigint(out, bytes);
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance, without regard to case; both at most NEAREST_TEXT_MAX bytes. */
static size_t distance(struct slice a, struct slice b)
{
	size_t row[NEAREST_TEXT_MAX + 1];

	for (size_t j = 0; j <= b.size; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.size; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.size; j++) {
			size_t change = diagonal + (lower(a.data[i - 1]) != lower(b.data[j - 1]));

			diagonal = row[j];
			row[j] = least(change, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[b.size];
}

const char *text_nearest(struct slice name, const char *const *names, size_t count)
{
	const char *nearest = NULL;
	size_t best = SIZE_MAX;

	if (name.size > NEAREST_TEXT_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		struct slice candidate = slice_of(names[i]);
		size_t longer = name.size > candidate.size ? name.size : candidate.size, edits;

		if (candidate.size > NEAREST_TEXT_MAX)
			continue;
		edits = distance(name, candidate);
		if (edits < best && edits * 3 <= longer + 1) {
			best = edits;
			nearest = names[i];
		}
	}
	return nearest;
}

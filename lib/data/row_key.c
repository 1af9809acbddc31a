#include "lib/data/row_key.h"

#include "lib/base/hash.h"

#define SIGN_BIT      0x8000000000000000u
#define NAN_BITS      0x7ff8000000000000u
#define FIXED_KEY_MAX 9 /* tag and eight bytes; also a string's tag and end */

static void put_big_endian(char *to, uint64_t bits, size_t width)
{
	bits = __builtin_bswap64(bits) >> (8 * (8 - width));
	memcpy(to, &bits, width);
}

static uint64_t get_big_endian(const char *from, size_t width)
{
	uint64_t bits = 0;

	memcpy(&bits, from, width);
	return __builtin_bswap64(bits << (8 * (8 - width)));
}

/* Bits whose unsigned order is the total order of the doubles. */
static uint64_t double_order(double value)
{
	uint64_t bits;

	if (value != value)
		return NAN_BITS | SIGN_BIT;
	value += 0.0; /* -0.0 becomes 0.0 */
	memcpy(&bits, &value, sizeof(bits));
	return bits & SIGN_BIT ? ~bits : bits | SIGN_BIT;
}

static double order_double(uint64_t order)
{
	uint64_t bits = order & SIGN_BIT ? order & ~SIGN_BIT : ~order;
	double value;

	memcpy(&value, &bits, sizeof(value));
	return value;
}

/* The most bytes that the column's values of these rows can take; strings double where every byte is NUL. */
static size_t key_bytes_max(const struct column *column, const uint32_t *rows, size_t n)
{
	size_t max = n * FIXED_KEY_MAX;

	if (column->type == TYPE_STRING)
		for (size_t i = 0; i < n; i++)
			max += column->valid[rows[i]] ? 2 * column->strings[rows[i]].size : 0;
	return max;
}

static char *put_string(char *to, struct slice text)
{
	const char *nul = text.size ? memchr(text.data, '\0', text.size) : NULL;

	if (!nul) {
		if (text.size)
			memcpy(to, text.data, text.size);
		to += text.size;
	} else {
		for (size_t i = 0; i < text.size; i++) {
			*to++ = text.data[i];
			if (!text.data[i])
				*to++ = '\xff';
		}
	}
	*to++ = '\0';
	*to++ = '\0';
	return to;
}

static char *put_value(char *to, const struct column *column, uint32_t row)
{
	if (!column->valid[row]) {
		*to++ = 0;
		return to;
	}
	*to++ = 1;
	switch (column->type) {
	case TYPE_NULL:
		return to;
	case TYPE_BOOLEAN:
		*to++ = (char)column->booleans[row];
		return to;
	case TYPE_INT:
		put_big_endian(to, (uint32_t)column->ints[row] ^ 0x80000000u, 4);
		return to + 4;
	case TYPE_BIGINT:
	case TYPE_TIMESTAMP:
		put_big_endian(to, (uint64_t)column->bigints[row] ^ SIGN_BIT, 8);
		return to + 8;
	case TYPE_DOUBLE:
		put_big_endian(to, double_order(column->doubles[row]), 8);
		return to + 8;
	case TYPE_STRING:
		return put_string(to, column->strings[row]);
	}
	return to;
}

void row_key_encode(const struct column *const *columns, size_t columns_count, const uint32_t *rows, size_t n,
                    struct arena *arena, struct slice *ret_keys, uint64_t *ret_hashes)
{
	size_t max = 0;
	char *keys, *end;

	for (size_t c = 0; c < columns_count; c++)
		max += key_bytes_max(columns[c], rows, n);
	keys = end = arena_alloc(arena, max);
	for (size_t i = 0; i < n; i++) {
		char *begin = end;

		for (size_t c = 0; c < columns_count; c++)
			end = put_value(end, columns[c], rows[i]);
		ret_keys[i] = (struct slice){begin, (size_t)(end - begin)};
		ret_hashes[i] = hash_bytes(begin, ret_keys[i].size);
	}
	arena_trim(arena, keys, (size_t)(end - keys));
}

/* Reads a string up to its 0x00 0x00; 0xff after 0x00 was put in. */
static int get_string(struct slice *key, struct arena *arena, struct slice *ret_text)
{
	size_t size = 0, escapes = 0;
	char *copy;

	for (;; size++) {
		if (size + 1 >= key->size)
			return -1;
		if (key->data[size])
			continue;
		if (!key->data[size + 1])
			break;
		if (key->data[size + 1] != '\xff')
			return -1;
		size++;
		escapes++;
	}
	*ret_text = (struct slice){key->data, size};
	if (escapes) {
		copy = arena_alloc(arena, size);
		ret_text->data = copy;
		ret_text->size = size - escapes;
		for (size_t i = 0; i < size; i++) {
			*copy++ = key->data[i];
			i += !key->data[i];
		}
	}
	key->data += size + 2;
	key->size -= size + 2;
	return 0;
}

static int get_value(struct slice *key, enum type type, struct arena *arena, struct value *value)
{
	size_t width = type_width(type);
	uint64_t bits;

	if (type == TYPE_STRING)
		return get_string(key, arena, &value->string);
	if (type == TYPE_NULL || key->size < width)
		return -1;
	bits = get_big_endian(key->data, width);
	key->data += width;
	key->size -= width;
	if (type == TYPE_BOOLEAN) {
		value->boolean = bits;
		return bits > 1 ? -1 : 0;
	}
	if (type == TYPE_DOUBLE) {
		value->real = order_double(bits);
		return double_order(value->real) == bits ? 0 : -1; /* not -0.0, nor another NaN */
	}
	value->bigint = type == TYPE_INT ? (int32_t)((uint32_t)bits ^ 0x80000000u) : (int64_t)(bits ^ SIGN_BIT);
	return 0;
}

int row_key_decode(struct slice key, const enum type *types, size_t columns_count, struct arena *arena,
                   struct value *ret_values)
{
	for (size_t c = 0; c < columns_count; c++) {
		struct value value = {.type = types[c]};

		if (!key.size || (unsigned char)key.data[0] > 1)
			return -1;
		value.null = !key.data[0];
		key.data++;
		key.size--;
		if (!value.null && get_value(&key, types[c], arena, &value) < 0)
			return -1;
		ret_values[c] = value;
	}
	return key.size ? -1 : 0;
}

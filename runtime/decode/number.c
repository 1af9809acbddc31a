/*
 * Numbers as doubles and integers. Up to 15 digits and a power of ten up to 22 are exact in one operation
 * (Clinger, "How to read floating point numbers accurately", PLDI 1990); the rest goes to strtod.
 */
#include <math.h>
#include <stdlib.h>

#include "lib/base/memory.h"
#include "runtime/decode/scan.h"

#define NUMBER_TEXT_SHORT 64
#define EXACT_DIGITS      15
#define EXACT_POWER       22

static bool slow_double(struct slice text, double *ret_value)
{
	char shorter[NUMBER_TEXT_SHORT];
	char *copy = text.size < sizeof(shorter) ? shorter : xmalloc(text.size + 1);
	double value;

	memcpy(copy, text.data, text.size);
	copy[text.size] = '\0';
	value = strtod(copy, NULL);
	if (copy != shorter)
		free(copy);
	*ret_value = value;
	return isfinite(value);
}

bool number_double(const struct scanned_number *number, double *ret_value)
{
	static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
	                                1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	int32_t power = number->exponent - number->fraction;
	double value;

	if (number->count > EXACT_DIGITS || power < -EXACT_POWER || power > EXACT_POWER)
		return slow_double(number->text, ret_value);
	value = (double)number->digits;
	value = power < 0 ? value / powers[-power] : value * powers[power];
	*ret_value = number->negative ? -value : value;
	return true;
}

/*
 * A number of more digits than `digits` holds, without the zeros at its end: 1.0000000000000000000000 is 1, and
 * 1.0000000000000000000001 is no integer. False where there are too many still.
 */
static bool drop_zeros(struct scanned_number *number)
{
	struct slice text = number->text;
	size_t end = 0;
	int32_t zeros = 0;

	while (end < text.size && text.data[end] != 'e' && text.data[end] != 'E')
		end++;
	for (; end && (text.data[end - 1] == '0' || text.data[end - 1] == '.'); end--)
		zeros += text.data[end - 1] == '0';
	if (number->count - zeros > DIGITS_KEPT)
		return false;
	/* `digits` has the first DIGITS_KEPT of them: those that follow are zeros. */
	number->fraction -= number->count - DIGITS_KEPT;
	number->count = DIGITS_KEPT;
	return true;
}

bool number_integer(const struct scanned_number *number, int64_t *ret_value)
{
	struct scanned_number shorter = *number;
	uint64_t magnitude = number->digits;
	int32_t power;

	if (!magnitude) {
		*ret_value = 0;
		return true;
	}
	if (number->count > DIGITS_KEPT && !drop_zeros(&shorter))
		return false;
	power = shorter.exponent - shorter.fraction;
	for (; power < 0; power++) {
		if (magnitude % 10)
			return false;
		magnitude /= 10;
	}
	for (; power > 0; power--)
		if (__builtin_mul_overflow(magnitude, 10u, &magnitude))
			return false;
	if (magnitude > (uint64_t)INT64_MAX + number->negative)
		return false;
	*ret_value = number->negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	return true;
}

#include "lib/base/log_fields.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/text.h"

#define NUMBER_DIGITS_MAX 18 /* longer ones are identities */
#define ARGUMENTS_MAX     24
#define CONVERSION_MAX    32 /* of the literal format: "%-20.3f" */

_Static_assert(sizeof(long) == sizeof(intmax_t) && sizeof(size_t) == sizeof(intmax_t) &&
                       sizeof(long long) == sizeof(intmax_t),
               "what is longer than an int is read as intmax_t");

struct conversion {
	char text[CONVERSION_MAX]; /* as printf takes it; the length is of intmax_t */
	bool sized;                /* "%.*s" */
	bool wide;                 /* longer than an int */
	char type;                 /* '%': no argument */
};

union argument {
	struct slice text;
	intmax_t number; /* d i c */
	uintmax_t natural;
	double real;
	void *pointer;
};

static bool is_one_of(char type, const char *types)
{
	return strchr(types, type) != NULL;
}

/* Reads the conversion after its '%'; returns what follows it. */
static const char *read_conversion(const char *at, struct conversion *ret_conversion)
{
	size_t size = strspn(at, "-+ #0123456789."), lengths;

	assert(size < CONVERSION_MAX - 4);
	*ret_conversion = (struct conversion){.text = "%", .sized = at[size] == '*'};
	memcpy(ret_conversion->text + 1, at, size);
	at += size + ret_conversion->sized;
	lengths = strspn(at, "hljz");
	ret_conversion->wide = lengths && *at != 'h';
	at += lengths;
	ret_conversion->type = *at;
	assert(*at && is_one_of(*at, ret_conversion->sized ? "s" : "%diuxXocspfFeEgG"));
	snprintf(ret_conversion->text + 1 + size, CONVERSION_MAX - 1 - size, "%s%c",
	         is_one_of(*at, "diuxXo") ? "j" : "", *at);
	return at + 1;
}

/* All arguments of the format, in their order. */
static void take_arguments(const char *format, union argument *ret_arguments, va_list list)
{
	struct conversion conversion;

	for (size_t i = 0; (format = strchr(format, '%')); i += conversion.type != '%') {
		union argument *argument = &ret_arguments[i];

		assert(i < ARGUMENTS_MAX);
		format = read_conversion(format + 1, &conversion);
		if (conversion.type == 's') {
			size_t size = conversion.sized ? (size_t)va_arg(list, int) : SIZE_MAX;

			argument->text.data = va_arg(list, const char *);
			if (!argument->text.data)
				argument->text.data = "(null)";
			argument->text.size = strnlen(argument->text.data, size);
		} else if (conversion.type == 'p') {
			argument->pointer = va_arg(list, void *);
		} else if (is_one_of(conversion.type, "fFeEgG")) {
			argument->real = va_arg(list, double);
		} else if (is_one_of(conversion.type, "dic")) {
			argument->number = conversion.wide ? va_arg(list, intmax_t) : va_arg(list, int);
		} else if (conversion.type != '%') {
			argument->natural = conversion.wide ? va_arg(list, uintmax_t) : va_arg(list, unsigned);
		}
	}
}

static void append_argument(struct buffer *out, const struct conversion *conversion, const union argument *argument)
{
	switch (conversion->type) {
	case 's':
		buffer_append_slice(out, argument->text);
		return;
	case 'c':
		buffer_append_char(out, (char)argument->number);
		return;
	case 'd':
	case 'i':
		buffer_printf(out, conversion->text, argument->number);
		return;
	case 'p':
		buffer_printf(out, conversion->text, argument->pointer);
		return;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		buffer_printf(out, conversion->text, argument->natural);
		return;
	default:
		buffer_printf(out, conversion->text, argument->real);
	}
}

static size_t digits_at(struct slice value, size_t i)
{
	size_t begin = i;

	while (i < value.size && value.data[i] >= '0' && value.data[i] <= '9')
		i++;
	return i - begin;
}

/* A number as JSON has them: an identity like 007 or +1 is not one. */
static bool plain_number(struct slice value)
{
	size_t i = value.size && value.data[0] == '-', digits = digits_at(value, i);

	if (digits == 0 || digits > NUMBER_DIGITS_MAX || (digits > 1 && value.data[i] == '0'))
		return false;
	i += digits;
	if (i < value.size && value.data[i] == '.') {
		digits = digits_at(value, i + 1);
		if (digits == 0)
			return false;
		i += 1 + digits;
	}
	return i == value.size;
}

/* What logfmt takes without quotes. */
static bool plain_word(struct slice value)
{
	for (size_t i = 0; i < value.size; i++) {
		unsigned char c = (unsigned char)value.data[i];

		if (c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\')
			return false;
	}
	return true;
}

/* What was rendered of one field's VALUE. */
struct value {
	struct buffer text;
	bool quoted;  /* by the format */
	bool numbers; /* every conversion is one of a number */
};

/* The VALUE at `at`, whose first argument is *arguments; both move on behind it. */
static const char *render(const char *at, struct value *value, const union argument **arguments)
{
	struct conversion conversion;
	char end;

	buffer_clear(&value->text);
	value->quoted = *at == '"';
	value->numbers = true;
	end = value->quoted ? '"' : ' ';
	at += value->quoted;
	while (*at && *at != end) {
		if (*at != '%') {
			buffer_append_char(&value->text, *at++);
			continue;
		}
		at = read_conversion(at + 1, &conversion);
		if (conversion.type == '%')
			buffer_append_char(&value->text, '%');
		else
			append_argument(&value->text, &conversion, (*arguments)++);
		value->numbers = value->numbers && !is_one_of(conversion.type, "csp");
	}
	assert(!value->quoted || *at == '"');
	return at + value->quoted;
}

static void append_value(struct buffer *out, bool json, const struct value *value, size_t bytes_max)
{
	struct slice text = buffer_slice(&value->text);
	bool bare = !value->quoted && text.size <= bytes_max &&
	            (json ? value->numbers && plain_number(text) : plain_word(text));

	if (bare)
		buffer_append_slice(out, text);
	else
		text_quote(out, text, bytes_max);
}

void log_fields_append(struct buffer *out, bool json, size_t bytes_max, const char *format, va_list list)
{
	union argument taken[ARGUMENTS_MAX] = {{{0}}};
	const union argument *arguments = taken;
	struct value value;

	take_arguments(format, taken, list);
	buffer_init(&value.text);
	while (*format) {
		size_t key = strcspn(format, "="), before, used;

		assert(key && format[key] == '=' && !memchr(format, ' ', key));
		buffer_printf(out, json ? ",\"%.*s\":" : " %.*s=", (int)key, format);
		format = render(format + key + 1, &value, &arguments);
		before = out->size;
		append_value(out, json, &value, bytes_max < LOG_VALUE_MAX ? bytes_max : LOG_VALUE_MAX);
		used = out->size - before;
		bytes_max -= used < bytes_max ? used : bytes_max;
		assert(!*format || *format == ' ');
		format += *format == ' ';
	}
	buffer_release(&value.text);
}

#include "lib/data/civil.h"

#define DAY_MS           86400000
#define OFFSET_HOURS_MAX 15

/* Days since 1970-01-01 of a proleptic Gregorian date. */
static int64_t days_from_civil(int64_t year, int month, int day)
{
	int64_t era, year_of_era, day_of_year, day_of_era;

	year -= month <= 2;
	era = (year >= 0 ? year : year - 399) / 400;
	year_of_era = year - era * 400;
	day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day)
{
	int64_t era, day_of_era, year_of_era, day_of_year, shifted;

	days += 719468;
	era = (days >= 0 ? days : days - 146096) / 146097;
	day_of_era = days - era * 146097;
	year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	shifted = (5 * day_of_year + 2) / 153;
	*ret_day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
	*ret_month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
	*ret_year = year_of_era + era * 400 + (*ret_month <= 2);
}

struct civil_time civil_from_ms(int64_t ms)
{
	int64_t days = ms / DAY_MS;
	int rest = (int)(ms % DAY_MS);
	struct civil_time time;

	if (rest < 0) {
		rest += DAY_MS;
		days--;
	}
	civil_from_days(days, &time.year, &time.month, &time.day);
	time.hour = rest / 3600000;
	time.minute = rest / 60000 % 60;
	time.second = rest / 1000 % 60;
	time.millisecond = rest % 1000;
	return time;
}

void civil_format(struct buffer *out, int64_t ms)
{
	struct civil_time time = civil_from_ms(ms);

	buffer_printf(out, "%04lld-%02d-%02dT%02d:%02d:%02d.%03dZ", (long long)time.year, time.month, time.day,
	              time.hour, time.minute, time.second, time.millisecond);
}

/* Exactly `digits` digits. */
static bool read_number(struct slice *text, size_t digits, int *ret_number)
{
	int number = 0;

	if (text->size < digits)
		return false;
	for (size_t i = 0; i < digits; i++) {
		if (text->data[i] < '0' || text->data[i] > '9')
			return false;
		number = number * 10 + (text->data[i] - '0');
	}
	text->data += digits;
	text->size -= digits;
	*ret_number = number;
	return true;
}

static bool read_char(struct slice *text, const char *accepted, char *ret_char)
{
	if (!text->size || !text->data[0] || !strchr(accepted, text->data[0]))
		return false;
	if (ret_char)
		*ret_char = text->data[0];
	text->data++;
	text->size--;
	return true;
}

static bool real_date(int year, int month, int day)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] + (leap && month == 2);
}

static bool real_time(int hour, int minute, int second, int fraction)
{
	if (second == 60 && fraction)
		return false;
	return hour <= 23 ? minute <= 59 && second <= 60 : hour == 24 && !minute && !second && !fraction;
}

/* ".123456": milliseconds, the rest cut. */
static bool read_fraction(struct slice *text, int *ret_ms)
{
	int ms = 0, scale = 100;
	size_t digits = 0;

	*ret_ms = 0;
	if (!read_char(text, ".,", NULL))
		return true;
	for (; text->size && text->data[0] >= '0' && text->data[0] <= '9'; digits++) {
		ms += (text->data[0] - '0') * scale;
		scale /= 10;
		text->data++;
		text->size--;
	}
	*ret_ms = ms;
	return digits > 0;
}

/* "Z", "+02:00", "+0200", "+02" or nothing. */
static bool read_offset(struct slice *text, int *ret_minutes)
{
	int hours, minutes = 0;
	char sign;

	*ret_minutes = 0;
	if (!text->size || read_char(text, "Zz", NULL))
		return text->size == 0;
	if (!read_char(text, "+-", &sign) || !read_number(text, 2, &hours))
		return false;
	if (text->size) {
		read_char(text, ":", NULL);
		if (!read_number(text, 2, &minutes))
			return false;
	}
	*ret_minutes = (hours * 60 + minutes) * (sign == '-' ? -1 : 1);
	return text->size == 0 && hours <= OFFSET_HOURS_MAX && minutes <= 59;
}

bool civil_parse(struct slice text, int64_t *ret_ms)
{
	int year, month, day, hour = 0, minute = 0, second = 0, fraction = 0, offset = 0;

	if (!read_number(&text, 4, &year) || !read_char(&text, "-", NULL) || !read_number(&text, 2, &month) ||
	    !read_char(&text, "-", NULL) || !read_number(&text, 2, &day) || !real_date(year, month, day))
		return false;
	if (text.size) {
		if (!read_char(&text, "Tt ", NULL) || !read_number(&text, 2, &hour) || !read_char(&text, ":", NULL) ||
		    !read_number(&text, 2, &minute))
			return false;
		if (read_char(&text, ":", NULL) &&
		    (!read_number(&text, 2, &second) || !read_fraction(&text, &fraction)))
			return false;
		if (!read_offset(&text, &offset) || !real_time(hour, minute, second, fraction))
			return false;
	}
	*ret_ms = days_from_civil(year, month, day) * DAY_MS + hour * 3600000LL + (minute - offset) * 60000LL +
	          second * 1000LL + fraction;
	return true;
}

/* What the checks of check.h say. */
#include <stdarg.h>
#include <stdio.h>

#include "lib/spec/check/check.h"

#define PROBLEM_TEXT_MAX 1024

void check_problem(struct problems *problems, const char *path, const char *right, const char *wrong, ...)
{
	char text[PROBLEM_TEXT_MAX];
	va_list arguments;

	va_start(arguments, wrong);
	vsnprintf(text, sizeof(text), wrong, arguments);
	va_end(arguments);
	problems_add_at(problems, path, PROBLEM_NO_OFFSET, text, right);
}

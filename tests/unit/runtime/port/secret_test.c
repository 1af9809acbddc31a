#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "runtime/port/secret.h"

static char folder[] = "/tmp/secret_test.XXXXXX";
static char full[SECRET_BYTES_MAX], longer[SECRET_BYTES_MAX + 1];

static const struct row {
	const char *name, *file; /* NULL: there is none */
	const char *text;        /* NULL: the error has `words` */
	const char *words;
} rows[] = {
        {"a word", "hunter2", "hunter2", NULL},
        {"a line", "hunter2\n", "hunter2", NULL},
        {"a line of another system", "hunter2\r\n", "hunter2", NULL},
        {"spaces count", " hunter 2 \n", " hunter 2 ", NULL},
        {"two lines", "hunter\n2\n", "hunter\n2", NULL},
        {"nothing", "", "", NULL},
        {"a line end", "\n", "", NULL},
        {"as long as may be", full, full, NULL},
        {"too long", longer, NULL, "has more than 4095 bytes"},
        {"not mounted", NULL, NULL,
         "/broker/password (key password of secret broker): No such file or directory; mount the secret there, or say "
         "where with --secrets"},
};

static void read_test(void **state)
{
	char path[64];

	(void)state;
	memset(full, 'f', sizeof(full) - 1);
	memset(longer, 'l', sizeof(longer) - 1);
	snprintf(path, sizeof(path), "%s/broker/password", folder);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *row = &rows[i];
		char text[SECRET_BYTES_MAX] = "untouched";
		struct error err = {.text = ""};
		FILE *file = row->file ? fopen(path, "w") : NULL;
		int result;

		if (file) {
			fputs(row->file, file);
			fclose(file);
		}
		result = secret_read(folder, "broker", "password", text, &err);
		if (result != (row->text ? 0 : -1) || strcmp(text, row->text ? row->text : "untouched") != 0)
			fail_msg("%s: %d, \"%s\", \"%s\"", row->name, result, text, err.text);
		if (row->words && !strstr(err.text, row->words))
			fail_msg("%s: \"%s\"", row->name, err.text);
		unlink(path);
	}
}

static int setup(void **state)
{
	char secret[64];

	(void)state;
	if (!mkdtemp(folder))
		return -1;
	snprintf(secret, sizeof(secret), "%s/broker", folder);
	return mkdir(secret, 0700);
}

static int teardown(void **state)
{
	char secret[64];

	(void)state;
	snprintf(secret, sizeof(secret), "%s/broker", folder);
	return rmdir(secret) || rmdir(folder);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {cmocka_unit_test(read_test)};

	return cmocka_run_group_tests(tests, setup, teardown);
}

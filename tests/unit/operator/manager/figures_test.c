#include "operator/manager/figures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static bool wanted(void *context, const char *key)
{
	return strncmp(key, context, strlen(context)) != 0;
}

static void expect(struct figures *figures, int64_t now_ms, const char *line, bool there)
{
	struct buffer page;

	buffer_init(&page);
	figures_metrics(figures, wanted, (char[]){"hidden/"}, now_ms, &page);
	if ((strstr(page.data, line) != NULL) != there)
		fail_msg("%s%s", there ? "not there: " : "there: ", line);
	buffer_release(&page);
}

static void figures_test(void **state)
{
	struct figures *figures = figures_new();
	json_t *job =
	        json_pack("{s:{s:b}, s:{s:i, s:{s:s}, s:[{s:s, s:s}]}}", "spec", "suspend", 0, "status", "lag", 11,
	                  "lastWindow", "end", "2033-05-18T03:33:20Z", "conditions", "type", "Ready", "status", "True");
	json_t *told =
	        json_pack("{s:I, s:{s:s}}", "lag", (json_int_t)4711, "lastWindow", "end", "2033-05-18T03:33:30Z");

	(void)state;
	figures_told(figures, "ns/b", told, 1000); /* nobody's */
	figures_seen(figures, "ns/b", job);
	figures_seen(figures, "ns/a", job);
	figures_seen(figures, "hidden/a", job);
	expect(figures, 1000, "streamjob_job_ready{namespace=\"ns\",name=\"b\"} 1\n", true);
	expect(figures, 1000, "streamjob_job_suspended{namespace=\"ns\",name=\"b\"} 0\n", true);
	expect(figures, 1000, "streamjob_job_lag{namespace=\"ns\",name=\"b\"} 11\n", true);
	expect(figures, 1000, "hidden", false);
	figures_told(figures, "ns/b", told, 2000);
	expect(figures, 2000, "streamjob_job_lag{namespace=\"ns\",name=\"b\"} 4711\n", true);
	expect(figures, 2000, "streamjob_job_last_window_end_seconds{namespace=\"ns\",name=\"b\"} 2000000010\n", true);
	expect(figures, 2000, "streamjob_job_lag{namespace=\"ns\",name=\"a\"} 11\n", true);
	expect(figures, 2000 + FIGURES_TOLD_MS + 1, "streamjob_job_lag{namespace=\"ns\",name=\"b\"} 11\n", true);
	json_object_clear(told); /* what a document does not say is what the status says */
	figures_told(figures, "ns/b", told, 3000);
	expect(figures, 3000, "streamjob_job_lag{namespace=\"ns\",name=\"b\"} 11\n", true);
	figures_seen(figures, "ns/b", NULL);
	figures_seen(figures, "ns/never", NULL);
	expect(figures, 3000, "name=\"b\"", false);
	expect(figures, 3000, "name=\"a\"", true);
	json_decref(told);
	json_decref(job);
	figures_free(figures);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(figures_test)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

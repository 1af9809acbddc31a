#include "tests/unit/lib/spec/job_case.h"

const char good_job[] = "apiVersion: streamjob.dev/v1alpha1\n"
                        "kind: StreamJob\n"
                        "metadata: {name: j}\n"
                        "spec:\n"
                        "  " SOURCE "\n"
                        "  columns:\n"
                        "  - {name: bucket, type: STRING}\n"
                        "  - {name: v, " COLUMN "}\n"
                        "  window: {tumbling: {" SIZE "}}\n"
                        "  " KEYS "\n"
                        "  aggregates:\n"
                        "  - {name: c, expr: COUNT(*)}\n"
                        "  - {name: m, expr: " AVERAGE "}\n"
                        "  sinks:\n"
                        "  " SINK "\n";

char *spoil(const char *name, const char *find, const char *replace)
{
	const char *at = strstr(good_job, find);
	struct buffer out;

	if (!at || strstr(at + 1, find))
		fail_msg("%s: \"%s\" is not in the good job once", name, find);
	buffer_init(&out);
	buffer_append(&out, good_job, (size_t)(at - good_job));
	buffer_append_text(&out, replace);
	buffer_append_text(&out, at + strlen(find));
	return buffer_take(&out);
}

struct jobspecs good_jobs(const char *name, struct slice text)
{
	struct problems problems;
	struct jobspecs jobs;
	struct buffer out;

	problems_init(&problems);
	buffer_init(&out);
	if (jobspecs_load("job.yaml", text, &problems, &jobs) < 0) {
		problems_print(&problems, &out);
		fail_msg("%s: %s", name, out.data);
	}
	buffer_release(&out);
	problems_release(&problems);
	return jobs;
}

char *problems_of(struct slice text)
{
	struct problems problems;
	struct jobspecs jobs;
	struct buffer out;

	problems_init(&problems);
	buffer_init(&out);
	jobspecs_load("job.yaml", text, &problems, &jobs);
	problems_print(&problems, &out);
	jobspecs_release(&jobs);
	problems_release(&problems);
	return buffer_take(&out);
}

bool lines_match(const char *expected, const char *found)
{
	while (*expected && *found) {
		size_t want = strcspn(expected, "\n"), have = strcspn(found, "\n");
		bool start = want && expected[want - 1] == '*';

		if (start ? have < want - 1 || memcmp(expected, found, want - 1) != 0
		          : have != want || memcmp(expected, found, want) != 0)
			return false;
		expected += want + (expected[want] == '\n');
		found += have + (found[have] == '\n');
	}
	return !*expected && !*found;
}

void expect_problems(const char *name, const char *text, const char *expected)
{
	char *found = problems_of(slice_of(text));

	if (!lines_match(expected, found)) {
		fprintf(stderr, "%s\nexpected:\n%s\nfound:\n%s\n", text, expected,
		        found); /* longer than fail_msg takes */
		fail_msg("%s: other problems than expected", name);
	}
	free(found);
}

void run_cases(const struct job_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *text = spoil(cases[i].name, cases[i].find, cases[i].replace);

		expect_problems(cases[i].name, text, cases[i].expected);
		free(text);
	}
}

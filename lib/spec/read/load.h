/*
 * From text to checked jobspecs. YAML by libyaml (JSON is YAML); several documents a file; other kinds are skipped.
 */
#ifndef STREAMJOB_LOAD_H
#define STREAMJOB_LOAD_H

#include "lib/base/error.h"
#include "lib/spec/check/callers.h"
#include "lib/spec/field/jobspec.h"
#include "lib/spec/field/problems.h"
#include "lib/spec/out/out.h"

#define JOB_FILE_BYTES_MAX (4 * 1024 * 1024)
#define JOB_DOCUMENTS_MAX  1000

struct jobspecs {
	struct jobspec **items; /* only those without problems */
	size_t count;
	size_t documents; /* all, of any kind */
	size_t found;     /* StreamJobs among them, good or bad */
};

/*
 * Loads, defaults and checks every StreamJob in `text`; `file` is only for messages. All problems of all documents are
 * added to `problems`, those of the expressions too. Returns 0 when none was added, else -1.
 */
int jobspecs_load(const char *file, struct slice text, struct problems *problems, struct jobspecs *ret_jobs);
/* The same for what an API server gave out: its schema may be newer than this program, so fields that are not known
 * are left out instead of being problems, and go to problems->unknown. `checked` may be NULL. */
int jobspecs_load_live(const char *file, struct slice text, const struct checked_specs *checked,
                       struct problems *problems, struct jobspecs *ret_jobs);
/* The same, and the functions of each job that is good so far are loaded: expressions are checked against them. */
int jobspecs_load_calling(const char *file, struct slice text, const struct function_loader *loader,
                          struct problems *problems, struct jobspecs *ret_jobs);
void jobspecs_release(struct jobspecs *jobs);

#endif

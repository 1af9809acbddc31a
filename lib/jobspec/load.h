/*
 * From text to checked jobspecs. YAML by libyaml (JSON is YAML); several documents a file; other kinds are skipped.
 */
#ifndef STREAMJOB_LOAD_H
#define STREAMJOB_LOAD_H

#include "lib/base/error.h"
#include "lib/jobspec/jobspec.h"
#include "lib/jobspec/problems.h"

#define JOB_API_VERSION    "streamjob.dev/v1alpha1"
#define JOB_KIND           "StreamJob"
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
/*
 * What the expressions of a spec were found to be, kept by who loads the same specs again and again. A key is the
 * SHA-256 of the canonical spec in hexadecimal, or of the spec as it was given where its shape is bad.
 */
struct checked_specs {
	/* Adds the problems that the expressions of that spec had; false: it is not known. */
	bool (*recall)(void *context, const char *key, struct problems *problems);
	/* They were compiled, and have the problems from `first` on. */
	void (*keep)(void *context, const char *key, const struct problems *problems, size_t first);
	void *context;
};
/* The same for what an API server gave out: its schema may be newer than this program, so fields that are not known
 * are left out instead of being problems, and go to problems->unknown. `checked` may be NULL. */
int jobspecs_load_live(const char *file, struct slice text, const struct checked_specs *checked,
                       struct problems *problems, struct jobspecs *ret_jobs);
/* What loading a function's code tells of it; -1: what is wrong with it. Results live as long as the context. */
struct function_loader {
	int (*load)(void *context, const struct function_spec *spec, struct user_function *ret_function,
	            struct error *err);
	void *context;
};
/* The same, and the functions of each job that is good so far are loaded: expressions are checked against them. */
int jobspecs_load_calling(const char *file, struct slice text, const struct function_loader *loader,
                          struct problems *problems, struct jobspecs *ret_jobs);
void jobspecs_release(struct jobspecs *jobs);

/* `streamjob schema`: the CRD (YAML) and the reference (Markdown), from the field table. */
void jobspec_crd(struct buffer *out);
void jobspec_reference(struct buffer *out);
/* The canonical job file: every field that was given or has a default, in the table's order, as one JSON document. */
void jobspec_canonical(const struct jobspec *job, struct buffer *out);

#define JOBSPEC_QUERY_HASH_BYTES 17
/* 16 hexadecimal digits of the SHA-256 of what decides how rows become windows: columns to HAVING, not source and
 * sinks. */
void jobspec_query_hash(const struct jobspec *job, char ret_hash[JOBSPEC_QUERY_HASH_BYTES]);

#endif

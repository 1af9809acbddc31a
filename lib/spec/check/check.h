/*
 * The check beyond the table: what one part of a job says about another. Everything here takes a job whose shape may be
 * partly bad (strings NULL, types TYPE_NULL where the file had a problem there) and stays silent about such parts.
 */
#ifndef STREAMJOB_CHECK_H
#define STREAMJOB_CHECK_H

#include <jansson.h>

#include "lib/base/error.h"
#include "lib/spec/check/callers.h"
#include "lib/spec/query/query.h"

/* Everything below; problems get a path, and an offset inside of an expression. Without a loader the expressions are
 * compiled only where `checked` does not know the key; it may be NULL. */
void jobspec_check(const struct jobspec *job, const struct function_loader *loader, const struct checked_specs *checked,
                   const char *key, struct problems *problems);

void check_functions(const struct jobspec *job, struct problems *problems);
void check_names(const struct jobspec *job, struct problems *problems);
void check_datagen(const struct jobspec *job, struct problems *problems);
void check_kafka(const struct jobspec *job, struct problems *problems);
void check_pods(const struct jobspec *job, struct problems *problems);
/* The Pod Security Standard, of a part of spec.podTemplate at `place`. */
void check_standard_pod(json_t *spec, const char *place, struct problems *problems);
void check_standard_container(json_t *container, const char *place, struct problems *problems);
void check_standard_volume(json_t *volume, const char *place, struct problems *problems);
void check_standard_annotation(const char *key, const json_t *value, const char *place, struct problems *problems);
/* Within `json` at `path`, a part of a pod template: elements of lists that the API server takes for one. */
struct json_t;
void check_twice(struct json_t *json, const char *path, struct problems *problems);
void check_targets(const struct jobspec *job, struct problems *problems);
/* Columns of `query->result` have TYPE_NULL where their expression has a problem. */
void check_metrics(const struct jobspec *job, const struct query *query, struct problems *problems);

/* problems_add_at of a whole field; the path and both texts are formats' results. */
void check_problem(struct problems *problems, const char *path, const char *right, const char *wrong, ...)
        __attribute__((format(printf, 4, 5)));

#endif

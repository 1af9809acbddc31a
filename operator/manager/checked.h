/*
 * What the expressions of the StreamJobs' specs were found to be, so that no spec is compiled twice: by job, by the key
 * of the spec (lib/spec/read/load.h). It is kept in ConfigMaps of the operator's own namespace for the next process
 * (checked_keep.h); docs/decisions/checked-specs.md says why there, and what it is trusted with. All of it can be lost:
 * what is not known is compiled.
 *
 * Threads: any; a look is one thread's.
 */
#ifndef STREAMJOB_CHECKED_H
#define STREAMJOB_CHECKED_H

#include <jansson.h>

#include "lib/base/buffer.h"
#include "lib/spec/read/load.h"

#define CHECKED_SHARDS      8
#define CHECKED_SPECS_MAX   12           /* of a job: what it asks for, its last good spec, job files before it */
#define CHECKED_BYTES_MAX   4096         /* of what is known of one job: a spec with more problems is compiled anew */
#define CHECKED_SHARD_BYTES (700 * 1024) /* a ConfigMap has 1 MiB at most; jobs that find no room are compiled anew */

struct checked;
struct checked *checked_new(void);
void checked_free(struct checked *checked);

/* One look at a job: what it asks for or adds is what is known of the job at its end. */
struct checked_look;
struct checked_look *checked_look_begin(struct checked *checked, const char *key);
/* For the look's loads. */
const struct checked_specs *checked_look_specs(const struct checked_look *look);
void checked_look_end(struct checked_look *look);
/* The job is gone. */
void checked_forget(struct checked *checked, const char *key);
/* All jobs that are there, an array of their keys: what is known of others goes. */
void checked_forget_others(struct checked *checked, const json_t *keys);

/* A shard as it is kept, free(); NULL: it is as it was when it was last taken or put back. */
char *checked_take(struct checked *checked, size_t shard);
/* It could not be written: it is to be taken again. */
void checked_put_back(struct checked *checked, size_t shard);
/* Adds what was kept; of jobs that are known already nothing. What is damaged is passed over. */
void checked_add(struct checked *checked, const char *text);

void checked_metrics(struct checked *checked, struct buffer *out);

#endif

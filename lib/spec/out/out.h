/*
 * What a job and the field table are written as: the canonical job file and its hashes, the CRD, the reference, the
 * plan for people.
 */
#ifndef STREAMJOB_SPEC_OUT_H
#define STREAMJOB_SPEC_OUT_H

#include "lib/base/buffer.h"
#include "lib/spec/field/jobspec.h"

struct query;

/* `streamjob schema`: the CRD (YAML) and the reference (Markdown), from the field table. */
void jobspec_crd(struct buffer *out);
void jobspec_reference(struct buffer *out);
/* The canonical job file: every field that was given or has a default, in the table's order, as one JSON document. */
void jobspec_canonical(const struct jobspec *job, struct buffer *out);

#define JOBSPEC_QUERY_HASH_BYTES 17
/* 16 hexadecimal digits of the SHA-256 of what decides how rows become windows: columns to HAVING, not source and
 * sinks. */
void jobspec_query_hash(const struct jobspec *job, char ret_hash[JOBSPEC_QUERY_HASH_BYTES]);

/* The plan as text for people (streamjob explain). */
void query_explain(const struct jobspec *job, const struct query *query, struct buffer *out);

#endif

/*
 * Reading a document into structs by the field table: defaults first, then what the file gives.
 */
#ifndef STREAMJOB_READ_H
#define STREAMJOB_READ_H

#include "lib/base/error.h"
#include "lib/spec/field/tables.h"
#include "lib/spec/field/problems.h"

struct reader {
	const char *file;
	struct problems *problems;
	struct arena *arena;                  /* for what the job keeps */
	struct arena *scratch;                /* for paths */
	const struct function_loader *loader; /* NULL: code is not looked at */
	const struct checked_specs *checked;  /* NULL: every expression is compiled */
	bool live;                            /* fields that are not known are left out */
};

/* `members` is zeroed. A member whose value is bad keeps its default; each such adds a problem. */
void read_object(struct reader *reader, const struct object *object, const struct node *node, const char *path,
                 void *members);
void read_defaults(struct reader *reader, const struct object *object, void *members);
/* A scalar of the field's kind, into `member`. */
void read_scalar(struct reader *reader, const struct field *field, const struct node *node, const char *path,
                 void *member);
/* Stores `text` by the field's kind and bounds; -1 and what is wrong; ret_right may be set too. */
int store_text(struct reader *reader, const struct field *field, struct slice text, void *member, struct error *wrong,
               struct error *right);

/* At a node, with "; right" where right is not empty. */
void read_problem(struct reader *reader, const struct node *node, const char *path, const char *wrong,
                  const char *right);
/* What the node is, for messages: "a list", "the integer 5". */
void describe_node(const struct node *node, struct error *ret_text);
/* All keys that a map of the document has twice. */
void read_duplicates(struct reader *reader, const struct node *node, const char *path);
/* How many problems there are, kept or not. */
size_t read_count(const struct reader *reader);

#endif

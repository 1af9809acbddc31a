/*
 * Making programs from parts of a parse tree: inside lib/expr only.
 */
#ifndef STREAMJOB_EXPR_PROGRAM_H
#define STREAMJOB_EXPR_PROGRAM_H

#include "lib/expr/tree.h"

struct program *program_new(void);
/* `root` is the program's; makes its registers. */
void program_finish(struct program *program, struct node *root);
/* A program of its own for a part of the text; `wanted` TYPE_NULL: any type. NULL after a problem. */
struct program *program_from_json(struct checker *checker, const struct json_t *json, enum type wanted,
                                  const char *what);

#endif

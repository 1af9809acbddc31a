/*
 * The user's functions while a tree is built: inside lib/expr only.
 */
#ifndef STREAMJOB_USER_TREE_H
#define STREAMJOB_USER_TREE_H

#include "lib/expr/tree.h"
#include "lib/expr/user_call.h"

/* By name, in any case; NULL where there is none. */
const struct user_function *user_function_find(const struct checker *checker, const char *name, size_t *ret_number);
/* Where a function of that kind may stand, for messages. */
const char *user_function_place(enum function_kind kind);
/* The arguments of a call, a new array; those of f(*) and f(ROW(a, b)) are the fields, and ret_row is true. */
struct json_t *user_call_arguments(const struct checker *checker, const struct json_t *body, bool *ret_row);
/* A call of a scalar function. NULL after a problem, and without one where the type of its result is not known. */
struct node *check_user_function(struct checker *checker, size_t number, const struct json_t *body);
/* Any other: the programs of its arguments. NULL after a problem. */
struct user_call *user_call_from_json(struct checker *checker, size_t number, const struct json_t *body);

#endif

/* Types that meet: inside lib/expr only. */
#ifndef STREAMJOB_EXPR_COERCE_H
#define STREAMJOB_EXPR_COERCE_H

#include "lib/expr/tree.h"

bool type_is_number(enum type type);
/* The type that all of them become, by PostgreSQL's rules; false after a problem. */
bool common_type(struct checker *checker, struct node **nodes, size_t count, const char *what, enum type *ret_type);
/* `node` as `type`: literals take it, numbers widen; NULL after a problem. */
struct node *coerce(struct checker *checker, struct node *node, enum type type, const char *what);
/* CAST(node AS type). */
struct node *explicit_cast(struct checker *checker, struct node *node, enum type type, size_t offset);

#endif

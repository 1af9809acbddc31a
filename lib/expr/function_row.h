/* A row of the catalog of scalar functions, with its kernel: inside lib/expr only. */
#ifndef STREAMJOB_FUNCTION_ROW_H
#define STREAMJOB_FUNCTION_ROW_H

#include "lib/expr/function_catalog.h"
#include "lib/expr/tree.h"

#define FUNCTION_ARGUMENTS_MAX 3

/* TYPE_NULL as result: that of the first argument; as argument: any number, and `choose` picks the kernel by its type.
 */
struct function {
	const char *name;
	size_t least, most;
	enum type arguments[FUNCTION_ARGUMENTS_MAX];
	enum type result;
	kernel *run;
	kernel *(*choose)(enum type type);
	const char *meaning;
	const char *words; /* of its arguments, where types do not say it: it is no call to the parser */
	bool alias;        /* another name of the one before it */
};

/* A call of that name, in small letters; or NULL. */
const struct function *function_find(const char *name);

#endif

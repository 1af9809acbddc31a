#include "runtime/aggregate/aggregate.h"

#include <stdlib.h>

#include "runtime/aggregate/implementations.h"

static const struct aggregate_types *const catalog[] = {
#define AGGREGATE(id, symbol, ...) [AGGREGATE_##id] = &symbol##_aggregate,
#include "lib/expr/aggregates.def"
#undef AGGREGATE
};

const struct aggregate *aggregate_find(enum aggregate_kind kind, enum type argument)
{
	const struct aggregate *found = catalog[kind]->of[argument];

	return found ? found : (abort(), NULL); /* the compiler lets no other call pass */
}

void aggregate_rows_release(struct aggregate_rows *rows)
{
	batch_release(&rows->batch);
	free(rows->parents);
	*rows = (struct aggregate_rows){0};
}

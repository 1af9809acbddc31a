#include "runtime/pipeline/aggregations.h"

#include <stdlib.h>

/* Each call's place among those of its function. */
static void number_calls(struct aggregations *aggregations)
{
	for (size_t c = 0; c < aggregations->count; c++) {
		struct user_context *user = &aggregations->users[c];

		for (size_t i = 0; i < aggregations->count && aggregations->items[c].context; i++) {
			bool same = aggregations->items[i].context && aggregations->users[i].function == user->function;

			user->stride += same;
			user->index += same && i < c;
		}
	}
}

void aggregations_init(struct aggregations *aggregations, const struct query *query, struct calls *calls)
{
	size_t count = 0;

	for (size_t a = 0; a < query->aggregates_count; a++)
		count += query->aggregates[a]->calls_count;
	*aggregations = (struct aggregations){.items = xcalloc(count + 1, sizeof(struct aggregation)),
	                                      .users = xcalloc(count + 1, sizeof(struct user_context))};
	for (size_t a = 0; a < query->aggregates_count; a++) {
		for (size_t i = 0; i < query->aggregates[a]->calls_count; i++) {
			const struct aggregate_call *call = &query->aggregates[a]->calls[i];
			struct user_context *user = &aggregations->users[aggregations->count];
			struct aggregation *aggregation = &aggregations->items[aggregations->count++];

			aggregation->call = call;
			if (!call->user) {
				aggregation->aggregate = aggregate_find(call->kind, call->argument_type);
				continue;
			}
			*user = (struct user_context){.calls = calls, .function = call->user->function};
			aggregation->aggregate = query->aggregates[a]->table ? &user_table_aggregate : &user_aggregate;
			aggregation->context = user;
		}
	}
	number_calls(aggregations);
}

void aggregations_release(struct aggregations *aggregations)
{
	free(aggregations->items);
	free(aggregations->users);
	*aggregations = (struct aggregations){0};
}

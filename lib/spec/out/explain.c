/* streamjob explain: the plan as text. */
#include "lib/base/text.h"
#include "lib/data/civil.h"
#include "lib/spec/out/out.h"
#include "lib/spec/query/query.h"

static void explain_source(const struct jobspec *job, struct buffer *out)
{
	const struct kafka_source *kafka = &job->source.kafka;

	switch (job->source.kind) {
	case SOURCE_KAFKA:
		buffer_printf(out, "source     kafka topic %s at %s, group %s, from %s when the group has no offsets\n",
		              kafka->client.topic, kafka->client.bootstrap_servers, kafka->group_id,
		              kafka->starting_offsets == START_LATEST ? "latest" : "earliest");
		break;
	case SOURCE_FILE:
		buffer_printf(out, "source     file %s, once\n", job->source.file.path);
		break;
	case SOURCE_STDIN:
		buffer_append_text(out, "source     standard input\n");
		break;
	case SOURCE_DATAGEN:
		buffer_printf(out, "source     datagen, seed %lld, %.15g rows/s", (long long)job->source.datagen.seed,
		              job->source.datagen.rows_per_second);
		if (job->source.datagen.rows)
			buffer_printf(out, ", %lld rows", (long long)job->source.datagen.rows);
		buffer_append_char(out, '\n');
		break;
	case SOURCE_NONE:
		break;
	}
}

static void explain_reads(const struct jobspec *job, const struct query *query, struct buffer *out)
{
	size_t own = query->declared_count + query->source_count, read = 0, idle = 0;

	buffer_append_text(out, "reads      ");
	for (size_t i = 0; i < own; i++) {
		const struct schema_column *column = &query->row.columns[i];

		if (!query->read[i])
			continue;
		buffer_printf(out, "%s%s %s", read++ ? ", " : "", column->name, type_name(column->type));
		if (i < query->declared_count)
			buffer_printf(out, " at %s", job->columns[i].path);
	}
	buffer_append_text(out, read ? "\n" : "no column\n");
	for (size_t i = 0; i < query->declared_count; i++)
		if (!query->read[i])
			buffer_printf(out, "%s%s", idle++ ? ", " : "not read   ", query->row.columns[i].name);
	buffer_append_text(out, idle ? "\n" : "");
	if (job->filter)
		buffer_printf(out, "filter     %s\n", job->filter);
	for (size_t i = 0; i < job->select_count; i++)
		buffer_printf(out, "select     %s %s = %s%s\n", job->select[i].name,
		              type_name(query->row.columns[own + i].type), job->select[i].expr,
		              query->read[own + i] ? "" : "   (nothing reads it: not run)");
}

static void explain_lateral(const struct jobspec *job, const struct query *query, struct buffer *out)
{
	for (size_t l = 0; l < query->lateral_count; l++) {
		const struct lateral_call *lateral = &query->lateral[l];

		buffer_printf(out, "lateral    %s join ", lateral->left ? "left" : "inner");
		for (size_t c = 0; c < lateral->columns_count; c++) {
			const struct schema_column *column = &query->row.columns[lateral->first_column + c];

			buffer_printf(out, "%s%s %s", c ? ", " : "", column->name, type_name(column->type));
		}
		buffer_printf(out, " = %s\n", job->lateral[l].expr);
	}
}

static void explain_functions(const struct jobspec *job, struct buffer *out)
{
	static const char *const errors[] = {"stops the job", "is left out", "goes to the dead letter",
	                                     "counts as NULL"};
	static const char *const poisons[] = {"", "goes to the dead letter", "is left out", "stops the job"};

	for (size_t f = 0; f < job->functions_count; f++) {
		const struct function_spec *function = &job->functions[f];

		buffer_printf(out, "function   %s, %s %s %s, ", function->name,
		              function->language == LANGUAGE_NATIVE ? "native" : "python",
		              function_kind_name(function->kind), function->entrypoint);
		text_duration(out, function->timeout_ms);
		buffer_append_text(out, " a batch, ");
		text_bytes(out, function->memory_bytes);
		buffer_printf(out, " a lane%s; a row with an exception %s, one that kills it %s\n",
		              function->isolation == ISOLATION_IN_PROCESS ? ", in the runtime's process" : "",
		              errors[function->on_error], poisons[function->on_poison_row]);
	}
}

static void explain_window(const struct jobspec *job, const struct query *query, struct buffer *out)
{
	static const char *const empties[] = {"nothing", "every known key with aggregates of nothing",
	                                      "the Pushgateway group is deleted"};

	buffer_append_text(out, "window     tumbling ");
	text_duration(out, job->window.size_ms);
	buffer_append_text(out, ", offset ");
	text_duration(out, job->window.offset_ms);
	buffer_printf(out, ", processing time; when empty: %s\n", empties[job->window.on_empty]);
	buffer_append_text(out, "group by   ");
	for (size_t k = 0; k < query->keys_count; k++)
		buffer_printf(out, "%s%s %s", k ? ", " : "", query->result.columns[k].name,
		              type_name(query->result.columns[k].type));
	buffer_append_text(out, query->keys_count ? "\n" : "nothing: one group of all rows\n");
	for (size_t a = 0; a < job->aggregates_count; a++) {
		const struct aggregate_expr *expr = query->aggregates[a];

		buffer_append_text(out, "aggregate  ");
		for (size_t c = 0; c < aggregate_columns_count(&job->aggregates[a]); c++) {
			const struct schema_column *column = &query->result.columns[query->aggregate_columns[a] + c];

			buffer_printf(out, "%s%s %s", c ? ", " : "", column->name, type_name(column->type));
		}
		buffer_printf(out, " = %s%s\n", job->aggregates[a].expr, expr->table ? "   (0 to n rows a group)" : "");
		for (size_t c = 0; c < expr->calls_count && expr->calls_count > 1; c++)
			buffer_printf(out, "             of %s %s\n", expr->calls[c].text,
			              type_name(expr->calls[c].result_type));
	}
	if (job->having)
		buffer_printf(out, "having     %s\n", job->having);
	buffer_printf(out, "limits     %lld groups, ", (long long)job->limits.groups);
	text_bytes(out, job->limits.state_bytes);
	buffer_printf(out, " of state; then %s\n",
	              job->limits.on_limit == LIMIT_FAIL ? "the job fails"
	                                                 : "rows of groups beyond that are dropped and counted");
}

static void explain_sink(const struct sink_spec *sink, struct buffer *out)
{
	switch (sink->kind) {
	case SINK_PUSHGATEWAY:
		buffer_printf(out, "sink       pushgateway %s, job %s: one PUT a window\n", sink->pushgateway.url,
		              sink->pushgateway.job);
		for (size_t m = 0; m < sink->pushgateway.metrics_count; m++)
			buffer_printf(out, "             %s %s = %s\n",
			              sink->pushgateway.metrics[m].type == METRIC_COUNTER ? "counter" : "gauge",
			              sink->pushgateway.metrics[m].name, sink->pushgateway.metrics[m].value);
		break;
	case SINK_KAFKA:
		buffer_printf(out, "sink       kafka topic %s at %s: one transaction a window\n",
		              sink->kafka.client.topic, sink->kafka.client.bootstrap_servers);
		break;
	case SINK_FILE:
		buffer_printf(out, "sink       file %s\n", sink->file.path);
		break;
	case SINK_STDOUT:
		buffer_printf(out, "sink       standard output, %s\n",
		              sink->stdout_format == FORMAT_TABLE ? "table" : "json");
		break;
	case SINK_NONE:
		break;
	}
}

static void explain_commits(const struct jobspec *job, struct buffer *out)
{
	switch (job->dead_letter.kind) {
	case SINK_FILE:
		buffer_printf(out, "dead       file %s\n", job->dead_letter.file.path);
		break;
	case SINK_KAFKA:
		buffer_printf(out, "dead       kafka topic %s at %s\n", job->dead_letter.kafka.topic,
		              job->dead_letter.kafka.bootstrap_servers);
		break;
	case SINK_PUSHGATEWAY:
	case SINK_STDOUT:
	case SINK_NONE:
		break;
	}
	if (job->source.kind != SOURCE_KAFKA) {
		buffer_append_text(out, "commits    nothing: this source begins anew at each start\n");
		return;
	}
	buffer_printf(out,
	              "commits    1. before any sink: the window's end offsets, as metadata of group %s\n"
	              "           2. after every sink has accepted the window: the offsets themselves\n",
	              job->source.kafka.group_id);
}

void query_explain(const struct jobspec *job, const struct query *query, struct buffer *out)
{
	buffer_printf(out, "job        %s/%s, spec %s\n", job->namespace, job->name, job->spec_hash);
	explain_source(job, out);
	explain_reads(job, query, out);
	explain_lateral(job, query, out);
	explain_window(job, query, out);
	explain_functions(job, out);
	for (size_t s = 0; s < job->sinks_count; s++)
		explain_sink(&job->sinks[s], out);
	explain_commits(job, out);
}

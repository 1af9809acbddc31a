/* The record of a row: where it is from, and what becomes of it when the row is bad. */
#include "runtime/pipeline/lane_parts.h"

const struct record *lane_record(const struct lane *lane, uint32_t row)
{
	const uint32_t *rows = lane->functions.record_rows;

	return &lane->records.records[rows ? rows[row] : row];
}

const char *lane_topic(const struct lane *lane)
{
	const struct source_spec *source = &lane->setup->job->source;

	return source->kind == SOURCE_KAFKA ? source->kafka.client.topic : "";
}

/* What logs and the status may show: values of rows only where they are wanted. */
static const char *shown(const struct lane *lane, const char *reason, const char *kind)
{
	return lane->setup->status->losses.show_values ? reason : kind;
}

int lane_bad_row(struct lane *lane, uint32_t row, enum bad_policy policy, const char *reason, const char *kind,
                 struct error *err)
{
	const struct record *record = lane_record(lane, row);
	const struct loss_note note = {.count = 1,
	                               .reason = kind,
	                               .details = reason,
	                               .excerpt = record->value,
	                               .record = record,
	                               .topic = lane_topic(lane)};
	struct dead_letter *letters = lane->setup->letters;
	char place[RECORD_PLACE_MAX];

	atomic_fetch_add_explicit(&lane->counts->bad, 1, memory_order_relaxed);
	losses_note(&lane->setup->status->losses, LOSS_BAD_ROW, &note);
	record_place(record, place);
	if (policy == BAD_FAIL)
		return error_set(
		        err,
		        "the record at %s is bad, and the job's policy is to fail: %s; mend the record's producer, or "
		        "set the policy to skip or deadLetter under spec.format.json",
		        place, shown(lane, reason, kind));
	if (policy != BAD_DEAD_LETTER || !letters)
		return 0;
	if (letters->ops->write(letters, record, note.topic, reason, err) < 0)
		return error_prefix(err, "dead letter");
	atomic_fetch_add_explicit(&lane->counts->dead_lettered, 1, memory_order_relaxed);
	return 0;
}

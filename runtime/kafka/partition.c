#include "runtime/kafka/partition.h"

int64_t partition_past_gap(const struct partition *partition, int64_t offset)
{
	int64_t end = atomic_load(&partition->gap_end), begin = atomic_load(&partition->gap_begin);

	/* Ends only grow, but for the 0 while a gap is written: the same end twice is one gap. */
	if (offset < begin || offset >= end || atomic_load(&partition->gap_end) != end)
		return offset;
	return end;
}

void partition_end(struct partition *partition, int64_t end)
{
	if (end <= partition->after_record || end == atomic_load(&partition->gap_end))
		return;
	atomic_store(&partition->gap_end, 0);
	atomic_store(&partition->gap_begin, partition->after_record);
	atomic_store(&partition->gap_end, end);
	atomic_store(&partition->position, end);
}

void partition_place(struct partition *partition, int64_t offset)
{
	atomic_store(&partition->committed, offset);
	atomic_store(&partition->position, offset);
	atomic_store(&partition->gap_end, 0);
	atomic_store(&partition->gap_begin, offset);
	partition->after_record = offset;
}

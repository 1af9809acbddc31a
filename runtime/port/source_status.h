/* What a source says of itself. */
#ifndef STREAMJOB_PORT_SOURCE_STATUS_H
#define STREAMJOB_PORT_SOURCE_STATUS_H

#include <stdbool.h>
#include <stdint.h>

/* One partition as /status shows it. Offsets are -1 where unknown. */
struct partition_status {
	const char *topic;
	int32_t partition;
	int64_t committed, position, end;
};

/* Whose the job is, as /status shows it. Texts live until the next call of the source's thread that changes them. */
struct source_owner {
	bool standby;      /* another process has the job: this one waits for its end */
	bool unfenced;     /* the broker has no transactions: nothing keeps another process away */
	char process[128]; /* that has the job; "" where it is not known yet */
	char reason[512];  /* why this one stands by; "" for the owner */
	int64_t since_wall_ms;
};

#endif

/*
 * The job's place in the metadata of its committed offsets: one JSON object a partition, in Kafka's limit of 4,096
 * bytes. Inside runtime/kafka only.
 *
 *   {"streamjob":1,"sequence":12,"pending":true,"to":4711}                     every partition
 *   …,"start":…,"end":…,"life":"…","owner":"…","process":"…",…}                partition 0: the mark of the owner
 *
 * "streamjob" is the version of the format; a version reads the one before it. Lengths and a counter, no instants: two
 * machines' clocks need not agree. docs/delivery.md tells what each is for.
 */
#ifndef STREAMJOB_KAFKA_PLACE_H
#define STREAMJOB_KAFKA_PLACE_H

#include "lib/base/buffer.h"
#include "runtime/port/port.h"

#define PLACE_VERSION         1
#define PLACE_TEXT_MAX        4096
#define PLACE_OWNER_MAX       1024 /* CLUSTER/NAMESPACE/NAME */
#define PLACE_PROCESS_MAX     128
#define PLACE_QUERY_BYTES_MAX 17
#define PLACE_TOPIC_ID_MAX    48

enum place_state {
	PLACE_RUNNING,
	PLACE_DRAINING, /* for at most drain_ms */
	PLACE_ENDED     /* no request of that process is under way any more; see lease_ms */
};

struct place {
	struct boundary boundary;
	char life[LIFE_BYTES_MAX];
	char owner[PLACE_OWNER_MAX], process[PLACE_PROCESS_MAX];
	char query[PLACE_QUERY_BYTES_MAX]; /* of what makes the rows into windows */
	char topic_id[PLACE_TOPIC_ID_MAX]; /* of the log that the offsets are of; "": not known */
	bool anew;                         /* the topic was found to be another one: the offsets are not of its log */
	enum place_state state;
	int64_t lease_ms, request_ms; /* 0 after an end: nor is one of a process before it */
	int64_t drain_ms;
	int64_t counter; /* each commit raises it */
	int64_t rollout; /* of the operator; 0: none */
};

/* `whole`: with the mark, for partition 0. `to`: where this partition ends in the boundary's window. */
void place_format(const struct place *place, bool whole, int64_t to, struct buffer *out);

enum place_kind {
	PLACE_FOREIGN = -1, /* not to be touched; err says what it is */
	PLACE_NONE,         /* empty: the offset was set by hand */
	PLACE_PART,
	PLACE_WHOLE /* with the mark */
};
/* PLACE_PART fills boundary.sequence and .pending alone. */
enum place_kind place_parse(struct slice text, struct place *ret_place, int64_t *ret_to, struct error *err);

/* A life: which place it is of (group and topic), and a number of its own. */
void life_new(const char *group, const char *topic, char ret_life[LIFE_BYTES_MAX]);

#endif

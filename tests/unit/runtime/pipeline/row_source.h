/* A source of numbered rows, the same in each partition: {"k": "k0".."k2", "v": i, "t": i milliseconds}. It rewinds. */
#ifndef STREAMJOB_TEST_ROW_SOURCE_H
#define STREAMJOB_TEST_ROW_SOURCE_H

#include "tests/unit/runtime/pipeline/scripted_ports.h"

#define ROW_PARTITIONS_MAX 4

struct row_source {
	struct source source;
	struct witness *witness;
	int64_t rows; /* of each partition */
	size_t batch; /* rows that one take gives */
	unsigned lanes, rewinds;
	int64_t committed[ROW_PARTITIONS_MAX], position[ROW_PARTITIONS_MAX], to[ROW_PARTITIONS_MAX];
	bool said[ROW_PARTITIONS_MAX], replaying; /* each lane's TAKE_BOUNDARY */
	char *texts[ROW_PARTITIONS_MAX];
	pthread_mutex_t mutex; /* the fire thread resumes and commits while lanes take */
};

void row_source_init(struct row_source *source, size_t partitions, int64_t rows, struct witness *witness);
void row_source_release(struct row_source *source);

#endif

/* spec.source. See jobspec.h. */
#ifndef STREAMJOB_JOBSPEC_SOURCE_SPEC_H
#define STREAMJOB_JOBSPEC_SOURCE_SPEC_H

#include "lib/spec/field/kafka_client.h"

enum source_kind { SOURCE_NONE, SOURCE_KAFKA, SOURCE_FILE, SOURCE_STDIN, SOURCE_DATAGEN };
enum starting_offsets { START_EARLIEST, START_LATEST };
enum offset_loss { OFFSET_LOSS_FAIL, OFFSET_LOSS_EARLIEST };
enum generator {
	GENERATE_SEQUENCE,
	GENERATE_CHOICE,
	GENERATE_UNIFORM,
	GENERATE_NORMAL,
	GENERATE_LOGNORMAL,
	GENERATE_NOW
};

/* What becomes of the bytes of a record's key and headers: a text, or a bad field where they are none; or a text of any
 * bytes. */
enum bytes_encoding { BYTES_UTF8, BYTES_BASE64, BYTES_HEX };

struct kafka_source {
	struct kafka_client client;
	const char *group_id; /* default: streamjob.<namespace>.<name> */
	enum starting_offsets starting_offsets;
	enum offset_loss on_offset_loss;
	enum bytes_encoding key_encoding, header_encoding;
	int64_t lease_ms;
};
struct datagen_column {
	const char *name; /* of a declared column; nested paths follow the column's path */
	enum generator generator;
	double min, max;     /* uniform, sequence's start and (exclusive) end */
	double mean, stddev; /* normal; lognormal: of the logarithm */
	struct names values; /* choice */
	double *weights;     /* choice; as many as values, or NULL: even */
	size_t weights_count;
	double null_probability;
};
struct datagen_source {
	double rows_per_second; /* 0: as fast as it goes */
	int64_t rows;           /* 0: unbounded */
	int64_t seed;
	struct datagen_column *columns;
	size_t columns_count;
};
struct source_spec {
	enum source_kind kind;
	struct kafka_source kafka;
	struct file_target file;
	struct datagen_source datagen;
};

#endif

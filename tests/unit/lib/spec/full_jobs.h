/* Jobs that together give every field of the table, each another value than its default. */
#ifndef STREAMJOB_FULL_JOBS_H
#define STREAMJOB_FULL_JOBS_H

extern const char full_kafka[], full_datagen[], full_file[], full_functions[], full_stdin[];

#endif

/*
 * `streamjob run`: its options, the job's parts made from the spec, and what is shown to a person meanwhile.
 */
#ifndef STREAMJOB_RUN_H
#define STREAMJOB_RUN_H

#include <limits.h>

#include "lib/base/log.h"
#include "lib/spec/query/query.h"
#include "runtime/cli/cli.h"
#include "runtime/pipeline/pipeline.h"

#define PREVIOUS_MAX 32

/* A job file before this one, or a folder of them. */
struct previous_file {
	const char *path;
	const char *functions_dir; /* where its code.configMapRef is mounted; NULL: where this one's is */
};

struct run_options {
	const char *file, *name;
	const char *input, *output;  /* NULL: the job's own */
	char letters_path[PATH_MAX]; /* beside the output, instead of the job's topic of dead letters; "": nowhere */
	const char *clock_column, *listen, *secrets, *functions_dir;
	const char *owner_cluster, *known, *take_over; /* NULL: none; see identity.h */
	int64_t rollout;
	bool drop_pending;
	const char *drop_query; /* give up only what this query began; NULL: whichever did */
	struct previous_file previous[PREVIOUS_MAX];
	size_t previous_count;
	int64_t until_idle_ms;
	unsigned lanes; /* 0: processors_available() */
	bool strict, hide_values;
	bool stay; /* when the input has ended, until a signal comes */
	bool log_json;
	enum log_level log_level;
};

/* 0: run; else the exit code plus 1, after usage or what is wrong was printed. */
int run_options_parse(int argc, char **argv, struct run_options *options);

/* Runs the job to its end; the exit code. */
int run_job(const struct jobspec *job, const struct run_options *options);

/* How many lanes pay: the processors this process may use, by affinity and cgroup quota; 1 to 8. */
unsigned processors_available(void);

struct job_identity;
/*
 * Makes source, sinks and dead letter as the job and the options say: with --input nothing is written to the servers of
 * the job's sinks, with either of --input and --output no dead letter to its brokers. The records are read as `from`
 * says, which is the job itself or the one after it. The array of sinks is the caller's (free()); jobs, query, options
 * and identity outlive the parts.
 */
void run_make_parts(const struct jobspec *job, const struct source_spec *from, const struct query *query,
                    const struct run_options *options, struct job_identity *identity, struct pipeline_options *parts);

/* The files that the job writes, which no function of it reaches: paths, each with an LF after it. */
void run_outputs(const struct jobspec *job, const struct run_options *options, struct buffer *ret_paths);

/* Logs what became of the rows; true where anything was left out. After the job's end. */
bool run_summary(struct status *status);
/* What was left out or read otherwise than it was meant, as the words of a failure. */
void run_losses(struct status *status, struct error *ret_words);

/* The live line on a terminal: rows/s, lag, open window, late and bad counts. */
struct live_line {
	bool shown;
	uint64_t rows_before;
	int64_t before_ms;
};
void live_line_show(struct live_line *line, struct status *status);
void live_line_clear(struct live_line *line);

#endif

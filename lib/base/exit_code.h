/*
 * The exit codes of both programs: the one table that the commands, their help and docs/reference.md are made from.
 */
#ifndef STREAMJOB_EXIT_CODE_H
#define STREAMJOB_EXIT_CODE_H

#include "lib/base/buffer.h"

#define EXIT_CODES(X)                                                                                                  \
	X(EXIT_OK, 0, "done", "the input ended, a stop was drained, the files are good")                               \
	X(EXIT_FAILED, 1, "failed",                                                                                    \
	  "the job, the cluster or the output failed; `validate`: problems were found, a "                             \
	  "file without any StreamJob among them")                                                                     \
	X(EXIT_USAGE, 2, "usage",                                                                                      \
	  "the command line is wrong, or a file of it cannot be run: for `run`, code of a function that does not "     \
	  "load when the job begins, or does not fit the job, is such a file")                                         \
	X(EXIT_LOSS, 3, "loss", "`run` under `--strict` or `spec.strict`: it is done, but something was left out")     \
	X(EXIT_CHANGES, 4, "changes", "`streamjob-operator plan`: an apply would change something")

enum exit_code {
#define X(symbol, number, word, meaning) symbol = (number),
	EXIT_CODES(X)
#undef X
};

/* A row of Markdown for each. */
void exit_codes_table(struct buffer *out);
/* "0 done, 1 failed, …": for the help of a program. */
void exit_codes_line(struct buffer *out);

#endif

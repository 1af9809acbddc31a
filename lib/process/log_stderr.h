/* The log's lines go to standard error. */
#ifndef STREAMJOB_LOG_STDERR_H
#define STREAMJOB_LOG_STDERR_H

#include "lib/base/log.h"

/* From now on, and what a process without memory says before it ends; before any thread starts. */
void log_to_stderr(bool json, enum log_level level);

/* Each line of the log takes the place of the terminal's last line, which somebody shows again below it. */
void log_over_live_line(void);

#endif

/*
 * Logs: one line an event, logfmt for people (`time=… level=info msg="window pushed" sequence=12`)
 * or JSON for machines. What repeats within a second beyond LOG_REPEATS_MAX lines from one place is
 * counted and said once. Values of secrets are never passed here.
 *
 * The room is pure: the clock and the writer are given by main. Threads: any; lines are whole.
 */
#ifndef STREAMJOB_LOG_H
#define STREAMJOB_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

#define LOG_LINE_MAX    8192 /* bytes of all values together */
#define LOG_REPEATS_MAX 10

struct log_output {
	void (*write)(void *context, const char *line, size_t size); /* one whole line, LF included */
	int64_t (*wall_ms)(void *context);
	void *context;
	bool json;
	enum log_level level;
};

/* Before any thread starts. Until then nothing is written. */
void log_install(const struct log_output *output);

/* What people type, and what they are told where it is none of it. */
bool log_level_parse(const char *name, enum log_level *ret_level);
bool log_format_parse(const char *name, bool *ret_json);
#define LOG_LEVELS  "debug, info, warn or error is needed"
#define LOG_FORMATS "logfmt or json is needed"

struct log_site { /* one static for each place that logs: its rate limit */
	_Atomic int64_t second;
	_Atomic uint32_t lines;
};

/*
 * `fields` is one literal format of the line's fields, at least one: log_info("window pushed",
 * "sequence=%llu error=\"%s\"", n, text). The format alone says which fields a line has; a value is rendered and
 * escaped alone, so that no text can end its field, begin another one or another line. A value whose format stands in
 * quotes is a string in JSON too; long ones are cut and say so. log_fields.h has the grammar.
 */
void log_write(struct log_site *site, enum log_level level, const char *message, const char *fields, ...)
        __attribute__((format(printf, 4, 5)));

#define LOG_AT(level, message, ...)                                                                                    \
	do {                                                                                                           \
		static struct log_site log_site_;                                                                      \
		log_write(&log_site_, (level), (message), __VA_ARGS__);                                                \
	} while (0)
#define log_debug(message, ...) LOG_AT(LOG_LEVEL_DEBUG, message, __VA_ARGS__)
#define log_info(message, ...)  LOG_AT(LOG_LEVEL_INFO, message, __VA_ARGS__)
#define log_warn(message, ...)  LOG_AT(LOG_LEVEL_WARN, message, __VA_ARGS__)
#define log_error(message, ...) LOG_AT(LOG_LEVEL_ERROR, message, __VA_ARGS__)

#endif

#include "tests/unit/runtime/pipeline/scripted_ports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>
#include <cmocka.h>

#include "lib/process/system_clock.h"

#define WAIT_MS_MAX 20000

void witness_init(struct witness *witness)
{
	pthread_mutex_init(&witness->mutex, NULL);
	buffer_init(&witness->text);
	buffer_append_text(&witness->text, "");
	witness->closed = 0;
}

void witness_release(struct witness *witness)
{
	buffer_release(&witness->text);
	pthread_mutex_destroy(&witness->mutex);
}

void witness_note(struct witness *witness, const char *format, ...)
{
	char line[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	pthread_mutex_lock(&witness->mutex);
	buffer_append_text(&witness->text, line);
	pthread_mutex_unlock(&witness->mutex);
}

void witness_wait(struct witness *witness, const char *text)
{
	bool found = false;

	for (int waited_ms = 0; !found && waited_ms < WAIT_MS_MAX; waited_ms++) {
		pthread_mutex_lock(&witness->mutex);
		found = strstr(witness->text.data, text) != NULL;
		pthread_mutex_unlock(&witness->mutex);
		if (!found)
			nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
	}
	if (!found)
		witness_note(witness, "waited in vain for \"%s\"\n", text);
}

static int64_t read_wall(void *context)
{
	return atomic_load(&((struct scripted_clock *)context)->wall_ms);
}

static int64_t read_monotonic(void *context)
{
	const struct scripted_clock *clock = context;

	return clock->stands ? atomic_load(&clock->passed_ms) : clock_monotonic_ms(&system_clock);
}

void scripted_clock_init(struct scripted_clock *clock, int64_t wall_ms)
{
	clock->clock = (struct clock){.wall_ms = read_wall, .monotonic_ms = read_monotonic, .context = clock};
	clock->stands = false;
	atomic_store(&clock->wall_ms, wall_ms);
	atomic_store(&clock->passed_ms, 0);
}

static int sink_open(struct sink *sink, const struct sink_start *start, struct stop *stop, struct error *err)
{
	struct scripted_sink *self = (struct scripted_sink *)sink;

	assert_true(start->resumable);
	assert_int_equal(start->next_sequence, self->first_sequence);
	if (self->script.stop_while_opening)
		atomic_store(&stop->requested, true);
	return self->script.open_fails || self->script.stop_while_opening ? error_set(err, "no such place") : 0;
}

/* " x=2 y=1": the rows, the values of each. */
static void note_rows(struct witness *witness, const struct window_result *result)
{
	for (size_t row = 0; row < result->rows.rows; row++) {
		for (size_t c = 0; c < result->rows.columns_count; c++) {
			struct value value = column_value(&result->rows.columns[c], row);

			witness_note(witness, "%s", c ? "=" : " ");
			if (value.null)
				witness_note(witness, "NULL");
			else if (value.type == TYPE_STRING)
				witness_note(witness, "%.*s", SLICE_ARG(value.string));
			else
				witness_note(witness, "%lld", (long long)value.bigint);
		}
	}
	witness_note(witness, "%s\n", result->delete_group ? " delete" : "");
}

static void keep_rows(struct scripted_sink *self, const struct window_result *result)
{
	if (self->windows < SCRIPT_WINDOWS_MAX)
		self->sequences[self->windows++] = result->sequence;
	for (size_t r = 0; r < result->rows.rows; r++) {
		struct buffer row;
		const char *own;

		buffer_init(&row);
		result_row_json(result, r, &row);
		own = strstr(row.data, "\"window_end\":");
		own = own ? strchr(own, ',') : NULL;
		buffer_append_text(&self->rows, own ? own + 1 : row.data);
		buffer_append_char(&self->rows, '\n');
		buffer_release(&row);
	}
}

static enum sink_outcome sink_write(struct sink *sink, const struct window_result *result, struct stop *stop,
                                    struct error *err)
{
	struct scripted_sink *self = (struct scripted_sink *)sink;
	const char *outcomes = self->script.outcomes ? self->script.outcomes : "";
	char outcome = self->writes < strlen(outcomes) ? outcomes[self->writes] : 'a';

	(void)stop;
	self->writes++;
	witness_note(self->witness, "sink %llu from %lld to %lld:", (unsigned long long)result->sequence,
	             (long long)result->start_ms, (long long)result->end_ms);
	note_rows(self->witness, result);
	if (outcome == 'a') {
		keep_rows(self, result);
		return SINK_ACCEPTED;
	}
	error_set(err, "the sink says %c", outcome);
	return outcome == 'r' ? SINK_RETRY : SINK_REJECTED;
}

static void sink_close(struct sink *sink)
{
	atomic_fetch_add(&((struct scripted_sink *)sink)->witness->closed, 1);
}

static const struct sink_ops sink_ops = {
        .name = "scripted", .open = sink_open, .write = sink_write, .close = sink_close};

void scripted_sink_init(struct scripted_sink *sink, struct witness *witness)
{
	*sink = (struct scripted_sink){.sink = {.ops = &sink_ops, .target = "scripted"}, .witness = witness};
	buffer_init(&sink->rows);
	buffer_append_text(&sink->rows, "");
}

void scripted_sink_release(struct scripted_sink *sink)
{
	buffer_release(&sink->rows);
}

static int letters_open(struct dead_letter *letters, struct stop *stop, struct error *err)
{
	(void)letters;
	(void)stop;
	(void)err;
	return 0;
}

static int letters_write(struct dead_letter *letters, const struct record *record, const char *topic,
                         const char *reason, struct error *err)
{
	struct scripted_letters *self = (struct scripted_letters *)letters;

	(void)topic;
	(void)err;
	witness_note(self->witness, "letter %lld: %s\n", (long long)record->offset, reason);
	pthread_mutex_lock(&self->witness->mutex);
	if (self->count < SCRIPT_LETTERS_MAX)
		self->offsets[self->count] = record->offset;
	self->count++;
	snprintf(self->reason, sizeof(self->reason), "%s", reason);
	pthread_mutex_unlock(&self->witness->mutex);
	return 0;
}

static int letters_rows(struct dead_letter *letters, const struct window_result *result, size_t first, size_t rows,
                        const char *sink, const char *reason, struct error *err)
{
	(void)first;
	(void)rows;
	(void)err;
	witness_note(((struct scripted_letters *)letters)->witness, "letter of window %llu, %s: %s\n",
	             (unsigned long long)result->sequence, sink, reason);
	return 0;
}

static int letters_flush(struct dead_letter *letters, struct stop *stop, struct error *err)
{
	return letters_open(letters, stop, err);
}

static void letters_close(struct dead_letter *letters)
{
	atomic_fetch_add(&((struct scripted_letters *)letters)->witness->closed, 1);
}

static const struct dead_letter_ops letters_ops = {"scripted",   letters_open,  letters_write,
                                                   letters_rows, letters_flush, letters_close};

void scripted_letters_init(struct scripted_letters *letters, struct witness *witness)
{
	*letters = (struct scripted_letters){.letters.ops = &letters_ops, .witness = witness};
}

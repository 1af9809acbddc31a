/*
 * A slot for each thread. Its owner stores what the call is and then, last, when it began; who looks reads that time
 * before and after the rest, and takes it only where both are the same call's: whoever has read a part of a later call
 * reads no earlier time after that. (No fences, which thread sanitizer does not know.)
 */
#include "lib/process/watch.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/process/system_clock.h"

struct slot {
	_Atomic bool taken;
	const char *_Atomic thread;
	const char *_Atomic doing, *_Atomic whom;
	_Atomic int part;
	_Atomic int64_t limit_ms, since_ns; /* 0: in no call */
} __attribute__((aligned(64)));

static struct slot slots[WATCH_THREADS_MAX];
static _Thread_local struct slot *own;

static pthread_mutex_t names_mutex = PTHREAD_MUTEX_INITIALIZER;
static char names[WATCH_NAMES_MAX][WATCH_NAME_MAX];
static size_t names_count;

static const char *keep(const char *text)
{
	const char *kept = "another one";

	pthread_mutex_lock(&names_mutex);
	for (size_t i = 0; i < names_count; i++) {
		if (!strcmp(names[i], text)) {
			pthread_mutex_unlock(&names_mutex);
			return names[i];
		}
	}
	if (names_count < WATCH_NAMES_MAX) {
		memcpy(names[names_count], text, strlen(text) + 1);
		kept = names[names_count++];
	}
	pthread_mutex_unlock(&names_mutex);
	return kept;
}

__attribute__((format(printf, 1, 0))) static const char *keep_formatted(const char *format, va_list arguments)
{
	char text[WATCH_NAME_MAX];

	vsnprintf(text, sizeof(text), format, arguments);
	return keep(text);
}

const char *watch_name(const char *format, ...)
{
	const char *name;
	va_list arguments;

	va_start(arguments, format);
	name = keep_formatted(format, arguments);
	va_end(arguments);
	return name;
}

void watch_thread(const char *format, ...)
{
	const char *name;
	va_list arguments;

	va_start(arguments, format);
	name = keep_formatted(format, arguments);
	va_end(arguments);
	for (size_t i = 0; i < WATCH_THREADS_MAX && !own; i++)
		if (!atomic_exchange(&slots[i].taken, true))
			own = &slots[i];
	if (own)
		atomic_store(&own->thread, name);
}

void watch_thread_ends(void)
{
	if (!own)
		return;
	watch_end();
	atomic_store(&own->taken, false);
	own = NULL;
}

void watch_begin(enum watch_part part, const char *doing, const char *whom, int64_t limit_ms)
{
	if (!own)
		return;
	atomic_store_explicit(&own->since_ns, 0, memory_order_relaxed);
	atomic_store_explicit(&own->part, (int)part, memory_order_release);
	atomic_store_explicit(&own->doing, doing, memory_order_release);
	atomic_store_explicit(&own->whom, whom, memory_order_release);
	atomic_store_explicit(&own->limit_ms, limit_ms, memory_order_release);
	atomic_store_explicit(&own->since_ns, system_clock_ns(), memory_order_release);
}

void watch_end(void)
{
	if (own)
		atomic_store_explicit(&own->since_ns, 0, memory_order_relaxed);
}

static bool is_stuck(const struct slot *slot, int64_t now_ms, struct watch_stuck *ret_stuck)
{
	int64_t since_ns = atomic_load_explicit(&slot->since_ns, memory_order_acquire);

	if (!since_ns)
		return false;
	*ret_stuck = (struct watch_stuck){
	        .part = (enum watch_part)atomic_load_explicit(&slot->part, memory_order_acquire),
	        .thread = atomic_load_explicit(&slot->thread, memory_order_acquire),
	        .doing = atomic_load_explicit(&slot->doing, memory_order_acquire),
	        .whom = atomic_load_explicit(&slot->whom, memory_order_acquire),
	        .for_ms = now_ms - since_ns / 1000000,
	        .limit_ms = atomic_load_explicit(&slot->limit_ms, memory_order_acquire),
	};
	return atomic_load_explicit(&slot->since_ns, memory_order_relaxed) == since_ns &&
	       ret_stuck->for_ms > ret_stuck->limit_ms + WATCH_GRACE_MS;
}

size_t watch_look(int64_t now_ms, struct watch_stuck *ret_stuck, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < WATCH_THREADS_MAX; i++) {
		struct watch_stuck stuck;
		size_t at;

		if (!is_stuck(&slots[i], now_ms, &stuck))
			continue;
		for (at = count; at && ret_stuck[at - 1].for_ms < stuck.for_ms;)
			at--;
		if (at == max)
			continue;
		count += count < max;
		memmove(&ret_stuck[at + 1], &ret_stuck[at], (count - 1 - at) * sizeof(*ret_stuck));
		ret_stuck[at] = stuck;
	}
	return count;
}

void watch_describe(const struct watch_stuck *stuck, struct error *ret_words)
{
	error_write(ret_words, "%s: %s %s has not returned for %" PRId64 " s; its deadline is %g s", stuck->thread,
	            stuck->doing, stuck->whom, stuck->for_ms / 1000, (double)stuck->limit_ms / 1000);
}

int watch_moving(int64_t now_ms, struct watch_stuck *ret_stuck, struct error *err)
{
	if (!watch_look(now_ms, ret_stuck, 1))
		return 0;
	watch_describe(ret_stuck, err);
	return -1;
}

#include "operator/queue/backlog.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/hash.h"
#include "lib/base/memory.h"
#include "operator/queue/queue.h"

#define BUCKETS_MIN  64
#define FAILURES_MAX 62 /* counted no further than a shift can go */

void backlog_init(struct backlog *backlog, int64_t now_ms)
{
	backlog->buckets_count = BUCKETS_MIN;
	backlog->buckets = xcalloc(BUCKETS_MIN, sizeof(struct key *));
	backlog->last = &backlog->first;
	backlog->tokens = backlog->burst;
	backlog->filled_ms = now_ms;
}

void backlog_release(struct backlog *backlog)
{
	for (size_t i = 0; i < backlog->buckets_count; i++) {
		while (backlog->buckets[i]) {
			struct key *key = backlog->buckets[i];

			backlog->buckets[i] = key->next_hash;
			free(key);
		}
	}
	free(backlog->buckets);
	free(backlog->heap);
}

static void grow(struct backlog *backlog)
{
	struct key **old = backlog->buckets;
	size_t count = backlog->buckets_count;

	backlog->buckets_count *= 2;
	backlog->buckets = xcalloc(backlog->buckets_count, sizeof(struct key *));
	for (size_t i = 0; i < count; i++) {
		while (old[i]) {
			struct key *key = old[i],
			           **bucket = &backlog->buckets[key->hash & (backlog->buckets_count - 1)];

			old[i] = key->next_hash;
			key->next_hash = *bucket;
			*bucket = key;
		}
	}
	free(old);
}

struct key *backlog_find(struct backlog *backlog, const char *name, bool make)
{
	size_t size = strlen(name);
	uint64_t hash = hash_bytes(name, size);
	struct key *key = backlog->buckets[hash & (backlog->buckets_count - 1)], **bucket;

	while (key && (key->hash != hash || strcmp(key->name, name) != 0))
		key = key->next_hash;
	if (key || !make)
		return key;
	if (backlog->keys_count >= QUEUE_KEYS_MAX) {
		backlog->dropped++;
		return NULL;
	}
	if (backlog->keys_count >= backlog->buckets_count)
		grow(backlog);
	key = xcalloc(1, sizeof(*key) + size + 1);
	memcpy(key->name, name, size + 1);
	key->hash = hash;
	bucket = &backlog->buckets[hash & (backlog->buckets_count - 1)];
	key->next_hash = *bucket;
	*bucket = key;
	backlog->keys_count++;
	return key;
}

static void drop_if_idle(struct backlog *backlog, struct key *key)
{
	struct key **place = &backlog->buckets[key->hash & (backlog->buckets_count - 1)];

	if (key->waiting || key->working || key->delayed || key->failures)
		return;
	while (*place != key)
		place = &(*place)->next_hash;
	*place = key->next_hash;
	backlog->keys_count--;
	free(key);
}

static void place_in_heap(struct backlog *backlog, size_t at, struct key *key)
{
	backlog->heap[at] = key;
	key->heap_at = at;
}

/* Moves the key at `at` to where it belongs, up or down. */
static void sift(struct backlog *backlog, size_t at)
{
	struct key *key = backlog->heap[at];

	while (at && backlog->heap[(at - 1) / 2]->due_ms > key->due_ms) {
		place_in_heap(backlog, at, backlog->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (size_t child = 2 * at + 1; child < backlog->heap_count; child = 2 * at + 1) {
		if (child + 1 < backlog->heap_count && backlog->heap[child + 1]->due_ms < backlog->heap[child]->due_ms)
			child++;
		if (backlog->heap[child]->due_ms >= key->due_ms)
			break;
		place_in_heap(backlog, at, backlog->heap[child]);
		at = child;
	}
	place_in_heap(backlog, at, key);
}

static void undelay(struct backlog *backlog, struct key *key)
{
	size_t at = key->heap_at;
	struct key *last = backlog->heap[--backlog->heap_count];

	key->delayed = false;
	if (last == key)
		return;
	place_in_heap(backlog, at, last);
	sift(backlog, at);
}

void backlog_delay(struct backlog *backlog, struct key *key, int64_t due_ms)
{
	if (key->delayed) {
		if (due_ms >= key->due_ms)
			return;
		key->due_ms = due_ms;
		sift(backlog, key->heap_at);
		return;
	}
	if (backlog->heap_count == backlog->heap_capacity) {
		backlog->heap_capacity = backlog->heap_capacity ? backlog->heap_capacity * 2 : BUCKETS_MIN;
		backlog->heap = xrealloc(backlog->heap, backlog->heap_capacity * sizeof(struct key *));
	}
	key->delayed = true;
	key->due_ms = due_ms;
	place_in_heap(backlog, backlog->heap_count++, key);
	sift(backlog, key->heap_at);
}

static void join_line(struct backlog *backlog, struct key *key)
{
	key->next_waiting = NULL;
	*backlog->last = key;
	backlog->last = &key->next_waiting;
	backlog->depth++;
}

void backlog_add(struct backlog *backlog, struct key *key, int64_t now_ms)
{
	if (key->waiting)
		return;
	key->waiting = true;
	key->added_ms = now_ms;
	backlog->adds++;
	if (!key->working)
		join_line(backlog, key);
}

/* The bucket: each add takes a token, and owes it where there is none: it waits until the token would be there. */
static int64_t bucket_wait_ms(struct backlog *backlog, int64_t now_ms)
{
	double tokens = backlog->tokens + (double)(now_ms - backlog->filled_ms) * backlog->rate_ms;

	backlog->filled_ms = now_ms;
	backlog->tokens = (tokens > backlog->burst ? backlog->burst : tokens) - 1;
	return backlog->tokens >= 0 ? 0 : (int64_t)(-backlog->tokens / backlog->rate_ms + 0.5);
}

int64_t backlog_penalty(struct backlog *backlog, struct key *key, int64_t now_ms)
{
	int64_t bucket_ms = bucket_wait_ms(backlog, now_ms), own_ms = backlog->backoff_ms_max;

	if (key->failures < FAILURES_MAX && backlog->backoff_ms_min <= backlog->backoff_ms_max >> key->failures)
		own_ms = backlog->backoff_ms_min << key->failures;
	if (key->failures < FAILURES_MAX)
		key->failures++;
	backlog->retries++;
	return own_ms > bucket_ms ? own_ms : bucket_ms;
}

int64_t backlog_wake(struct backlog *backlog, int64_t now_ms)
{
	while (backlog->heap_count && backlog->heap[0]->due_ms <= now_ms) {
		struct key *key = backlog->heap[0];

		undelay(backlog, key);
		backlog_add(backlog, key, now_ms);
	}
	return backlog->heap_count ? backlog->heap[0]->due_ms : INT64_MAX;
}

struct key *backlog_take(struct backlog *backlog, int64_t now_ms)
{
	struct key *key = backlog->first;

	if (!key)
		return NULL;
	backlog->first = key->next_waiting;
	if (!backlog->first)
		backlog->last = &backlog->first;
	backlog->depth--;
	backlog->working++;
	key->waiting = false;
	key->working = true;
	key->begun_ms = now_ms;
	return key;
}

bool backlog_done(struct backlog *backlog, struct key *key)
{
	if (!key->working)
		return false;
	key->working = false;
	backlog->working--;
	if (key->waiting) {
		join_line(backlog, key);
		return true;
	}
	drop_if_idle(backlog, key);
	return false;
}

void backlog_forget(struct backlog *backlog, struct key *key)
{
	key->failures = 0;
	drop_if_idle(backlog, key);
}

void backlog_drop_delayed(struct backlog *backlog)
{
	while (backlog->heap_count) {
		struct key *key = backlog->heap[--backlog->heap_count];

		key->delayed = false;
		drop_if_idle(backlog, key);
	}
}

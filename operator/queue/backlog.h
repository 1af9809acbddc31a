/*
 * The queue's state without threads and clocks: every call is told what time it is. Inside operator/queue only.
 *
 * A key has an entry for as long as it waits, is delayed, is in work, or has failed before.
 */
#ifndef STREAMJOB_BACKLOG_H
#define STREAMJOB_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct key {
	struct key *next_hash, *next_waiting;
	uint64_t hash;
	bool waiting; /* in the line, or to be put there when the work on it is done */
	bool working;
	bool delayed; /* in the heap */
	size_t heap_at;
	int64_t due_ms; /* where delayed */
	int64_t added_ms, begun_ms;
	unsigned failures;
	char name[];
};

struct backlog {
	struct key **buckets;
	size_t buckets_count, keys_count;
	struct key *first, **last; /* the line */
	size_t depth, working;
	struct key **heap; /* by due_ms */
	size_t heap_count, heap_capacity;
	int64_t backoff_ms_min, backoff_ms_max;
	double rate_ms, burst, tokens; /* of the bucket; tokens may be owed */
	int64_t filled_ms;
	uint64_t adds, retries, dropped;
};

void backlog_init(struct backlog *backlog, int64_t now_ms);
void backlog_release(struct backlog *backlog);
/* The entry of a key, or NULL; `make`: a new one, but NULL past QUEUE_KEYS_MAX. */
struct key *backlog_find(struct backlog *backlog, const char *name, bool make);
void backlog_add(struct backlog *backlog, struct key *key, int64_t now_ms);
void backlog_delay(struct backlog *backlog, struct key *key, int64_t due_ms);
/* Counts a failure; returns how long the key must wait for its own sake and the bucket's. */
int64_t backlog_penalty(struct backlog *backlog, struct key *key, int64_t now_ms);
/* Puts into the line what is due; returns when the next one is, INT64_MAX: none is delayed. */
int64_t backlog_wake(struct backlog *backlog, int64_t now_ms);
/* The first of the line, now in work, or NULL. */
struct key *backlog_take(struct backlog *backlog, int64_t now_ms);
/* True: the key was added meanwhile and waits again. The entry is gone unless something still needs it. */
bool backlog_done(struct backlog *backlog, struct key *key);
void backlog_forget(struct backlog *backlog, struct key *key);
void backlog_drop_delayed(struct backlog *backlog);

#endif

#include "operator/cache/room.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/memory.h"

/* So much more is made room for at a time, of the limit: each time all entries are looked at. */
#define SLACK_SHARE 32

void room_init(struct room *room, size_t bytes_max)
{
	*room = (struct room){.bytes_max = bytes_max};
	table_init(&room->table);
}

void room_release(struct room *room)
{
	struct entry *entry;

	while ((entry = room_take_evicted(room)))
		entry_release(entry);
	table_release(&room->table);
	shares_release(&room->shares);
}

/* Out of the table and its namespace's share, with the table's hold. */
struct entry *room_take(struct room *room, struct entry **place)
{
	shares_of(&room->shares, (*place)->bytes)->bytes -= entry_bytes(*place);
	return table_take(&room->table, place);
}

static void count_left_out(struct room *room, const char *key)
{
	struct share *share = shares_of(&room->shares, key);

	room->is_news |= !share->said;
	share->left_out++;
	share->left_now++;
}

/* Takes out entries of a namespace until `bytes` are free, or it has no more than `least`. */
static void evict(struct room *room, const char *namespace, size_t bytes, size_t least)
{
	struct table *table = &room->table;
	size_t before = shares_of(&room->shares, namespace)->bytes;

	for (size_t i = 0; i < table->buckets; i++) {
		struct entry **place = &table->keys[i];

		while (*place) {
			size_t has = shares_of(&room->shares, namespace)->bytes;
			struct entry *entry;

			if (before - has >= bytes || has <= least)
				return;
			if (!entry_is_in(*place, namespace)) {
				place = &(*place)->next_key;
				continue;
			}
			entry = room_take(room, place);
			count_left_out(room, entry->bytes);
			entry->next_key = room->evicted;
			room->evicted = entry;
		}
	}
}

/* Room for an entry, at the cost of who has more than its namespace would have with it; false: there is none. */
static bool make_room(struct room *room, const char *key, size_t size)
{
	size_t slack = room->bytes_max / SLACK_SHARE;

	while (room->table.bytes + size > room->bytes_max) {
		size_t own = shares_of(&room->shares, key)->bytes + size;
		const struct share *largest = shares_largest(&room->shares);
		char *namespace;

		if (!largest || largest->bytes <= own)
			return false;
		namespace = xstrdup(largest->namespace);
		evict(room, namespace, room->table.bytes + size + slack - room->bytes_max, own);
		free(namespace);
	}
	return true;
}

bool room_add(struct room *room, struct entry *entry)
{
	if (!make_room(room, entry->bytes, entry_bytes(entry))) {
		count_left_out(room, entry->bytes);
		return false;
	}
	shares_of(&room->shares, entry->bytes)->bytes += entry_bytes(entry);
	table_add(&room->table, entry);
	return true;
}

struct entry *room_take_evicted(struct room *room)
{
	struct entry *entry = room->evicted;

	if (entry)
		room->evicted = entry->next_key;
	return entry;
}

char *room_newly_short(struct room *room)
{
	for (size_t i = 0; i < room->shares.count && room->is_news; i++) {
		struct share *share = &room->shares.items[i];

		if (share->left_out && !share->said) {
			share->said = true;
			return xstrdup(share->namespace);
		}
	}
	room->is_news = false;
	return NULL;
}

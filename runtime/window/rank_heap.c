#include "runtime/window/rank_heap.h"

#include "lib/base/hash.h"

struct ranked rank_of(struct slice key, void *group)
{
	return (struct ranked){hash_stable(key.data, key.size), key, group};
}

bool rank_less(const struct ranked *left, const struct ranked *right)
{
	if (left->rank != right->rank)
		return left->rank < right->rank;
	return slice_compare(left->key, right->key) < 0;
}

static void sift_from(struct ranked *heap, size_t count, size_t at)
{
	struct ranked moved = heap[at];

	for (size_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
		if (child + 1 < count && rank_less(&heap[child], &heap[child + 1]))
			child++;
		if (!rank_less(&moved, &heap[child]))
			break;
		heap[at] = heap[child];
		at = child;
	}
	heap[at] = moved;
}

void rank_heap_make(struct ranked *heap, size_t count)
{
	for (size_t at = count / 2; at-- > 0;)
		sift_from(heap, count, at);
}

void rank_heap_sift(struct ranked *heap, size_t count)
{
	sift_from(heap, count, 0);
}

/*
 * The stores: how much memory each may take, whether they have all of a namespace, and what they say of themselves.
 *
 * All of them together have CACHE_SHARE of the memory that the container has (--memory says another figure), each a
 * part by how much its kind takes; without a limit CACHE_BYTES_DEFAULT. The rest is for what is read and worked on: a
 * page of a list, an event, a tree for each worker.
 */
#ifndef STREAMJOB_STORES_H
#define STREAMJOB_STORES_H

#include "operator/manager/manager.h"

#define CACHE_SHARE(bytes)  ((bytes) / 8 * 3)
#define CACHE_BYTES_DEFAULT ((int64_t)1 << 30)

void stores_make(struct manager *manager);
void stores_free(struct manager *manager);
/* A kind of which not all objects of the namespace had room, and how many had none; KIND_COUNT: all had. */
enum kind stores_lack(const struct manager *manager, const char *namespace, size_t *ret_left_out);
void stores_metrics(const struct manager *manager, struct buffer *out);

#endif

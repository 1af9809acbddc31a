/* The queues of the lanes, and where the partitions are read from. */
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "runtime/kafka/ordered.h"

void reader_close_lane(struct kafka_lane *lane)
{
	for (size_t i = 0; i < lane->messages_count; i++)
		rd_kafka_message_destroy(lane->messages[i]);
	if (lane->queue)
		rd_kafka_queue_destroy(lane->queue);
	if (lane->event_fd >= 0)
		close(lane->event_fd);
	buffer_release(&lane->headers);
	lane->queue = NULL;
	lane->event_fd = -1;
	lane->messages_count = lane->unreached = 0;
	lane->boundary_said = false;
}

static int start_lane(struct kafka_reader *reader, unsigned number, struct error *err)
{
	struct kafka_lane *lane = &reader->lanes[number];

	lane->queue = rd_kafka_queue_new(reader->rk);
	lane->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	buffer_init(&lane->headers);
	if (lane->event_fd < 0)
		return error_set(err, "cannot make an eventfd: %s", strerror(errno));
	rd_kafka_queue_io_event_enable(lane->queue, lane->event_fd, &(uint64_t){1}, sizeof(uint64_t));
	if (reader->ordered)
		ordered_start(reader->ordered, reader->rk, lane->event_fd);
	for (size_t p = number; p < reader->source.partitions; p += reader->lanes_count) {
		struct partition *partition = &reader->partitions[p];

		partition->reached = partition->to <= atomic_load(&partition->committed);
		partition->queue = reader->ordered ? ordered_queue(reader->ordered, p) : lane->queue;
		lane->unreached += !partition->reached;
		if (rd_kafka_consume_start_queue(reader->topic, (int32_t)p, atomic_load(&partition->committed),
		                                 partition->queue))
			return client_error(err, rd_kafka_last_error(), "cannot start to read a partition");
	}
	return 0;
}

int reader_start_lanes(struct kafka_reader *reader, struct error *err)
{
	atomic_store(&reader->replaying, reader->source.boundary.pending);
	for (unsigned l = 0; l < reader->lanes_count; l++)
		if (start_lane(reader, l, err) < 0)
			return -1;
	return 0;
}

/* What stands in the way of a job that is not ready; /status calls it notReadyPart. */
#ifndef STREAMJOB_NOT_READY_H
#define STREAMJOB_NOT_READY_H

enum not_ready {
	NOT_READY_INPUT = -9,
	NOT_READY_CLOCK,
	NOT_READY_FUNCTION,
	NOT_READY_WINDOW,
	NOT_READY_DRAINING,
	NOT_READY_STARTING,
	NOT_READY_SINK,
	NOT_READY_SOURCE,
	NOT_READY_FAILED /* -1 */
};

#endif

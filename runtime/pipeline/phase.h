/* What a job is doing, as /status says it. */
#ifndef STREAMJOB_PHASE_H
#define STREAMJOB_PHASE_H

enum phase {
	PHASE_STARTING,
	PHASE_CONNECTING,
	PHASE_REPLAYING,
	PHASE_RUNNING,
	PHASE_DRAINING,
	PHASE_FINISHED,
	PHASE_FAILED,
	PHASE_RESTARTING, /* a function failed; from what is committed, after a pause */
	PHASE_STOPPED,    /* a policy says so: nothing is read, the offsets stay */
	PHASE_COMPLETED,  /* the input has ended and the process stays, to say so */
	PHASE_INCOMPLETE, /* the same, but something was left out, and that is a failure (strict) */
};

#endif

/* From the stores to what a plan is made from. */
#ifndef STREAMJOB_OBSERVE_H
#define STREAMJOB_OBSERVE_H

#include "operator/manager/manager.h"

/* What the stores hold of one StreamJob; false: nothing. Release with look_release. */
struct look {
	struct observed observed;
	struct checked_look *checked;
	size_t code_left_out; /* ConfigMaps that had no room, where one of the job's functions is not known; else 0 */
};
bool observe(struct manager *manager, const char *key, struct look *ret_look);
void look_release(struct look *look);

#endif

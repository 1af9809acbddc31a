/* The interpreter of this process: below all that uses it. */
#include "runtime/worker/python.h"

struct python python;

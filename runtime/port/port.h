/* What a source, a sink and a dead letter must do. The pipeline knows only these. */
#ifndef STREAMJOB_PORT_H
#define STREAMJOB_PORT_H

#include "runtime/port/sink.h"
#include "runtime/port/source.h"

#endif

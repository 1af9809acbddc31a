/* What a source, a sink, a dead letter and a clock must do. The pipeline knows only these. */
#ifndef STREAMJOB_PORT_H
#define STREAMJOB_PORT_H

#include "runtime/port/sink.h"
#include "runtime/port/source.h"

#endif

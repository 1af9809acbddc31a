/* The listening socket of the HTTP server, from the text of an option. */
#ifndef STREAMJOB_PROBE_LISTEN_H
#define STREAMJOB_PROBE_LISTEN_H

#include "lib/base/error.h"

/* A non-blocking socket that listens on "host:port", ":port" or "[host]:port"; the caller closes it. -1 with the error.
 */
int listen_open(const char *where, struct error *err);
int listen_port(int fd);

#endif

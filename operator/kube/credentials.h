/*
 * What opens the API server right now: read from files again as they grow old, or from a plugin as it expires. Inside
 * operator/kube only.
 *
 * Threads: any. A reader holds its credentials as long as it likes; they never change.
 */
#ifndef STREAMJOB_KUBE_CREDENTIALS_H
#define STREAMJOB_KUBE_CREDENTIALS_H

#include "lib/base/buffer.h"
#include "lib/base/clock.h"
#include "operator/kube/access.h"

struct credentials {
	_Atomic int references;
	struct buffer ca, certificate, key; /* empty: none; the system's CAs then */
	char *authorization;                /* "Authorization: Bearer …", or NULL */
	int64_t expires_ms;                 /* wall, of what a plugin gave; INT64_MAX: it did not say */
};

struct credentials_source;
/* `access` and `clock` outlive it. */
struct credentials_source *credentials_source_new(const struct access *access, int64_t age_ms_max,
                                                  const struct clock *clock);
void credentials_source_free(struct credentials_source *source);
/*
 * `refused`: what the API server did not take, or NULL: files are read again unless another thread has done it since.
 * A file that cannot be read while it is replaced leaves the old credentials in force. NULL: there are none yet.
 */
struct credentials *credentials_get(struct credentials_source *source, const struct credentials *refused,
                                    struct error *err);
void credentials_put(struct credentials *credentials);

#endif

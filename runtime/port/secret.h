/* The keys of secrets that are mounted as files, SECRETS_DIR/SECRET/KEY: read anew each time, so a rotated one works.
 */
#ifndef STREAMJOB_SECRET_H
#define STREAMJOB_SECRET_H

#include "lib/base/error.h"

#define SECRET_BYTES_MAX      4096
#define SECRET_PATH_BYTES_MAX 1024

/* Where the key is; it must be readable. */
int secret_path(const char *secrets_dir, const char *secret, const char *key, char ret_path[SECRET_PATH_BYTES_MAX],
                struct error *err);

/* What the key says, without a line end behind it; the caller wipes it after use. */
int secret_read(const char *secrets_dir, const char *secret, const char *key, char ret_text[SECRET_BYTES_MAX],
                struct error *err);

#endif

/* The secret of the process's hash tables (lib/base/hash.h). */
#ifndef STREAMJOB_PROCESS_HASH_KEY_H
#define STREAMJOB_PROCESS_HASH_KEY_H

/* Draws it from the kernel and sets it; waits, in the first second of a machine's life, for the kernel to have one. */
void hash_key_draw(void);

#endif

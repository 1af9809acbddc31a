/* What this program is made of. */
#ifndef STREAMJOB_PROGRAM_IDENTITY_H
#define STREAMJOB_PROGRAM_IDENTITY_H

#include <stdbool.h>

#define PROGRAM_IDENTITY_SIZE (32 + 1)

/* Of the build ids that the linker gave the program and each library that it runs with: another one for another build
 * of any of them. False: the program has none. */
bool program_identity(char ret_identity[PROGRAM_IDENTITY_SIZE]);

#endif

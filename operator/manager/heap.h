/* How glibc's malloc shares memory out to the operator's threads. */
#ifndef STREAMJOB_HEAP_H
#define STREAMJOB_HEAP_H

/* Before any thread is started. */
void heap_init(void);
/* Gives back to the system what is free. */
void heap_trim(void);

#endif

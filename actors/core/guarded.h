/* Work that reads files which may be damaged in their structure: LMDB trusts its pages, and a flipped
 * bit in one can end the process that reads it. Such work is done in a child process. */
#ifndef ATES_GUARDED_H
#define ATES_GUARDED_H

#include "core/engine.h"

#define ATES_GUARDED_RESULT_MAX 65536u

/* Done in the child; result is zeroed. Returns 0 or a fault with its line in error. What it opens it
 * must close. */
typedef int ates_guarded_fn(const void *input, const struct ates_progress *progress, void *result,
                            char *error, size_t error_size);

/* Has it run in a child, with a copy of this process's memory, and gives back what it returned, its
 * result (of result_size bytes) and its line. progress (may be NULL) is told in this process. -EBADMSG
 * where a fault ended the child, -EINTR where another signal did: error says how far it had come. The calling process must
 * have no environment open that the work touches, and no other thread that holds a lock. */
int ates_guarded(ates_guarded_fn *run, const void *input, const struct ates_progress *progress,
                 void *result, size_t result_size, char *error, size_t error_size);

#endif

/* Workers: threads for work that would hold up a loop (password hashing). A bounded queue; results
 * come back as messages on one socket. */
#ifndef ATES_WORKER_H
#define ATES_WORKER_H

#include "core/domain.h"

#define ATES_WORKER_QUEUE_MAX 64u
#define ATES_WORKER_THREADS_MAX 8u

struct ates_workers;

/* Starts this many threads, or (0) half as many as the machine has cores, one to four; they run at
 * lower priority than the loops. context is the ZeroMQ context. NULL when out of memory or threads.
 */
struct ates_workers *ates_workers_new(void *context, unsigned threads);
/* Ends the threads after the work in hand, which is told so; what is still queued comes back unrun through receive.
 */
void ates_workers_stop(struct ates_workers *self);
void ates_workers_free(struct ates_workers **self);

/* The socket that becomes readable when a result is there. */
void *ates_workers_socket(struct ates_workers *self);

/* Queues work on a copy of input. owner comes back with the result. -EAGAIN when the queue is full.
 * Work not begun by expires_us (ates_monotonic_us; 0: never) is not run. */
int ates_workers_submit(struct ates_workers *self, const struct ates_work *work, const void *input,
                        size_t input_size, int64_t expires_us, void *owner);

/* The next result: true with *owner and *output (NULL where it was not run; wiped and freed by the
 * next call). */
bool ates_workers_receive(struct ates_workers *self, void **owner, const void **output);

size_t ates_workers_pending(const struct ates_workers *self);

#endif

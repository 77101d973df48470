/* The bare reference loop: ROUTER in, the records of one create_task put into a log and a
 * checkpointed state environment, replies out; nothing decoded or checked. What a service does more
 * than this is what its logic costs. */
#ifndef ATES_BENCH_REFERENCE_H
#define ATES_BENCH_REFERENCE_H

#include <stddef.h>

/* Serves at endpoint with its data below folder until the process is killed. record_size: bytes of
 * a log record, as the real service writes them. */
void reference_serve(const char *endpoint, const char *folder, size_t record_size);

/* Answers every message at endpoint at once, until the process is killed. */
void echo_serve(const char *endpoint);

#endif

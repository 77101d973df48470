/* A service's whole log, as read_events tells it: every envelope taken by the independent
 * event_chain, then decoded by the message tables for the tests to look at. Reading it is the check
 * that it is dense and chained. */
#ifndef ATES_TEST_EVENT_LOG_H
#define ATES_TEST_EVENT_LOG_H

#include "support/flow.h"

struct event_log {
    char log_id[40];
    struct ates_arena *arena;
    struct ates_envelope *events; /* seq 1, 2, 3 ... at 0, 1, 2 ... */
    size_t count;
};

/* Reads the log up to its head as of the last page. Fails the test where a link is wrong. */
void event_log_read(struct event_log *log, struct flow *flow, const char *service);
void event_log_free(struct event_log *log);

/* Whether this event is of this message; then data (its struct) is filled. */
bool event_log_is(const struct event_log *log, size_t index, const struct ates_message *message,
                  void *data);

#endif

/* Honest clients, each a process of its own, that use tasks as PROTOCOL.md asks: half of what they
 * send is create_task under a request id, half a page of their own tasks. Invariant: every message
 * gets exactly one reply, or the client says which did not; nothing is sent again but what was
 * refused with RESOURCE_EXHAUSTED. */
#ifndef ATES_TEST_HONEST_H
#define ATES_TEST_HONEST_H

#include "support/flow.h"

#define HONEST_CLIENTS 4u
#define HONEST_IN_FLIGHT 16u /* of each, where no rate is asked for */

struct honest_shared;
struct honest {
    pid_t pids[HONEST_CLIENTS];
    struct honest_shared *shared;
};
/* So far, of all of them. */
struct honest_counts {
    size_t answered; /* replies that accepted */
    size_t created;  /* of these, to create_task */
    size_t refused;  /* RESOURCE_EXHAUSTED */
    size_t broken;   /* replies that nobody waits for, or that refuse for another reason */
    size_t slowest_us;
};

void honest_start(struct honest *honest, struct flow *flow);
/* How many messages a second all of them send together from now on; 0: as many as are answered,
 * with HONEST_IN_FLIGHT of each under way. */
void honest_set_rate(struct honest *honest, size_t per_second);
struct honest_counts honest_count(const struct honest *honest);
/* The slowest reply is looked for anew from here on. */
void honest_forget_slowest(struct honest *honest);
/* Waits for every reply that is still to come, and ends them. Fails the test where one is lost, or
 * came twice. */
struct honest_counts honest_stop(struct honest *honest);
/* After the stop: the log of tasks holds each task that was accepted once, and no other of theirs. */
void honest_check(const struct honest_counts *counts, struct flow *flow);

#endif

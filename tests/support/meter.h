/* How long accounting takes to answer, as somebody else meets it: a process of its own that asks
 * one query after the other while the test does what it does. */
#ifndef ATES_TEST_METER_H
#define ATES_TEST_METER_H

#include "support/flow.h"

struct meter {
    pid_t pid;
    struct meter_shared *shared;
};
struct meter_result {
    size_t count;
    int64_t p50_us, p99_us, max_us;
};

void meter_start(struct meter *meter, struct flow *flow);
/* Ends it once it has asked at least so often. Fails the test where a query was not answered. */
struct meter_result meter_stop(struct meter *meter, size_t at_least);

#endif

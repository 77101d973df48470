/* The commands of atesctl bench, each in a file of its own. */
#ifndef CTL_BENCH_H
#define CTL_BENCH_H

#include "ctl.h"

extern const struct ctl_command bench_rpc_command, bench_events_command;

/* Times in microseconds, as they come. Past its limit it counts no more. */
#define BENCH_TIMES_MAX 50000000u
struct bench_times {
    uint32_t *values;
    size_t count, capacity;
    uint32_t max;
};
void bench_times_add(struct bench_times *self, int64_t time_us);
void bench_times_release(struct bench_times *self);

/* What bench_percentiles finds of them. */
struct bench_percentiles {
    uint64_t p50_us, p90_us, p99_us, max_us;
};
struct bench_percentiles bench_percentiles(struct bench_times *times);

#endif

/* Measuring a running installation. Invariant: nothing is changed by what was not asked to. */
#include "bench.h"

#include <assert.h>
#include <stdlib.h>

#include "percentile.h"

void bench_times_add(struct bench_times *self, int64_t time_us)
{
    const uint32_t value = time_us < 0 ? 0 : time_us > UINT32_MAX ? UINT32_MAX : (uint32_t)time_us;

    self->max = value > self->max ? value : self->max;
    if (self->count == BENCH_TIMES_MAX) {
        return;
    }
    if (self->count == self->capacity) {
        self->capacity = self->capacity == 0 ? 4096 : 2 * self->capacity;
        uint32_t *grown = realloc(self->values, self->capacity * sizeof *grown);

        assert(grown != NULL); /* as in an arena: bounded */
        self->values = grown;
    }
    self->values[self->count++] = value;
}

void bench_times_release(struct bench_times *self)
{
    free(self->values);
    *self = (struct bench_times){.values = NULL};
}

struct bench_percentiles bench_percentiles(struct bench_times *times)
{
    return (struct bench_percentiles){
        .p50_us = ctl_percentile(times->values, times->count, 500),
        .p90_us = ctl_percentile(times->values, times->count, 900),
        .p99_us = ctl_percentile(times->values, times->count, 990),
        .max_us = times->max,
    };
}

static const struct ctl_command *const commands[] = {&bench_rpc_command, &bench_events_command,
                                                     NULL};
const struct ctl_group bench_group = {
    .name = "bench", .summary = "Measure a running installation", .commands = commands};

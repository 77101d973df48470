/* Histograms; the scales are Prometheus's manner: steps of 1, 2.5, 5 for times. */
#include "core/histogram.h"

static const uint64_t time_bounds[] = {50,     100,     250,     500,     1000,    2500,
                                       5000,   10000,   25000,   50000,   100000,  250000,
                                       500000, 1000000, 2500000, 5000000, 10000000};
static const uint64_t batch_bounds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024};

#define SCALE(BOUNDS)                                                                              \
    {                                                                                              \
        BOUNDS, sizeof BOUNDS / sizeof BOUNDS[0]                                                   \
    }
const struct ates_histogram_scale ates_time_scale = SCALE(time_bounds);
const struct ates_histogram_scale ates_batch_scale = SCALE(batch_bounds);

_Static_assert(sizeof time_bounds / sizeof time_bounds[0] < ATES_HISTOGRAM_BUCKETS_MAX, "");
_Static_assert(sizeof batch_bounds / sizeof batch_bounds[0] < ATES_HISTOGRAM_BUCKETS_MAX, "");

void ates_histogram_add(struct ates_histogram *self, const struct ates_histogram_scale *scale,
                        uint64_t value)
{
    size_t bucket = 0;

    while (bucket < scale->count && value > scale->bounds[bucket]) {
        bucket++;
    }
    self->counts[bucket]++;
    self->sum += value;
}

uint64_t ates_histogram_count(const struct ates_histogram *self)
{
    uint64_t count = 0;

    for (size_t i = 0; i < ATES_HISTOGRAM_BUCKETS_MAX; i++) {
        count += self->counts[i];
    }
    return count;
}

/* Histograms: how many of what was observed was of which size. */
#ifndef ATES_HISTOGRAM_H
#define ATES_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

#define ATES_HISTOGRAM_BUCKETS_MAX 18u

/* The upper bounds, ascending, each included in its bucket; what is above the last has a bucket of
 * its own. */
struct ates_histogram_scale {
    const uint64_t *bounds;
    size_t count; /* at most ATES_HISTOGRAM_BUCKETS_MAX - 1 */
};
/* Microseconds: 50 us, of a query answered alone, to 10 s, when every client has given up. */
extern const struct ates_histogram_scale ates_time_scale;
/* Powers of two: to 1024, the most that a batch holds. */
extern const struct ates_histogram_scale ates_batch_scale;

/* Observations by bucket. Empty where it is all zero; its scale is its owner's to know. */
struct ates_histogram {
    uint64_t counts[ATES_HISTOGRAM_BUCKETS_MAX];
    uint64_t sum;
};

void ates_histogram_add(struct ates_histogram *self, const struct ates_histogram_scale *scale,
                        uint64_t value);
/* How many were observed. */
uint64_t ates_histogram_count(const struct ates_histogram *self);

#endif

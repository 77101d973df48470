/* Percentiles; see percentile.h. */
#include "percentile.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

uint32_t ctl_percentile(uint32_t *values, size_t count, unsigned permille)
{
    if (count == 0) {
        return 0;
    }
    qsort(values, count, sizeof *values, compare);
    const size_t rank = (count * permille + 999) / 1000;

    return values[rank > 0 ? rank - 1 : 0];
}

uint64_t ctl_percentile_of_buckets(const uint64_t *bounds, const uint64_t *counts,
                                   size_t bound_count, unsigned permille)
{
    uint64_t total = 0, before = 0;

    for (size_t i = 0; i <= bound_count; i++) {
        total += counts[i];
    }
    const uint64_t rank = (total * permille + 999) / 1000;
    for (size_t i = 0; i < bound_count; i++) {
        const uint64_t low = i > 0 ? bounds[i - 1] : 0;

        if (counts[i] > 0 && before + counts[i] >= rank) {
            return low + (bounds[i] - low) * (rank - before) / counts[i];
        }
        before += counts[i];
    }
    return total > 0 && bound_count > 0 ? bounds[bound_count - 1] : 0;
}

/* How long most took: percentiles of times. */
#ifndef CTL_PERCENTILE_H
#define CTL_PERCENTILE_H

#include <stddef.h>
#include <stdint.h>

/* The smallest of the values (sorted in place, ascending) that this many permille of them do not
 * exceed; 0 where there are none. */
uint32_t ctl_percentile(uint32_t *values, size_t count, unsigned permille);

/* The same of a histogram: of the bucket in which it lies a linear part, of the last one, which has
 * no upper bound, the lower. counts has one more than bounds. */
uint64_t ctl_percentile_of_buckets(const uint64_t *bounds, const uint64_t *counts,
                                   size_t bound_count, unsigned permille);

#endif

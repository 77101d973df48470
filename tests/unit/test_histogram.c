/* Which bucket an observation falls into. */
#include <criterion/criterion.h>

#include "core/histogram.h"

Test(histogram, bounds_belong_to_their_buckets)
{
    static const uint64_t bounds[] = {10, 20};
    static const struct {
        uint64_t value;
        size_t bucket;
    } cases[] = {{0, 0}, {10, 0}, {11, 1}, {20, 1}, {21, 2}, {UINT64_MAX / 2, 2}};
    const struct ates_histogram_scale scale = {bounds, 2};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ates_histogram histogram = {.sum = 0};

        ates_histogram_add(&histogram, &scale, cases[i].value);
        cr_expect_eq(histogram.counts[cases[i].bucket], 1, "%zu", i);
        cr_expect_eq(histogram.sum, cases[i].value);
        cr_expect_eq(ates_histogram_count(&histogram), 1);
    }
}

Test(histogram, scales_ascend_and_have_room)
{
    const struct ates_histogram_scale *const scales[] = {&ates_time_scale, &ates_batch_scale};

    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        struct ates_histogram histogram = {.sum = 0};

        for (size_t j = 0; j < scales[i]->count; j++) {
            cr_expect(j == 0 || scales[i]->bounds[j] > scales[i]->bounds[j - 1]);
            ates_histogram_add(&histogram, scales[i], scales[i]->bounds[j]);
            cr_expect_eq(histogram.counts[j], 1);
        }
        ates_histogram_add(&histogram, scales[i], scales[i]->bounds[scales[i]->count - 1] + 1);
        cr_expect_eq(ates_histogram_count(&histogram), scales[i]->count + 1);
    }
}

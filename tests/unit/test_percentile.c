/* Percentiles against a plain count. */
#include <criterion/criterion.h>

#include "atesctl/percentile.h"

Test(percentile, are_values_that_so_many_do_not_exceed)
{
    uint32_t values[1000], one[] = {7}, two[] = {9, 3};

    for (uint32_t i = 0; i < 1000; i++) {
        values[i] = 1000 - i;
    }
    cr_expect_eq(ctl_percentile(values, 1000, 500), 500);
    cr_expect_eq(ctl_percentile(values, 1000, 990), 990);
    cr_expect_eq(ctl_percentile(values, 1000, 1000), 1000);
    cr_expect_eq(ctl_percentile(values, 1000, 1), 1);
    cr_expect_eq(ctl_percentile(one, 1, 500), 7);
    cr_expect_eq(ctl_percentile(two, 2, 500), 3);
    cr_expect_eq(ctl_percentile(two, 2, 990), 9);
    cr_expect_eq(ctl_percentile(values, 0, 500), 0);
}

Test(percentile, of_buckets_lie_within_the_bucket)
{
    static const uint64_t bounds[] = {100, 200, 400};
    static const uint64_t none[4], first[4] = {10}, spread[4] = {50, 0, 40, 10},
                                   last[4] = {0, 0, 0, 5};

    cr_expect_eq(ctl_percentile_of_buckets(bounds, none, 3, 500), 0);
    cr_expect_eq(ctl_percentile_of_buckets(bounds, first, 3, 500), 50);
    cr_expect_eq(ctl_percentile_of_buckets(bounds, first, 3, 1000), 100);
    cr_expect_eq(ctl_percentile_of_buckets(bounds, spread, 3, 500), 100);
    cr_expect_eq(ctl_percentile_of_buckets(bounds, spread, 3, 700), 300, "half of the third");
    cr_expect_eq(ctl_percentile_of_buckets(bounds, spread, 3, 990), 400, "beyond the last bound");
    cr_expect_eq(ctl_percentile_of_buckets(bounds, last, 3, 500), 400);
    cr_expect_eq(ctl_percentile_of_buckets(NULL, none, 0, 500), 0);
}

/* The order of services comes from what they follow. */
#include "core/order.h"

#include <string.h>

#include <criterion/criterion.h>

#include "domains.h"

static size_t position_of(const struct ates_domain *const *ordered, size_t count,
                          const char *service)
{
    size_t i = 0;

    while (i < count && strcmp(ordered[i]->service->name, service) != 0) {
        i++;
    }
    cr_assert_lt(i, count, "%s is not there", service);
    return i;
}

Test(order, each_service_comes_before_all_that_it_follows)
{
    const struct ates_domain *ordered[ATES_DOMAINS_MAX];
    const size_t count = ates_consumers_first(ates_domains, ordered);

    cr_assert_eq(count, 5);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < ordered[i]->follow_count; j++) {
            cr_expect_gt(position_of(ordered, count, ordered[i]->follows[j].producer), i, "%s",
                         ordered[i]->service->name);
        }
    }
    cr_expect_str_eq(ordered[count - 1]->service->name, "auth");
}

Test(order, none_is_left_out_whatever_their_order)
{
    const struct ates_domain *turned[ATES_DOMAINS_MAX] = {NULL}, *ordered[ATES_DOMAINS_MAX];
    size_t count = 0;

    while (ates_domains[count] != NULL) {
        count++;
    }
    for (size_t shift = 0; shift < count; shift++) {
        for (size_t i = 0; i < count; i++) {
            turned[i] = ates_domains[(i + shift) % count];
        }
        cr_assert_eq(ates_consumers_first(turned, ordered), count);
        cr_expect_lt(position_of(ordered, count, "payment"),
                     position_of(ordered, count, "accounting"));
        cr_expect_lt(position_of(ordered, count, "accounting"),
                     position_of(ordered, count, "tasks"));
        cr_expect_lt(position_of(ordered, count, "analytics"), position_of(ordered, count, "auth"));
    }
}

Test(order, knows_who_follows_whom)
{
    const struct ates_domain *ordered[ATES_DOMAINS_MAX];
    const size_t count = ates_consumers_first(ates_domains, ordered);
    const struct ates_domain *tasks = ordered[position_of(ordered, count, "tasks")];

    cr_expect(ates_domain_follows(tasks, "auth"));
    cr_expect_not(ates_domain_follows(tasks, "tasks"));
    cr_expect_not(ates_domain_follows(tasks, "aut"));
}

/* Who hears of whom; see order.h. */
#include "core/order.h"

#include <assert.h>
#include <string.h>

bool ates_domain_follows(const struct ates_domain *consumer, const char *producer)
{
    for (size_t i = 0; i < consumer->follow_count; i++) {
        if (strcmp(consumer->follows[i].producer, producer) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether none of those left follows this one. */
static bool is_next(const struct ates_domain *const *left, size_t count,
                    const struct ates_domain *domain)
{
    for (size_t i = 0; i < count; i++) {
        if (left[i] != domain && ates_domain_follows(left[i], domain->service->name)) {
            return false;
        }
    }
    return true;
}

size_t ates_consumers_first(const struct ates_domain *const *domains,
                            const struct ates_domain *ordered[ATES_DOMAINS_MAX])
{
    const struct ates_domain *left[ATES_DOMAINS_MAX];
    size_t count = 0, done = 0;

    for (; domains[count] != NULL; count++) {
        assert(count < ATES_DOMAINS_MAX);
        left[count] = domains[count];
    }
    for (size_t n = count; n > 0; n--) {
        size_t i = 0;

        while (i < n && !is_next(left, n, left[i])) {
            i++;
        }
        assert(i < n); /* else a ring */
        ordered[done++] = left[i];
        memmove(&left[i], &left[i + 1], (n - i - 1) * sizeof(left[0]));
    }
    return count;
}

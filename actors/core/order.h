/* Who hears of whom: the order of services that their domains' `follows` tables give. */
#ifndef ATES_ORDER_H
#define ATES_ORDER_H

#include "core/domain.h"

#define ATES_DOMAINS_MAX 16u

/* Whether one of the consumer's followed events is the producer's. */
bool ates_domain_follows(const struct ates_domain *consumer, const char *producer);

/* The domains (NULL at the end) so that each comes before all that it follows. What a service does
 * for another's sake, and what it asks one that it follows, is in its log after the cause is in the
 * other's: so where the logs' heads are read in this order, no effect is seen without its cause.
 * Returns how many there are. Domains that follow each other in a ring have no such order: that is a
 * programmer's error. */
size_t ates_consumers_first(const struct ates_domain *const *domains,
                            const struct ates_domain *ordered[ATES_DOMAINS_MAX]);

#endif

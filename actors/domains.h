/* The table of services: a new domain is one line in domains.c. */
#ifndef ATES_DOMAINS_H
#define ATES_DOMAINS_H

#include "core/domain.h"

/* In the order in which they start; NULL at the end. */
extern const struct ates_domain *const ates_domains[];

#endif

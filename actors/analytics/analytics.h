/* The analytics domain: income, debts and the most expensive tasks, read off others' events. */
#ifndef ANALYTICS_ANALYTICS_H
#define ANALYTICS_ANALYTICS_H

#include "core/domain.h"

extern const struct ates_domain analytics_domain;

#endif

/* The table of services; see domains.h. */
#include "domains.h"

#include "accounting/accounting.h"
#include "analytics/analytics.h"
#include "auth/auth.h"
#include "payment/payment.h"
#include "tasks/tasks.h"

const struct ates_domain *const ates_domains[] = {
    &auth_domain, &tasks_domain, &accounting_domain, &analytics_domain, &payment_domain, NULL,
};

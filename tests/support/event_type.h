/* Which version of an event a message is: two versions have one name. */
#ifndef ATES_TEST_EVENT_TYPE_H
#define ATES_TEST_EVENT_TYPE_H

#include <ates/accounting.h>
#include <ates/analytics.h>
#include <ates/auth.h>
#include <ates/payment.h>
#include <ates/tasks.h>

/* Of a message that is no service's event, 1. */
static inline unsigned event_version(const struct ates_message *message)
{
    const struct ates_service *const services[] = {
        &auth_service, &tasks_service, &accounting_service, &analytics_service, &payment_service};

    for (size_t s = 0; s < sizeof services / sizeof services[0]; s++) {
        for (size_t i = 0; i < services[s]->event_count; i++) {
            if (services[s]->events[i].data == message) {
                return services[s]->events[i].version;
            }
        }
    }
    return 1;
}

static inline bool event_is(const struct ates_envelope *envelope,
                            const struct ates_message *message)
{
    return ates_text_equal(envelope->event_name, ates_text_from(message->name)) &&
           envelope->event_version == event_version(message);
}

#endif

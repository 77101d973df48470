/* Every public event of every service against every role, for who is concerned and who is not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include <ates/accounting.h>
#include <ates/analytics.h>
#include <ates/auth.h>
#include <ates/payment.h>
#include <ates/tasks.h>

#include "web/web_visible.h"

#define CONCERNED 7u
#define ANOTHER 8u

/* What is said here is PROTOCOL.md's; not read off the table under test. */
struct expectation {
    const char *topic;
    const char *roles;  /* letters: a(dministrator), m(anager), $ (accountant) */
    const char *fields; /* that name users who may see it, by a space */
};

static const struct expectation expectations[] = {
    {"auth.user_registered", "am", ""},
    {"auth.user_changed", "am", "user_id"},
    {"tasks.task_created", "am", "assigned_to created_by"},
    {"tasks.task_assigned", "am", "from_user_id assigned_to"},
    {"tasks.task_completed", "am", "completed_by"},
    {"tasks.reassignment_started", "am", ""},
    {"tasks.reassignment_finished", "am", ""},
    {"accounting.task_priced", "a$", ""},
    {"accounting.transfer_recorded", "a$", "transfer.user_id"},
    {"accounting.payout_closed", "a$", ""},
    {"accounting.mail_sent", "a$", ""},
    {"accounting.mail_dead", "a$", ""},
    {"payment.payment_run", "a$", ""},
};

static const struct ates_service *const services[] = {
    &auth_service, &tasks_service, &accounting_service, &analytics_service, &payment_service,
};

static bool sees_all(const struct expectation *expectation, enum ates_role role)
{
    const char letter = role == ATES_ADMINISTRATOR ? 'a'
                        : role == ATES_MANAGER     ? 'm'
                        : role == ATES_ACCOUNTANT  ? '$'
                                                   : '-';

    return strchr(expectation->roles, letter) != NULL;
}

static const struct expectation *expectation_of(const struct ates_service *service,
                                                const struct ates_event_type *type)
{
    char topic[96];

    snprintf(topic, sizeof topic, "%s.%s", service->name, type->data->name);
    for (size_t i = 0; i < sizeof expectations / sizeof expectations[0]; i++) {
        if (strcmp(expectations[i].topic, topic) == 0) {
            return &expectations[i];
        }
    }
    cr_assert_fail("nobody has said who may see %s", topic);
    return NULL;
}

static bool names_field(const struct expectation *expectation, const char *path)
{
    const size_t size = strlen(path);

    for (const char *at = expectation->fields; (at = strstr(at, path)) != NULL; at += size) {
        if ((at == expectation->fields || at[-1] == ' ') && (at[size] == ' ' || at[size] == '\0')) {
            return true;
        }
    }
    return false;
}

static void check_audience(const struct ates_service *service, const struct ates_event_type *type,
                           const void *data, bool is_concerned)
{
    const struct expectation *expectation = expectation_of(service, type);
    const struct web_audience audience = web_audience_of(service, type, data);

    for (unsigned role = 0; role < ATES_ROLE_COUNT; role++) {
        const bool all = sees_all(expectation, (enum ates_role)role);

        cr_expect_eq(web_audience_has(&audience, CONCERNED, ATES_ROLE(role)), all || is_concerned,
                     "%s for %s", expectation->topic, ates_role_names[role]);
        cr_expect_eq(web_audience_has(&audience, ANOTHER, ATES_ROLE(role)), all, "%s for %s",
                     expectation->topic, ates_role_names[role]);
        cr_expect_eq(web_audience_has(&audience, 0, ATES_ROLE(role)), all,
                     "%s for %s who is nobody", expectation->topic, ates_role_names[role]);
    }
}

/* Names the one who is concerned in one integer field after the other: each event, each field. */
static size_t check_fields(const struct ates_service *service, const struct ates_event_type *type,
                           const struct ates_message *message, uint8_t *data, uint8_t *part,
                           const char *prefix)
{
    const struct expectation *expectation = expectation_of(service, type);
    size_t checked = 0;

    for (size_t i = 0; i < message->count; i++) {
        const struct ates_field *field = &message->fields[i];
        char path[128];

        snprintf(path, sizeof path, "%s%s", prefix, field->name);
        if (field->type == ATES_STRUCT) {
            char inner[130];

            snprintf(inner, sizeof inner, "%s.", path);
            checked +=
                check_fields(service, type, field->message, data, part + field->offset, inner);
        } else if (field->type == ATES_UINT) {
            const uint64_t user_id = CONCERNED;

            memcpy(part + field->offset, &user_id, sizeof user_id);
            check_audience(service, type, data, names_field(expectation, path));
            memset(part + field->offset, 0, sizeof user_id);
            checked += names_field(expectation, path);
        }
    }
    return checked;
}

Test(web_visible, every_event_is_shown_to_whom_it_concerns_and_to_nobody_else)
{
    size_t events = 0;

    for (size_t s = 0; s < sizeof services / sizeof services[0]; s++) {
        for (size_t i = 0; i < services[s]->event_count; i++) {
            const struct ates_event_type *type = &services[s]->events[i];

            if (type->is_private) {
                continue;
            }
            uint8_t *data = calloc(1, type->data->size);
            const struct expectation *expectation = expectation_of(services[s], type);
            size_t named = expectation->fields[0] != '\0';

            for (const char *at = expectation->fields; *at != '\0'; at++) {
                named += *at == ' ';
            }
            check_audience(services[s], type, data, false);
            cr_expect_eq(check_fields(services[s], type, type->data, data, data, ""), named, "%s",
                         expectation->topic);
            free(data);
            events += type->version == 1; /* another version of it is seen by the same */
        }
    }
    cr_expect_eq(events, sizeof expectations / sizeof expectations[0]);
}

static void assert_denied(const struct ates_service *service, const struct ates_event_type *type)
{
    uint8_t data[1024];

    cr_assert_leq(type->data->size, sizeof data);
    memset(data, 0, sizeof data);
    const struct web_audience audience = web_audience_of(service, type, data);
    cr_expect(web_audience_is_empty(&audience), "%s.%s", service->name, type->data->name);
    for (unsigned role = 0; role < ATES_ROLE_COUNT; role++) {
        cr_expect_not(web_audience_has(&audience, CONCERNED, ATES_ROLE(role)));
    }
}

Test(web_visible, what_is_not_said_is_denied)
{
    struct ates_event_type newer = {.data = &tasks_task_created_message, .version = 2};

    assert_denied(&tasks_service, &newer);
    newer.version = 1;
    assert_denied(&auth_service, &newer); /* no event of theirs */
    newer.is_private = true;
    assert_denied(&tasks_service, &newer);
    for (size_t s = 0; s < sizeof services / sizeof services[0]; s++) {
        for (size_t i = 0; i < services[s]->event_count; i++) {
            if (services[s]->events[i].is_private) {
                assert_denied(services[s], &services[s]->events[i]);
            }
        }
    }
}

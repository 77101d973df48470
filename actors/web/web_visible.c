/* Who may see which event; see web_visible.h. Invariant: what is not named here is denied. */
#include "web/web_visible.h"

#include <string.h>

#include <ates/accounting.h>
#include <ates/auth.h>
#include <ates/payment.h>
#include <ates/tasks.h>

#define NOBODY UINT32_MAX /* in the place of a field's offset */

static const unsigned over_tasks = ATES_ROLE(ATES_ADMINISTRATOR) | ATES_ROLE(ATES_MANAGER);
static const unsigned over_money = ATES_ROLE(ATES_ADMINISTRATOR) | ATES_ROLE(ATES_ACCOUNTANT);

/* An event that somebody may see. */
struct rule {
    const struct ates_service *service;
    const struct ates_message *event;
    unsigned version;
    const unsigned *roles;              /* that see all of them */
    uint32_t users[WEB_AUDIENCE_USERS]; /* offsets of the fields that name who else does */
};

#define USER(TYPE, FIELD) ((uint32_t)offsetof(struct TYPE, FIELD))

static const struct rule rules[] = {
    {&auth_service, &ates_user_registered_message, 1, &over_tasks, {NOBODY, NOBODY}},
    {&auth_service,
     &ates_user_changed_message,
     1,
     &over_tasks,
     {USER(ates_user_changed, user_id), NOBODY}},
    {&tasks_service,
     &tasks_task_created_message,
     1,
     &over_tasks,
     {USER(tasks_task_created, assigned_to), USER(tasks_task_created, created_by)}},
    {&tasks_service,
     &tasks_task_created_v2_message,
     2,
     &over_tasks,
     {USER(tasks_task_created_v2, assigned_to), USER(tasks_task_created_v2, created_by)}},
    {&tasks_service,
     &tasks_task_assigned_message,
     1,
     &over_tasks,
     {USER(tasks_task_assigned, from_user_id), USER(tasks_task_assigned, assigned_to)}},
    {&tasks_service,
     &tasks_task_completed_message,
     1,
     &over_tasks,
     {USER(tasks_task_completed, completed_by), NOBODY}},
    {&tasks_service, &tasks_reassignment_started_message, 1, &over_tasks, {NOBODY, NOBODY}},
    {&tasks_service, &tasks_reassignment_finished_message, 1, &over_tasks, {NOBODY, NOBODY}},
    {&accounting_service, &accounting_task_priced_message, 1, &over_money, {NOBODY, NOBODY}},
    {&accounting_service,
     &accounting_transfer_recorded_message,
     1,
     &over_money,
     {USER(accounting_transfer_recorded, transfer.user_id), NOBODY}},
    {&accounting_service, &accounting_payout_closed_message, 1, &over_money, {NOBODY, NOBODY}},
    {&accounting_service, &accounting_mail_sent_message, 1, &over_money, {NOBODY, NOBODY}},
    {&accounting_service, &accounting_mail_dead_message, 1, &over_money, {NOBODY, NOBODY}},
    {&payment_service, &payment_payment_run_message, 1, &over_money, {NOBODY, NOBODY}},
};

static uint64_t user_at(const void *data, uint32_t offset)
{
    uint64_t user_id = 0;

    if (offset != NOBODY) {
        memcpy(&user_id, (const uint8_t *)data + offset, sizeof user_id);
    }
    return user_id;
}

struct web_audience web_audience_of(const struct ates_service *service,
                                    const struct ates_event_type *type, const void *data)
{
    struct web_audience audience = {.roles = 0};

    for (size_t i = 0; i < sizeof rules / sizeof rules[0] && !type->is_private; i++) {
        const struct rule *rule = &rules[i];

        if (rule->service == service && rule->event == type->data &&
            rule->version == type->version) {
            audience.roles = *rule->roles;
            for (size_t n = 0; n < WEB_AUDIENCE_USERS; n++) {
                audience.users[n] = user_at(data, rule->users[n]);
            }
            break;
        }
    }
    return audience;
}

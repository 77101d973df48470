/* Whom an event concerns. */
#include <criterion/criterion.h>

#include <ates/accounting.h>
#include <ates/tasks.h>

#include "atesctl/watch.h"

static bool concerns(const struct ates_message *message, const void *value, uint64_t user_id)
{
    static const uint8_t prev[32];
    struct ates_buffer data = {0};

    ates_message_encode(message, value, &data);
    const struct ates_envelope envelope = {
        .event_id = ates_text_from("018bcfe5-6800-7000-8000-000000000001"),
        .event_name = ates_text_from(message->name),
        .event_version = 1,
        .producer = ates_text_from("tasks"),
        .log_id = ates_text_from("a-log"),
        .seq = 1,
        .prev = {prev, sizeof prev},
        .data = {data.data, data.size},
    };
    const bool found = ctl_concerns(&envelope, user_id);
    ates_buffer_release(&data);
    return found;
}

Test(watch, an_event_concerns_who_does_it_and_to_whom_it_is_done)
{
    const struct tasks_task_assigned assigned = {
        .task_id = 5, .from_user_id = 2, .assigned_to = 3, .reassignment_id = 9};
    const struct accounting_transfer_recorded recorded = {
        .transfer = {.id = 6, .user_id = 4, .business_date = ates_text_from("2026-11-22")}};

    cr_expect(concerns(&tasks_task_assigned_message, &assigned, 2));
    cr_expect(concerns(&tasks_task_assigned_message, &assigned, 3));
    cr_expect_not(concerns(&tasks_task_assigned_message, &assigned, 5), "a task is no user");
    cr_expect_not(concerns(&tasks_task_assigned_message, &assigned, 9));
    cr_expect(concerns(&accounting_transfer_recorded_message, &recorded, 4));
    cr_expect_not(concerns(&accounting_transfer_recorded_message, &recorded, 6));
}

/* Events as CloudEvents: every attribute from the field that PROTOCOL.md names. */
#include <string.h>

#include <criterion/criterion.h>

#include <ates/accounting.h>
#include <ates/tasks.h>

#include "atesctl/cloudevent.h"

#define LOG_ID "018bcfe5-6800-7000-8000-0000000000aa"
#define TRACE "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static struct ates_buffer data;

static struct ates_envelope envelope_of(const struct ates_message *message, const void *value)
{
    static const uint8_t prev[32];

    data.size = 0;
    ates_message_encode(message, value, &data);
    return (struct ates_envelope){
        .event_id = ates_text_from("018bcfe5-6800-7000-8000-000000000001"),
        .event_name = ates_text_from(message->name),
        .event_version = 1,
        .event_time = INT64_C(1700000000007),
        .producer = ates_text_from("tasks"),
        .log_id = ates_text_from(LOG_ID),
        .seq = 12,
        .prev = {prev, sizeof prev},
        .data = {data.data, data.size},
    };
}

static const char *member(const json_t *event, const char *name)
{
    const char *text = json_string_value(json_object_get(event, name));

    return text != NULL ? text : "(none)";
}

static void release(json_t *event)
{
    json_decref(event);
    ates_buffer_release(&data);
}

Test(cloudevent, tells_the_envelope_by_the_attributes_of_the_specification)
{
    const struct tasks_task_completed done = {.task_id = 7, .completed_by = 3};
    struct ates_envelope envelope = envelope_of(&tasks_task_completed_message, &done);

    envelope.has_cause = envelope.cause.has_traceparent = true;
    envelope.cause.traceparent = ates_text_from(TRACE);
    json_t *event = ctl_cloudevent(&envelope);
    cr_assert_not_null(event);
    cr_expect_str_eq(member(event, "specversion"), "1.0");
    cr_expect_str_eq(member(event, "id"), "018bcfe5-6800-7000-8000-000000000001");
    cr_expect_str_eq(member(event, "source"), "/ates/tasks/" LOG_ID);
    cr_expect_str_eq(member(event, "type"), "tasks.task_completed.v1");
    cr_expect_str_eq(member(event, "time"), "2023-11-14T22:13:20.007Z");
    cr_expect_str_eq(member(event, "subject"), "task/7");
    cr_expect_str_eq(member(event, "sequence"), "0000000000000012");
    cr_expect_str_eq(member(event, "datacontenttype"), "application/json");
    cr_expect_str_eq(member(event, "traceparent"), TRACE);
    const json_t *own = json_object_get(event, "data");
    cr_expect_eq(json_integer_value(json_object_get(own, "task_id")), 7);
    cr_expect_eq(json_integer_value(json_object_get(own, "completed_by")), 3);
    cr_expect_eq(json_object_size(own), 2);
    release(event);
}

Test(cloudevent, leaves_out_what_an_event_does_not_have)
{
    const struct accounting_payout_closed closed = {.business_date = ates_text_from("2026-11-22")};
    const struct ates_envelope envelope = envelope_of(&accounting_payout_closed_message, &closed);

    json_t *event = ctl_cloudevent(&envelope);
    cr_assert_not_null(event);
    cr_expect_null(json_object_get(event, "subject"));
    cr_expect_null(json_object_get(event, "traceparent"));
    release(event);
}

Test(cloudevent, is_about_what_a_nested_value_is)
{
    const struct accounting_transfer_recorded recorded = {
        .transfer = {.id = 99, .user_id = 4, .business_date = ates_text_from("2026-11-22")}};
    const struct ates_envelope envelope =
        envelope_of(&accounting_transfer_recorded_message, &recorded);

    json_t *event = ctl_cloudevent(&envelope);
    cr_assert_not_null(event);
    cr_expect_str_eq(member(event, "subject"), "transfer/99");
    release(event);
}

Test(cloudevent, orders_sequences_as_texts)
{
    const struct tasks_task_completed done = {.task_id = 7, .completed_by = 3};
    struct ates_envelope envelope = envelope_of(&tasks_task_completed_message, &done);

    json_t *before = ctl_cloudevent(&envelope);
    envelope.seq = ATES_INTEGER_MAX;
    json_t *last = ctl_cloudevent(&envelope);
    cr_expect_lt(strcmp(member(before, "sequence"), member(last, "sequence")), 0);
    cr_expect_eq(strlen(member(before, "sequence")), strlen(member(last, "sequence")));
    json_decref(before);
    release(last);
}

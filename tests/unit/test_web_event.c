/* An envelope becomes one text for all who may see it; what cannot be read nobody sees. */
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include <ates/auth.h>
#include <ates/tasks.h>

#include "web/web_event.h"

static struct ates_arena *arena;
static struct ates_buffer bytes;

static void setup(void)
{
    arena = ates_arena_new();
}

static void teardown(void)
{
    ates_buffer_release(&bytes);
    ates_arena_free(&arena);
}

TestSuite(web_event, .init = setup, .fini = teardown);

static struct ates_envelope envelope(const char *producer, const struct ates_message *message,
                                     uint64_t version, const void *data)
{
    bytes.size = 0;
    ates_message_encode(message, data, &bytes);
    return (struct ates_envelope){
        .event_id = ates_text_from("018bcfe5-6800-7000-8000-000000000001"),
        .event_name = ates_text_from(message->name),
        .event_version = version,
        .event_time = 1700000000123,
        .producer = ates_text_from(producer),
        .log_id = ates_text_from("018bcfe5-6800-7000-8000-0000000000aa"),
        .seq = 42,
        .data = {bytes.data, bytes.size},
    };
}

static const struct tasks_task_created created = {
    .task_id = 5,
    .name = {"a \"name\"\nof \xd1\x8f", 14},
    .description = {"", 0},
    .assigned_to = 7,
    .created_by = 8,
};

static json_t *parse(const struct web_event *event)
{
    static const char before[] = "data: ";

    cr_assert_gt(event->size, sizeof before + 2);
    cr_assert_arr_eq(event->text, before, sizeof before - 1);
    cr_assert_eq(memchr(event->text, '\n', event->size), event->text + event->size - 2,
                 "an event is one line and an empty one");
    cr_assert_eq(event->text[event->size - 1], '\n');
    json_t *json = json_loadb(event->text + sizeof before - 1,
                              event->size - (sizeof before - 1) - 2, JSON_REJECT_DUPLICATES, NULL);
    cr_assert_not_null(json);
    return json;
}

Test(web_event, is_rendered_as_one_line)
{
    const struct ates_envelope from = envelope("tasks", &tasks_task_created_message, 1, &created);
    struct web_event *event = web_event_new(&tasks_service, 3, &from, arena);

    cr_expect_eq(event->producer, 3);
    cr_expect_eq(event->seq, 42);
    cr_expect_eq(event->changed_user, 0);
    cr_expect(web_audience_has(&event->audience, 7, ATES_ROLE(ATES_DEVELOPER)));
    json_t *json = parse(event);
    json_t *expected =
        json_pack("{s:s, s:i, s:s, s:i, s:I, s:{s:i, s:s, s:s, s:i, s:i}}", "producer", "tasks",
                  "seq", 42, "event_name", "task_created", "event_version", 1, "event_time",
                  (json_int_t)1700000000123, "data", "task_id", 5, "name",
                  "a \"name\"\nof \xd1\x8f", "description", "", "assigned_to", 7, "created_by", 8);
    cr_expect(json_equal(json, expected));
    json_decref(expected);
    json_decref(json);
    web_event_drop(&event);
}

Test(web_event, tells_whose_state_it_changed)
{
    const struct ates_user_changed changed = {.user_id = 9,
                                              .login = {"login", 5},
                                              .email = {"a@b", 3},
                                              .role = ATES_MANAGER,
                                              .disabled = true};
    const struct ates_envelope from = envelope("auth", &ates_user_changed_message, 1, &changed);
    struct web_event *event = web_event_new(&auth_service, 0, &from, arena);

    cr_expect_eq(event->changed_user, 9);
    cr_expect_gt(event->size, 0);
    web_event_drop(&event);
}

static void assert_unseen(const struct ates_service *service, const struct ates_envelope *from)
{
    struct web_event *event = web_event_new(service, 1, from, arena);

    cr_expect_eq(event->seq, 42, "it moves the position all the same");
    cr_expect_eq(event->producer, 1);
    cr_expect_eq(event->size, 0);
    cr_expect(web_audience_is_empty(&event->audience));
    cr_expect_eq(event->changed_user, 0);
    web_event_drop(&event);
    cr_expect_null(web_event_new_for(service, 1, from, arena, 7, ATES_ROLE(ATES_ADMINISTRATOR)));
}

Test(web_event, of_a_newer_kind_is_seen_by_nobody)
{
    struct ates_envelope from = envelope("tasks", &tasks_task_created_message, 3, &created);

    assert_unseen(&tasks_service, &from);
    from.event_version = 1;
    from.event_name = ates_text_from("task_cherished");
    assert_unseen(&tasks_service, &from);
    from.event_name = ates_text_from("task_created");
    from.data.size = 1;
    assert_unseen(&tasks_service, &from);
    from = envelope("tasks", &tasks_task_completed_message, 1,
                    &(struct tasks_task_completed){.task_id = 1, .completed_by = 7});
    from.event_name = ates_text_from("task_created"); /* fields are missing */
    assert_unseen(&tasks_service, &from);
}

Test(web_event, a_private_one_would_not_be_shown_if_it_came)
{
    const struct auth_sessions_revoked revoked = {.user_id = 7};
    const struct ates_envelope from = envelope("auth", &auth_sessions_revoked_message, 1, &revoked);

    assert_unseen(&auth_service, &from);
}

Test(web_event, is_rendered_for_one_who_may_see_it_only)
{
    const struct ates_envelope from = envelope("tasks", &tasks_task_created_message, 1, &created);
    struct web_event *event =
        web_event_new_for(&tasks_service, 0, &from, arena, 7, ATES_ROLE(ATES_OTHER));

    cr_assert_not_null(event);
    struct web_event *of_all = web_event_new(&tasks_service, 0, &from, arena);
    cr_expect_eq(event->size, of_all->size);
    cr_expect_arr_eq(event->text, of_all->text, event->size);
    web_event_drop(&of_all);
    web_event_drop(&event);
    cr_expect_null(web_event_new_for(&tasks_service, 0, &from, arena, 9, ATES_ROLE(ATES_OTHER)));
    event = web_event_new_for(&tasks_service, 0, &from, arena, 9, ATES_ROLE(ATES_MANAGER));
    cr_expect_not_null(event);
    web_event_drop(&event);
}

/* The common tables: who may call what, the wire's limits, and lookup. */
#include <criterion/criterion.h>

#include <ates/service.h>

#include "../support/sample.h"

static const struct ates_command own_commands[] = {
    {.name = "health",
     .summary = "its own",
     .body = &ates_empty_message,
     .result = &ates_empty_message,
     .callers = ATES_ANY_ROLE},
    {.name = "work",
     .summary = "its own",
     .body = &ates_empty_message,
     .result = &ates_empty_message,
     .callers = ATES_ANY_ROLE},
};
static const struct ates_service own = {
    .name = "own", .commands = own_commands, .command_count = 2};

Test(service, own_commands_come_before_common_ones)
{
    cr_assert_eq(ates_service_command(&own, "work", 4), &own_commands[1]);
    cr_assert_eq(ates_service_command(&own, "health", 6), &own_commands[0]);
    cr_assert_str_eq(ates_service_command(&own, "metrics", 7)->name, "metrics");
    cr_assert_null(ates_service_command(&own, "metric", 6));
    cr_assert_null(ates_service_command(&own, "works", 5));
    cr_assert_null(ates_service_command(&own, "", 0));
}

Test(service, common_commands_and_their_callers)
{
    const unsigned operators = ATES_ROLE(ATES_INTERNALSERVICE) | ATES_ROLE(ATES_ADMINISTRATOR);
    static const char *const names[] = {"metrics", "read_events", "read_snapshot",
                                        "show_dead_letters", "retry_event"};

    cr_assert_eq(ates_common_service.command_count, 7u);
    cr_assert_eq(ates_service_command(&own, "read_events", 11)->body, &ates_read_events_message);
    cr_assert_eq(ates_service_command(&ates_common_service, "health", 6)->callers,
                 ATES_NO_TOKEN | ATES_ANY_ROLE);
    cr_assert_eq(ates_service_command(&ates_common_service, "describe", 8)->callers,
                 ATES_NO_TOKEN | ATES_ANY_ROLE);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const struct ates_command *command =
            ates_service_command(&ates_common_service, names[i], strlen(names[i]));
        cr_assert_eq(command->callers, operators, "%s", names[i]);
        cr_assert_eq(command->others, 0u);
    }
}

Test(service, roles_are_the_protocols)
{
    static const char *const names[] = {"administrator", "manager",         "developer", "boss",
                                        "accountant",    "internalservice", "other"};

    cr_assert_eq((size_t)ATES_ROLE_COUNT, sizeof names / sizeof names[0]);
    for (int i = 0; i < ATES_ROLE_COUNT; i++) {
        cr_assert_str_eq(ates_role_names[i], names[i]);
    }
    cr_assert_null(ates_role_names[ATES_ROLE_COUNT]);
}

/* Every table is one that the codec can use, with names as the wire spells them. */
static void check_table(const struct ates_message *message)
{
    cr_assert_leq(message->count, 64u, "%s", message->name);
    for (size_t i = 0; i < message->count; i++) {
        const struct ates_field *field = &message->fields[i];

        cr_assert_eq(field->name[strspn(field->name, "abcdefghijklmnopqrstuvwxyz_")], '\0');
        cr_assert(field->type >= ATES_BOOL && field->type <= ATES_LIST, "%s", field->name);
        cr_assert_lt(field->offset, message->size);
        cr_assert_lt(field->present, message->size);
        cr_assert_eq(ates_message_field(message, field->name, strlen(field->name)), field);
        if (field->type == ATES_STRUCT ||
            (field->type == ATES_LIST && field->item == ATES_STRUCT)) {
            check_table(field->message);
        }
    }
}

static const struct ates_message *const tables[] = {
    &ates_empty_message,
    &ates_health_result_message,
    &ates_describe_message,
    &ates_describe_result_message,
    &ates_metrics_result_message,
    &ates_read_events_message,
    &ates_read_events_result_message,
    &ates_show_dead_letters_message,
    &ates_retry_event_message,
    &ates_show_dead_letters_result_message,
    &ates_request_meta_message,
    &ates_reply_meta_message,
    &ates_refusal_body_message,
    &ates_envelope_message,
    &ates_head_message,
    &ates_user_registered_message,
    &ates_user_changed_message,
};

Test(service, tables_are_well_formed)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        check_table(tables[i]);
    }
}

Test(service, limits_of_the_wire)
{
    char id[66];
    struct ates_refusal refusal;

    memset(id, 'i', sizeof id);
    struct ates_request_meta meta = {.has_request_id = true, .request_id = {id, 64}};
    cr_assert_eq(ates_message_check(&ates_request_meta_message, &meta, &refusal), 0);
    meta.request_id.size = 65;
    cr_assert_neq(ates_message_check(&ates_request_meta_message, &meta, &refusal), 0);
    meta.request_id.size = 0;
    cr_assert_neq(ates_message_check(&ates_request_meta_message, &meta, &refusal), 0);

    struct ates_read_events read = {.has_limit = true, .limit = 1000};
    cr_assert_eq(ates_message_check(&ates_read_events_message, &read, &refusal), 0);
    read.limit = 1001;
    cr_assert_neq(ates_message_check(&ates_read_events_message, &read, &refusal), 0);
    read.limit = 0;
    cr_assert_neq(ates_message_check(&ates_read_events_message, &read, &refusal), 0);
    cr_assert_str_eq(refusal.message, "limit: 1 to 1000, got 0");
}

Test(service, a_token_is_never_told)
{
    struct ates_refusal refusal;
    struct ates_request_meta meta = {.has_token = true, .token = ates_text_from("v4.public.\x01")};

    cr_assert_neq(ates_message_check(&ates_request_meta_message, &meta, &refusal), 0);
    cr_assert_str_eq(refusal.field, "token");
    cr_assert_null(strstr(refusal.message, "v4"));
}

static const uint8_t zeros[32];

static struct ates_envelope make_envelope(void)
{
    return (struct ates_envelope){
        .event_id = ates_text_from("0190d7a2-7b1c-7def-8123-456789abcdef"),
        .event_name = ates_text_from("task_created"),
        .event_version = 1,
        .event_time = 1721000000000,
        .producer = ates_text_from("tasks"),
        .log_id = ates_text_from("0f3a9c1db72e4456"),
        .seq = 1,
        .prev = {zeros, sizeof zeros},
        .has_cause = true,
        .cause = {.has_producer = true,
                  .producer = ates_text_from("auth"),
                  .has_seq = true,
                  .seq = 9},
        .data = {(const uint8_t *)"\x81\xa1k\x01", 4},
    };
}

Test(service, envelope_round_trips_and_keeps_its_data_unopened)
{
    struct ates_arena *arena = ates_arena_new();
    const struct ates_envelope in = make_envelope();
    struct ates_buffer bytes = {0};
    struct ates_envelope out;
    struct ates_refusal refusal;

    ates_message_encode(&ates_envelope_message, &in, &bytes);
    cr_assert_eq(ates_message_decode(&ates_envelope_message, bytes.data, bytes.size,
                                     ATES_UNKNOWN_IGNORED, arena, &out, &refusal),
                 0, "%s", refusal.message);
    cr_assert_eq(out.data.size, 4u);
    cr_assert_eq(memcmp(out.data.data, in.data.data, 4), 0);
    cr_assert(out.has_cause && out.cause.seq == 9 && !out.cause.has_command);
    cr_assert_eq(out.event_time, 1721000000000);
    ates_buffer_release(&bytes);
    ates_arena_free(&arena);
}

Test(service, envelope_needs_a_whole_hash)
{
    struct ates_envelope envelope = make_envelope();
    struct ates_refusal refusal;

    envelope.prev.size = 31;
    cr_assert_neq(ates_message_check(&ates_envelope_message, &envelope, &refusal), 0);
    cr_assert_str_eq(refusal.message, "prev: exactly 32 bytes, got 31");
}

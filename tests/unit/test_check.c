/* The check of a domain's data names the place of each kind of damage. The log under test: records
 * 1 to 3 take in users (private events only), records 4 to 8 create tasks (events 1 to 5). */
#include "core/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/damage.h"
#include "support/scarce_disk.h"
#include "tasks/tasks.h"
#include "tasks/tasks_state.h"

#define RECORDS 8u
#define TASKS 5u
#define EVENTS TASKS
#define FIRST_EVENT_RECORD 4u

static struct fixture fixture;

static void open_fixture(void)
{
    fixture_open(&fixture, &tasks_domain);
    for (uint64_t user_id = 1; user_id < FIRST_EVENT_RECORD; user_id++) {
        fixture_register_user(&fixture, user_id, ATES_DEVELOPER);
    }
    for (unsigned i = 0; i < TASKS; i++) {
        char name[32];
        snprintf(name, sizeof name, "Feed parrot %u", i);
        const struct tasks_create_task body = {.name = ates_text_from(name)};

        fixture_do(&fixture, fixture_caller(1, ATES_DEVELOPER), "create_task", &body, NULL);
    }
    ates_engine_close(&fixture.engine);
}

static void close_fixture(void)
{
    fixture_close(&fixture);
}

TestSuite(check, .init = open_fixture, .fini = close_fixture, .timeout = 60);

static void assert_damaged(const char *expected)
{
    struct ates_check_report report;
    char error[512] = "";

    cr_assert_eq(ates_check(&tasks_domain, &fixture.config, NULL, &report, error, sizeof error),
                 -EBADMSG, "%s", error);
    cr_assert_not_null(strstr(error, expected), "\"%s\" lacks \"%s\"", error, expected);
}

static void tell(void *context, uint64_t done, uint64_t total)
{
    uint64_t *told = context;

    told[0] = done;
    told[1] = total;
}

Test(check, counts_a_sound_log_and_tells_of_its_end)
{
    struct ates_check_report report = {0};
    char error[512] = "";
    uint64_t told[2] = {0};
    const struct ates_progress progress = {tell, told};

    cr_assert_eq(
        ates_check(&tasks_domain, &fixture.config, &progress, &report, error, sizeof error), 0,
        "%s", error);
    cr_expect_eq(report.records, RECORDS);
    cr_expect_eq(report.events, EVENTS);
    cr_expect_eq(told[0], RECORDS);
    cr_expect_eq(told[1], RECORDS);
}

Test(check, refuses_while_another_has_the_data)
{
    struct ates_check_report report;
    char error[512] = "";

    fixture_reopen(&fixture);
    cr_expect_eq(ates_check(&tasks_domain, &fixture.config, NULL, &report, error, sizeof error),
                 -EBUSY);
    cr_expect_not_null(strstr(error, "in use by another process"), "%s", error);
}

/* What a service stopped on a full disk leaves is sound: its state is behind, as its checkpoint was put off. */
Test(check, takes_a_full_disk_for_no_damage)
{
    const struct tasks_create_task body = {.name = ates_text_from("Feed one more")};
    struct ates_check_report report;
    char error[512] = "";

    fixture_reopen(&fixture);
    fixture_do(&fixture, fixture_caller(1, ATES_DEVELOPER), "create_task", &body, NULL);
    scarce_disk = true;
    ates_engine_close(&fixture.engine);
    cr_expect_eq(ates_check(&tasks_domain, &fixture.config, NULL, &report, error, sizeof error),
                 -ENOSPC);
    cr_expect_not_null(strstr(error, "the disk has less than 64 MiB left"), "%s", error);
    scarce_disk = false;
    cr_expect_eq(ates_check(&tasks_domain, &fixture.config, NULL, &report, error, sizeof error), 0,
                 "%s", error);
    cr_expect_eq(report.records, RECORDS + 1);
}

Test(check, names_a_flipped_record)
{
    damage_flip_record(&fixture, 6);
    assert_damaged("record 6 (after event 2) is damaged");
}

Test(check, names_the_last_record_flipped)
{
    damage_flip_record(&fixture, RECORDS);
    assert_damaged("the last record, 8, is damaged");
}

Test(check, names_a_missing_record)
{
    damage_drop_record(&fixture, 5);
    assert_damaged("record 5 is missing: record 6 takes its place");
}

Test(check, names_a_missing_first_record)
{
    damage_drop_record(&fixture, 1);
    assert_damaged("record 1 is missing");
}

static void make_older(struct ates_record *record, struct ates_arena *arena)
{
    (void)arena;
    record->time -= 1;
}

Test(check, names_a_record_older_than_the_one_before)
{
    damage_change_record(&fixture, 6, make_older);
    assert_damaged("record 6 is older");
}

static void shift_seq(struct ates_record *record, struct ates_arena *arena)
{
    (void)arena;
    record->first_seq += 1;
}

Test(check, names_a_gap_in_the_event_seqs)
{
    damage_change_record(&fixture, 6, shift_seq);
    assert_damaged("record 6 begins at event 4, not 3");
}

/* What a change of a record's last envelope is: one field set otherwise. */
static void (*alter)(struct ates_envelope *envelope);

static void change_envelope(struct ates_record *record, struct ates_arena *arena)
{
    struct ates_bytes *bytes = (struct ates_bytes *)record->events.items + record->events.count - 1;
    struct ates_buffer encoded = {0};
    struct ates_envelope envelope;
    uint8_t hash[ATES_HASH_SIZE];

    cr_assert_eq(ates_message_decode(&ates_envelope_message, bytes->data, bytes->size,
                                     ATES_UNKNOWN_REFUSED, arena, &envelope, NULL),
                 0);
    alter(&envelope);
    ates_message_encode(&ates_envelope_message, &envelope, &encoded);
    *bytes = (struct ates_bytes){ates_arena_copy(arena, encoded.data, encoded.size), encoded.size};
    ates_envelope_hash(bytes->data, bytes->size, hash);
    record->head = (struct ates_bytes){ates_arena_copy(arena, hash, sizeof hash), sizeof hash};
    ates_buffer_release(&encoded);
}

static void alter_seq(struct ates_envelope *envelope)
{
    envelope->seq = 9;
}

Test(check, names_an_envelope_with_another_seq)
{
    alter = alter_seq;
    damage_change_record(&fixture, 6, change_envelope);
    assert_damaged("event 3 (record 6) says that it is event 9");
}

static void alter_log_id(struct ates_envelope *envelope)
{
    envelope->log_id = ates_text_from("00000000-0000-7000-8000-000000000000");
}

Test(check, names_an_event_of_another_log)
{
    alter = alter_log_id;
    damage_change_record(&fixture, 6, change_envelope);
    assert_damaged("event 3 (record 6) is of another log");
}

static void alter_time(struct ates_envelope *envelope)
{
    envelope->event_time += 1;
}

/* Forged with care: the record's own hash is right, yet the next event was chained to another. */
Test(check, names_where_the_chain_of_hashes_breaks)
{
    alter = alter_time;
    damage_change_record(&fixture, 6, change_envelope);
    assert_damaged("event 4 (record 7) does not follow the one before");
}

static void clear_head(struct ates_record *record, struct ates_arena *arena)
{
    record->head = (struct ates_bytes){ates_arena_alloc(arena, ATES_HASH_SIZE), ATES_HASH_SIZE};
}

Test(check, names_a_record_with_another_hash)
{
    damage_change_record(&fixture, 6, clear_head);
    assert_damaged("record 6 holds another hash than its last event");
}

static void alter_name(struct ates_envelope *envelope)
{
    envelope->event_name = ates_text_from("task_eaten");
}

Test(check, names_an_event_that_no_table_knows)
{
    alter = alter_name;
    damage_change_record(&fixture, 8, change_envelope);
    assert_damaged("event 5 (record 8) is no task_eaten.v2");
}

static void cut_data(struct ates_envelope *envelope)
{
    static const uint8_t empty_map = 0x80;

    envelope->data = (struct ates_bytes){&empty_map, 1};
}

Test(check, names_an_event_without_its_data)
{
    alter = cut_data;
    damage_change_record(&fixture, 8, change_envelope);
    assert_damaged("event 5 (record 8) is no task_created.v2");
}

static void change_private(struct ates_record *record, struct ates_arena *arena)
{
    struct ates_private_event *private_event = record->privates.items;

    (void)arena;
    private_event->version = 7;
}

Test(check, names_an_unreadable_private_event)
{
    damage_change_record(&fixture, 2, change_private);
    assert_damaged("record 2: private event 1 is unreadable");
}

Test(check, names_a_state_ahead_of_its_log)
{
    damage_applied(&fixture, RECORDS + 1, EVENTS + 1);
    assert_damaged("does not end where the log does");
}

Test(check, names_a_state_at_a_place_that_is_none)
{
    damage_applied(&fixture, RECORDS - 1, EVENTS - 3);
    assert_damaged("a position within the log that is none");
}

Test(check, names_rows_that_contradict_each_other)
{
    const struct ates_key task = ates_key_u64(2);

    damage_row(&fixture, TASKS_TABLE_TASKS, &task, NULL, 0);
    assert_damaged("its state contradicts itself: ");
}

Test(check, names_a_row_that_cannot_be_read)
{
    const struct ates_key task = ates_key_u64(2);

    damage_row(&fixture, TASKS_TABLE_TASKS, &task, "\xc1", 1);
    assert_damaged("its state contradicts itself: ");
}

Test(check, takes_a_state_behind_its_log_as_sound)
{
    struct ates_check_report report;
    char error[512] = "";

    fixture_rebuild(&fixture);
    ates_engine_close(&fixture.engine);
    cr_assert_eq(ates_check(&tasks_domain, &fixture.config, NULL, &report, error, sizeof error), 0,
                 "%s", error);
}

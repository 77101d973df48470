/* Restarts: a state is the log's fold, whatever of it was on the disk, or it is refused. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/damage.h"
#include "support/engine_fixture.h"
#include "support/temp_folder.h"
#include "support/toy_domain.h"

#define HOUR_MS (INT64_C(3600) * 1000)

static struct fixture fixture;
static struct ates_caller ann, bob;

static void setup(void)
{
    fixture_open(&fixture, &toy_domain);
    ann = fixture_caller(1, ATES_DEVELOPER);
    bob = fixture_caller(2, ATES_DEVELOPER);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

TestSuite(replay, .init = setup, .fini = teardown, .timeout = 120);

static struct ates_outcome put(struct ates_caller caller, const char *key, const char *value,
                               const char *request_id)
{
    const struct toy_put body = {ates_text_from(key), ates_text_from(value)};

    return fixture_execute(&fixture, caller, "put", &body, request_id);
}

static void put_ok(const char *key, const char *value)
{
    cr_assert_eq(put(ann, key, value, NULL).status, ATES_OK);
}

/* How often key was put; 0 where it was not. */
static uint64_t version_of(const char *key)
{
    const struct toy_get body = {ates_text_from(key)};
    struct toy_entry entry;

    return fixture_invoke(&fixture, ann, "get", &body, &entry) == ATES_OK ? entry.version : 0;
}

static struct ates_outcome fail_in(enum toy_place place)
{
    const struct toy_fail body = {.place = place};

    return fixture_execute(&fixture, ann, "fail", &body, "fail-id");
}

Test(replay, after_a_checkpoint_nothing_is_replayed)
{
    for (int i = 0; i < 10; i++) {
        put_ok("k", "v");
        fixture_commit(&fixture);
    }
    cr_assert_gt(ates_engine_checkpoint(fixture.engine, true), 0);
    cr_assert_eq(ates_histogram_count(&ates_engine_figures(fixture.engine)->checkpoint_us), 1);
    cr_assert_gt(ates_engine_checkpoint(fixture.engine, true), 0);
    cr_assert_eq(ates_histogram_count(&ates_engine_figures(fixture.engine)->checkpoint_us), 1,
                 "there was nothing to write");
    fixture_reopen(&fixture);
    cr_assert_eq(ates_engine_figures(fixture.engine)->replayed, 0);
    cr_assert_eq(version_of("k"), 10);
}

/* An engine that ends within a batch leaves its state as the last checkpoint had it. */
Test(replay, what_no_checkpoint_has_is_replayed)
{
    put_ok("k", "v");
    fixture_commit(&fixture);
    ates_engine_checkpoint(fixture.engine, true);
    for (int i = 0; i < 3; i++) {
        put_ok("k", "v");
        fixture_commit(&fixture);
    }
    put_ok("lost", "v");
    fixture_reopen(&fixture);
    cr_assert_eq(ates_engine_figures(fixture.engine)->replayed, 3);
    cr_assert_eq(version_of("k"), 4);
    cr_assert_eq(version_of("lost"), 0);
    fixture_check_rebuild(&fixture);
}

Test(replay, a_state_that_is_ahead_of_its_log_is_refused)
{
    char path[128], error[256];
    const struct ates_source source = *ates_engine_source(fixture.engine);

    put_ok("k", "v");
    fixture_commit(&fixture);
    ates_engine_close(&fixture.engine);
    snprintf(path, sizeof path, "%s/toy/log", fixture.folder);
    temp_folder_remove(path);
    for (int turn = 0; turn < 2; turn++) {
        cr_assert_eq(ates_engine_open(&fixture.engine, &toy_domain, &fixture.config, &source, error,
                                      sizeof error),
                     0);
        cr_assert_eq(ates_engine_start(fixture.engine), -EUCLEAN);
        ates_engine_close(&fixture.engine);
    }
}

/* A start that fails on the way must not leave behind what it had folded in so far. */
Test(replay, a_damaged_record_is_refused_each_time)
{
    char path[128], error[256];
    const struct ates_source source = *ates_engine_source(fixture.engine);

    put_ok("k", "the first");
    fixture_commit(&fixture);
    put_ok("k", "the second");
    put_ok("k", "the third");
    fixture_commit(&fixture);
    ates_engine_close(&fixture.engine);
    damage_flip_record(&fixture, 2);
    snprintf(path, sizeof path, "%s/toy/state", fixture.folder);
    temp_folder_remove(path);
    for (int turn = 0; turn < 2; turn++) {
        cr_assert_eq(ates_engine_open(&fixture.engine, &toy_domain, &fixture.config, &source, error,
                                      sizeof error),
                     0);
        cr_assert_eq(ates_engine_start(fixture.engine), -EBADMSG);
        ates_engine_close(&fixture.engine);
    }
}

/* A random life, with restarts and faults in it, against a count kept aside. */
Test(replay, a_rebuild_gives_the_same_state)
{
    uint64_t versions[20] = {0};
    int64_t total = 0;
    char key[16], id[16];

    for (int i = 0; i < 600; i++) {
        const uint64_t which = fixture_draw(&fixture, 20);

        snprintf(key, sizeof key, "key-%d", (int)which);
        snprintf(id, sizeof id, "id-%d", (int)fixture_draw(&fixture, 400));
        fixture.now_ms += (int64_t)fixture_draw(&fixture, HOUR_MS);
        switch (fixture_draw(&fixture, 10)) {
        case 0:
            fail_in((enum toy_place)fixture_draw(&fixture, 3));
            break;
        case 1: {
            const struct toy_add body = {(int64_t)which, 1};

            fixture_do(&fixture, bob, "add", &body, NULL);
            total += (int64_t)which + 1;
            break;
        }
        case 2:
            fixture_commit(&fixture);
            fixture_register_user(&fixture, which + 1, ATES_OTHER);
            break;
        case 3:
            fixture_commit(&fixture);
            if (fixture_draw(&fixture, 5) == 0) {
                fixture_reopen(&fixture);
            }
            break;
        default: {
            const struct ates_outcome outcome = put(ann, key, "v", id);

            versions[which] += outcome.status == ATES_OK && !outcome.replayed;
            break;
        }
        }
    }
    fixture_commit(&fixture);
    fixture_check_rebuild(&fixture);
    for (size_t i = 0; i < 20; i++) {
        snprintf(key, sizeof key, "key-%zu", i);
        cr_assert_eq(version_of(key), versions[i]);
    }
    cr_assert_eq(toy_total(ates_engine_txn(fixture.engine)), total);
}

Test(replay, a_state_of_an_older_form_is_made_anew_from_the_log)
{
    struct ates_domain newer = toy_domain;
    uint8_t before[ATES_HASH_SIZE], after[ATES_HASH_SIZE];

    for (int i = 0; i < 10; i++) {
        put_ok("k", "v");
        fixture_commit(&fixture);
    }
    fixture_state_digest(&fixture, before);
    newer.state_version++;
    fixture.domain = &newer;
    fixture_reopen(&fixture);
    cr_assert_eq(ates_engine_figures(fixture.engine)->replayed, 10);
    fixture_state_digest(&fixture, after);
    cr_assert_arr_eq(before, after, sizeof before);
    fixture_reopen(&fixture);
    cr_assert_eq(ates_engine_figures(fixture.engine)->replayed, 0, "once");
    cr_assert_eq(version_of("k"), 10);
    fixture.domain = &toy_domain;
    fixture_reopen(&fixture);
    cr_assert_eq(ates_engine_figures(fixture.engine)->replayed, 10, "and back");
}

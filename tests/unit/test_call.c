/* What a handler emits: an event that breaks its own table is the service's fault, and never comes
 * into a log. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/engine_fixture.h"
#include "support/toy_domain.h"

static struct fixture fixture;

static void setup(void)
{
    fixture_open(&fixture, &toy_domain);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

TestSuite(call, .init = setup, .fini = teardown, .timeout = 60);

static int caught = -1, true_stderr;

static void catch_log(void)
{
    caught = memfd_create("log", MFD_CLOEXEC);
    true_stderr = dup(STDERR_FILENO);
    dup2(caught, STDERR_FILENO);
}

static void release_log(char *text, size_t size)
{
    dup2(true_stderr, STDERR_FILENO);
    close(true_stderr);
    const ssize_t got = pread(caught, text, size - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    close(caught);
}

static int fail_in_event(const char *request_id)
{
    const struct toy_fail body = {.place = TOY_EVENT};

    return fixture_execute(&fixture, fixture_caller(1, ATES_DEVELOPER), "fail", &body, request_id)
        .status;
}

Test(call, an_event_that_breaks_its_table_is_a_fault_and_nothing_of_the_call_stays)
{
    uint8_t before[ATES_HASH_SIZE], after[ATES_HASH_SIZE];
    char log[4096];

    fixture_state_digest(&fixture, before);
    for (int i = 0; i < 2; i++) {
        catch_log();
        const int status = fail_in_event(i == 0 ? "id" : NULL);
        release_log(log, sizeof log);
        cr_assert_eq(status, ATES_INTERNAL);
        cr_expect_not_null(strstr(log, "\"event\":\"toy_stored\""), "%s", log);
        cr_expect_not_null(strstr(log, "\"field\":\"key\""), "%s", log);
        cr_expect_not_null(strstr(log, "key: 1 to 64 characters, got 0"), "%s", log);
        cr_expect_not_null(strstr(log, "a command failed"), "%s", log);
    }
    fixture_commit(&fixture);
    cr_assert_eq(ates_engine_head(fixture.engine)->number, 0, "not even the good event before it");
    fixture_state_digest(&fixture, after);
    cr_assert_arr_eq(before, after, sizeof before);
    cr_assert_eq(fail_in_event("id"), ATES_INTERNAL, "a fault is no stored reply");
    fixture_check_rebuild(&fixture);
}

static int say(const char *text)
{
    const struct other_said said = {.text = ates_text_from(text)};

    return fixture_follow(&fixture, "other", &other_said_message, 1, FIXTURE_TIME, &said);
}

/* A fault is no dead letter: the event itself is good, and waits for a program that can. */
Test(call, a_followed_event_whose_effect_would_be_wrong_is_neither_taken_nor_buried)
{
    struct ates_position position;

    cr_assert_eq(say("good"), 0);
    cr_assert_eq(say("wrong"), -EBADMSG);
    cr_assert_eq(ates_engine_position(fixture.engine, "other", &position), 0);
    cr_assert_eq(position.seq, 1);
    cr_assert_eq(toy_heard_count(ates_engine_txn(fixture.engine)), 1);
    cr_assert_eq(ates_engine_head(fixture.engine)->number, 1, "a dead letter would be a record");
    fixture_check_rebuild(&fixture);
}

/* Dead letters taken up again: applied once, in one record with the letter's end, and a stream that
 * stopped goes on behind its event. */
#include <criterion/criterion.h>
#include <string.h>

#include "core/engine_private.h"
#include "support/engine_fixture.h"
#include "support/toy_domain.h"

static struct fixture fixture;

static void setup(void)
{
    toy_refuses = true;
    fixture_open(&fixture, &toy_domain);
}

static void setup_stopping(void)
{
    toy_refuses = true;
    fixture_open(&fixture, &toy_stopping_domain);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

TestSuite(retry, .init = setup, .fini = teardown, .timeout = 120);
TestSuite(retry_stopping, .init = setup_stopping, .fini = teardown, .timeout = 120);

static int hear(const char *text)
{
    const struct other_said data = {ates_text_from(text)};

    return fixture_follow(&fixture, "other", &other_said_message, 1, fixture.now_ms, &data);
}

static struct ates_outcome retry(uint64_t seq, const char *request_id)
{
    static const uint8_t fingerprint[ATES_FINGERPRINT_SIZE];
    const struct ates_retry_event body = {ates_text_from("other"), seq};
    const struct ates_execution execution = {
        .handler = &ates_retry_handler,
        .command = ates_service_command(&ates_common_service, "retry_event", 11),
        .body = &body,
        .caller = fixture_caller(1, ATES_ADMINISTRATOR),
        .request_id = ates_text_from(request_id != NULL ? request_id : ""),
        .fingerprint = fingerprint,
    };
    struct ates_outcome outcome;

    ates_engine_execute(fixture.engine, &execution, &outcome);
    fixture_commit(&fixture);
    return outcome;
}

static void expect_refused(struct ates_outcome outcome, int status, const char *reason)
{
    cr_expect_eq(outcome.status, status, "%s", outcome.refusal.message);
    cr_expect_str_eq(outcome.refusal.reason, reason);
}

static uint64_t letters(void)
{
    uint64_t count;

    cr_assert_eq(ates_count_rows(ates_engine_txn(fixture.engine), ATES_TABLE_DEAD_LETTERS, &count),
                 0);
    return count;
}

static uint64_t position(void)
{
    struct ates_position where;

    cr_assert_eq(ates_engine_position(fixture.engine, "other", &where), 0);
    return where.seq;
}

static int64_t heard(void)
{
    return toy_heard_count(ates_engine_txn(fixture.engine));
}

Test(retry, what_can_be_applied_now_is_and_the_letter_is_gone)
{
    cr_assert_eq(hear("refuse"), 0);
    cr_assert_eq(hear("hello"), 0);
    const struct ates_outcome refused = retry(1, NULL);
    expect_refused(refused, ATES_FAILED_PRECONDITION, "STILL_DEAD");
    cr_expect_not_null(strstr(refused.refusal.message, "NOT_ACCEPTABLE"), "%s",
                       refused.refusal.message);
    cr_expect(letters() == 1 && heard() == 1);
    toy_refuses = false;
    cr_expect_eq(retry(1, NULL).status, ATES_OK);
    cr_expect(letters() == 0 && heard() == 2);
    cr_expect_eq(position(), 2, "the stream is where it was");
    const struct ates_envelope envelope = fixture_envelope(&fixture, 2);
    cr_expect(envelope.has_cause && envelope.cause.seq == 1, "its cause is the event");
    expect_refused(retry(1, NULL), ATES_NOT_FOUND, "DEAD_LETTER_UNKNOWN");
    cr_expect_eq(heard(), 2, "applied once");
    fixture_check_rebuild(&fixture);
    cr_expect(letters() == 0 && heard() == 2);
}

Test(retry, a_request_id_has_its_reply_again)
{
    cr_assert_eq(hear("refuse"), 0);
    toy_refuses = false;
    cr_expect_eq(retry(1, "again").status, ATES_OK);
    const struct ates_outcome again = retry(1, "again");
    cr_expect(again.status == ATES_OK && again.replayed);
    cr_expect_eq(heard(), 1);
    fixture_check_rebuild(&fixture);
}

Test(retry, what_must_wait_and_what_is_unknown_change_nothing)
{
    cr_assert_eq(hear("refuse"), 0);
    cr_assert_eq(hear("missing"), 0);
    const uint64_t records = ates_engine_head(fixture.engine)->number;
    expect_refused(retry(3, NULL), ATES_NOT_FOUND, "DEAD_LETTER_UNKNOWN");
    expect_refused(retry(2, NULL), ATES_FAILED_PRECONDITION, "STILL_DEAD");
    cr_expect_eq(ates_engine_head(fixture.engine)->number, records);
    cr_expect_eq(letters(), 2);
}

Test(retry_stopping, the_stream_goes_on_behind_the_event)
{
    cr_assert_eq(hear("hello"), 0);
    cr_assert_eq(hear("refuse"), ATES_FAILED_PRECONDITION);
    cr_expect_eq(position(), 1);
    expect_refused(retry(2, NULL), ATES_FAILED_PRECONDITION, "STILL_DEAD");
    cr_expect_eq(position(), 1);
    toy_refuses = false;
    cr_expect_eq(retry(2, NULL).status, ATES_OK);
    cr_expect(position() == 2 && letters() == 0 && heard() == 2);
    cr_expect_eq(hear("hello"), 0, "the next one follows on it, by its hash");
    cr_expect_eq(position(), 3);
    fixture_check_rebuild(&fixture);
    cr_expect(position() == 3 && letters() == 0 && heard() == 3);
}

Test(retry_stopping, the_letter_goes_too_where_the_stream_went_on_by_itself)
{
    cr_assert_eq(hear("refuse"), ATES_FAILED_PRECONDITION);
    cr_expect_eq(letters(), 1);
    toy_refuses = false;
    cr_assert_eq(hear("refuse"), 0);
    cr_expect(letters() == 0 && position() == 1 && heard() == 1);
    fixture_check_rebuild(&fixture);
    cr_expect_eq(letters(), 0);
}

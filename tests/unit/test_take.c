/* What an engine does unasked: followed events with their cursors and dead letters, and jobs. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "support/engine_fixture.h"
#include "support/toy_domain.h"

static struct fixture fixture;
static struct ates_caller ann;

static void setup(void)
{
    fixture_open(&fixture, &toy_domain);
    ann = fixture_caller(1, ATES_DEVELOPER);
}

static void setup_stopping(void)
{
    fixture_open(&fixture, &toy_stopping_domain);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

TestSuite(take, .init = setup, .fini = teardown, .timeout = 120);
TestSuite(take_stopping, .init = setup_stopping, .fini = teardown, .timeout = 120);

static int hear(const char *text)
{
    const struct other_said data = {ates_text_from(text)};

    return fixture_follow(&fixture, "other", &other_said_message, 1, fixture.now_ms, &data);
}

static struct ates_position position(void)
{
    struct ates_position where;

    cr_assert_eq(ates_engine_position(fixture.engine, "other", &where), 0);
    return where;
}

static int64_t heard(void)
{
    return toy_heard_count(ates_engine_txn(fixture.engine));
}

/* The dead letters of other; the last of them in letter. */
static size_t dead_letters(struct ates_dead_letter *letter)
{
    struct ates_bytes key, value;
    struct ates_scan scan;
    size_t count = 0;

    cr_assert_eq(
        ates_scan_open(&scan, ates_engine_txn(fixture.engine), ATES_TABLE_DEAD_LETTERS, NULL, NULL),
        0);
    for (; ates_scan_next(&scan, &key, &value) == 0; count++) {
        const void *copy = ates_arena_copy(fixture.arena, value.data, value.size);

        cr_assert_eq(ates_message_decode(&ates_dead_letter_message, copy, value.size,
                                         ATES_UNKNOWN_REFUSED, fixture.arena, letter, NULL),
                     0);
    }
    ates_scan_close(&scan);
    return count;
}

Test(take, an_event_is_applied_and_the_cursor_moves)
{
    cr_assert_not(position().known);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        cr_assert_eq(hear("hello"), 0);
        cr_assert(position().known && position().seq == seq);
    }
    cr_assert_eq(heard(), 3);
    const struct ates_envelope envelope = fixture_envelope(&fixture, 3);
    cr_assert(envelope.has_cause && envelope.cause.seq == 3);
    cr_assert(ates_text_equal(envelope.cause.producer, ates_text_from("other")));
    const struct ates_position before = position();
    fixture_check_rebuild(&fixture);
    const struct ates_position after = position();
    cr_assert_str_eq(before.log_id, after.log_id);
    cr_assert_arr_eq(before.hash, after.hash, sizeof before.hash);
    cr_assert_eq(after.seq, 3);
}

Test(take, an_event_of_no_interest_leaves_no_record)
{
    const struct other_said data = {ates_text_from("hello")};
    struct ates_position reached = {.known = true, .log_id = "a-log", .seq = 40, .hash = {4}};

    cr_assert_eq(fixture_follow(&fixture, "other", &toy_noted_message, 1, 0, &data), 0);
    cr_assert_eq(fixture_follow(&fixture, "other", &other_said_message, 2, 0, &data), 0);
    cr_assert_eq(fixture_follow(&fixture, "nobody", &other_said_message, 1, 0, &data), 0);
    cr_assert_eq(ates_engine_head(fixture.engine)->number, 0);
    cr_assert_eq(ates_engine_follow_position(fixture.engine, "other", &reached), 0);
    fixture_commit(&fixture);
    fixture_rebuild(&fixture);
    cr_assert(position().known && position().seq == 40 && position().hash[0] == 4);
    cr_assert_str_eq(position().log_id, "a-log");
}

Test(take, what_must_wait_leaves_no_trace)
{
    cr_assert_eq(hear("hello"), 0);
    cr_assert_eq(hear("later"), -EAGAIN);
    cr_assert_eq(position().seq, 1);
    cr_assert_eq(ates_engine_head(fixture.engine)->number, 1);
    toy_later = false;
    cr_assert_eq(hear("later"), 0);
    cr_assert_eq(position().seq, 2);
    cr_assert_eq(heard(), 2);
}

Test(take, a_refused_event_becomes_a_dead_letter_and_the_stream_goes_on)
{
    struct ates_dead_letter letter;

    cr_assert_eq(hear("refuse"), 0);
    cr_assert_eq(position().seq, 1);
    cr_assert_eq(heard(), 0, "nothing of what it emitted stays");
    cr_assert_eq(fixture_head(&fixture), 0);
    cr_assert_eq(dead_letters(&letter), 1);
    cr_assert(letter.seq == 1 && letter.id == 1 && letter.dead_at == fixture.now_ms);
    cr_assert(ates_text_equal(letter.producer, ates_text_from("other")));
    cr_assert(ates_text_equal(letter.event_name, ates_text_from("said")));
    cr_assert(ates_text_equal(letter.reason, ates_text_from("NOT_ACCEPTABLE")));
    struct ates_envelope envelope;
    cr_assert_eq(ates_message_decode(&ates_envelope_message, letter.envelope.data,
                                     letter.envelope.size, ATES_UNKNOWN_REFUSED, fixture.arena,
                                     &envelope, NULL),
                 0);
    cr_assert_eq(envelope.seq, 1);
    cr_assert_eq(hear("hello"), 0);
    cr_assert_eq(hear("missing"), 0);
    cr_assert_eq(dead_letters(&letter), 2);
    cr_assert(ates_text_equal(letter.reason, ates_text_from("NOT_FOUND")));
    cr_assert_eq(position().seq, 3);
    cr_assert_eq(heard(), 1);
    fixture_check_rebuild(&fixture);
    cr_assert_eq(dead_letters(&letter), 2);
}

Test(take, an_event_that_does_not_decode_becomes_a_dead_letter)
{
    struct ates_message wrong = toy_get_message;
    const struct toy_get data = {ates_text_from("k")};
    struct ates_dead_letter letter;

    wrong.name = "said";
    cr_assert_eq(fixture_follow(&fixture, "other", &wrong, 1, 0, &data), 0);
    cr_assert_eq(dead_letters(&letter), 1);
    cr_assert(ates_text_equal(letter.reason, ates_text_from("FIELD_MISSING")));
    fixture_check_rebuild(&fixture);
}

Test(take_stopping, a_refused_event_stops_the_stream_where_it_is)
{
    struct ates_dead_letter letter;

    cr_assert_eq(hear("hello"), 0);
    for (int turn = 0; turn < 3; turn++) {
        cr_assert_eq(hear("refuse"), ATES_FAILED_PRECONDITION);
        cr_assert_str_eq(fixture.refusal.reason, "NOT_ACCEPTABLE");
        cr_assert_eq(position().seq, 1);
        cr_assert_eq(dead_letters(&letter), 1, "it is written down once");
        cr_assert_eq(letter.seq, 2);
        cr_assert_eq(ates_engine_head(fixture.engine)->number, 2);
        fixture_reopen(&fixture);
    }
    cr_assert_eq(heard(), 1);
    fixture_check_rebuild(&fixture);
    cr_assert_eq(hear("hello"), 0, "what is acceptable now goes on");
    cr_assert_eq(position().seq, 2);
}

/* Jobs. */

static struct ates_outcome run(uint64_t count, const char *request_id)
{
    const struct toy_run body = {count};

    return fixture_execute(&fixture, ann, "run", &body, request_id);
}

static struct toy_run_result decode_result(struct ates_bytes reply)
{
    struct toy_run_result result;

    cr_assert_eq(ates_message_decode(&toy_run_result_message, reply.data, reply.size,
                                     ATES_UNKNOWN_REFUSED, fixture.arena, &result, NULL),
                 0);
    return result;
}

Test(take, a_jobs_reply_comes_with_its_end_across_a_restart)
{
    struct ates_outcome outcome = run(3, "id-1");

    cr_assert(outcome.status == ATES_OK && outcome.job == 1 && !outcome.replayed);
    cr_assert_eq(run(3, "id-1").job, 1, "in the same batch");
    fixture_commit(&fixture);
    cr_assert(ates_engine_has_steps(fixture.engine));
    cr_assert(fixture_step(&fixture));
    cr_assert_eq(ates_engine_finished_jobs(fixture.engine), 0);
    fixture_reopen(&fixture);
    outcome = run(3, "id-1");
    cr_assert(outcome.status == ATES_OK && outcome.job == 1 && outcome.replayed);
    cr_assert_eq(outcome.reply.size, 0);
    fixture_commit(&fixture);
    cr_assert(ates_engine_has_steps(fixture.engine), "a restart looks for jobs");
    fixture_step(&fixture);
    fixture_step(&fixture);
    cr_assert_eq(ates_engine_finished_jobs(fixture.engine), 1);
    const struct ates_finished_job done = ates_engine_finished_job(fixture.engine, 0);
    cr_assert(done.job == 1 && done.seq == 4);
    cr_assert_eq(decode_result(done.reply).job, 1);
    const struct ates_bytes kept = {
        ates_arena_copy(fixture.arena, done.reply.data, done.reply.size), done.reply.size};
    cr_assert_not(fixture_step(&fixture));
    cr_assert_not(ates_engine_has_steps(fixture.engine));
    for (int turn = 0; turn < 2; turn++) {
        outcome = run(3, "id-1");
        cr_assert(outcome.status == ATES_OK && outcome.job == 0 && outcome.replayed);
        cr_assert_eq(outcome.seq, 4);
        cr_assert_eq(outcome.reply.size, kept.size);
        cr_assert_arr_eq(outcome.reply.data, kept.data, kept.size);
        fixture_commit(&fixture);
        fixture_rebuild(&fixture);
    }
    cr_assert_eq(fixture_head(&fixture), 4);
}

Test(take, jobs_and_commands_take_turns)
{
    const struct toy_put body = {ates_text_from("k"), ates_text_from("v")};
    struct toy_run_result result;
    size_t finished = 0;

    cr_assert_eq(run(5, NULL).job, 1);
    cr_assert_eq(run(2, "id").job, 2);
    fixture_commit(&fixture);
    while (fixture_step(&fixture)) {
        finished += ates_engine_finished_jobs(fixture.engine);
        cr_assert_eq(fixture_execute(&fixture, ann, "put", &body, NULL).status, ATES_OK);
        fixture_commit(&fixture);
    }
    cr_assert_eq(finished, 2);
    fixture_do(&fixture, ann, "run", &(struct toy_run){4}, &result);
    cr_assert(result.job == 3 && result.steps == 0);
    fixture_check_rebuild(&fixture);
}

/* A batch with a job's last step in it that finds no room: the job must be gone on with, not
 * forgotten. */
Test(take, a_jobs_lost_end_is_done_again)
{
    static char text[100000];
    const struct toy_note note = {{text, sizeof text}, 6};
    bool more;

    memset(text, 'n', sizeof text);
    fixture.config.map_size = 512 * 1024;
    fixture_reopen(&fixture);
    cr_assert_eq(run(1, "id").job, 1);
    fixture_commit(&fixture);
    cr_assert_eq(ates_engine_step(fixture.engine, &more), 0);
    cr_assert_eq(ates_engine_step(fixture.engine, &more), 0);
    cr_assert_not(ates_engine_has_steps(fixture.engine));
    cr_assert_eq(fixture_execute(&fixture, ann, "note", &note, NULL).status, ATES_OK);
    cr_assert_eq(ates_engine_commit(fixture.engine), -ENOSPC);
    cr_assert_eq(ates_engine_finished_jobs(fixture.engine), 0);
    cr_assert(ates_engine_has_steps(fixture.engine));
    fixture_step(&fixture);
    cr_assert_eq(ates_engine_finished_jobs(fixture.engine), 1);
    fixture_check_rebuild(&fixture);
}

/* A job's end that was taken in before a fault in the same batch is shown with it. */
Test(take, a_finished_job_outlives_another_calls_fault)
{
    const struct toy_fail fail = {TOY_APPLY};
    bool more;

    cr_assert_eq(run(1, "id").job, 1);
    fixture_commit(&fixture);
    cr_assert_eq(ates_engine_step(fixture.engine, &more), 0);
    cr_assert_eq(fixture_execute(&fixture, ann, "fail", &fail, NULL).status, ATES_INTERNAL);
    cr_assert_eq(ates_engine_commit(fixture.engine), 0);
    cr_assert_eq(ates_engine_finished_jobs(fixture.engine), 1);
    cr_assert_eq(decode_result(ates_engine_finished_job(fixture.engine, 0).reply).job, 1);
    cr_assert_eq(ates_engine_committed_events(fixture.engine), 1);
}

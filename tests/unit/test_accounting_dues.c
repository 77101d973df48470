/* Who is due how much: the balance at a date's end, however many accounts there are, whatever was
 * booked since. */
#include "accounting/accounting_dues.h"

#include <sys/stat.h>

#include "support/payout_fixture.h"

TestSuite(accounting_dues, .init = open_payouts, .fini = close_payouts, .timeout = 300);

#define TOMORROW "2023-11-16"

Test(accounting_dues, everybody_gets_what_they_had_at_the_dates_end)
{
    const int64_t next = FIXTURE_TIME + DAY_MS, later = FIXTURE_TIME + 3 * DAY_MS;
    const int64_t five = earn(FIXTURE_TIME, 5) + owe(FIXTURE_TIME + 1, 5); /* may be 0 or less */
    const int64_t six = owe(FIXTURE_TIME, 6);
    const int64_t seven = earn(FIXTURE_TIME - DAY_MS, 7) + earn(FIXTURE_TIME, 7);
    const int64_t expected = (five > 0 ? five : 0) + seven;

    /* What comes later counts for nobody, whether it would add or take away. */
    int64_t six_later = earn(next, 6) + earn(later, 6);
    int64_t seven_later = 0;
    for (int i = 0; i < 8; i++) {
        seven_later += owe(i < 4 ? next : later, 7);
    }
    const int64_t eight = earn(next, 8);
    fixture.now_ms = later + 1000;
    payout_is(pay(TODAY), TODAY, 1 + (five > 0), expected);
    cr_expect_eq(balance_of(5).balance_cents, five > 0 ? 0 : five);
    cr_expect_eq(balance_of(6).balance_cents, six + six_later);
    cr_expect_eq(balance_of(7).balance_cents, seven_later);
    cr_expect_eq(balance_of(8).balance_cents, eight);
    cr_expect_lt(balance_of(7).balance_cents, 0, "paid, though it owes by now");
    fixture_check_rebuild(&fixture);
}

Test(accounting_dues, a_negative_balance_is_carried_over)
{
    int64_t debt = owe(FIXTURE_TIME, 5) + owe(FIXTURE_TIME, 5) + owe(FIXTURE_TIME, 5);

    payout_is(pay(NULL), TODAY, 0, 0);
    cr_expect_eq(balance_of(5).balance_cents, debt);
    cr_expect_eq(count_mails(), 0);
    int64_t balance = debt;
    for (int day = 1; balance <= 0; day++) {
        fixture.now_ms += DAY_MS;
        balance += earn(fixture.now_ms, 5);
        const struct accounting_pay_to_workers_result paid = pay(NULL);
        cr_expect_eq(paid.total_cents, balance > 0 ? balance : 0);
        cr_expect_eq(paid.paid_count, balance > 0);
    }
    cr_expect_eq(balance_of(5).balance_cents, 0);
    fixture_check_rebuild(&fixture);
}

/* Accounts 1 to 2400, of which the last 240 and some early ones are to be paid: chunks end by either
 * limit. */
#define ACCOUNTS 2400
static int64_t balances[ACCOUNTS + 1];

static void fill_accounts(void)
{
    for (uint64_t user_id = 1; user_id <= ACCOUNTS; user_id++) {
        const bool is_paid = user_id % 100 == 0 || user_id > ACCOUNTS - 240;

        balances[user_id] = is_paid ? earn(FIXTURE_TIME, user_id) : owe(FIXTURE_TIME, user_id);
        ates_arena_reset(fixture.arena);
    }
}

static void count_due(uint64_t *count, int64_t *cents)
{
    *count = 0;
    *cents = 0;
    for (uint64_t user_id = 1; user_id <= ACCOUNTS; user_id++) {
        *count += balances[user_id] > 0;
        *cents += balances[user_id] > 0 ? balances[user_id] : 0;
    }
}

Test(accounting_dues, many_accounts_are_paid_in_chunks_over_restarts_with_commands_in_between)
{
    uint64_t count, paid_before = 0;
    int64_t cents, later = 0;
    unsigned steps = 0, chunks = 0;

    fill_accounts();
    count_due(&count, &cents);
    payout_is(would_pay(TODAY), TODAY, count, cents);
    struct ates_outcome outcome = ask_to_pay(TODAY, "many");
    cr_assert(outcome.status == ATES_OK && outcome.job != 0);
    const uint64_t job = outcome.job;
    while (payout_of(TODAY).phase != ACCOUNTING_PAYOUT_CLOSED) {
        cr_assert_lt(++steps, 100);
        fixture_reopen(&fixture);
        outcome = ask_to_pay(TODAY, "many");
        cr_expect(outcome.status == ATES_OK && outcome.replayed && outcome.job == job);
        if (payout_of(TODAY).phase == ACCOUNTING_PAYOUT_PAYING) {
            /* Somebody who was paid, somebody who was not yet, and a new account. */
            later += earn(FIXTURE_TIME, 100) + earn(FIXTURE_TIME, ACCOUNTS);
            text_is(last_transfer().business_date, TOMORROW);
            later += earn(FIXTURE_TIME, ACCOUNTS + chunks + 1);
        }
        cr_assert(ates_engine_has_steps(fixture.engine));
        fixture_step(&fixture);
        const struct accounting_payout payout = payout_of(TODAY);
        cr_expect_leq(payout.paid_count - paid_before, 100);
        chunks += payout.next_user_id > 1;
        paid_before = payout.paid_count;
        ates_arena_reset(fixture.arena);
    }
    cr_expect_eq(ates_engine_finished_jobs(fixture.engine), 1);
    cr_expect_eq(ates_engine_finished_job(fixture.engine, 0).job, job);
    cr_expect_gt(chunks, 4);
    payout_is(pay(TODAY), TODAY, count, cents);
    cr_expect_eq(count_mails(), count);
    for (uint64_t user_id = 101; user_id < ACCOUNTS; user_id++) {
        cr_assert_eq(balance_of(user_id).balance_cents,
                     balances[user_id] > 0 ? 0 : balances[user_id], "of %d", (int)user_id);
        ates_arena_reset(fixture.arena);
    }
    fixture_check_rebuild(&fixture);
    fixture.now_ms += DAY_MS;
    cr_expect_eq(pay(TOMORROW).total_cents, later);
    expect_check(NULL);
}

Test(accounting_dues, as_many_as_a_chunk_holds_need_one_step)
{
    for (uint64_t user_id = 1; user_id <= 100; user_id++) {
        earn(FIXTURE_TIME, user_id);
    }
    ask_to_pay(TODAY, NULL);
    fixture_step(&fixture);
    cr_expect_eq(payout_of(TODAY).phase, ACCOUNTING_PAYOUT_PAYING);
    cr_expect_eq(payout_of(TODAY).paid_count, 0);
    fixture_step(&fixture); /* SINK's account follows, which is looked at in a step of its own */
    cr_expect_eq(payout_of(TODAY).paid_count, 100);
    run_steps();
    cr_expect_eq(payout_of(TODAY).phase, ACCOUNTING_PAYOUT_CLOSED);
    cr_expect_eq(payout_of(TODAY).paid_count, 100);
}

static int64_t size_of(const char *environment)
{
    char path[160];
    struct stat status;

    snprintf(path, sizeof path, "%s/accounting/%s/data.mdb", fixture.folder, environment);
    cr_assert_eq(stat(path, &status), 0);
    return status.st_size;
}

/* Whatever finds no room first, a step or the batch's commit. */
Test(accounting_dues, a_payout_goes_on_once_there_is_room_again)
{
    uint64_t users = 600;
    int64_t cents = 0;
    bool more = true;
    int r = 0;

    for (uint64_t user_id = 1; user_id <= users; user_id++) {
        cents += earn(FIXTURE_TIME, user_id);
        ates_arena_reset(fixture.arena);
    }
    ask_to_pay(TODAY, "payout");
    ates_engine_checkpoint(fixture.engine, true);
    const int64_t log = size_of("log"), state = size_of("state");
    fixture.config.map_size = (log > state ? log : state) * 10 / 8 / 4096 * 4096;
    fixture_reopen(&fixture);
    fixture_step(&fixture);
    fixture_step(&fixture);
    const uint64_t paid = payout_of(TODAY).paid_count;
    while (r == 0 && more) {
        r = ates_engine_step(fixture.engine, &more);
    }
    const int committed = ates_engine_commit(fixture.engine);
    cr_assert(r == -ENOSPC || committed == -ENOSPC, "there was room: %d, %d", r, committed);
    cr_expect(r != 0 || payout_of(TODAY).paid_count == paid, "nothing of it is left");
    cr_expect_neq(payout_of(TODAY).phase, ACCOUNTING_PAYOUT_CLOSED);
    cr_expect(ates_engine_has_steps(fixture.engine), "it is tried again");
    fixture.config.map_size = INT64_C(1) << 30;
    fixture_reopen(&fixture);
    run_steps();
    payout_is(pay(TODAY), TODAY, users, cents);
    cr_expect_eq(count_mails(), users);
    fixture_check_rebuild(&fixture);
}

/* A small model: what moved, and which dates are closed. Days count from the first one. */
#define STORY_EVENTS 1500
#define STORY_USERS 12
static struct {
    int64_t balance[STORY_USERS + 1], total[60][STORY_USERS + 1];
    int64_t paid_cents[60];
    uint64_t paid_count[60];
    int64_t closed_through;
    uint64_t mails;
} model;

static void model_move(int64_t time, ates_day first, uint64_t user_id, int64_t cents)
{
    const int64_t day = ates_day_at(time) - first;
    const int64_t booked = day > model.closed_through ? day : model.closed_through + 1;

    model.balance[user_id] += cents;
    model.total[booked][user_id] += cents;
}

static void model_pay(int64_t day)
{
    for (uint64_t user_id = 1; day > model.closed_through && user_id <= STORY_USERS; user_id++) {
        int64_t cents = model.balance[user_id];

        for (int64_t later = day + 1; later < 60; later++) {
            cents -= model.total[later][user_id];
        }
        if (cents > 0) {
            model.balance[user_id] -= cents;
            model.paid_cents[day] += cents;
            model.paid_count[day]++;
            model.mails++;
        }
    }
    model.closed_through = day > model.closed_through ? day : model.closed_through;
}

static void story_pay(int64_t day, ates_day first)
{
    char date[ATES_DATE_SIZE];

    ates_day_format((ates_day)(first + day), date);
    const struct accounting_pay_to_workers_result dry = would_pay(date);
    model_pay(day);
    payout_is(dry, date, model.paid_count[day], model.paid_cents[day]);
    payout_is(pay(date), date, model.paid_count[day], model.paid_cents[day]);
    cr_assert_eq(count_mails(), model.mails);
    for (uint64_t user_id = 1; user_id <= STORY_USERS; user_id++) {
        cr_assert_eq(balance_of(user_id).balance_cents, model.balance[user_id], "of %d on %s",
                     (int)user_id, date);
    }
    expect_check(NULL);
}

Test(accounting_dues, random_days_are_paid_as_the_model_says)
{
    int64_t time = FIXTURE_TIME;

    cr_assert_eq(ates_calendar_open("America/New_York"), 0);
    const ates_day first = ates_day_at(time);
    model.closed_through = -1;
    for (uint64_t user_id = 1; user_id <= STORY_USERS; user_id++) {
        fixture_register_user(&fixture, user_id, ATES_DEVELOPER);
    }
    for (int i = 0; i < STORY_EVENTS; i++) {
        /* Some 40 days, events a few hours late or in time. */
        time += (int64_t)fixture_draw(&fixture, 4500000);
        fixture.now_ms = time;
        const uint64_t user_id = 1 + fixture_draw(&fixture, STORY_USERS);
        const int64_t at = fixture_draw(&fixture, 4) > 0 || i < 20
                               ? time
                               : time - (int64_t)fixture_draw(&fixture, 30) * HOUR_MS;
        const int64_t event_time = at < FIXTURE_TIME ? FIXTURE_TIME : at;
        model_move(event_time, first, user_id,
                   fixture_draw(&fixture, 5) < 2 ? earn(event_time, user_id)
                                                 : owe(event_time, user_id));
        if (fixture_draw(&fixture, 25) == 0) {
            const int64_t today = ates_day_at(time) - first;

            story_pay(today -
                          (int64_t)fixture_draw(&fixture, (uint64_t)(today < 3 ? today + 1 : 4)),
                      first);
        }
        if (fixture_draw(&fixture, 200) == 0) {
            fixture_reopen(&fixture);
        }
        ates_arena_reset(fixture.arena);
    }
    story_pay(ates_day_at(time) - first, first);
    cr_expect_gt(model.mails, 20);
    fixture_check_rebuild(&fixture);
}

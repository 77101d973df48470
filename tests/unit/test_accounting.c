/* Accounting's commands, and what it does with tasks' events, one by one. */
#include "support/accounting_fixture.h"

TestSuite(accounting, .init = open_fixture, .fini = close_fixture, .timeout = 120);

/* What it does with tasks' events. */

Test(accounting, task_created_prices_the_task_and_charges_its_assignee_once)
{
    const int64_t time = FIXTURE_TIME - 3 * DAY_MS;

    cr_assert_eq(create_task(time, 17, "Fix zlistx_sort edge case", 5), 0);
    cr_assert_eq(fixture_head(&fixture), 2);
    const struct accounting_task_priced priced = prices_at(1);
    const struct accounting_transfer fee = last_transfer();

    cr_expect_eq(priced.task_id, 17);
    cr_expect(priced.assign_price_cents >= 1000 && priced.assign_price_cents <= 2000);
    cr_expect(priced.complete_price_cents >= 2000 && priced.complete_price_cents <= 4000);
    cr_expect_eq(fee.id, 1);
    cr_expect_eq(fee.timestamp, time);
    cr_expect_eq(fee.user_id, 5);
    cr_expect_eq(fee.kind, ACCOUNTING_ASSIGN_FEE);
    cr_expect_eq(fee.delta_cents, -priced.assign_price_cents);
    cr_expect_eq(fee.balance_cents, -priced.assign_price_cents);
    cr_expect(fee.has_task_id && fee.task_id == 17);
    text_is(fee.business_date, "2023-11-12");
    text_is(fee.description, "Fee for task 17: Fix zlistx_sort edge case");
    const struct ates_envelope envelope = fixture_envelope(&fixture, 2);
    cr_expect(envelope.cause.has_seq && envelope.cause.seq == 1);
    text_is(envelope.cause.producer, "tasks");
    fixture_check_rebuild(&fixture);
}

Test(accounting, task_assigned_charges_again_even_the_same_person)
{
    cr_assert_eq(create_task(FIXTURE_TIME, 1, "Paint the bikeshed", 5), 0);
    const int64_t fee = prices_at(1).assign_price_cents;

    cr_assert_eq(assign_task(FIXTURE_TIME + 1, 1, 5), 0);
    cr_expect_eq(last_transfer().balance_cents, -2 * fee);
    cr_assert_eq(assign_task(FIXTURE_TIME + 2, 1, 6), 0);
    const struct accounting_transfer transfer = last_transfer();
    cr_expect_eq(transfer.id, 3);
    cr_expect_eq(transfer.user_id, 6);
    cr_expect_eq(transfer.delta_cents, -fee);
    cr_expect_eq(transfer.balance_cents, -fee);
    text_is(transfer.description, "Fee for task 1: Paint the bikeshed");
    cr_expect_eq(balance_of(5).balance_cents, -2 * fee); /* no refund */
    fixture_check_rebuild(&fixture);
}

Test(accounting, task_completed_pays_who_completed_it)
{
    cr_assert_eq(create_task(FIXTURE_TIME, 1, "Paint the bikeshed", 5), 0);
    cr_assert_eq(assign_task(FIXTURE_TIME, 1, 6), 0);
    cr_assert_eq(complete_task(FIXTURE_TIME + 3, 1, 6), 0);
    const struct accounting_task_priced priced = prices_at(1);
    const struct accounting_transfer reward = last_transfer();

    cr_expect_eq(reward.kind, ACCOUNTING_COMPLETION_REWARD);
    cr_expect_eq(reward.user_id, 6);
    cr_expect_eq(reward.timestamp, FIXTURE_TIME + 3);
    cr_expect_eq(reward.delta_cents, priced.complete_price_cents);
    cr_expect_eq(reward.balance_cents, priced.complete_price_cents - priced.assign_price_cents);
    text_is(reward.description, "Reward for task 1: Paint the bikeshed");
    fixture_check_rebuild(&fixture);
}

Test(accounting, a_long_description_is_cut_between_characters)
{
    char name[2 * TASKS_NAME_MAX + 1] = "";

    for (int i = 0; i < TASKS_NAME_MAX; i++) {
        strcat(name, "\u0436");
    }
    cr_assert_eq(create_task(FIXTURE_TIME, 1234, name, 5), 0);
    const struct ates_text description = last_transfer().description;
    const size_t prefix = strlen("Fee for task 1234: ");

    cr_expect_eq(description.size, prefix + 2 * (ACCOUNTING_DESCRIPTION_MAX - prefix));
    cr_expect_eq(memcmp(description.data + prefix, name, description.size - prefix), 0);
}

/* Whichever version of the event comes first, and however often: one price, one fee, and the same
 * words. */
Test(accounting, two_versions_of_task_created_are_one_task)
{
    for (uint64_t task = 1; task <= 24; task++) {
        const unsigned order = (unsigned)(task - 1);
        const uint64_t head = fixture_head(&fixture);

        for (unsigned i = 0; i < 4; i++) { /* every order of up to four events of both versions */
            if ((order >> i & 1) != 0) {
                cr_assert_eq(create_task_v2(FIXTURE_TIME + i, task, "ATES-7", "Fix it", 5), 0);
            } else {
                cr_assert_eq(create_task(FIXTURE_TIME + i, task, "[ATES-7] Fix it", 5), 0);
            }
            cr_assert_eq(fixture_head(&fixture), head + 2, "priced and charged by the first");
        }
        cr_expect_eq(last_transfer().timestamp, FIXTURE_TIME);
        cr_expect_eq(last_transfer().task_id, task);
        struct accounting_task known;
        cr_assert_eq(accounting_state_get_task(txn(), task, &known), 0);
        text_is(known.name, "[ATES-7] Fix it");
    }
    fixture_check_rebuild(&fixture);
}

/* What a backfill says of an old name is not all that the name was. */
Test(accounting, a_backfill_moves_no_money)
{
    cr_assert_eq(create_task(FIXTURE_TIME, 1, "[WIP] [x] Fix it", 5), 0);
    cr_assert_eq(create_task(FIXTURE_TIME, 2, "[ATES-7]", 6), 0);
    const uint64_t head = fixture_head(&fixture);
    cr_assert_eq(create_task_v2(FIXTURE_TIME + DAY_MS, 1, NULL, "(WIP) (x) Fix it", 5), 0);
    cr_assert_eq(create_task_v2(FIXTURE_TIME + DAY_MS, 2, "ATES-7", "ATES-7", 6), 0);
    cr_expect_eq(fixture_head(&fixture), head);
    cr_assert_eq(complete_task(FIXTURE_TIME + DAY_MS, 1, 5), 0);
    text_is(last_transfer().description, "Reward for task 1: [WIP] [x] Fix it");
    fixture_check_rebuild(&fixture);
}

static uint64_t dead_letter_count(void)
{
    struct ates_scan scan;
    struct ates_bytes key, value;
    uint64_t count = 0;

    cr_assert_eq(ates_scan_open(&scan, txn(), ATES_TABLE_DEAD_LETTERS, NULL, NULL), 0);
    while (ates_scan_next(&scan, &key, &value) == 0) {
        count++;
    }
    ates_scan_close(&scan);
    return count;
}

Test(accounting, what_cannot_be_booked_is_a_dead_letter_and_stops_the_stream)
{
    const int64_t year_10000 = INT64_C(253402300800000);

    cr_assert_eq(create_task(FIXTURE_TIME, 1, "Paint the bikeshed", 5), 0);
    const int64_t balance = last_transfer().balance_cents;

    expect_dead(assign_task(FIXTURE_TIME, 2, 5), ATES_NOT_FOUND, "TASK_UNKNOWN");
    expect_dead(complete_task(FIXTURE_TIME, 2, 5), ATES_NOT_FOUND, "TASK_UNKNOWN");
    expect_dead(create_task(FIXTURE_TIME, 1, "Again", 5), ATES_ALREADY_EXISTS,
                "TASK_ALREADY_PRICED");
    expect_dead(create_task_v2(FIXTURE_TIME, 1, NULL, "Again", 5), ATES_ALREADY_EXISTS,
                "TASK_ALREADY_PRICED");
    expect_dead(create_task_v2(FIXTURE_TIME, 2, NULL, "Has [brackets]", 5), ATES_INVALID_ARGUMENT,
                "FIELD_INVALID");
    expect_dead(create_task_v2(FIXTURE_TIME, 2, "jira-1", "A lie", 5), ATES_INVALID_ARGUMENT,
                "FIELD_INVALID");
    expect_dead(create_task(-1, 2, "Too early", 5), ATES_INVALID_ARGUMENT, "TIME_OUT_OF_RANGE");
    expect_dead(create_task(year_10000, 2, "Too late", 5), ATES_INVALID_ARGUMENT,
                "TIME_OUT_OF_RANGE");
    cr_expect_eq(dead_letter_count(), 1, "each was the stream's second event");
    cr_expect_eq(fixture_head(&fixture), 2);
    cr_expect_eq(balance_of(5).balance_cents, balance);
    cr_assert_eq(create_task(FIXTURE_TIME, 2, "In order", 5), 0);
    fixture_check_rebuild(&fixture);
}

/* A source whose numbers are all this one. */
static void constant_random(void *context, void *out, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        ((uint8_t *)out)[i] = ((const uint8_t *)context)[i % sizeof(uint64_t)];
    }
}

static int64_t constant_now(void *context)
{
    (void)context;
    return FIXTURE_TIME;
}

static struct accounting_task_priced price_with(uint64_t random, uint64_t task_id)
{
    const struct ates_source source = {constant_now, constant_random, &random};
    char error[256] = "";

    ates_engine_close(&fixture.engine);
    cr_assert_eq(ates_engine_open(&fixture.engine, &accounting_domain, &fixture.config, &source,
                                  error, sizeof error),
                 0, "%s", error);
    cr_assert_eq(ates_engine_start(fixture.engine), 0);
    cr_assert_eq(create_task(FIXTURE_TIME, task_id, "Ends", 5), 0);
    const struct accounting_task_priced priced = prices_at(fixture_head(&fixture) - 1);
    fixture_reopen(&fixture); /* the source goes out of scope */
    return priced;
}

Test(accounting, prices_reach_both_ends)
{
    const uint64_t both = UINT64_C(1001) * 2001 * 1000000; /* divisible by both counts of prices */
    struct accounting_task_priced priced = price_with(both, 1);

    cr_expect_eq(priced.assign_price_cents, 1000);
    cr_expect_eq(priced.complete_price_cents, 2000);
    priced = price_with(both - 1, 2);
    cr_expect_eq(priced.assign_price_cents, 2000);
    cr_expect_eq(priced.complete_price_cents, 4000);
}

/* show_balance */

Test(accounting, show_balance_is_of_all_time_and_of_today)
{
    struct accounting_show_balance_result own;
    const struct accounting_show_balance query = {.has_user_id = false};

    cr_assert_eq(create_task(FIXTURE_TIME - DAY_MS, 1, "Yesterday", 5), 0);
    cr_assert_eq(complete_task(FIXTURE_TIME, 1, 5), 0);
    const struct accounting_task_priced priced = prices_at(1);
    fixture_do(&fixture, developer(5), "show_balance", &query, &own);
    cr_expect_eq(own.user_id, 5);
    cr_expect_eq(own.balance_cents, priced.complete_price_cents - priced.assign_price_cents);
    cr_expect_eq(own.today_cents, priced.complete_price_cents);

    fixture.now_ms += DAY_MS;
    fixture_do(&fixture, developer(5), "show_balance", &query, &own);
    cr_expect_eq(own.balance_cents, priced.complete_price_cents - priced.assign_price_cents);
    cr_expect_eq(own.today_cents, 0);
}

Test(accounting, show_balance_takes_a_payout_from_the_balance_only)
{
    post(FIXTURE_TIME, 5, ACCOUNTING_COMPLETION_REWARD, 3000, "");
    post(FIXTURE_TIME, 5, ACCOUNTING_PAYOUT, -3000, "");
    cr_expect_eq(balance_of(5).balance_cents, 0);
    cr_expect_eq(balance_of(5).today_cents, 3000);
    expect_check(NULL);
}

Test(accounting, show_balance_of_somebody_else_needs_a_known_user)
{
    const struct accounting_show_balance unknown = {.has_user_id = true, .user_id = 7},
                                         own = {.has_user_id = false};
    struct accounting_show_balance_result result;

    fixture_refused(&fixture, accountant(), "show_balance", &unknown, ATES_NOT_FOUND,
                    "USER_UNKNOWN");
    fixture_register_user(&fixture, 7, ATES_DEVELOPER);
    cr_expect_eq(balance_of(7).balance_cents, 0);
    cr_expect_eq(balance_of(7).user_id, 7);
    cr_assert_eq(create_task(FIXTURE_TIME, 1, "Before auth's event", 8), 0);
    cr_expect_lt(balance_of(8).balance_cents, 0);
    fixture_do(&fixture, developer(9), "show_balance", &own, &result); /* one's own, unknown yet */
    cr_expect(result.user_id == 9 && result.balance_cents == 0 && result.today_cents == 0);
    fixture_change_user(&fixture, 7, ATES_BOSS, true);
    cr_expect_eq(balance_of(7).balance_cents, 0);
}

Test(accounting, the_services_have_no_account)
{
    const struct ates_caller service = fixture_caller(0, ATES_INTERNALSERVICE);
    const struct accounting_show_balance balance = {.has_user_id = false};
    const struct accounting_show_account_transfers transfers = {.has_user_id = false};

    cr_assert_eq(create_task(FIXTURE_TIME, 1, "Paint the bikeshed", 5), 0);
    fixture_refused(&fixture, service, "show_balance", &balance, ATES_NOT_FOUND, "USER_UNKNOWN");
    fixture_refused(&fixture, service, "show_account_transfers", &transfers, ATES_NOT_FOUND,
                    "USER_UNKNOWN");
}

/* show_income */

static struct ates_list income(const char *from, const char *to)
{
    const struct accounting_show_income query = {
        .has_from_date = from != NULL,
        .from_date = ates_text_from(from != NULL ? from : ""),
        .has_to_date = to != NULL,
        .to_date = ates_text_from(to != NULL ? to : ""),
    };
    struct accounting_show_income_result result;

    fixture_do(&fixture, accountant(), "show_income", &query, &result);
    return result.items;
}

Test(accounting, show_income_has_every_date_of_the_range)
{
    cr_assert_eq(create_task(FIXTURE_TIME - 2 * DAY_MS, 1, "First", 5), 0);
    cr_assert_eq(create_task(FIXTURE_TIME, 2, "Second", 6), 0);
    cr_assert_eq(complete_task(FIXTURE_TIME, 1, 5), 0);
    const struct accounting_task_priced first = prices_at(1), second = prices_at(3);

    struct ates_list list = income(NULL, NULL);
    const struct accounting_income *items = list.items;
    cr_assert_eq(list.count, 30);
    text_is(items[0].date, "2023-10-17");
    text_is(items[29].date, TODAY);
    for (size_t i = 0; i < 30; i++) {
        const int64_t expected = i == 27   ? first.assign_price_cents
                                 : i == 29 ? second.assign_price_cents - first.complete_price_cents
                                           : 0;
        cr_expect_eq(items[i].income_cents, expected, "on %.*s", 10, items[i].date.data);
    }
    list = income("2023-11-13", "2023-11-13");
    items = list.items;
    cr_assert_eq(list.count, 1);
    cr_expect_eq(items[0].income_cents, first.assign_price_cents);
    list = income("2023-11-14", NULL);
    cr_expect_eq(list.count, 2);
    list = income(NULL, "2024-03-01"); /* over a leap day */
    items = list.items;
    cr_assert_eq(list.count, 30);
    text_is(items[0].date, "2024-02-01");
    text_is(items[28].date, "2024-02-29");
    list = income(NULL, "1970-01-03");
    items = list.items;
    cr_assert_eq(list.count, 3);
    text_is(items[0].date, "1970-01-01");
}

Test(accounting, show_income_takes_at_most_1000_days)
{
    static const struct {
        const char *from, *to;
    } refused[] = {
        {"2023-11-16", NULL}, /* tomorrow */
        {"2023-11-02", "2023-11-01"},
        {"2021-02-18", NULL}, /* 1001 days */
        {"1970-01-01", "9999-12-31"},
    };

    cr_expect_eq(income("2021-02-19", NULL).count, 1000);
    cr_expect_eq(income("9999-12-31", "9999-12-31").count, 1);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        const struct accounting_show_income query = {
            .has_from_date = true,
            .from_date = ates_text_from(refused[i].from),
            .has_to_date = refused[i].to != NULL,
            .to_date = ates_text_from(refused[i].to != NULL ? refused[i].to : ""),
        };
        fixture_refused(&fixture, accountant(), "show_income", &query, ATES_INVALID_ARGUMENT,
                        "FIELD_INVALID");
        cr_expect_str_eq(fixture.refusal.field, "from_date");
    }
}

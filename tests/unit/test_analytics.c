/* Analytics' income and negative balances, and what it does with others' events, one by one. */
#include "core/users.h"
#include "support/analytics_fixture.h"

TestSuite(analytics, .init = open_fixture, .fini = close_fixture, .timeout = 120);

/* Whichever version of task_created comes first, the other adds what is new. */
Test(analytics, two_versions_of_task_created_are_one_task)
{
    struct analytics_task_known task;
    static const unsigned orders[] = {2, 1, 12, 21, 212, 121, 1122, 2211};

    for (uint64_t id = 1; id <= sizeof orders / sizeof orders[0]; id++) {
        unsigned has_second = 0;

        for (unsigned order = orders[id - 1]; order > 0; order /= 10) {
            has_second |= order % 10 == 2;
            cr_assert_eq(order % 10 == 2 ? create_task_v2(id, "ATES-7", "Fix it")
                                         : create_task(id, "[ATES-7] Fix it"),
                         0);
        }
        cr_assert_eq(analytics_state_get_task(txn(), id, &task), 0);
        text_is(task.name, has_second ? "Fix it" : "[ATES-7] Fix it");
        cr_expect_eq(task.has_jira_id, has_second == 1);
        cr_expect(!task.has_jira_id || ates_text_equal(task.jira_id, ates_text_from("ATES-7")));
    }
    fixture_check_rebuild(&fixture);
}

Test(analytics, the_most_expensive_task_tells_its_issue)
{
    cr_assert_eq(create_task_v2(1, "ATES-7", "Fix it"), 0);
    complete(at(TODAY, 3), 1, 2500);
    const struct analytics_show_the_most_expensive_task_result result = top_of(ANALYTICS_DAY, NULL);
    text_is(result.task.name, "Fix it");
    cr_assert(result.task.has_jira_id);
    text_is(result.task.jira_id, "ATES-7");
}

/* Income. */

Test(analytics, income_is_what_was_charged_less_what_was_rewarded)
{
    charge(TODAY, 5, 1500, -1500);
    charge(TODAY, 6, 1200, -1200);
    complete(at(TODAY, 12), 1, 3000);
    cr_expect_eq(income_of(TODAY), 1500 + 1200 - 3000);
    fixture_check_rebuild(&fixture);
    cr_expect_eq(income_of(TODAY), -300);
}

Test(analytics, income_leaves_payouts_out)
{
    complete(at(TODAY, 12), 1, 3000);
    pay(TODAY, 5, 3000, 0);
    cr_expect_eq(income_of(TODAY), -3000);
    fixture_check_rebuild(&fixture);
}

Test(analytics, today_income_is_of_the_business_day)
{
    struct analytics_today_income_result income;

    charge(TODAY, 5, 1500, -1500);
    charge("2023-11-14", 5, 1100, -2600);
    fixture_do(&fixture, administrator(), "today_income", NULL, &income);
    text_is(income.date, TODAY); /* it is still the 14th in UTC */
    cr_expect_eq(income.income_cents, 1500);

    fixture.now_ms = at("2023-11-16", 0) - 1;
    fixture_do(&fixture, administrator(), "today_income", NULL, &income);
    text_is(income.date, TODAY);
    fixture.now_ms++;
    fixture_do(&fixture, administrator(), "today_income", NULL, &income);
    text_is(income.date, "2023-11-16");
    cr_expect_eq(income.income_cents, 0);
}

Test(analytics, show_income_has_an_item_for_each_day)
{
    const struct analytics_show_income query = {ates_text_from("2024-02-28"),
                                                ates_text_from("2024-03-02")};
    static const char *const dates[] = {"2024-02-28", "2024-02-29", "2024-03-01", "2024-03-02"};
    struct analytics_show_income_result result;

    charge("2024-02-27", 5, 1000, -1000);
    charge("2024-02-28", 5, 1001, -2001);
    charge("2024-02-29", 5, 1002, -3003);
    charge("2024-03-02", 5, 1003, -4006);
    charge("2024-03-03", 5, 1004, -5010);
    fixture_do(&fixture, administrator(), "show_income", &query, &result);
    cr_assert_eq(result.items.count, 4);
    const struct analytics_income *items = result.items.items;
    for (size_t i = 0; i < 4; i++) {
        text_is(items[i].date, dates[i]);
    }
    cr_expect_eq(items[0].income_cents, 1001);
    cr_expect_eq(items[1].income_cents, 1002);
    cr_expect_eq(items[2].income_cents, 0);
    cr_expect_eq(items[3].income_cents, 1003);
}

Test(analytics, show_income_takes_at_most_1000_days_in_order)
{
    struct analytics_show_income query = {ates_text_from("2020-01-01"),
                                          ates_text_from("2022-09-26")};
    struct analytics_show_income_result result;

    fixture_do(&fixture, administrator(), "show_income", &query, &result);
    cr_expect_eq(result.items.count, 1000);
    query.to_date = ates_text_from("2022-09-27");
    fixture_refused(&fixture, administrator(), "show_income", &query, ATES_INVALID_ARGUMENT,
                    "FIELD_INVALID");
    cr_expect_str_eq(fixture.refusal.field, "from_date");
    query.to_date = ates_text_from("2019-12-31");
    fixture_refused(&fixture, administrator(), "show_income", &query, ATES_INVALID_ARGUMENT,
                    "FIELD_INVALID");
}

/* A completion that accounting learned of when its day was closed already. */
Test(analytics, a_late_transfer_counts_for_the_open_day_and_its_task_for_its_own)
{
    struct accounting_transfer late =
        transfer_of(TODAY, 5, ACCOUNTING_COMPLETION_REWARD, 2500, 2500);

    complete(at("2023-11-13", 12), 1, 2000);
    cr_assert_eq(create_task(2, "Late"), 0);
    late.timestamp = at("2023-11-13", 23);
    late.has_task_id = true;
    late.task_id = 2;
    cr_assert_eq(record(late), 0);
    cr_expect_eq(income_of("2023-11-13"), -2000, "a closed day stays as it was");
    cr_expect_eq(income_of(TODAY), -2500);
    const struct analytics_show_the_most_expensive_task_result then = top_of(ANALYTICS_DAY,
                                                                             "2023-11-13"),
                                                               now = top_of(ANALYTICS_DAY, TODAY);
    cr_expect_eq(best_of(&then), 2);
    cr_expect_eq(best_of(&now), 0);
    fixture_check_rebuild(&fixture);
}

Test(analytics, what_happens_later_changes_no_past_day)
{
    complete(at("2023-11-13", 12), 1, 2000);
    charge("2023-11-13", 6, 1500, -1500);
    const int64_t income = income_of("2023-11-13");

    for (uint64_t i = 0; i < 10; i++) {
        complete(at("2023-11-14", (int64_t)i), 100 + i, 4000);
        charge("2023-11-14", 6, 1000, -2000);
        pay("2023-11-14", 5, 4000, 0);
    }
    cr_expect_eq(income_of("2023-11-13"), income);
    const struct analytics_show_the_most_expensive_task_result top =
        top_of(ANALYTICS_DAY, "2023-11-13");
    cr_expect_eq(best_of(&top), 1);
    fixture_check_rebuild(&fixture);
}

/* Negative balances. */

static void expect_debt(const struct analytics_negative_balances_result *result, size_t index,
                        uint64_t user_id, int64_t balance_cents)
{
    cr_assert_lt(index, result->items.count);
    const struct analytics_negative_balance *item =
        (const struct analytics_negative_balance *)result->items.items + index;

    cr_expect(item->user_id == user_id && item->balance_cents == balance_cents,
              "item %zu is user %lu with %ld, not user %lu with %ld", index,
              (unsigned long)item->user_id, (long)item->balance_cents, (unsigned long)user_id,
              (long)balance_cents);
}

Test(analytics, negative_balances_begin_with_the_largest_debt_then_by_user)
{
    charge(TODAY, 8, 1000, -1000);
    charge(TODAY, 5, 1000, -1000);
    charge(TODAY, 7, 1000, -300000);
    charge(TODAY, 6, 1, -1);
    charge(TODAY, 9, 1000, 0);
    charge(TODAY, 10, 1000, 5000);
    const struct analytics_negative_balances_result result = debts_after(NULL, 0);

    cr_expect_eq(result.count, 4);
    cr_expect_eq(result.items.count, 4);
    cr_expect_not(result.has_next);
    expect_debt(&result, 0, 7, -300000);
    expect_debt(&result, 1, 5, -1000);
    expect_debt(&result, 2, 8, -1000);
    expect_debt(&result, 3, 6, -1);
    fixture_check_rebuild(&fixture);
}

Test(analytics, negative_balances_follow_the_balance_both_ways)
{
    static const int64_t balances[] = {-1000, -2000, 1000, 0, -500, 0, -1, 3000};

    for (size_t i = 0; i < sizeof balances / sizeof balances[0]; i++) {
        charge(TODAY, 5, 1000, balances[i]);
        const struct analytics_negative_balances_result result = debts_after(NULL, 0);
        cr_expect_eq(result.count, balances[i] < 0 ? 1 : 0, "after %ld", (long)balances[i]);
        cr_expect_eq(result.items.count, result.count);
        if (balances[i] < 0) {
            expect_debt(&result, 0, 5, balances[i]);
        }
        expect_check(NULL);
    }
    fixture_check_rebuild(&fixture);
}

Test(analytics, negative_balances_follow_payouts_too)
{
    pay(TODAY, 5, 0, -700); /* whatever moved it, the transfer's balance counts */
    struct analytics_negative_balances_result result = debts_after(NULL, 0);
    expect_debt(&result, 0, 5, -700);
    pay(TODAY, 5, 100, 0);
    result = debts_after(NULL, 0);
    cr_expect_eq(result.count, 0);
}

Test(analytics, negative_balances_name_who_is_known)
{
    charge(TODAY, 5, 1000, -1000);
    charge(TODAY, 6, 1000, -900);
    fixture_register_user(&fixture, 5, ATES_DEVELOPER);
    const struct analytics_negative_balances_result result = debts_after(NULL, 0);
    const struct analytics_negative_balance *items = result.items.items;

    cr_assert_eq(result.items.count, 2);
    cr_expect(items[0].has_login);
    text_is(items[0].login, "user5");
    cr_expect_not(items[1].has_login);
    fixture_change_user(&fixture, 6, ATES_BOSS, true); /* a disabled user's debt stays */
    const struct analytics_negative_balances_result later = debts_after(NULL, 0);
    items = later.items.items;
    cr_assert_eq(later.items.count, 2);
    cr_expect(items[1].has_login);
    text_is(items[1].login, "user6");
    fixture_check_rebuild(&fixture);
}

/* Ties run across the pages' ends. */
Test(analytics, negative_balances_come_in_pages)
{
    enum { USERS = 25, LIMIT = 10 };
    struct analytics_negative_balance before = {.balance_cents = -ATES_INTEGER_MAX};
    const struct ates_text *after = NULL;
    struct ates_text next;
    size_t seen = 0;

    for (uint64_t user = 1; user <= USERS; user++) {
        charge(TODAY, user, 1000, -1000 - (int64_t)(user / 4));
    }
    for (int page = 0; page < 3; page++) {
        const struct analytics_negative_balances_result result = debts_after(after, LIMIT);
        const struct analytics_negative_balance *items = result.items.items;

        cr_expect_eq(result.count, USERS);
        cr_assert_eq(result.items.count, page < 2 ? LIMIT : USERS - 2 * LIMIT);
        cr_expect_eq(result.has_next, page < 2);
        for (size_t i = 0; i < result.items.count; i++) {
            cr_expect_eq(items[i].balance_cents, -1000 - (int64_t)(items[i].user_id / 4));
            cr_expect(items[i].balance_cents > before.balance_cents ||
                      (items[i].balance_cents == before.balance_cents &&
                       items[i].user_id > before.user_id));
            before = items[i];
            seen++;
        }
        next = result.next;
        after = &next;
    }
    cr_expect_eq(seen, USERS);
}

Test(analytics, negative_balances_end_a_page_where_it_gets_long)
{
    enum { USERS = 1000 };
    char login[65], email[] = "somebody@uberpopug.example";
    const struct ates_text *after = NULL;
    struct ates_text next;
    size_t seen = 0, pages = 0;

    memset(login, 'x', sizeof login - 1);
    login[64] = '\0';
    for (uint64_t user = 1; user <= USERS; user++) {
        const struct ates_user_registered data = {.user_id = user,
                                                  .login = ates_text_from(login),
                                                  .email = ates_text_from(email),
                                                  .role = ATES_DEVELOPER};
        const struct ates_user_changed known = ates_user_from_registered(&data);

        cr_assert_eq(ates_users_put(txn(), &known), 0);
        cr_assert_eq(analytics_state_put_balance(txn(), user, -ATES_INTEGER_MAX), 0);
    }
    for (bool more = true; more; pages++) {
        const struct analytics_negative_balances_result result = debts_after(after, 1000);
        struct ates_buffer encoded = {0};

        ates_message_encode(&analytics_negative_balances_result_message, &result, &encoded);
        cr_expect_leq(encoded.size, 65536u + 100u);
        ates_buffer_release(&encoded);
        seen += result.items.count;
        more = result.has_next;
        next = result.next;
        after = &next;
    }
    cr_expect_eq(seen, USERS);
    cr_expect_eq(pages, 2);
}

Test(analytics, negative_balances_refuse_an_after_that_they_never_gave)
{
    static const char *const wrong[] = {"x",
                                        "1",
                                        "1-",
                                        "-1",
                                        "-",
                                        "0-5",
                                        "1-x",
                                        "x-1",
                                        "1-1-1",
                                        "--1",
                                        "1--1",
                                        "12345678901234567-1",
                                        "1-12345678901234567"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const struct analytics_negative_balances query = {.has_after = true,
                                                          .after = ates_text_from(wrong[i])};

        fixture_refused(&fixture, administrator(), "negative_balances", &query,
                        ATES_INVALID_ARGUMENT, "FIELD_INVALID");
        cr_expect_str_eq(fixture.refusal.field, "after");
    }
}

/* Followed events. */

static int64_t dead_letters(void)
{
    struct ates_scan scan;
    struct ates_bytes key, value;
    int64_t count = 0;

    cr_assert_eq(ates_scan_open(&scan, txn(), ATES_TABLE_DEAD_LETTERS, NULL, NULL), 0);
    while (ates_scan_next(&scan, &key, &value) == 0) {
        count++;
    }
    ates_scan_close(&scan);
    return count;
}

Test(analytics, what_cannot_be_told_is_a_dead_letter_and_the_stream_goes_on)
{
    struct accounting_transfer transfer =
        transfer_of(TODAY, 5, ACCOUNTING_COMPLETION_REWARD, 2500, 2500);

    cr_assert_eq(record(transfer), 0); /* of no task */
    cr_expect_str_eq(fixture.refusal.reason, "TASK_MISSING");
    transfer.has_task_id = true;
    transfer.task_id = 1;
    transfer.timestamp = INT64_C(253402300800000); /* in the year 10000 */
    cr_assert_eq(record(transfer), 0);
    cr_expect_str_eq(fixture.refusal.reason, "TIME_OUT_OF_RANGE");
    charge(TODAY, 6, ATES_INTEGER_MAX, -ATES_INTEGER_MAX);
    charge(TODAY, 7, 1, -1);
    cr_expect_str_eq(fixture.refusal.reason, "INCOME_OUT_OF_RANGE");
    cr_expect_eq(dead_letters(), 3);
    charge("2023-11-16", 7, 2, -2);
    cr_expect_eq(income_of(TODAY), ATES_INTEGER_MAX);
    cr_expect_eq(income_of("2023-11-16"), 2);
    fixture_check_rebuild(&fixture);
}

Test(analytics, a_time_before_1970_west_of_utc_is_out_of_range)
{
    struct accounting_transfer transfer =
        transfer_of(TODAY, 5, ACCOUNTING_COMPLETION_REWARD, 2500, 2500);

    cr_assert_eq(ates_calendar_open("America/New_York"), 0);
    transfer.has_task_id = true;
    transfer.task_id = 1;
    transfer.timestamp = 0;
    cr_assert_eq(record(transfer), 0);
    cr_expect_str_eq(fixture.refusal.reason, "TIME_OUT_OF_RANGE");
    cr_expect_eq(dead_letters(), 1);
}

Test(analytics, publishes_nothing)
{
    charge(TODAY, 5, 1500, -1500);
    complete(at(TODAY, 12), 1, 3000);
    fixture_register_user(&fixture, 5, ATES_DEVELOPER);
    cr_expect_eq(fixture_head(&fixture), 0);
}

Test(analytics, is_for_administrators_only)
{
    for (size_t i = 0; i < analytics_service.command_count; i++) {
        cr_expect_eq(analytics_service.commands[i].callers, ATES_ROLE(ATES_ADMINISTRATOR));
        cr_expect(analytics_service.commands[i].is_query);
    }
}

/* A rebuild in another time zone gives the same state: days are worked out once, when the event
 * comes. */
Test(analytics, a_rebuild_needs_no_calendar)
{
    uint8_t kept[ATES_HASH_SIZE], rebuilt[ATES_HASH_SIZE];

    complete(at(TODAY, 0), 1, 3000);
    complete(at("2023-11-16", 0) - 1, 2, 2500);
    fixture_state_digest(&fixture, kept);
    cr_assert_eq(ates_calendar_open("Pacific/Auckland"), 0);
    fixture_rebuild(&fixture);
    fixture_state_digest(&fixture, rebuilt);
    cr_expect_arr_eq(kept, rebuilt, sizeof kept);
}

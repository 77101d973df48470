/* What administrators and accountants read: reports, the payouts' schedule, mails. */
#include <string.h>

#include <criterion/criterion.h>

#include <ates/accounting.h>
#include <ates/analytics.h>
#include <ates/payment.h>

#include "support/ctl_fixture.h"

#define T(TEXT)                                                                                    \
    {                                                                                              \
        TEXT, sizeof(TEXT) - 1                                                                     \
    }
#define NOON INT64_C(1795338000000) /* 2026-11-22 12:00 MSK */

Test(ctl_report, today)
{
    const struct analytics_today_income_result result = {T("2026-11-22"), -123456};

    ctl_answer(0, &analytics_today_income_result_message, &result);
    cr_expect_eq(ctl_run_against("analytics", "report today"), CTL_OK);
    cr_expect_str_eq(ctl_run.out, "DATE   2026-11-22\nINCOME -1234.56\n");
}

static struct analytics_income income_days[] = {
    {T("2026-11-20"), 0}, {T("2026-11-21"), 500}, {T("2026-11-22"), 0}};
static const struct analytics_show_income_result income = {{income_days, 3}};

Test(ctl_report, income_begins_where_there_is_money)
{
    struct ates_arena *arena = ates_arena_new();
    struct analytics_show_income body;

    ctl_answer(0, &analytics_show_income_result_message, &income);
    cr_expect_eq(ctl_run_against("analytics", "report income --to 2026-11-22"), CTL_OK);
    cr_expect_str_eq(ctl_run.out, "DATE       INCOME\n2026-11-21   5.00\n2026-11-22   0.00\n");
    ctl_asked(0, &analytics_show_income_message, arena, &body);
    cr_expect(ates_text_equal(body.from_date, ates_text_from("2026-10-24")), "30 days");
    cr_expect(ates_text_equal(body.to_date, ates_text_from("2026-11-22")));
    cr_expect_eq(ctl_run_against("analytics", "report income --to 2026-11-22 -o csv"), CTL_OK);
    cr_expect_str_eq(ctl_run.out, "date,income_cents\r\n2026-11-20,0\r\n2026-11-21,500\r\n"
                                  "2026-11-22,0\r\n");
    ates_arena_free(&arena);
}

/* 2023-01-01 to 2025-11-22 are 1057 days: a thousand, and the rest. */
Test(ctl_report, income_of_many_days_is_asked_for_in_parts)
{
    struct ates_arena *arena = ates_arena_new();
    struct analytics_show_income body;

    ctl_answer(0, &analytics_show_income_result_message, &income);
    cr_expect_eq(ctl_run_against("analytics", "report income --from 2023-01-01 --to 2025-11-22"),
                 CTL_OK);
    cr_assert_eq(ctl_run.service.request_count, 2);
    ctl_asked(0, &analytics_show_income_message, arena, &body);
    cr_expect(ates_text_equal(body.from_date, ates_text_from("2023-01-01")));
    cr_expect(ates_text_equal(body.to_date, ates_text_from("2025-09-26")));
    ctl_asked(1, &analytics_show_income_message, arena, &body);
    cr_expect(ates_text_equal(body.from_date, ates_text_from("2025-09-27")));
    cr_expect(ates_text_equal(body.to_date, ates_text_from("2025-11-22")));
    cr_expect_not_null(strstr(ctl_run.out, "2026-11-20   0.00\n"), "given from, nothing is hidden");
    ates_arena_free(&arena);
}

Test(ctl_report, what_is_not_asked)
{
    static const char *const lines[] = {
        "report income --from 2026-11-22 --to 2026-11-21",
        "report income --from 9999-01-01",
        "report income --to 2026-11-31",
        "report negative --limit 0",
        "report top-task --from 2026-11-22",
        "report top-task --to 2026-11-22",
        "report top-task --period week --from 2026-11-22 --to 2026-11-22",
        "report top-task --date 2026-11-22 --from 2026-11-22 --to 2026-11-22",
        "report top-task --from 2026-11-22 --to 2026-11-21",
        "report top-task --period year",
        "report top-task --period day --date 2026-02-29",
    };

    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        cr_expect_eq(ctl_run_against("analytics", lines[i]), CTL_USAGE, "%s: %s", lines[i],
                     ctl_run.err);
        cr_expect_eq(ctl_run.service.request_count, 0, "%s", lines[i]);
        cr_expect_str_neq(ctl_run.err, "", "%s", lines[i]);
    }
}

/* Without a period it is a day. */
Test(ctl_report, top_task_of_a_day)
{
    static const struct analytics_show_the_most_expensive_task_result none = {
        .from_date = T("2026-11-22"), .to_date = T("2026-11-22")};
    struct ates_arena *arena = ates_arena_new();
    struct analytics_show_the_most_expensive_task body;

    ctl_answer(0, &analytics_show_the_most_expensive_task_result_message, &none);
    cr_expect_eq(ctl_run_against("analytics", "report top-task --date 2026-11-22"), CTL_OK, "%s",
                 ctl_run.err);
    cr_expect_str_eq(ctl_run.err, "2026-11-22: no task was completed\n");
    ctl_asked(0, &analytics_show_the_most_expensive_task_message, arena, &body);
    cr_expect(body.has_period && body.period == ANALYTICS_DAY && body.has_date);
    ates_arena_free(&arena);
}

static struct analytics_negative_balance debtors[] = {
    {.user_id = 3, .has_login = true, .login = T("ann"), .balance_cents = -5000},
    {.user_id = 12, .balance_cents = -1},
};
static const struct analytics_negative_balances_result debts[] = {
    {.count = 2, .items = {debtors, 1}, .has_next = true, .next = T("more")},
    {.count = 2, .items = {debtors + 1, 1}},
};

Test(ctl_report, negative_balances_of_all_pages)
{
    struct ates_arena *arena = ates_arena_new();
    struct analytics_negative_balances body;

    ctl_answer(0, &analytics_negative_balances_result_message, &debts[0]);
    ctl_answer(1, &analytics_negative_balances_result_message, &debts[1]);
    cr_expect_eq(ctl_run_against("analytics", "report negative"), CTL_OK);
    cr_expect_str_eq(ctl_run.err, "2 employees have a negative balance\n");
    cr_expect_str_eq(ctl_run.out, "USER LOGIN BALANCE\n   3 ann    -50.00\n  12         -0.01\n");
    cr_assert_eq(ctl_run.service.request_count, 2);
    ctl_asked(0, &analytics_negative_balances_message, arena, &body);
    cr_expect(!body.has_after);
    ctl_asked(1, &analytics_negative_balances_message, arena, &body);
    cr_expect(body.has_after && ates_text_equal(body.after, ates_text_from("more")));
    ates_arena_free(&arena);
}

Test(ctl_report, negative_balances_up_to_a_limit)
{
    ctl_answer(0, &analytics_negative_balances_result_message, &debts[0]);
    cr_expect_eq(ctl_run_against("analytics", "report negative --limit 1 -o json"), CTL_OK);
    cr_expect_str_eq(ctl_run.err, "");
    cr_expect_str_eq(ctl_run.out,
                     "[\n  {\"user_id\":3,\"login\":\"ann\",\"balance_cents\":-5000}\n]\n");
    cr_expect_eq(ctl_run.service.request_count, 1);
}

Test(ctl_report, nobody_in_debt)
{
    const struct analytics_negative_balances_result none = {.count = 0};

    ctl_answer(0, &analytics_negative_balances_result_message, &none);
    cr_expect_eq(ctl_run_against("analytics", "report negative"), CTL_OK);
    cr_expect_str_eq(ctl_run.err, "nobody has a negative balance\n");
    cr_expect_str_eq(ctl_run.out, "");
}

static struct analytics_day top_days[] = {
    {.date = T("2026-11-21")},
    {.date = T("2026-11-22"), .has_task = true, .task = {7, T("Count"), 3950, NOON}},
};
static const struct analytics_show_the_most_expensive_task_result top = {
    .from_date = T("2026-11-21"),
    .to_date = T("2026-11-22"),
    .has_task = true,
    .task = {7, T("Count"), 3950, NOON},
    .days = {top_days, 2},
};

Test(ctl_report, top_task_of_days)
{
    struct ates_arena *arena = ates_arena_new();
    struct analytics_show_the_most_expensive_task body;

    ctl_answer(0, &analytics_show_the_most_expensive_task_result_message, &top);
    cr_expect_eq(ctl_run_against("analytics", "report top-task --from 2026-11-21 --to 2026-11-22"),
                 CTL_OK);
    cr_expect_str_eq(ctl_run.out, "PERIOD    2026-11-21 to 2026-11-22\n"
                                  "TASK      7\n"
                                  "NAME      Count\n"
                                  "PRICE     39.50\n"
                                  "COMPLETED 2026-11-22 12:00 MSK\n"
                                  "\n"
                                  "DATE       TASK NAME  PRICE COMPLETED\n"
                                  "2026-11-21                  \n"
                                  "2026-11-22    7 Count 39.50 2026-11-22 12:00 MSK\n");
    ctl_asked(0, &analytics_show_the_most_expensive_task_message, arena, &body);
    cr_expect(!body.has_period && !body.has_date && body.has_from_date && body.has_to_date);
    cr_expect(ates_text_equal(body.from_date, ates_text_from("2026-11-21")));
    cr_expect(ates_text_equal(body.to_date, ates_text_from("2026-11-22")));
    cr_expect_eq(
        ctl_run_against("analytics", "report top-task --period week --date 2026-11-22 -o csv"),
        CTL_OK);
    cr_expect_str_eq(ctl_run.out, "date,task_id,name,complete_price_cents,completed_at\r\n"
                                  "2026-11-21,,,,\r\n2026-11-22,7,Count,3950,1795338000000\r\n");
    ctl_asked(0, &analytics_show_the_most_expensive_task_message, arena, &body);
    cr_expect(body.has_period && body.period == ANALYTICS_WEEK && body.has_date);
    cr_expect(ates_text_equal(body.date, ates_text_from("2026-11-22")));
    ates_arena_free(&arena);
}

Test(ctl_report, top_task_of_one_day)
{
    const struct analytics_show_the_most_expensive_task_result day = {
        .from_date = T("2026-11-22"),
        .to_date = T("2026-11-22"),
        .has_task = true,
        .task = top.task,
        .days = {top_days + 1, 1},
    };

    ctl_answer(0, &analytics_show_the_most_expensive_task_result_message, &day);
    cr_expect_eq(ctl_run_against("analytics", "report top-task --period day"), CTL_OK);
    cr_expect_str_eq(ctl_run.out, "PERIOD    2026-11-22\n"
                                  "TASK      7\n"
                                  "NAME      Count\n"
                                  "PRICE     39.50\n"
                                  "COMPLETED 2026-11-22 12:00 MSK\n");
}

Test(ctl_report, no_task_was_completed)
{
    const struct analytics_show_the_most_expensive_task_result none = {
        .from_date = T("2026-11-21"), .to_date = T("2026-11-21"), .days = {top_days, 1}};

    ctl_answer(0, &analytics_show_the_most_expensive_task_result_message, &none);
    cr_expect_eq(ctl_run_against("analytics", "report top-task --period day"), CTL_OK);
    cr_expect_str_eq(ctl_run.err, "2026-11-21: no task was completed\n");
    cr_expect_str_eq(ctl_run.out, "");
    cr_expect_eq(ctl_run_against("analytics", "report top-task --period day -o json"), CTL_OK);
    cr_expect_not_null(strstr(ctl_run.out, "\"days\": ["), "%s", ctl_run.out);
}

/* What payment show says of this schedule. */
static const char *schedule_words(const struct payment_show_schedule_result *schedule)
{
    ctl_answer(0, &payment_show_schedule_result_message, schedule);
    cr_expect_eq(ctl_run_against("payment", "payment show"), CTL_OK, "%s", ctl_run.err);
    return ctl_run.out;
}

#define LATER INT64_C(4102434000000) /* 2100-01-01 00:00 MSK */

Test(ctl_report, schedule)
{
    struct payment_show_schedule_result schedule = {.next_run_at = LATER,
                                                    .next_business_date = T("2099-12-31")};

    cr_expect_str_eq(schedule_words(&schedule),
                     "next run: 2100-01-01 00:00 MSK, for 2099-12-31\nlast run: none yet\n");
    schedule.has_last_run = true;
    schedule.last_run = (struct payment_last_run){T("2026-11-21"), NOON, PAYMENT_PAID,
                                                  .paid_count = 12, .total_cents = 123456};
    cr_expect_str_eq(schedule_words(&schedule),
                     "next run: 2100-01-01 00:00 MSK, for 2099-12-31\n"
                     "last run: 2026-11-22 12:00 MSK, for 2026-11-21: paid 12 employees 1234.56 "
                     "in all\n");
    schedule.last_run.status = PAYMENT_NOTHING;
    cr_expect_str_eq(schedule_words(&schedule),
                     "next run: 2100-01-01 00:00 MSK, for 2099-12-31\n"
                     "last run: 2026-11-22 12:00 MSK, for 2026-11-21: there was nothing to pay\n");
}

Test(ctl_report, overdue_schedule)
{
    const struct payment_show_schedule_result schedule = {
        .next_run_at = NOON,
        .next_business_date = T("2026-11-21"),
        .has_retry_at = true,
        .retry_at = NOON + 90000,
        .failures = 2,
        .has_last_run = true,
        .last_run = {T("2026-11-21"), NOON, PAYMENT_FAILED, .has_error = true,
                     .error = T("accounting is silent")},
    };

    cr_expect_str_eq(schedule_words(&schedule),
                     "next run: overdue since 2026-11-22 12:00 MSK, for 2026-11-21\n"
                     "          failed 2 times in a row, is tried again 2026-11-22 12:01:30 MSK\n"
                     "last run: 2026-11-22 12:00 MSK, for 2026-11-21: failed: accounting is "
                     "silent\n");
}

static const struct accounting_show_mail_result mail = {
    .mail =
        {
            .id = 3,
            .to = T("ann@example.com"),
            .subject = T("Выплата за 2026-11-22"),
            .state = ACCOUNTING_MAIL_DEAD,
            .attempts = 4,
            .has_last_error = true,
            .last_error = T("550 no such user"),
            .created_at = NOON,
        },
    .text = T("Dear ann,\n\n  you were paid 12.34.\n\n"),
};

Test(ctl_report, mails_of_a_state)
{
    struct ates_arena *arena = ates_arena_new();
    struct accounting_mail item = mail.mail;
    const struct accounting_show_mails_result result = {.items = {&item, 1}};
    struct accounting_show_mails body;

    ctl_answer(0, &accounting_show_mails_result_message, &result);
    cr_expect_eq(ctl_run_against("accounting", "mail ls --state dead"), CTL_OK);
    cr_expect_str_eq(ctl_run.out,
                     "ID TO              SUBJECT               STATE TRIES ERROR            "
                     "CREATED\n"
                     " 3 ann@example.com Выплата за 2026-11-22 dead      4 550 no such user "
                     "2026-11-22 12:00 MSK\n");
    ctl_asked(0, &accounting_show_mails_message, arena, &body);
    cr_expect(body.has_state && body.state == ACCOUNTING_MAIL_DEAD);
    cr_expect_eq(ctl_run_against("accounting", "mail ls --state gone"), CTL_USAGE);
    cr_expect_not_null(strstr(ctl_run.err, "--state: "), "%s", ctl_run.err);
    cr_expect_eq(ctl_run.service.request_count, 0);
    ates_arena_free(&arena);
}

Test(ctl_report, mails_the_newest_first)
{
    struct ates_arena *arena = ates_arena_new();
    const struct accounting_show_mails_result none = {.has_next = false};
    struct accounting_show_mails body;

    ctl_answer(0, &accounting_show_mails_result_message, &none);
    cr_expect_eq(ctl_run_against("accounting", "mail ls --newest-first"), CTL_OK);
    ctl_asked(0, &accounting_show_mails_message, arena, &body);
    cr_expect(body.has_newest_first && body.newest_first && !body.has_state);
    cr_expect_eq(ctl_run_against("accounting", "mail ls"), CTL_OK);
    ctl_asked(0, &accounting_show_mails_message, arena, &body);
    cr_expect_not(body.has_newest_first);
    ates_arena_free(&arena);
}

Test(ctl_report, a_mail_is_read_below_its_head)
{
    ctl_answer(0, &accounting_show_mail_result_message, &mail);
    cr_expect_eq(ctl_run_against("accounting", "mail show 3"), CTL_OK);
    cr_expect_str_eq(ctl_run.out, "ID      3\n"
                                  "TO      ann@example.com\n"
                                  "SUBJECT Выплата за 2026-11-22\n"
                                  "STATE   dead\n"
                                  "TRIES   4\n"
                                  "ERROR   550 no such user\n"
                                  "CREATED 2026-11-22 12:00 MSK\n"
                                  "\n"
                                  "Dear ann,\n\n  you were paid 12.34.\n");
    cr_expect_eq(ctl_run_against("accounting", "mail show x"), CTL_USAGE);
    ctl_answer(0, NULL, NULL);
    ctl_refuse(0, ATES_NOT_FOUND, "MAIL_UNKNOWN", 0);
    cr_expect_eq(ctl_run_against("accounting", "mail show 4"), CTL_NOT_FOUND);
    cr_expect_str_eq(ctl_run.err, "atesctl: there is no mail 4; try: atesctl mail ls\n");
}

Test(ctl_report, a_mail_is_sent_again)
{
    static const struct ates_empty nothing = {0};

    ctl_answer(0, &ates_empty_message, &nothing);
    ctl_answer(1, &accounting_show_mail_result_message, &mail);
    cr_expect_eq(ctl_run_against("accounting", "mail retry 3"), CTL_OK);
    cr_expect_str_eq(ctl_run.err, "mail 3 is sent again; how that goes: atesctl mail show 3\n");
    cr_expect_str_eq(ctl_run.out, "3\n");
    cr_expect_eq(ctl_run.service.request_count, 1);
    cr_expect_str_neq(ctl_run.service.seen[0].request_id, "");
    cr_expect_eq(ctl_run_against("accounting", "mail retry 3 -o json"), CTL_OK);
    cr_expect_not_null(strstr(ctl_run.out, "\"state\": \"dead\""), "%s", ctl_run.out);
    ctl_answer(0, NULL, NULL);
    ctl_refuse(0, ATES_FAILED_PRECONDITION, "MAIL_SENT", 0);
    cr_expect_eq(ctl_run_against("accounting", "mail retry 3"), CTL_CONFLICT);
    cr_expect_str_eq(ctl_run.err, "atesctl: mail 3 was sent already; try: atesctl mail show 3\n");
}

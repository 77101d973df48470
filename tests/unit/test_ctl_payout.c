/* Payouts by hand: what is asked, what is told, and how long atesctl waits for others. */
#include <string.h>

#include <criterion/criterion.h>

#include <ates/accounting.h>
#include <ates/payment.h>

#include "atesctl/payout.h"
#include "core/calendar.h"
#include "core/random.h"
#include "support/ctl_fixture.h"

static const struct accounting_pay_to_workers_result paid = {
    .business_date = {"2025-11-21", 10}, .paid_count = 12, .total_cents = 123456};
static const struct payment_run_payment_result run_paid = {
    .business_date = {"2025-11-21", 10}, .paid_count = 1, .total_cents = 1234};

static const char *words(uint64_t paid_count, int64_t total_cents)
{
    static char out[CTL_PAYOUT_WORDS_SIZE];

    return ctl_payout_words(paid_count, total_cents, out);
}

Test(ctl_payout, words)
{
    cr_expect_str_eq(words(0, 0), "nobody");
    cr_expect_str_eq(words(1, 5), "1 employee 0.05");
    cr_expect_str_eq(words(2, 123456), "2 employees 1234.56 in all");
    cr_expect_str_eq(words(UINT64_MAX, INT64_MIN),
                     "18446744073709551615 employees -92233720368547758.08 in all");
}

Test(ctl_payout, pays)
{
    struct ates_arena *arena = ates_arena_new();
    struct accounting_pay_to_workers body;

    ctl_answer(0, &accounting_pay_to_workers_result_message, &paid);
    cr_expect_eq(ctl_run_against("accounting", "account pay --yes"), CTL_OK);
    cr_expect_str_eq(ctl_run.err, "2025-11-21: paid 12 employees 1234.56 in all; their mails: "
                                  "atesctl mail ls\n");
    cr_expect_str_eq(ctl_run.out, "12\n");
    cr_assert_eq(ctl_run.service.request_count, 1);
    cr_expect_str_eq(ctl_run.service.seen[0].command, "accounting.pay_to_workers");
    cr_expect_str_neq(ctl_run.service.seen[0].request_id, "");
    ctl_asked(0, &accounting_pay_to_workers_message, arena, &body);
    cr_expect(!body.has_business_date && (!body.has_dry_run || !body.dry_run));
    ates_arena_free(&arena);
}

Test(ctl_payout, a_dry_run_is_one)
{
    struct ates_arena *arena = ates_arena_new();
    struct accounting_pay_to_workers body;

    ctl_answer(0, &accounting_pay_to_workers_result_message, &paid);
    cr_expect_eq(ctl_run_against("accounting", "account pay --dry-run --date 2025-11-21"), CTL_OK);
    cr_expect_str_eq(ctl_run.err, "2025-11-21: would pay 12 employees 1234.56 in all\n");
    cr_assert_eq(ctl_run.service.request_count, 1);
    ctl_asked(0, &accounting_pay_to_workers_message, arena, &body);
    cr_expect(body.has_dry_run && body.dry_run);
    cr_expect(body.has_business_date &&
              ates_text_equal(body.business_date, ates_text_from("2025-11-21")));
    ates_arena_free(&arena);
}

Test(ctl_payout, for_programs)
{
    ctl_answer(0, &accounting_pay_to_workers_result_message, &paid);
    cr_expect_eq(ctl_run_against("accounting", "account pay --yes -o json"), CTL_OK);
    cr_expect_str_eq(ctl_run.out, "{\n  \"business_date\": \"2025-11-21\",\n  \"paid_count\": 12,\n"
                                  "  \"total_cents\": 123456\n}\n");
}

Test(ctl_payout, nobody_is_paid_unasked)
{
    static const char *const lines[] = {
        "account pay",
        "account pay --date 2025-11-21",
        "account pay --date 2026-11-31 --yes",
        "account pay --date today --dry-run",
    };

    ctl_answer(0, &accounting_pay_to_workers_result_message, &paid);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        cr_expect_eq(ctl_run_against("accounting", lines[i]), CTL_USAGE, "%s", lines[i]);
        cr_expect_eq(ctl_run.service.request_count, 0, "%s", lines[i]);
    }
    cr_expect_eq(ctl_run_against("payment", "payment run"), CTL_USAGE);
    cr_expect_eq(ctl_run.service.request_count, 0);
    cr_expect_str_eq(ctl_run.err,
                     "atesctl: this pays out every positive balance, and there is nobody to ask; "
                     "try: the same with --yes\n");
}

/* How often the words are there. */
static size_t count(const char *text, const char *part)
{
    size_t found = 0;

    while ((text = strstr(text, part)) != NULL) {
        text += strlen(part);
        found++;
    }
    return found;
}

Test(ctl_payout, waits_for_others_under_one_request_id)
{
    ctl_refuse(0, ATES_UNAVAILABLE, "PAYOUT_RUNNING", 10);
    ctl_refuse(1, ATES_UNAVAILABLE, "PAYOUT_RUNNING", 10);
    ctl_refuse(2, ATES_UNAVAILABLE, "TASKS_UNREACHABLE", 10);
    ctl_answer(3, &accounting_pay_to_workers_result_message, &paid);
    cr_expect_eq(ctl_run_against("accounting", "account pay --yes"), CTL_OK, "%s", ctl_run.err);
    cr_assert_eq(ctl_run.service.request_count, 4);
    for (size_t i = 0; i < 4; i++) {
        cr_expect_str_neq(ctl_run.service.seen[i].request_id, "");
        cr_expect_str_eq(ctl_run.service.seen[i].request_id, ctl_run.service.seen[0].request_id);
    }
    cr_expect_eq(count(ctl_run.err, "another payout is being made; asking again, for up to "), 1,
                 "%s", ctl_run.err);
    cr_expect_eq(count(ctl_run.err, "accounting cannot learn from tasks"), 1, "%s", ctl_run.err);
    cr_expect_str_eq(ctl_run.out, "12\n");
}

/* A wait that would end after the timeout is none. */
Test(ctl_payout, waits_no_longer_than_it_may)
{
    ctl_refuse(0, ATES_UNAVAILABLE, "PAYOUT_RUNNING", 60000);
    cr_expect_eq(ctl_run_against("accounting", "account pay --yes --timeout 30"), CTL_UNREACHABLE);
    cr_expect_eq(ctl_run.service.request_count, 1);
    cr_expect_str_eq(ctl_run.err, "atesctl: another payout is being made; try: again in a while\n");
}

Test(ctl_payout, asks_again_until_the_time_is_over)
{
    ctl_refuse(0, ATES_UNAVAILABLE, "ACCOUNTING_UNREACHABLE", 10);
    ctl_refuse(1, ATES_UNAVAILABLE, "ACCOUNTING_UNREACHABLE", 10);
    ctl_refuse(2, ATES_UNAVAILABLE, "ACCOUNTING_UNREACHABLE", 60000);
    cr_expect_eq(ctl_run_against("payment", "payment run --yes --timeout 30"), CTL_UNREACHABLE);
    cr_expect_eq(ctl_run.service.request_count, 3, "it would be asked too late");
    cr_expect_not_null(strstr(ctl_run.err, "atesctl: payment cannot reach accounting; try: "), "%s",
                       ctl_run.err);
}

/* What has passed is gone from the time: pauses of 300 ms are never more than three within a second,
 * and fewer where the machine is busy. */
Test(ctl_payout, waits_for_others_no_longer_than_it_may_in_all)
{
    ctl_refuse(0, ATES_UNAVAILABLE, "ACCOUNTING_UNREACHABLE", 300);
    cr_expect_eq(ctl_run_against("payment", "payment run --yes --timeout 1"), CTL_UNREACHABLE);
    cr_expect_leq(ctl_run.service.request_count, 4);
}

Test(ctl_payout, other_refusals_are_final)
{
    ctl_refuse(0, ATES_RESOURCE_EXHAUSTED, "OVERLOADED", 10);
    cr_expect_eq(ctl_run_against("accounting", "account pay --yes"), CTL_REFUSED);
    cr_expect_eq(ctl_run.service.request_count, 1);
    ctl_refuse(0, ATES_UNAVAILABLE, "NOT_READY", 0);
    cr_expect_eq(ctl_run_against("accounting", "account pay --yes"), CTL_UNREACHABLE);
    cr_expect_eq(ctl_run.service.request_count, 1);
}

Test(ctl_payout, runs_the_schedule_by_hand)
{
    struct ates_arena *arena = ates_arena_new();
    struct payment_run_payment body;

    ctl_answer(0, &payment_run_payment_result_message, &run_paid);
    cr_expect_eq(ctl_run_against("payment", "payment run --date 2025-11-21 --yes"), CTL_OK);
    cr_expect_str_eq(ctl_run.err,
                     "2025-11-21: paid 1 employee 12.34; their mails: atesctl mail ls\n");
    cr_expect_str_eq(ctl_run.out, "1\n");
    ctl_asked(0, &payment_run_payment_message, arena, &body);
    cr_expect(!body.dry_run && body.has_business_date &&
              ates_text_equal(body.business_date, ates_text_from("2025-11-21")));
    cr_expect_eq(ctl_run_against("payment", "payment run --dry-run"), CTL_OK);
    cr_expect_str_eq(ctl_run.err, "2025-11-21: would pay 1 employee 12.34\n");
    ctl_asked(0, &payment_run_payment_message, arena, &body);
    cr_expect(body.dry_run && !body.has_business_date);
    ates_arena_free(&arena);
}

/* Has the schedule run at a terminal, and returns whether that was asked of the service which the
 * user said yes to. */
static int run_asked(bool is_agreed)
{
    struct ates_arena *arena = ates_arena_new();
    struct payment_run_payment dry, real;
    const int code = ctl_run_with("payment", "payment run", true);

    if (code != (is_agreed ? CTL_OK : CTL_REFUSED) ||
        ctl_run.service.request_count != (is_agreed ? 2 : 1)) {
        return 2;
    }
    ctl_asked(0, &payment_run_payment_message, arena, &dry);
    if (!dry.dry_run || dry.has_business_date) {
        return 3;
    }
    if (is_agreed) {
        ctl_asked(1, &payment_run_payment_message, arena, &real);
        if (real.dry_run || !ates_text_equal(real.business_date, run_paid.business_date)) {
            return 4;
        }
    }
    ates_arena_free(&arena);
    return 0;
}

Test(ctl_payout, runs_the_schedule_after_telling_the_sum)
{
    char shown[4096] = "";

    ctl_answer(0, &payment_run_payment_result_message, &run_paid);
    cr_expect_eq(ctl_at_terminal(run_asked, "y\n", true, shown, sizeof shown), 0, "%s", shown);
    cr_expect_not_null(strstr(shown, "Pay 1 employee 12.34 for 2025-11-21? [y/N]: "), "%s", shown);
    cr_expect_not_null(strstr(shown, "2025-11-21: paid 1 employee 12.34"), "%s", shown);
    shown[0] = '\0';
    cr_expect_eq(ctl_at_terminal(run_asked, "n\n", false, shown, sizeof shown), 0, "%s", shown);
    cr_expect_not_null(strstr(shown, "atesctl: nobody was paid"), "%s", shown);
}

/* Pays at a terminal, and returns whether that was asked of the service which the user said yes or
 * no to. */
static int pay_asked(bool is_agreed)
{
    struct ates_arena *arena = ates_arena_new();
    struct accounting_pay_to_workers body[2];
    const int code = ctl_run_with("accounting", "account pay", true);
    const size_t asked = ctl_run.service.request_count;

    if (code != (is_agreed ? CTL_OK : CTL_REFUSED) || asked != (is_agreed ? 2 : 1)) {
        return 2;
    }
    ctl_asked(0, &accounting_pay_to_workers_message, arena, &body[0]);
    if (!body[0].dry_run || body[0].has_business_date) {
        return 3;
    }
    if (is_agreed) {
        ctl_asked(1, &accounting_pay_to_workers_message, arena, &body[1]);
        if (body[1].dry_run || !body[1].has_business_date ||
            !ates_text_equal(body[1].business_date, paid.business_date)) {
            return 4;
        }
    }
    ates_arena_free(&arena);
    return 0;
}

static int pay_at_terminal(const char *answer, bool is_agreed, char *shown, size_t size)
{
    return ctl_at_terminal(pay_asked, answer, is_agreed, shown, size);
}

Test(ctl_payout, pays_what_was_agreed_to)
{
    char shown[4096] = "";

    ctl_answer(0, &accounting_pay_to_workers_result_message, &paid);
    cr_expect_eq(pay_at_terminal("y\n", true, shown, sizeof shown), 0, "%s", shown);
    cr_expect_not_null(strstr(shown, "Pay 12 employees 1234.56 in all for 2025-11-21? [y/N]: "),
                       "%s", shown);
    cr_expect_not_null(strstr(shown, "2025-11-21: paid 12 employees 1234.56 in all; their mails: "),
                       "%s", shown);
}

Test(ctl_payout, pays_nobody_without_a_yes)
{
    char shown[4096] = "";

    ctl_answer(0, &accounting_pay_to_workers_result_message, &paid);
    cr_expect_eq(pay_at_terminal("\n", false, shown, sizeof shown), 0, "%s", shown);
    cr_expect_not_null(strstr(shown, "atesctl: nobody was paid"), "%s", shown);
}

Test(ctl_payout, asks_also_where_nobody_would_be_paid)
{
    const struct accounting_pay_to_workers_result nobody = {.business_date = paid.business_date};
    char shown[4096] = "";

    ctl_answer(0, &accounting_pay_to_workers_result_message, &nobody);
    cr_expect_eq(pay_at_terminal("y\n", true, shown, sizeof shown), 0, "%s", shown);
    cr_expect_not_null(strstr(shown, "Nobody has a positive balance for 2025-11-21. Close this "
                                     "date all the same? [y/N]: "),
                       "%s", shown);
    cr_expect_not_null(strstr(shown, "2025-11-21: paid nobody"), "%s", shown);
}

Test(ctl_payout, tells_that_a_date_was_closed_before)
{
    struct accounting_pay_to_workers_result closed = paid;

    closed.has_already_closed = closed.already_closed = true;
    ctl_answer(0, &accounting_pay_to_workers_result_message, &closed);
    cr_expect_eq(ctl_run_against("accounting", "account pay --yes"), CTL_OK);
    cr_expect_str_eq(ctl_run.err,
                     "2025-11-21 is closed, it paid 12 employees 1234.56 in all; their "
                     "mails: atesctl mail ls\n");
    cr_expect_eq(ctl_run_against("accounting", "account pay --dry-run"), CTL_OK);
    cr_expect_not_null(strstr(ctl_run.err, "2025-11-21 is closed, it paid 12 employees"), "%s",
                       ctl_run.err);
}

static ates_day today(void)
{
    const struct ates_source source = ates_source_system();

    return ates_day_at(ates_now_ms(&source));
}

static int pay_refused(bool is_agreed)
{
    (void)is_agreed;
    return ctl_run_with("accounting", "account pay", true);
}

Test(ctl_payout, warns_that_today_is_not_over)
{
    struct accounting_pay_to_workers_result early = paid;
    struct ates_arena *arena = ates_arena_new();
    const char *const warning = "is not over: what comes later today will count for the next date";
    char shown[4096] = "";
    ates_day day;

    cr_assert_eq(ates_calendar_open("Europe/Moscow"), 0);
    do { /* again where it was midnight */
        day = today();
        early.business_date = ates_day_text(arena, day);
        ctl_answer(0, &accounting_pay_to_workers_result_message, &early);
        ctl_run_against("accounting", "account pay --dry-run");
    } while (today() != day);
    cr_expect_not_null(strstr(ctl_run.err, warning), "%s", ctl_run.err);
    do {
        day = today();
        early.business_date = ates_day_text(arena, day);
        ctl_answer(0, &accounting_pay_to_workers_result_message, &early);
        ctl_at_terminal(pay_refused, "\n", false, shown, sizeof shown);
    } while (today() != day);
    const char *at = strstr(shown, warning);
    cr_assert(at != NULL && strstr(at, "[y/N]: ") != NULL, "%s", shown);
    ates_arena_free(&arena);
}

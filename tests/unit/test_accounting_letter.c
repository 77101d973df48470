/* What a payout's mail says, word for word. */
#include "accounting/accounting_letter.h"
#include "support/payout_fixture.h"

TestSuite(accounting_letter, .init = open_payouts, .fini = close_payouts, .timeout = 120);

#define TEXT_SIZE 4096

static struct ates_call call_of(void)
{
    return (struct ates_call){.txn = txn(),
                              .arena = fixture.arena,
                              .config = &fixture.config,
                              .time = fixture.now_ms,
                              .engine = fixture.engine};
}

static struct accounting_letter letter_of(uint64_t mail_id)
{
    const struct accounting_mail_row mail = mail_row(mail_id);
    struct ates_call call = call_of();
    struct accounting_letter letter;

    cr_assert_eq(accounting_letter_write(&call, &mail, &letter), 0);
    cr_expect(ates_text_equal(accounting_letter_subject(&call, &mail), letter.subject));
    return letter;
}

static void same(struct ates_text text, const char *expected)
{
    cr_expect(ates_text_equal(text, ates_text_from(expected)), "\n%.*s\nis not\n%s", (int)text.size,
              text.data, expected);
}

static bool contains(struct ates_text text, const char *part)
{
    return memmem(text.data, text.size, part, strlen(part)) != NULL;
}

/* Cents as people write them. */
static const char *money(int64_t cents, char point)
{
    char *out = ates_arena_alloc(fixture.arena, 32);
    const long long size = cents < 0 ? -cents : cents;

    snprintf(out, 32, "%s%lld%c%02lld", cents < 0 ? "-" : "", size / 100, point, size % 100);
    return out;
}

static const char *signed_money(int64_t cents, char point)
{
    char *out = ates_arena_alloc(fixture.arena, 33);

    snprintf(out, 33, "%s%s", cents > 0 ? "+" : "", money(cents, point));
    return out;
}

static void speak(const char *language)
{
    strcpy(fixture.config.mail_language, language);
    fixture_reopen(&fixture);
}

/* User 5's day: something carried over, a fee and a reward. */
struct day {
    int64_t carried, fee, reward;
};

static struct day live_a_day(const char *name)
{
    struct day day;

    day.carried = owe(FIXTURE_TIME - DAY_MS, 5);
    payout_is(pay("2023-11-14"), "2023-11-14", 0, 0);
    cr_assert_eq(create_task(FIXTURE_TIME, 71, name, 5), 0);
    day.fee = last_transfer().delta_cents;
    cr_assert_eq(complete_task(FIXTURE_TIME + 9 * HOUR_MS, 71, 5), 0);
    day.reward = last_transfer().delta_cents;
    fixture.now_ms += 10 * HOUR_MS;
    cr_assert_eq(create_task(fixture.now_ms, 72, name, 5), 0);
    cr_assert_eq(complete_task(fixture.now_ms, 72, 5), 0);
    cr_assert_eq(complete_task(fixture.now_ms, 72, 5), 0);
    return day;
}

/* Transfers of the second task, which has a fee and two rewards of the same size. */
static void second_task(int64_t *fee, int64_t *reward)
{
    struct accounting_task task;

    cr_assert_eq(accounting_state_get_task(txn(), 72, &task), 0);
    *fee = -task.assign_price_cents;
    *reward = task.complete_price_cents;
}

Test(accounting_letter, in_english)
{
    static char text[TEXT_SIZE], html[TEXT_SIZE], subject[200];
    int64_t fee, reward;

    fixture_register_user(&fixture, 5, ATES_DEVELOPER);
    const struct day day = live_a_day("Weigh <3 eggs> & \"count\" them");
    second_task(&fee, &reward);
    const int64_t total = day.fee + day.reward + fee + 2 * reward, paid = total + day.carried;
    cr_assert_gt(paid, 0);
    payout_is(pay(TODAY), TODAY, 1, paid);
    const struct accounting_letter letter = letter_of(1);

    text_is(letter.to_name, "user5");
    snprintf(subject, sizeof subject, "aTES: paid for 2023-11-15: %s", money(paid, '.'));
    same(letter.subject, subject);
    snprintf(text, sizeof text,
             "Hello, user5!\n\n"
             "For 2023-11-15 you are paid %s.\n\n"
             "Booked for 2023-11-15:\n\n"
             "  11-15 01:13 %11s  Task 71 was assigned to you: Weigh <3 eggs> & \"count\" them\n"
             "  11-15 10:13 %11s  You completed task 71: Weigh <3 eggs> & \"count\" them\n"
             "  11-15 11:13 %11s  Task 72 was assigned to you: Weigh <3 eggs> & \"count\" them\n"
             "  11-15 11:13 %11s  You completed task 72: Weigh <3 eggs> & \"count\" them\n"
             "  11-15 11:13 %11s  You completed task 72: Weigh <3 eggs> & \"count\" them\n"
             "              %11s  The day in all\n"
             "              %11s  Carried over from the days before\n"
             "              %11s  Paid\n\n"
             "UberPopug Inc. This mail was written by a program; please do not answer it.\n\n",
             money(paid, '.'), signed_money(day.fee, '.'), signed_money(day.reward, '.'),
             signed_money(fee, '.'), signed_money(reward, '.'), signed_money(reward, '.'),
             signed_money(total, '.'), signed_money(day.carried, '.'), signed_money(paid, '.'));
    same(letter.text, text);

#define ROW "<tr><td>%s</td><td style=\"text-align:right\">%s</td><td>%s"
#define NAME "Weigh &lt;3 eggs&gt; &amp; &quot;count&quot; them</td></tr>\n"
#define SUM                                                                                        \
    "<tr style=\"font-weight:bold\"><td></td><td style=\"text-align:right\">%s</td><td>%s</td>"    \
    "</tr>\n"
    snprintf(html, sizeof html,
             "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"></head><body>\n"
             "<p>Hello, user5!</p>\n<p>For 2023-11-15 you are paid %s.</p>\n"
             "<p>Booked for 2023-11-15:</p>\n<table cellpadding=\"4\">\n" ROW NAME ROW NAME ROW NAME
                 ROW NAME ROW NAME SUM SUM SUM
             "</table>\n<p>UberPopug Inc. This mail was written by a program; please do not answer "
             "it.</p>\n</body></html>\n",
             money(paid, '.'), "11-15 01:13", signed_money(day.fee, '.'),
             "Task 71 was assigned to you: ", "11-15 10:13", signed_money(day.reward, '.'),
             "You completed task 71: ", "11-15 11:13", signed_money(fee, '.'),
             "Task 72 was assigned to you: ", "11-15 11:13", signed_money(reward, '.'),
             "You completed task 72: ", "11-15 11:13", signed_money(reward, '.'),
             "You completed task 72: ", signed_money(total, '.'), "The day in all",
             signed_money(day.carried, '.'), "Carried over from the days before",
             signed_money(paid, '.'), "Paid");
    same(letter.html, html);
    fixture_check_rebuild(&fixture);
}

Test(accounting_letter, in_russian)
{
    static char text[TEXT_SIZE], subject[200];
    int64_t fee, reward;

    speak("ru");
    const struct day day = live_a_day("Накормить попугов");
    second_task(&fee, &reward);
    const int64_t total = day.fee + day.reward + fee + 2 * reward, paid = total + day.carried;
    cr_assert_gt(paid, 0);
    payout_is(pay(TODAY), TODAY, 1, paid);
    const struct accounting_letter letter = letter_of(1);

    text_is(letter.to_name, "");
    snprintf(subject, sizeof subject, "aTES: выплата за 15.11.2023: %s", money(paid, ','));
    same(letter.subject, subject);
    snprintf(text, sizeof text,
             "Здравствуйте!\n\n"
             "За 15.11.2023 вам выплачено %s.\n\n"
             "Операции за 15.11.2023:\n\n"
             "  15.11 01:13 %11s  Вам назначена задача 71: Накормить попугов\n"
             "  15.11 10:13 %11s  Вы выполнили задачу 71: Накормить попугов\n"
             "  15.11 11:13 %11s  Вам назначена задача 72: Накормить попугов\n"
             "  15.11 11:13 %11s  Вы выполнили задачу 72: Накормить попугов\n"
             "  15.11 11:13 %11s  Вы выполнили задачу 72: Накормить попугов\n"
             "              %11s  Итого за день\n"
             "              %11s  Перенесено с прошлых дней\n"
             "              %11s  Выплачено\n\n"
             "UberPopug Inc. Это письмо составила программа, отвечать на него не нужно.\n\n",
             money(paid, ','), signed_money(day.fee, ','), signed_money(day.reward, ','),
             signed_money(fee, ','), signed_money(reward, ','), signed_money(reward, ','),
             signed_money(total, ','), signed_money(day.carried, ','), signed_money(paid, ','));
    same(letter.text, text);
    fixture_register_user(&fixture, 5, ATES_DEVELOPER);
    cr_expect(contains(letter_of(1).text, "Здравствуйте, user5!\n\n"));
    fixture_check_rebuild(&fixture);
}

Test(accounting_letter, the_same_mail_says_the_same_at_every_attempt)
{
    fixture_register_user(&fixture, 5, ATES_DEVELOPER);
    live_a_day("Sing");
    pay(TODAY);
    const struct accounting_letter first = letter_of(1);

    /* Later, and with more booked to later dates, some of it from the day itself. */
    earn(FIXTURE_TIME + 1, 5);
    fixture.now_ms += 3 * DAY_MS;
    earn(fixture.now_ms, 5);
    pay(NULL);
    fixture_check_rebuild(&fixture);
    const struct accounting_letter again = letter_of(1);
    cr_expect(ates_text_equal(first.subject, again.subject));
    cr_expect(ates_text_equal(first.text, again.text));
    cr_expect(ates_text_equal(first.html, again.html));
}

/* What happened after the date was closed early is in the next date's mail, with its own day. */
Test(accounting_letter, transfers_of_the_day_before_are_listed_where_they_are_booked)
{
    static char expected[TEXT_SIZE];

    earn(FIXTURE_TIME, 5);
    pay(TODAY);
    const int64_t late = earn(FIXTURE_TIME + HOUR_MS, 5), own = earn(FIXTURE_TIME + DAY_MS, 5);
    fixture.now_ms += DAY_MS;
    payout_is(pay(NULL), "2023-11-16", 1, late + own);
    const struct accounting_letter letter = letter_of(2);
    snprintf(expected, sizeof expected,
             "Booked for 2023-11-16:\n\n"
             "  11-15 02:13 %11s  You completed task 2: Count the feathers\n"
             "  11-16 01:13 %11s  You completed task 3: Count the feathers\n"
             "              %11s  The day in all\n"
             "                     0.00  Carried over from the days before\n",
             signed_money(late, '.'), signed_money(own, '.'), signed_money(late + own, '.'));
    cr_expect(contains(letter.text, expected), "%.*s", (int)letter.text.size, letter.text.data);
    cr_expect(contains(letter_of(1).text, "task 1") && !contains(letter_of(1).text, "task 2"));
}

/* A date closed together with a later one: its sums are carried over, its transfers not listed. */
Test(accounting_letter, dates_that_were_never_closed_are_carried_over)
{
    char carried[100];

    const int64_t first = earn(FIXTURE_TIME - DAY_MS, 5);
    earn(FIXTURE_TIME, 5);
    pay(NULL);
    snprintf(carried, sizeof carried, "%11s  Carried over", signed_money(first, '.'));
    const struct ates_text text = letter_of(1).text;
    cr_expect(contains(text, carried), "%.*s", (int)text.size, text.data);
    cr_expect(contains(text, "task 2") && !contains(text, "task 1"));
}

Test(accounting_letter, a_paid_day_without_transfers_has_an_empty_list)
{
    const int64_t first = earn(FIXTURE_TIME - DAY_MS, 5);
    static char expected[TEXT_SIZE];

    payout_is(pay(NULL), TODAY, 1, first);
    snprintf(expected, sizeof expected,
             "Booked for 2023-11-15:\n\n"
             "                     0.00  The day in all\n"
             "              %11s  Carried over from the days before\n",
             signed_money(first, '.'));
    const struct ates_text text = letter_of(1).text;
    cr_expect(contains(text, expected), "%.*s", (int)text.size, text.data);
}

static size_t count_lines(struct ates_text text, const char *part)
{
    size_t count = 0;
    const char *at = text.data, *end = text.data + text.size;

    while ((at = memmem(at, (size_t)(end - at), part, strlen(part))) != NULL) {
        count++;
        at++;
    }
    return count;
}

Test(accounting_letter, a_long_list_is_cut_between_its_lines)
{
    struct accounting_show_mail_result shown;
    const struct accounting_show_mail query = {.mail_id = 1};
    char name[TASKS_NAME_MAX * 4 + 1] = "", sums[200];
    int64_t total = 0;

    for (int i = 0; i < TASKS_NAME_MAX; i++) {
        strcat(name, "\xf0\x9f\xa6\x9c"); /* a popug, of four bytes */
    }
    cr_assert_eq(create_task(FIXTURE_TIME, 71, name, SINK), 0);
    for (int i = 0; i < 2000; i++) {
        cr_assert_eq(complete_task(FIXTURE_TIME + i, 71, 5), 0);
        total += last_transfer().delta_cents;
        ates_arena_reset(fixture.arena);
    }
    payout_is(pay(NULL), TODAY, 1, total);
    const struct accounting_letter letter = letter_of(1);
    const size_t lines = count_lines(letter.text, "You completed task 71: \xf0\x9f\xa6\x9c");
    cr_expect(lines > 50 && lines < 2000, "%d lines", (int)lines);
    cr_expect_eq(count_lines(letter.html, "You completed task 71: \xf0\x9f\xa6\x9c"), lines);
    cr_expect_eq(count_lines(letter.text, name), lines, "each with its whole name");
    cr_expect_lt(letter.text.size, 70000);
    cr_expect(contains(letter.text, "More was booked than fits here; aTES shows it all.\n"));
    cr_expect(contains(letter.html, "<p>More was booked than fits here; aTES shows it all.</p>\n"));
    snprintf(sums, sizeof sums, "%11s  The day in all\n", signed_money(total, '.'));
    cr_expect(contains(letter.text, sums), "of all, not of the lines");
    fixture_do(&fixture, accountant(), "show_mail", &query, &shown);
    cr_expect(ates_text_equal(shown.text, letter.text));
}

Test(accounting_letter, the_shortest_lines_fit_the_longest_letter)
{
    struct accounting_show_mail_result shown;
    const struct accounting_show_mail query = {.mail_id = 1};

    cr_assert_eq(create_task(FIXTURE_TIME, 1, "x", SINK), 0);
    for (int i = 0; i < 2000; i++) {
        cr_assert_eq(complete_task(FIXTURE_TIME + i, 1, 5), 0);
        ates_arena_reset(fixture.arena);
    }
    pay(NULL);
    const struct accounting_letter letter = letter_of(1);
    const size_t lines = count_lines(letter.text, "You completed task 1: x\n");
    cr_expect(lines > 1000 && lines < 2000, "%d lines", (int)lines);
    cr_expect(contains(letter.text, "More was booked"));
    fixture_do(&fixture, accountant(), "show_mail", &query, &shown);
    cr_expect(ates_text_equal(shown.text, letter.text));
}

/* What people call their tasks: rows that were never booked, and text that reads backwards. */
Test(accounting_letter, a_name_adds_no_line_and_turns_nothing_around)
{
    fixture_register_user(&fixture, 5, ATES_DEVELOPER);
    cr_assert_eq(create_task(FIXTURE_TIME, 71,
                             "one\n  11-15 10:00  +9999.00  Paid\ttwo\u202Ethree\u2028four\u2066"
                             "five\u200Fsix, \u2014 \u2070 \u20AC \u0416",
                             5),
                 0);
    cr_assert_eq(complete_task(FIXTURE_TIME, 71, 5), 0);
    const int64_t cents = balance_of(5).balance_cents;
    payout_is(pay(NULL), TODAY, 1, cents);
    const struct ates_text text = letter_of(1).text;
    cr_expect(contains(text, ": one   11-15 10:00  +9999.00  Paid two three four five six, \u2014 "
                             "\u2070 \u20AC \u0416\n"),
              "%.*s", (int)text.size, text.data);
}

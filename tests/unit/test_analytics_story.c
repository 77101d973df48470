/* Random transfers against a naive model that keeps them all and answers by looking at each; and
 * what an answer costs when there are many. */
#include <stdlib.h>
#include <time.h>

#include "support/analytics_fixture.h"

TestSuite(analytics_story, .init = open_fixture, .fini = close_fixture, .timeout = 300);

enum { USERS = 12, TRANSFERS = 1500, DAYS = 45, ROUND = 250, QUERIES = 40 };

static const char *const zones[] = {"Europe/Moscow", "Europe/Berlin", "America/New_York",
                                    "Australia/Lord_Howe", "Asia/Kathmandu"};

/* The model: every transfer, with the dates by the C library. */
static struct told {
    struct accounting_transfer transfer;
    char own_date[ATES_DATE_SIZE], business_date[ATES_DATE_SIZE];
} told[TRANSFERS];
static size_t told_count;
static int64_t balances[USERS + 1];

static void local_date(int64_t time_ms, char date[ATES_DATE_SIZE])
{
    const time_t time_s = (time_t)(time_ms / 1000);
    struct tm tm;

    localtime_r(&time_s, &tm);
    strftime(date, ATES_DATE_SIZE, "%F", &tm);
}

static uint64_t draw(uint64_t bound)
{
    return fixture_draw(&fixture, bound);
}

/* Times are in no order, and few enough that prices and times tie. */
static void tell_one(int64_t begin_ms)
{
    struct told *one = &told[told_count++];
    const int kind = (int)draw(3);
    const uint64_t user = 1 + draw(USERS);
    const int64_t cents = kind == ACCOUNTING_COMPLETION_REWARD ? 2000 + (int64_t)draw(4)
                                                               : -(int64_t)(1000 + draw(1000));

    balances[user] += cents;
    one->transfer = (struct accounting_transfer){
        .id = told_count,
        .timestamp = begin_ms + (int64_t)draw(DAYS * 48) * (HOUR_MS / 2),
        .user_id = user,
        .kind = kind,
        .delta_cents = cents,
        .balance_cents = balances[user],
        .has_task_id = kind == ACCOUNTING_COMPLETION_REWARD,
        .task_id = 10000 - told_count,
    };
    local_date(one->transfer.timestamp, one->own_date);
    local_date(one->transfer.timestamp + (draw(10) == 0 ? DAY_MS : 0), one->business_date);
    one->transfer.business_date = ates_text_from(one->business_date);
    if (one->transfer.has_task_id && draw(2) == 0) {
        cr_assert_eq(create_task(one->transfer.task_id, "before"), 0);
    }
    cr_assert_eq(record(one->transfer), 0);
    if (one->transfer.has_task_id) {
        cr_assert_eq(create_task(one->transfer.task_id, "a task"), 0);
    }
}

static int64_t model_income(const char *date)
{
    int64_t cents = 0;

    for (size_t i = 0; i < told_count; i++) {
        if (strcmp(told[i].business_date, date) == 0 &&
            told[i].transfer.kind != ACCOUNTING_PAYOUT) {
            cents -= told[i].transfer.delta_cents;
        }
    }
    return cents;
}

static uint64_t model_best(const char *from, const char *to)
{
    const struct accounting_transfer *best = NULL;

    for (size_t i = 0; i < told_count; i++) {
        const struct accounting_transfer *one = &told[i].transfer;

        if (!one->has_task_id || strcmp(told[i].own_date, from) < 0 ||
            strcmp(told[i].own_date, to) > 0) {
            continue;
        }
        if (best == NULL || one->delta_cents > best->delta_cents ||
            (one->delta_cents == best->delta_cents &&
             (one->timestamp < best->timestamp ||
              (one->timestamp == best->timestamp && one->task_id < best->task_id)))) {
            best = one;
        }
    }
    return best != NULL ? best->task_id : 0;
}

static void draw_dates(ates_day begin, char from[ATES_DATE_SIZE], char to[ATES_DATE_SIZE])
{
    const ates_day first = begin + (ates_day)draw(DAYS + 2) - 1;

    ates_day_format(first, from);
    ates_day_format(first + (ates_day)draw(20), to);
}

static void compare_income(ates_day begin)
{
    char from[ATES_DATE_SIZE], to[ATES_DATE_SIZE];
    struct analytics_show_income_result result;

    draw_dates(begin, from, to);
    const struct analytics_show_income query = {ates_text_from(from), ates_text_from(to)};
    fixture_do(&fixture, administrator(), "show_income", &query, &result);
    cr_assert_gt(result.items.count, 0);
    const struct analytics_income *items = result.items.items;
    for (size_t i = 0; i < result.items.count; i++) {
        char date[ATES_DATE_SIZE] = "";

        memcpy(date, items[i].date.data, ATES_DATE_SIZE - 1);
        cr_assert_eq(items[i].income_cents, model_income(date), "the income of %s is %ld, not %ld",
                     date, (long)items[i].income_cents, (long)model_income(date));
    }
}

static void compare_top(ates_day begin)
{
    char from[ATES_DATE_SIZE], to[ATES_DATE_SIZE];

    draw_dates(begin, from, to);
    const struct analytics_show_the_most_expensive_task_result result = top_between(from, to);
    cr_assert_eq(best_of(&result), model_best(from, to), "%s to %s: %lu, not %lu", from, to,
                 (unsigned long)best_of(&result), (unsigned long)model_best(from, to));
    for (size_t i = 0; i < result.days.count; i++) {
        char date[ATES_DATE_SIZE];

        ates_day_format(ates_day_of(ates_text_from(from)) + (ates_day)i, date);
        cr_assert_eq(best_on(&result, i), model_best(date, date), "on %s", date);
    }
}

/* Who stands before whom, by balance and id. */
static int by_debt(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;

    if (balances[a] != balances[b]) {
        return balances[a] < balances[b] ? -1 : 1;
    }
    return a < b ? -1 : a > b;
}

static void compare_debts(void)
{
    uint64_t debtors[USERS];
    size_t count = 0, seen = 0;
    const struct ates_text *after = NULL;
    struct ates_text next;
    const uint64_t limit = 1 + draw(5);

    for (uint64_t user = 1; user <= USERS; user++) {
        if (balances[user] < 0) {
            debtors[count++] = user;
        }
    }
    qsort(debtors, count, sizeof debtors[0], by_debt);
    for (bool more = true; more;) {
        const struct analytics_negative_balances_result result = debts_after(after, limit);
        const struct analytics_negative_balance *items = result.items.items;

        cr_assert_eq(result.count, count);
        cr_assert_leq(seen + result.items.count, count);
        for (size_t i = 0; i < result.items.count; i++, seen++) {
            cr_assert_eq(items[i].user_id, debtors[seen]);
            cr_assert_eq(items[i].balance_cents, balances[debtors[seen]]);
        }
        more = result.has_next;
        next = result.next;
        after = &next;
    }
    cr_assert_eq(seen, count);
}

/* Over a leap day and New York's and Berlin's changes of the clock. */
Test(analytics_story, answers_are_the_models)
{
    const char *zone = zones[draw(sizeof zones / sizeof zones[0])];
    const ates_day begin = ates_day_of(ates_text_from("2024-02-20"));

    fprintf(stderr, "in %s\n", zone);
    cr_assert_eq(ates_calendar_open(zone), 0);
    fixture.now_ms = ates_day_start(begin + DAYS + 60);
    while (told_count < TRANSFERS) {
        for (int i = 0; i < ROUND; i++) {
            tell_one(ates_day_start(begin));
        }
        for (int i = 0; i < QUERIES; i++) {
            compare_income(begin);
            compare_top(begin);
        }
        compare_debts();
        ates_arena_reset(fixture.arena);
    }
    fixture_check_rebuild(&fixture);
    compare_top(begin);
    compare_income(begin);
    compare_debts();
}

/* What answers cost. */

/* Folds a transfer in, as its applier does, without an event: for many at little cost. */
static void fold(const char *date, uint64_t user_id, uint64_t task_id)
{
    const struct analytics_transfer_known known = {
        .user_id = user_id,
        .balance_cents = -(int64_t)(user_id + task_id),
        .business_date = ates_text_from(date),
        .income_cents = 1000,
        .has_completion = true,
        .completion = {.task_id = task_id,
                       .complete_price_cents = 2000 + (int64_t)draw(2001),
                       .completed_at = FIXTURE_TIME,
                       .date = ates_text_from(date)},
    };
    const struct ates_event event = {.name = analytics_transfer_known_message.name};

    for (size_t i = 0; i < analytics_domain.applier_count; i++) {
        if (analytics_domain.appliers[i].event == &analytics_transfer_known_message) {
            cr_assert_eq(analytics_domain.appliers[i].apply(txn(), &event, &known), 0);
        }
    }
    const struct analytics_task_known named = {.task_id = task_id,
                                               .name = ates_text_from("Sort the nails")};
    cr_assert_eq(analytics_state_put_task(txn(), &named), 0);
    ates_arena_reset(txn()->arena);
}

/* So many transfers, spread over the 1,000 days up to today, each of another user. */
static void fill(uint64_t from, uint64_t to)
{
    const ates_day today = ates_day_at(FIXTURE_TIME);

    for (uint64_t i = from; i < to; i++) {
        char date[ATES_DATE_SIZE];

        ates_day_format(today - (ates_day)(i % 1000), date);
        fold(date, i + 1, i + 1);
    }
    cr_assert_gt(ates_engine_checkpoint(fixture.engine, true), 0);
}

static double now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void ask_all(void)
{
    struct analytics_today_income_result today;

    fixture_do(&fixture, administrator(), "today_income", NULL, &today);
    (void)income_of("2023-11-01");
    (void)top_of(ANALYTICS_DAY, "2023-11-02");
    cr_assert_eq(debts_after(NULL, 10).items.count, 10);
}

/* The processor time of one of each query, the best of many tries. */
static double cost_us(void)
{
    enum { TRIES = 20, EACH = 100 };
    double best = 0;

    for (int i = 0; i < TRIES; i++) {
        const double begin = now_us();
        for (int j = 0; j < EACH; j++) {
            ask_all();
            ates_arena_reset(fixture.arena);
        }
        const double cost = (now_us() - begin) / EACH;
        best = i == 0 || cost < best ? cost : best;
    }
    return best;
}

Test(analytics_story, an_answer_costs_what_it_holds_not_what_has_happened)
{
    enum { FLOOR_US = 30 }; /* what a machine that is busy may add */

    fill(0, 1000);
    const double few_us = cost_us();
    fill(1000, 100000);
    const double many_us = cost_us();
    fprintf(stderr, "four queries: %.1f us over 1,000 transfers, %.1f us over 100,000\n", few_us,
            many_us);
    cr_expect_lt(many_us, 3 * few_us + FLOOR_US);
    cr_expect_eq(debts_after(NULL, 1).count, 100000);
    expect_check(NULL);
}

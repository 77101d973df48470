/* Random stories of tasks against a small model of the money, which shares no code with accounting,
 * over the night in which Berlin's clocks go back; and whether prices are uniform. ATES_SEED
 * repeats one. */
#include "support/accounting_fixture.h"

#define EVENTS 5000
#define USERS 20
#define DAYS 12
#define STORY_START INT64_C(1698278400000) /* 2023-10-26T00:00:00Z */
#define CLOCKS_BACK INT64_C(1698541200000) /* 2023-10-29T01:00:00Z: from UTC+2 to UTC+1 */
#define HOUR_MS INT64_C(3600000)

TestSuite(accounting_story, .init = open_fixture, .fini = close_fixture, .timeout = 300);

/* The money as the rules say it. Users are 1 to USERS; days count from 2023-10-26 in Berlin. */
struct model {
    int64_t balance[USERS + 1];
    int64_t total[DAYS][USERS + 1];
    struct {
        int64_t fee, reward;
        uint64_t assigned_to;
        bool is_finished;
    } tasks[EVENTS + 1];
    uint64_t task_count, transfer_count;
    uint64_t kinds[3]; /* transfers of each kind */
};

static size_t berlin_day(int64_t time)
{
    const int64_t local = time + (time < CLOCKS_BACK ? 2 : 1) * HOUR_MS;

    return (size_t)((local - STORY_START) / DAY_MS);
}

static void model_move(struct model *model, int64_t time, uint64_t user_id, int64_t cents)
{
    model->balance[user_id] += cents;
    model->total[berlin_day(time)][user_id] += cents;
    model->transfer_count++;
    model->kinds[cents < 0 ? ACCOUNTING_ASSIGN_FEE : ACCOUNTING_COMPLETION_REWARD]++;
}

/* One event of tasks, to accounting and to the model. */
static void live(struct model *model, int64_t time)
{
    const uint64_t user_id = 1 + fixture_draw(&fixture, USERS);
    const uint64_t what = fixture_draw(&fixture, 10);
    const uint64_t id = model->task_count > 0 ? 1 + fixture_draw(&fixture, model->task_count) : 0;

    if (what < 4 || id == 0 || model->tasks[id].is_finished) {
        const uint64_t new_id = ++model->task_count;

        cr_assert_eq(create_task(time, new_id, "Feed the popugs", user_id), 0);
        const struct accounting_task_priced priced = prices_at(fixture_head(&fixture) - 1);
        model->tasks[new_id].fee = priced.assign_price_cents;
        model->tasks[new_id].reward = priced.complete_price_cents;
        model->tasks[new_id].assigned_to = user_id;
        model_move(model, time, user_id, -priced.assign_price_cents);
    } else if (what < 8) {
        cr_assert_eq(assign_task(time, id, user_id), 0);
        model->tasks[id].assigned_to = user_id;
        model_move(model, time, user_id, -model->tasks[id].fee);
    } else {
        cr_assert_eq(complete_task(time, id, model->tasks[id].assigned_to), 0);
        model->tasks[id].is_finished = true;
        model_move(model, time, model->tasks[id].assigned_to, model->tasks[id].reward);
    }
    ates_arena_reset(fixture.arena);
}

static void compare_balances(const struct model *model, size_t today)
{
    for (uint64_t user_id = 1; user_id <= USERS; user_id++) {
        const struct accounting_show_balance own = {.has_user_id = false};
        struct accounting_show_balance_result shown;

        fixture_do(&fixture, developer(user_id), "show_balance", &own, &shown);
        cr_assert_eq(shown.balance_cents, model->balance[user_id], "balance of %d", (int)user_id);
        cr_assert_eq(shown.today_cents, model->total[today][user_id], "today of %d", (int)user_id);
    }
}

static void compare_income(const struct model *model)
{
    const struct accounting_show_income query = {.has_from_date = true,
                                                 .from_date = ates_text_from("2023-10-26"),
                                                 .has_to_date = true,
                                                 .to_date = ates_text_from("2023-11-06")};
    struct accounting_show_income_result result;

    fixture_do(&fixture, accountant(), "show_income", &query, &result);
    const struct accounting_income *items = result.items.items;
    cr_assert_eq(result.items.count, DAYS);
    for (size_t day = 0; day < DAYS; day++) {
        int64_t income = 0;

        for (uint64_t user_id = 1; user_id <= USERS; user_id++) {
            income -= model->total[day][user_id];
        }
        cr_assert_eq(items[day].income_cents, income, "income of %.*s", 10, items[day].date.data);
    }
}

/* Every page of a user's or everybody's transfers; returns how many there are. */
static uint64_t count_transfers(struct accounting_show_all_account_transfers query, int64_t *sum)
{
    struct accounting_show_all_account_transfers_result result;
    int64_t timestamp = 0;
    uint64_t count = 0;

    *sum = 0;
    do {
        fixture_do(&fixture, accountant(), "show_all_account_transfers", &query, &result);
        const struct accounting_transfer *items = result.items.items;
        for (size_t i = 0; i < result.items.count; i++, count++) {
            cr_assert_geq(items[i].timestamp, timestamp);
            timestamp = items[i].timestamp;
            *sum += items[i].delta_cents;
        }
        query.has_after = true;
        query.after = result.next;
    } while (result.has_next);
    return count;
}

static void compare_listings(const struct model *model)
{
    struct accounting_show_all_account_transfers query = {.has_limit = true, .limit = 77};
    int64_t sum;

    cr_assert_eq(count_transfers(query, &sum), model->transfer_count);
    query.has_kind = true;
    for (query.kind = ACCOUNTING_ASSIGN_FEE; query.kind <= ACCOUNTING_PAYOUT; query.kind++) {
        cr_assert_eq(count_transfers(query, &sum), model->kinds[query.kind]);
    }
    query.has_kind = false;
    query.has_user_id = true;
    for (query.user_id = 1; query.user_id <= USERS; query.user_id++) {
        count_transfers(query, &sum);
        cr_assert_eq(sum, model->balance[query.user_id]);
    }
}

Test(accounting_story, money_is_what_the_model_says_over_a_change_of_the_clocks)
{
    static struct model model;
    int64_t time = STORY_START;

    cr_assert_eq(ates_calendar_open("Europe/Berlin"), 0);
    for (int i = 0; i < EVENTS; i++) {
        /* Over about ten days: 173 seconds an event. */
        time += (int64_t)fixture_draw(&fixture, 346000);
        fixture.now_ms = time + (int64_t)fixture_draw(&fixture, 1000);
        live(&model, time);
        if (i % 250 == 0) {
            compare_balances(&model, berlin_day(fixture.now_ms));
        }
    }
    compare_balances(&model, berlin_day(fixture.now_ms));
    compare_income(&model);
    compare_listings(&model);
    cr_expect_gt(berlin_day(time), 4, "the story passed the change of the clocks");
    fixture_check_rebuild(&fixture);
    compare_balances(&model, berlin_day(fixture.now_ms));
    compare_income(&model);
    compare_listings(&model);
}

/* Of equally likely cells. */
static double chi_square(const unsigned *counts, size_t cells, unsigned total)
{
    const double expected = (double)total / (double)cells;
    double sum = 0;

    for (size_t i = 0; i < cells; i++) {
        const double off = counts[i] - expected;

        sum += off * off / expected;
    }
    return sum;
}

Test(accounting_story, prices_are_uniform_and_independent)
{
    /* 1001 fees are 13 cells of 77, 2001 rewards are 23 of 87. */
    unsigned fees[13] = {0}, rewards[23] = {0}, both[13 * 23] = {0};
    const unsigned count = 6000;

    for (unsigned i = 0; i < count; i++) {
        cr_assert_eq(create_task(FIXTURE_TIME, i + 1, "Priced", 1 + i % 7), 0);
        const struct accounting_task_priced priced = prices_at(fixture_head(&fixture) - 1);
        const size_t fee = (size_t)(priced.assign_price_cents - 1000) / 77;
        const size_t reward = (size_t)(priced.complete_price_cents - 2000) / 87;

        cr_assert(fee < 13 && reward < 23);
        fees[fee]++;
        rewards[reward]++;
        both[fee * 23 + reward]++;
        ates_arena_reset(fixture.arena);
    }
    /* Exceeded in about one of a million runs: the chi-square distribution's quantiles for 12, 22
     * and 298 degrees of freedom. */
    cr_expect_lt(chi_square(fees, 13, count), 52.0);
    cr_expect_lt(chi_square(rewards, 23, count), 70.0);
    cr_expect_lt(chi_square(both, 13 * 23, count), 430.0);
}

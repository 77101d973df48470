/* See story_compare.h. */
#include "support/story_compare.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

static struct ates_caller administrator(void)
{
    return fixture_caller(1, ATES_ADMINISTRATOR);
}

static void expect_date(struct ates_text text, story_day day)
{
    char date[STORY_DATE_SIZE];

    story_format(day, date);
    cr_assert(ates_text_equal(text, ates_text_from(date)), "%.*s is not %s", (int)text.size,
              text.data, date);
}

static story_day today_of(struct story *story, enum story_service service)
{
    return story_day_at(story->zone, story_time(story, service));
}

static void compare_balances(struct story *story)
{
    struct fixture *accounting = story_fixture(story, STORY_ACCOUNTING);
    const story_day today = today_of(story, STORY_ACCOUNTING);

    for (uint64_t user = 1; user <= story->model.user_count; user++) {
        const struct accounting_show_balance query = {.has_user_id = true, .user_id = user};
        struct accounting_show_balance_result shown;

        fixture_do(accounting, administrator(), "show_balance", &query, &shown);
        cr_assert_eq(shown.balance_cents, story_model_balance(&story->model, user),
                     "balance of %d: %ld", (int)user, (long)shown.balance_cents);
        cr_assert_eq(shown.today_cents, story_model_day_total(&story->model, user, today),
                     "today of %d", (int)user);
    }
}

static struct story_past *past_of(struct story *story, story_day day)
{
    const story_day index = day - story->first_day + 10;

    cr_assert(index >= 0 && index < STORY_PAST_DAYS);
    return &story->past[index];
}

/* The income of a date that is closed never changes. */
static void compare_past_income(struct story *story, story_day day, int64_t income_cents)
{
    struct story_past *past = past_of(story, day);

    if (past->has_income) {
        cr_assert_eq(past->income_cents, income_cents, "a closed date's income changed");
    } else if (day <= story->model.closed_through) {
        past->has_income = true;
        past->income_cents = income_cents;
    }
}

static void compare_incomes(struct story *story)
{
    const story_day from = story->first_day - 1, to = today_of(story, STORY_ANALYTICS) + 2;
    struct accounting_show_income_result booked;
    struct analytics_show_income_result told;
    char from_date[STORY_DATE_SIZE], to_date[STORY_DATE_SIZE];

    story_format(from, from_date);
    story_format(to, to_date);
    const struct accounting_show_income query = {.has_from_date = true,
                                                 .from_date = ates_text_from(from_date),
                                                 .has_to_date = true,
                                                 .to_date = ates_text_from(to_date)};
    const struct analytics_show_income asked = {ates_text_from(from_date), ates_text_from(to_date)};
    fixture_do(story_fixture(story, STORY_ACCOUNTING), administrator(), "show_income", &query,
               &booked);
    fixture_do(story_fixture(story, STORY_ANALYTICS), administrator(), "show_income", &asked,
               &told);
    cr_assert_eq(booked.items.count, (size_t)(to - from) + 1);
    cr_assert_eq(told.items.count, (size_t)(to - from) + 1);
    for (size_t i = 0; i < told.items.count; i++) {
        const struct accounting_income *a =
            (const struct accounting_income *)booked.items.items + i;
        const struct analytics_income *b = (const struct analytics_income *)told.items.items + i;
        const int64_t cents = story_model_income(&story->model, from + (story_day)i);

        expect_date(a->date, from + (story_day)i);
        expect_date(b->date, from + (story_day)i);
        cr_assert_eq(a->income_cents, cents, "accounting's income of %.10s", a->date.data);
        cr_assert_eq(b->income_cents, cents, "analytics' income of %.10s", b->date.data);
        compare_past_income(story, from + (story_day)i, b->income_cents);
    }
}

static void compare_today(struct story *story)
{
    const story_day today = today_of(story, STORY_ANALYTICS);
    struct analytics_today_income_result income;

    fixture_do(story_fixture(story, STORY_ANALYTICS), administrator(), "today_income", NULL,
               &income);
    expect_date(income.date, today);
    cr_assert_eq(income.income_cents, story_model_income(&story->model, today));
}

static void compare_debts(struct story *story)
{
    struct fixture *analytics = story_fixture(story, STORY_ANALYTICS);
    struct analytics_negative_balances query = {.has_limit = true,
                                                .limit = 1 + story_draw(story, 20)};
    struct analytics_negative_balances_result page;
    uint64_t debtors[STORY_USERS];
    const size_t count = story_model_debtors(&story->model, debtors);
    size_t seen = 0;

    do {
        fixture_do(analytics, administrator(), "negative_balances", &query, &page);
        const struct analytics_negative_balance *items = page.items.items;

        cr_assert_eq(page.count, count);
        cr_assert_leq(seen + page.items.count, count);
        for (size_t i = 0; i < page.items.count; i++, seen++) {
            char login[32];

            snprintf(login, sizeof login, "popug%lu", (unsigned long)debtors[seen]);
            cr_assert_eq(items[i].user_id, debtors[seen]);
            cr_assert(items[i].has_login && ates_text_equal(items[i].login, ates_text_from(login)));
            cr_assert_eq(items[i].balance_cents, story_model_balance(&story->model, debtors[seen]));
        }
        query.has_after = true;
        query.after = page.next;
    } while (page.has_next);
    cr_assert_eq(seen, count);
}

static void expect_task(const struct story_move *best, bool has_task,
                        const struct analytics_task *task)
{
    char name[40];

    cr_assert_eq(has_task, best != NULL);
    if (best == NULL) {
        return;
    }
    snprintf(name, sizeof name, "Task %lu", (unsigned long)best->task);
    cr_assert_eq(task->task_id, best->task, "the most expensive task is %lu, not %lu",
                 (unsigned long)task->task_id, (unsigned long)best->task);
    cr_assert_eq(task->complete_price_cents, best->cents);
    cr_assert_eq(task->completed_at, best->time);
    cr_assert(ates_text_equal(task->name, ates_text_from(name)));
}

/* A day that tasks' log has left behind has its most expensive one. */
static void compare_past_top(struct story *story, story_day day, uint64_t task_id)
{
    const struct fixture *tasks = story_fixture(story, STORY_TASKS_SERVICE);
    const story_day left = story_day_at(story->zone, ates_engine_head(tasks->engine)->time);
    struct story_past *past = past_of(story, day);

    if (past->has_top) {
        cr_assert_eq(past->top_task_id, task_id, "a past day's most expensive task changed");
    } else if (day < left) {
        past->has_top = true;
        past->top_task_id = task_id;
    }
}

static void compare_top(struct story *story, enum analytics_period period, story_day day)
{
    const story_day today = today_of(story, STORY_ANALYTICS);
    struct analytics_show_the_most_expensive_task_result shown;
    story_day first = day, last = day;
    char date[STORY_DATE_SIZE];

    story_format(day, date);
    const struct analytics_show_the_most_expensive_task query = {
        .has_period = true, .period = (int)period, .has_date = true, .date = ates_text_from(date)};
    if (period == ANALYTICS_WEEK) {
        story_week(day, &first, &last);
    } else if (period == ANALYTICS_MONTH) {
        story_month(day, &first, &last);
    }
    fixture_do(story_fixture(story, STORY_ANALYTICS), administrator(),
               "show_the_most_expensive_task", &query, &shown);
    expect_date(shown.from_date, first);
    expect_date(shown.to_date, last);
    last = last < today ? last : today;
    expect_task(story_model_best(&story->model, first, last), shown.has_task, &shown.task);
    cr_assert_eq(shown.days.count, first <= last ? (size_t)(last - first) + 1 : 0);
    for (size_t i = 0; i < shown.days.count; i++) {
        const struct analytics_day *item = (const struct analytics_day *)shown.days.items + i;
        const story_day own = first + (story_day)i;

        expect_date(item->date, own);
        expect_task(story_model_best(&story->model, own, own), item->has_task, &item->task);
        if (own >= story->first_day) {
            compare_past_top(story, own, item->has_task ? item->task.task_id : 0);
        }
    }
}

static void compare_tops(struct story *story)
{
    const story_day today = today_of(story, STORY_ANALYTICS);
    const story_day other =
        story->first_day + (story_day)story_draw(story, (uint64_t)(today - story->first_day) + 2);

    for (enum analytics_period period = ANALYTICS_DAY; period <= ANALYTICS_MONTH; period++) {
        compare_top(story, period, today);
        compare_top(story, period, other);
    }
}

static void compare_payouts(struct story *story)
{
    struct fixture *accounting = story_fixture(story, STORY_ACCOUNTING);
    struct accounting_show_all_account_transfers query = {
        .has_kind = true, .kind = ACCOUNTING_PAYOUT, .has_limit = true, .limit = 1000};
    struct accounting_show_all_account_transfers_result page;
    size_t seen = 0;

    do {
        fixture_do(accounting, administrator(), "show_all_account_transfers", &query, &page);
        const struct accounting_transfer *items = page.items.items;

        cr_assert_leq(seen + page.items.count, story->model.payout_count);
        for (size_t i = 0; i < page.items.count; i++, seen++) {
            const struct story_payout *payout = &story->model.payouts[seen];

            cr_assert(items[i].user_id == payout->user && items[i].delta_cents == -payout->cents,
                      "payout %d: %ld to %d", (int)seen, (long)items[i].delta_cents,
                      (int)items[i].user_id);
            expect_date(items[i].business_date, payout->day);
        }
        query.has_after = true;
        query.after = page.next;
    } while (page.has_next);
    cr_assert_eq(seen, story->model.payout_count, "%d payouts, not %d", (int)seen,
                 (int)story->model.payout_count);
}

/* One for each payout; how many are sent. */
static size_t compare_mails(struct story *story)
{
    struct fixture *accounting = story_fixture(story, STORY_ACCOUNTING);
    struct accounting_show_mails query = {.has_limit = true, .limit = 1000};
    struct accounting_show_mails_result page;
    size_t seen = 0, sent = 0;

    do {
        fixture_do(accounting, administrator(), "show_mails", &query, &page);
        const struct accounting_mail *items = page.items.items;

        cr_assert_leq(seen + page.items.count, story->model.payout_count);
        for (size_t i = 0; i < page.items.count; i++, seen++) {
            char to[64];

            snprintf(to, sizeof to, "popug%lu@uberpopug.example",
                     (unsigned long)story->model.payouts[seen].user);
            cr_assert(ates_text_equal(items[i].to, ates_text_from(to)) ||
                          (items[i].to.size == 0 && items[i].state == ACCOUNTING_MAIL_QUEUED),
                      "mail %lu to %.*s is not to %s", (unsigned long)items[i].id,
                      (int)items[i].to.size, items[i].to.data, to);
            cr_assert(items[i].state == ACCOUNTING_MAIL_QUEUED ||
                      items[i].state == ACCOUNTING_MAIL_SENT);
            sent += items[i].state == ACCOUNTING_MAIL_SENT;
        }
        query.has_after = true;
        query.after = page.next;
    } while (page.has_next);
    cr_assert_eq(seen, story->model.payout_count, "%d mails for %d payouts", (int)seen,
                 (int)story->model.payout_count);
    return sent;
}

void story_compare(struct story *story)
{
    compare_balances(story);
    compare_incomes(story);
    compare_today(story);
    compare_debts(story);
    compare_tops(story);
    compare_payouts(story);
    compare_mails(story);
    for (size_t i = 0; i < STORY_SERVICES; i++) {
        ates_arena_reset(story->services[i].arena);
    }
}

static void compare_move(const struct accounting_transfer *transfer, const struct story_move *move)
{
    cr_assert_eq(transfer->kind,
                 move->kind == STORY_FEE ? ACCOUNTING_ASSIGN_FEE : ACCOUNTING_COMPLETION_REWARD);
    cr_assert(transfer->user_id == move->user && transfer->delta_cents == move->cents &&
                  transfer->task_id == move->task && transfer->timestamp == move->time,
              "transfer %lu", (unsigned long)transfer->id);
    expect_date(transfer->business_date, move->day);
}

/* Every transfer as it was published, and the balances on the way. */
static void compare_transfers(struct story *story)
{
    struct fixture *accounting = story_fixture(story, STORY_ACCOUNTING);
    const struct story_model *model = &story->model;
    int64_t balances[STORY_USERS + 1] = {0};
    struct accounting_transfer_recorded recorded;
    size_t moves = 0, payouts = 0;

    for (uint64_t seq = 1; seq <= fixture_head(accounting); seq++) {
        const struct ates_envelope envelope = fixture_envelope(accounting, seq);

        if (!ates_text_equal(envelope.event_name,
                             ates_text_from(accounting_transfer_recorded_message.name))) {
            continue;
        }
        fixture_event(accounting, seq, &accounting_transfer_recorded_message, &recorded);
        const struct accounting_transfer *transfer = &recorded.transfer;
        cr_assert_leq(transfer->user_id, STORY_USERS);
        balances[transfer->user_id] += transfer->delta_cents;
        cr_assert_eq(transfer->balance_cents, balances[transfer->user_id]);
        if (transfer->kind == ACCOUNTING_PAYOUT) {
            cr_assert_eq(-transfer->delta_cents, model->payouts[payouts++].cents);
        } else {
            cr_assert_lt(moves, model->move_count);
            compare_move(transfer, &model->moves[moves++]);
        }
        ates_arena_reset(accounting->arena);
    }
    cr_assert(moves == model->move_count && payouts == model->payout_count);
}

/* Each in a file named after its date and user. */
static void compare_files(struct story *story, size_t sent)
{
    char path[128];
    size_t count = 0;

    snprintf(path, sizeof path, "%s/accounting/mails", story->folder);
    DIR *folder = opendir(path);
    for (const struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    if (folder != NULL) {
        closedir(folder);
    }
    cr_assert_eq(count, sent, "%d files for %d mails", (int)count, (int)sent);
}

void story_compare_all(struct story *story)
{
    compare_transfers(story);
    const size_t sent = compare_mails(story);
    cr_assert_eq(sent, story->model.payout_count, "%d of %d mails are sent", (int)sent,
                 (int)story->model.payout_count);
    compare_files(story, sent);
    for (enum story_service i = 0; i < STORY_SERVICES; i++) {
        fixture_check_rebuild(&story->services[i]);
        story_rewind(story, i);
        ates_arena_reset(story->services[i].arena);
    }
    story_compare(story);
}

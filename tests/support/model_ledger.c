/* The model's ledger: accounts, business days and payouts; see model.h. Invariant: a day's figures
 * hold what was booked to it, and once it is closed nothing is booked to it any more. */
#include "support/model.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

static struct model_account *account_of(struct model *model, uint64_t user_id)
{
    if (user_id >= model->account_count) {
        const size_t count = (size_t)user_id + 1;

        model->accounts = realloc(model->accounts, count * sizeof *model->accounts);
        cr_assert_not_null(model->accounts);
        memset(model->accounts + model->account_count, 0,
               (count - model->account_count) * sizeof *model->accounts);
        model->account_count = count;
    }
    return &model->accounts[user_id];
}

static struct model_booked *booked_of(struct model_account *account, ates_day day)
{
    for (size_t i = account->day_count; i > 0; i--) {
        if (account->days[i - 1].day == day) {
            return &account->days[i - 1];
        }
    }
    account->days = realloc(account->days, (account->day_count + 1) * sizeof *account->days);
    cr_assert_not_null(account->days);
    account->days[account->day_count] = (struct model_booked){.day = day};
    return &account->days[account->day_count++];
}

static struct model_day *day_of(struct model *model, ates_day day)
{
    for (size_t i = 0; i < model->day_count; i++) {
        if (model->days[i].day == day) {
            return &model->days[i];
        }
    }
    model->days = realloc(model->days, (model->day_count + 1) * sizeof *model->days);
    cr_assert_not_null(model->days);
    model->days[model->day_count] = (struct model_day){.day = day};
    return &model->days[model->day_count++];
}

static ates_day parse(struct ates_text date)
{
    ates_day day = 0;

    cr_assert_eq(ates_day_parse(date.data, date.size, &day), 0, "'%.*s' is no date", (int)date.size,
                 date.data);
    return day;
}

/* The last day that is closed or being closed, as far as the log has told; -1 before any. */
static ates_day closed_through(const struct model *model)
{
    ates_day last = -1;

    for (size_t i = 0; i < model->day_count; i++) {
        const struct model_day *day = &model->days[i];

        if ((day->is_closed || day->paid_count > 0) && day->day > last) {
            last = day->day;
        }
    }
    return last;
}

static void move(struct model *model, const struct accounting_transfer *transfer)
{
    struct model_account *account = account_of(model, transfer->user_id);

    account->balance_cents += transfer->delta_cents;
    cr_assert_eq(transfer->balance_cents, account->balance_cents,
                 "transfer %lu of user %lu leaves %ld cents, not %ld", (unsigned long)transfer->id,
                 (unsigned long)transfer->user_id, (long)transfer->balance_cents,
                 (long)account->balance_cents);
}

void model_book(struct model *model, const struct accounting_transfer *transfer, int64_t caused_at)
{
    const ates_day day = parse(transfer->business_date), caused = ates_day_at(caused_at);

    cr_assert_gt(day, closed_through(model), "transfer %lu is booked to a closed day",
                 (unsigned long)transfer->id);
    cr_assert_geq(day, caused, "transfer %lu is booked before its day",
                  (unsigned long)transfer->id);
    if (day > caused) {
        /* Its day was closed then; that may be told only by what follows. */
        day_of(model, day)->has_late = true;
    }
    move(model, transfer);
    booked_of(account_of(model, transfer->user_id), day)->cents += transfer->delta_cents;
    day_of(model, day)->income_cents -= transfer->delta_cents;
    model->income_cents -= transfer->delta_cents;
}

void model_pay(struct model *model, const struct accounting_transfer *transfer)
{
    const ates_day day = parse(transfer->business_date);
    struct model_account *account = account_of(model, transfer->user_id);
    int64_t due_cents = 0;

    cr_assert_eq(transfer->kind, ACCOUNTING_PAYOUT);
    cr_assert_not(transfer->has_task_id);
    for (size_t i = 0; i < account->day_count; i++) {
        if (account->days[i].day <= day) {
            due_cents += account->days[i].cents - account->days[i].paid_cents;
        }
    }
    cr_assert_gt(due_cents, 0, "user %lu is paid, and had nothing",
                 (unsigned long)transfer->user_id);
    cr_assert_eq(transfer->delta_cents, -due_cents, "user %lu is paid %ld cents of %ld",
                 (unsigned long)transfer->user_id, -(long)transfer->delta_cents, (long)due_cents);
    struct model_booked *booked = booked_of(account, day);
    cr_assert_not(booked->is_paid, "user %lu is paid twice for %.*s",
                  (unsigned long)transfer->user_id, (int)transfer->business_date.size,
                  transfer->business_date.data);
    cr_assert_geq(day, closed_through(model), "days are closed in order");
    booked->is_paid = true;
    booked->paid_cents = due_cents;
    move(model, transfer);
    day_of(model, day)->paid_count++;
    day_of(model, day)->paid_cents += due_cents;
    model->paid_cents += due_cents;
    model->paid_count++;
}

void model_close(struct model *model, const struct accounting_payout_closed *closed)
{
    const ates_day day = parse(closed->business_date);
    struct model_day *figures = day_of(model, day);

    cr_assert_not(figures->is_closed, "%.*s is closed twice", (int)closed->business_date.size,
                  closed->business_date.data);
    cr_assert_geq(day, closed_through(model), "days are closed in order");
    cr_assert_eq(closed->paid_count, figures->paid_count);
    cr_assert_eq(closed->total_cents, figures->paid_cents);
    figures->is_closed = true;
    for (size_t user = 0; user < model->account_count; user++) {
        const struct model_account *account = &model->accounts[user];
        int64_t left_cents = 0;

        for (size_t i = 0; i < account->day_count; i++) {
            if (account->days[i].day <= day) {
                left_cents += account->days[i].cents - account->days[i].paid_cents;
            }
        }
        cr_assert_leq(left_cents, 0, "user %lu was not paid %ld cents", (unsigned long)user,
                      (long)left_cents);
    }
}

void model_end(struct model *model)
{
    for (size_t i = 0; i < model->day_count; i++) {
        bool follows = !model->days[i].has_late;

        for (size_t j = 0; j < model->day_count; j++) {
            follows = follows ||
                      (model->days[j].is_closed && model->days[j].day == model->days[i].day - 1);
        }
        cr_assert(follows, "something was booked late to a day that follows no closed one");
    }
}

int64_t model_balance(const struct model *model, uint64_t user_id)
{
    return user_id < model->account_count ? model->accounts[user_id].balance_cents : 0;
}

/* How money moves; see accounting_ledger.h. */
#include "accounting/accounting_ledger.h"

#include <errno.h>
#include <stdio.h>

int accounting_add(int64_t a, int64_t b, int64_t *sum)
{
    int64_t added;

    if (__builtin_add_overflow(a, b, &added) || added > ATES_INTEGER_MAX ||
        added < -ATES_INTEGER_MAX) {
        return -EOVERFLOW;
    }
    *sum = added;
    return 0;
}

/* The business day to which something that happened at this time belongs: its own, or the first
 * open one where that is closed already, as a closed day never changes. */
static int business_day(struct ates_call *call, int64_t time, ates_day closed_through,
                        ates_day *day)
{
    ates_day own = ates_day_at(time);

    if (time < 0 || own < 0 || own > ATES_DAY_MAX || closed_through >= ATES_DAY_MAX) {
        return ates_refuse(call, ATES_INVALID_ARGUMENT, "TIME_OUT_OF_RANGE");
    }
    *day = own > closed_through ? own : closed_through + 1;
    return 0;
}

/* transfer lacks its balance only. */
static int record(struct ates_call *call, struct accounting_transfer *transfer)
{
    struct accounting_transfer_recorded recorded;
    int64_t balance_cents;

    int r = accounting_state_get_balance(call->txn, transfer->user_id, &balance_cents);
    if (r != 0) {
        return r;
    }
    if (accounting_add(balance_cents, transfer->delta_cents, &transfer->balance_cents) != 0) {
        return ates_refuse(call, ATES_FAILED_PRECONDITION, "BALANCE_OUT_OF_RANGE");
    }
    recorded.transfer = *transfer;
    return ates_emit(call, &accounting_transfer_recorded_message, &recorded);
}

int accounting_book(struct ates_call *call, int64_t time, const struct accounting_transfer *draft)
{
    struct accounting_transfer transfer = *draft;
    struct accounting_counters counters;
    char date[ATES_DATE_SIZE];
    ates_day day = 0;

    int r = accounting_state_get_counters(call->txn, &counters);
    if (r == 0) {
        r = business_day(call, time, counters.closed_through, &day);
    }
    if (r != 0) {
        return r;
    }
    ates_day_format(day, date);
    transfer.id = counters.last_transfer_id + 1;
    transfer.timestamp = time;
    transfer.business_date = (struct ates_text){date, sizeof date - 1};
    return record(call, &transfer);
}

int accounting_book_payout(struct ates_call *call, uint64_t user_id, int64_t cents,
                           struct ates_text business_date, size_t booked)
{
    char description[64];
    struct accounting_counters counters;

    int r = accounting_state_get_counters(call->txn, &counters);
    if (r != 0) {
        return r;
    }
    snprintf(description, sizeof description, "Payout for %.*s", (int)business_date.size,
             business_date.data);
    struct accounting_transfer transfer = {
        .id = counters.last_transfer_id + 1 + booked,
        .timestamp = call->time,
        .user_id = user_id,
        .kind = ACCOUNTING_PAYOUT,
        .delta_cents = -cents,
        .business_date = business_date,
        .description = ates_text_from(description),
    };
    return record(call, &transfer);
}

/* One of the two entries. A payout settles what was earned: it is no part of the day's totals. */
static int post_entry(struct ates_txn *txn, const struct accounting_transfer *transfer,
                      uint64_t account_id, int64_t delta_cents, int64_t *balance_cents)
{
    int64_t total_cents;

    int r = accounting_state_get_balance(txn, account_id, balance_cents);
    if (r == 0) {
        r = accounting_add(*balance_cents, delta_cents, balance_cents);
    }
    if (r == 0) {
        r = accounting_state_put_balance(txn, account_id, *balance_cents);
    }
    if (r != 0 || transfer->kind == ACCOUNTING_PAYOUT) {
        return r;
    }
    r = accounting_state_get_day_total(txn, transfer->business_date, account_id, &total_cents);
    if (r == 0) {
        r = accounting_add(total_cents, delta_cents, &total_cents);
    }
    return r != 0 ? r
                  : accounting_state_put_day_total(txn, transfer->business_date, account_id,
                                                   total_cents);
}

/* A date is looked for from its first fee or reward on, which is not always of that day. */
static int note_date(struct ates_txn *txn, const struct accounting_transfer *transfer)
{
    int64_t first_timestamp;

    int r = accounting_state_get_date(txn, transfer->business_date, &first_timestamp);
    if (r == ATES_NOT_FOUND || (r == 0 && transfer->timestamp < first_timestamp)) {
        r = accounting_state_put_date(txn, transfer->business_date, transfer->timestamp);
    }
    return r;
}

int accounting_post(struct ates_txn *txn, const struct accounting_transfer *transfer)
{
    struct accounting_counters counters;
    int64_t balance_cents, company_cents;

    int r = accounting_state_get_counters(txn, &counters);
    if (r == 0) {
        r = post_entry(txn, transfer, transfer->user_id, transfer->delta_cents, &balance_cents);
    }
    if (r == 0) {
        r = post_entry(txn, transfer, ACCOUNTING_COMPANY, -transfer->delta_cents, &company_cents);
    }
    if (r == 0 && (balance_cents != transfer->balance_cents ||
                   transfer->id != counters.last_transfer_id + 1)) {
        r = -EUCLEAN;
    }
    if (r == 0) {
        r = accounting_state_put_transfer(txn, transfer);
    }
    if (r == 0 && transfer->kind != ACCOUNTING_PAYOUT) {
        r = note_date(txn, transfer);
    }
    if (r != 0) {
        return r;
    }
    counters.last_transfer_id = transfer->id;
    return accounting_state_put_counters(txn, &counters);
}

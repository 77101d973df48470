/* Accounting's rows; see accounting_state.h. */
#include "accounting/accounting_state.h"

#include <assert.h>
#include <errno.h>

#include "core/fields.h"

#define PLACE_SIZE 17u /* timestamp, id, kind */

const char *const accounting_tables[] = {
    "task_prices",    "task_names", "transfers", "by_user", "accounts",
    "day_totals",     "counters",   "dates",     "payouts", "mails",
    "mails_by_state", "mails_due",  NULL,
};

static const char *const phase_names[] = {
    [ACCOUNTING_PAYOUT_WAITING] = "waiting",
    [ACCOUNTING_PAYOUT_PAYING] = "paying",
    [ACCOUNTING_PAYOUT_CLOSED] = "closed",
    NULL,
};

static const struct ates_field accounting_payout_fields[] = {
    {ATES_FIELD(accounting_payout, business_date), ATES_IS_DATE},
    {ATES_FIELD(accounting_payout, phase), .type = ATES_ENUM, .names = phase_names},
    {ATES_FIELD(accounting_payout, tasks_seq), .type = ATES_UINT},
    {ATES_FIELD(accounting_payout, requested_by), .type = ATES_UINT},
    {ATES_OPTIONAL(accounting_payout, request_id), ATES_IS_REQUEST_ID},
    {ATES_OPTIONAL(accounting_payout, traceparent), ATES_IS_TRACEPARENT},
    {ATES_FIELD(accounting_payout, next_user_id), ATES_IS_ID},
    {ATES_FIELD(accounting_payout, paid_count), ATES_IS_COUNT},
    {ATES_FIELD(accounting_payout, total_cents), ATES_IS_CENTS},
};
static ATES_MESSAGE(accounting_payout, "payout");

int accounting_state_get_task(struct ates_txn *txn, uint64_t task_id, struct accounting_task *task)
{
    const struct ates_key key = ates_key_u64(task_id);
    struct ates_bytes prices, name;

    int r = ates_get(txn, ACCOUNTING_TASK_PRICES, &key, &prices);
    if (r == 0) {
        r = ates_get(txn, ACCOUNTING_TASK_NAMES, &key, &name);
    }
    if (r == 0 && prices.size != 16) {
        r = -EBADMSG;
    }
    if (r == 0) {
        task->assign_price_cents = (int64_t)ates_u64_from(prices.data);
        task->complete_price_cents = (int64_t)ates_u64_from(prices.data + 8);
        task->name = (struct ates_text){(const char *)name.data, name.size};
    }
    return r;
}

int accounting_state_put_prices(struct ates_txn *txn, const struct accounting_task_priced *prices)
{
    const struct ates_key key = ates_key_u64(prices->task_id);
    struct ates_key row = ates_key_u64((uint64_t)prices->assign_price_cents);

    ates_key_add_u64(&row, (uint64_t)prices->complete_price_cents);
    return ates_put(txn, ACCOUNTING_TASK_PRICES, &key, row.data, row.size);
}

int accounting_state_put_name(struct ates_txn *txn, const struct accounting_task_known *known)
{
    const struct ates_key key = ates_key_u64(known->task_id);

    return ates_put(txn, ACCOUNTING_TASK_NAMES, &key, known->name.data, known->name.size);
}

int accounting_state_find_account(struct ates_txn *txn, uint64_t account_id)
{
    const struct ates_key key = ates_key_u64(account_id);
    struct ates_bytes row;

    return ates_get(txn, ACCOUNTING_ACCOUNTS, &key, &row);
}

int accounting_state_get_balance(struct ates_txn *txn, uint64_t account_id, int64_t *cents)
{
    const struct ates_key key = ates_key_u64(account_id);

    return ates_get_number(txn, ACCOUNTING_ACCOUNTS, &key, cents);
}

int accounting_state_put_balance(struct ates_txn *txn, uint64_t account_id, int64_t cents)
{
    const struct ates_key key = ates_key_u64(account_id);

    return ates_put_number(txn, ACCOUNTING_ACCOUNTS, &key, cents);
}

struct ates_key accounting_day_total_key(struct ates_text date, uint64_t account_id)
{
    struct ates_key key = {.size = 0};

    ates_key_add_bytes(&key, date.data, date.size);
    ates_key_add_u64(&key, account_id);
    return key;
}

int accounting_state_get_day_total(struct ates_txn *txn, struct ates_text date, uint64_t account_id,
                                   int64_t *cents)
{
    const struct ates_key key = accounting_day_total_key(date, account_id);

    return ates_get_number(txn, ACCOUNTING_DAY_TOTALS, &key, cents);
}

int accounting_state_put_day_total(struct ates_txn *txn, struct ates_text date, uint64_t account_id,
                                   int64_t cents)
{
    const struct ates_key key = accounting_day_total_key(date, account_id);

    return ates_put_number(txn, ACCOUNTING_DAY_TOTALS, &key, cents);
}

static struct ates_key counters_key(void)
{
    return (struct ates_key){.size = 8, .data = "counters"};
}

int accounting_state_get_counters(struct ates_txn *txn, struct accounting_counters *counters)
{
    const struct ates_key key = counters_key();
    struct ates_bytes row;

    int r = ates_get(txn, ACCOUNTING_COUNTERS, &key, &row);
    if (r == ATES_NOT_FOUND) {
        *counters = (struct accounting_counters){.closed_through = -1};
        return 0;
    }
    if (r == 0 && row.size != 24) {
        return -EBADMSG;
    }
    if (r == 0) {
        counters->last_transfer_id = ates_u64_from(row.data);
        counters->closed_through = (ates_day)(int64_t)ates_u64_from(row.data + 8);
        counters->last_mail_id = ates_u64_from(row.data + 16);
    }
    return r;
}

int accounting_state_put_counters(struct ates_txn *txn, const struct accounting_counters *counters)
{
    const struct ates_key key = counters_key();
    struct ates_key row = ates_key_u64(counters->last_transfer_id);

    ates_key_add_u64(&row, (uint64_t)(int64_t)counters->closed_through);
    ates_key_add_u64(&row, counters->last_mail_id);
    return ates_put(txn, ACCOUNTING_COUNTERS, &key, row.data, row.size);
}

static struct ates_key date_key(struct ates_text date)
{
    struct ates_key key = {.size = 0};

    ates_key_add_bytes(&key, date.data, date.size);
    return key;
}

int accounting_state_get_date(struct ates_txn *txn, struct ates_text date, int64_t *first_timestamp)
{
    const struct ates_key key = date_key(date);
    struct ates_bytes row;

    int r = ates_get(txn, ACCOUNTING_DATES, &key, &row);
    if (r == 0 && row.size != 8) {
        r = -EBADMSG;
    }
    if (r == 0) {
        *first_timestamp = (int64_t)ates_u64_from(row.data);
    }
    return r;
}

int accounting_state_put_date(struct ates_txn *txn, struct ates_text date, int64_t first_timestamp)
{
    const struct ates_key key = date_key(date);

    return ates_put_number(txn, ACCOUNTING_DATES, &key, first_timestamp);
}

int accounting_state_first_date(struct ates_txn *txn, ates_day *day)
{
    struct ates_bytes key, value;
    struct ates_scan scan;

    int r = ates_scan_open(&scan, txn, ACCOUNTING_DATES, NULL, NULL);
    if (r != 0) {
        return r;
    }
    r = ates_scan_next(&scan, &key, &value);
    if (r == 0) {
        r = ates_day_parse((const char *)key.data, key.size, day) == 0 ? 0 : -EBADMSG;
    }
    ates_scan_close(&scan);
    return r;
}

int accounting_state_get_payout(struct ates_txn *txn, struct ates_text date,
                                struct accounting_payout *payout)
{
    const struct ates_key key = date_key(date);

    return ates_get_message(txn, ACCOUNTING_PAYOUTS, &key, &accounting_payout_message, payout);
}

int accounting_state_put_payout(struct ates_txn *txn, const struct accounting_payout *payout)
{
    const struct ates_key key = date_key(payout->business_date);

    return ates_put_message(txn, ACCOUNTING_PAYOUTS, &key, &accounting_payout_message, payout);
}

/* Dates are closed in order and one at a time: it can only be the last one. */
int accounting_state_open_payout(struct ates_txn *txn, struct accounting_payout *payout)
{
    struct ates_bytes key, value;
    struct ates_scan scan;

    int r = ates_scan_open_ordered(&scan, txn, ACCOUNTING_PAYOUTS, NULL, NULL, true);
    if (r != 0) {
        return r;
    }
    r = ates_scan_next(&scan, &key, &value);
    const struct ates_text date = {r == 0 ? ates_arena_copy(txn->arena, key.data, key.size) : NULL,
                                   r == 0 ? key.size : 0};
    ates_scan_close(&scan);
    if (r == 0) {
        r = accounting_state_get_payout(txn, date, payout);
    }
    return r == 0 && payout->phase == ACCOUNTING_PAYOUT_CLOSED ? ATES_NOT_FOUND : r;
}

static void add_place(struct ates_key *key, const struct accounting_place *place)
{
    assert(place->timestamp >= 0); /* else it would sort after all others */
    ates_key_add_u64(key, (uint64_t)place->timestamp);
    ates_key_add_u64(key, place->id);
    ates_key_add_u8(key, (uint8_t)place->kind);
}

struct ates_key accounting_transfer_key(const struct accounting_place *place)
{
    struct ates_key key = {.size = 0};

    add_place(&key, place);
    return key;
}

int accounting_place_from(struct ates_bytes key, struct accounting_place *place)
{
    if (key.size < PLACE_SIZE) {
        return -EBADMSG;
    }
    const uint8_t *at = key.data + key.size - PLACE_SIZE;

    place->timestamp = (int64_t)ates_u64_from(at);
    place->id = ates_u64_from(at + 8);
    place->kind = at[16];
    return 0;
}

int accounting_state_put_transfer(struct ates_txn *txn, const struct accounting_transfer *transfer)
{
    const struct accounting_place place = {transfer->timestamp, transfer->id, transfer->kind};
    const struct ates_key key = accounting_transfer_key(&place);
    struct ates_key user_key = ates_key_u64(transfer->user_id);

    add_place(&user_key, &place);
    int r =
        ates_put_message(txn, ACCOUNTING_TRANSFERS, &key, &accounting_transfer_message, transfer);
    return r != 0 ? r : ates_put(txn, ACCOUNTING_BY_USER, &user_key, "", 0);
}

int accounting_state_get_transfer(struct ates_txn *txn, const struct accounting_place *place,
                                  struct accounting_transfer *transfer, size_t *row_size)
{
    const struct ates_key key = accounting_transfer_key(place);
    struct ates_bytes row;

    int r = ates_get(txn, ACCOUNTING_TRANSFERS, &key, &row);
    if (r != 0) {
        return r;
    }
    if (ates_message_decode(&accounting_transfer_message, row.data, row.size, ATES_UNKNOWN_IGNORED,
                            txn->arena, transfer, NULL) != 0) {
        return -EBADMSG;
    }
    *row_size = row.size;
    return 0;
}

int accounting_scan_open(struct ates_scan *scan, struct ates_txn *txn, const uint64_t *user_id,
                         const struct accounting_place *from, bool newest_first)
{
    struct ates_key prefix = {.size = 0};

    if (user_id != NULL) {
        ates_key_add_u64(&prefix, *user_id);
    }
    struct ates_key key = prefix;
    add_place(&key, from);
    return ates_scan_open_ordered(scan, txn,
                                  user_id != NULL ? ACCOUNTING_BY_USER : ACCOUNTING_TRANSFERS,
                                  &prefix, &key, newest_first);
}

int accounting_scan_next(struct ates_scan *scan, struct accounting_place *place)
{
    struct ates_bytes key, value;

    int r = ates_scan_next(scan, &key, &value);
    return r != 0 ? r : accounting_place_from(key, place);
}

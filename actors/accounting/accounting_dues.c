/* Who is to be paid how much; see accounting_dues.h. */
#include "accounting/accounting_dues.h"

#include <errno.h>
#include <string.h>

#include "accounting/accounting_ledger.h"

/* That one call of accounting_next_dues looks at: an account's balance, and what each later date
 * moved. */
#define CHUNK_ROWS 1000u

/* The later dates that have transfers already: what they moved is no part of the balance at a
 * date's end. */
struct later_dates {
    struct ates_text *items;
    size_t count;
};

static int find_later_dates(struct ates_txn *txn, struct ates_text date, struct later_dates *later)
{
    struct ates_key from = {.size = 0};
    struct ates_bytes key, value;
    struct ates_scan scan;
    size_t capacity = 0;

    *later = (struct later_dates){.count = 0};
    ates_key_add_bytes(&from, date.data, date.size);
    ates_key_add_u8(&from, 0); /* the first key after the date's own */
    int r = ates_scan_open(&scan, txn, ACCOUNTING_DATES, NULL, &from);
    if (r != 0) {
        return r;
    }
    while ((r = ates_scan_next(&scan, &key, &value)) == 0) {
        if (later->count == capacity) {
            capacity = capacity == 0 ? 8 : 2 * capacity;
            struct ates_text *items = ates_arena_alloc(txn->arena, capacity * sizeof *items);

            if (later->count > 0) {
                memcpy(items, later->items, later->count * sizeof *items);
            }
            later->items = items;
        }
        later->items[later->count++] =
            (struct ates_text){ates_arena_copy(txn->arena, key.data, key.size), key.size};
    }
    ates_scan_close(&scan);
    return r == ATES_NOT_FOUND ? 0 : r;
}

/* max(0, the account's balance at the date's end), from its balance now. */
static int due_cents(struct ates_txn *txn, const struct later_dates *later, uint64_t user_id,
                     int64_t balance_cents, int64_t *cents)
{
    int64_t moved_cents;
    int r = 0;

    for (size_t i = 0; r == 0 && i < later->count; i++) {
        r = accounting_state_get_day_total(txn, later->items[i], user_id, &moved_cents);
        if (r == 0) {
            r = accounting_add(balance_cents, -moved_cents, &balance_cents);
        }
    }
    *cents = balance_cents > 0 ? balance_cents : 0;
    return r;
}

/* Accounts of users, in order. */
struct account_walk {
    struct ates_scan scan;
    uint64_t user_id;
    int64_t balance_cents;
};

static int open_walk(struct account_walk *walk, struct ates_txn *txn, uint64_t first_user_id)
{
    const struct ates_key from = ates_key_u64(first_user_id);

    return ates_scan_open(&walk->scan, txn, ACCOUNTING_ACCOUNTS, NULL, &from);
}

static int next_account(struct account_walk *walk)
{
    struct ates_bytes key, value;

    int r = ates_scan_next(&walk->scan, &key, &value);
    if (r == 0 && (key.size != 8 || value.size != 8)) {
        return -EBADMSG;
    }
    if (r == 0) {
        walk->user_id = ates_u64_from(key.data);
        walk->balance_cents = (int64_t)ates_u64_from(value.data);
    }
    return r;
}

int accounting_next_dues(struct ates_txn *txn, const struct accounting_payout *payout,
                         struct accounting_due *dues, size_t most, size_t *count,
                         uint64_t *next_user_id)
{
    struct later_dates later;
    struct account_walk walk;
    int64_t cents = 0;
    size_t looked_at = 0, found = 0;

    int r = find_later_dates(txn, payout->business_date, &later);
    if (r == 0) {
        r = open_walk(&walk, txn, payout->next_user_id);
    }
    if (r != 0) {
        return r;
    }
    *next_user_id = 0;
    while ((r = next_account(&walk)) == 0) {
        if (looked_at >= CHUNK_ROWS || found == most) {
            *next_user_id = walk.user_id;
            break;
        }
        looked_at += 1 + later.count;
        r = due_cents(txn, &later, walk.user_id, walk.balance_cents, &cents);
        if (r != 0) {
            break;
        }
        if (cents > 0) {
            dues[found++] = (struct accounting_due){walk.user_id, cents};
        }
    }
    ates_scan_close(&walk.scan);
    *count = found;
    return r == ATES_NOT_FOUND ? 0 : r;
}

int accounting_sum_dues(struct ates_txn *txn, struct accounting_pay_to_workers_result *result)
{
    struct later_dates later;
    struct account_walk walk;
    int64_t cents = 0;

    int r = find_later_dates(txn, result->business_date, &later);
    if (r == 0) {
        r = open_walk(&walk, txn, ACCOUNTING_COMPANY + 1);
    }
    if (r != 0) {
        return r;
    }
    while ((r = next_account(&walk)) == 0) {
        r = due_cents(txn, &later, walk.user_id, walk.balance_cents, &cents);
        if (r == 0) {
            r = accounting_add(result->total_cents, cents, &result->total_cents);
        }
        if (r != 0) {
            break;
        }
        result->paid_count += cents > 0;
    }
    ates_scan_close(&walk.scan);
    return r == ATES_NOT_FOUND ? 0 : r;
}

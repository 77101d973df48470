/* Accounting's snapshot; see accounting_snapshot.h. */
#include "accounting/accounting_snapshot.h"

#include <errno.h>

#include "accounting/accounting_state.h"

static int make_balance(struct ates_txn *txn, struct ates_bytes key, struct ates_bytes value,
                        void *memory, void *item)
{
    struct accounting_balance_snapshot *balance = item;

    (void)txn, (void)memory;
    if (key.size != 8 || value.size != 8) {
        return -EBADMSG;
    }
    *balance = (struct accounting_balance_snapshot){
        .user_id = ates_u64_from(key.data),
        .balance_cents = (int64_t)ates_u64_from(value.data),
    };
    return balance->user_id == ACCOUNTING_COMPANY ? ATES_NOT_FOUND : 0;
}

static int make_income(struct ates_txn *txn, struct ates_bytes key, struct ates_bytes value,
                       void *memory, void *item)
{
    struct accounting_income_snapshot *income = item;

    (void)value, (void)memory;
    income->business_date = (struct ates_text){(const char *)key.data, key.size};
    return accounting_state_get_day_total(txn, income->business_date, ACCOUNTING_COMPANY,
                                          &income->income_cents);
}

/* The highest reward of the day so far. */
struct day_memory {
    ates_day day;
    struct accounting_reward_snapshot best; /* task_id 0: none */
};
_Static_assert(sizeof(struct day_memory) <= ATES_SNAPSHOT_MEMORY, "it must fit");

/* Of two equal rewards the earlier counts, then the smaller task id, as in analytics. */
static bool beats(const struct accounting_reward_snapshot *a,
                  const struct accounting_reward_snapshot *b)
{
    if (b->task_id == 0 || a->complete_price_cents != b->complete_price_cents) {
        return b->task_id == 0 || a->complete_price_cents > b->complete_price_cents;
    }
    return a->completed_at < b->completed_at ||
           (a->completed_at == b->completed_at && a->task_id < b->task_id);
}

/* Transfers come in the order of time: of a day's n rewards some ln n are the highest so far, and who
 * takes the highest of those has the day's. */
static int make_reward(struct ates_txn *txn, struct ates_bytes key, struct ates_bytes value,
                       void *memory, void *item)
{
    struct accounting_reward_snapshot *reward = item;
    struct day_memory *seen = memory;
    struct accounting_transfer transfer;
    struct accounting_place place;

    int r = accounting_place_from(key, &place);
    if (r != 0 || place.kind != ACCOUNTING_COMPLETION_REWARD) {
        return r != 0 ? r : ATES_NOT_FOUND;
    }
    if (ates_message_decode(&accounting_transfer_message, value.data, value.size,
                            ATES_UNKNOWN_IGNORED, txn->arena, &transfer, NULL) != 0) {
        return -EBADMSG;
    }
    *reward = (struct accounting_reward_snapshot){
        .task_id = transfer.task_id,
        .complete_price_cents = transfer.delta_cents,
        .completed_at = transfer.timestamp,
    };
    const ates_day day = ates_day_at(transfer.timestamp);
    if (day == seen->day && !beats(reward, &seen->best)) {
        return ATES_NOT_FOUND;
    }
    *seen = (struct day_memory){.day = day, .best = *reward};
    return 0;
}

static int make_payout(struct ates_txn *txn, struct ates_bytes key, struct ates_bytes value,
                       void *memory, void *item)
{
    const struct ates_text date = {(const char *)key.data, key.size};
    struct accounting_payout_closed *closed = item;
    struct accounting_payout payout;

    (void)value, (void)memory;
    int r = accounting_state_get_payout(txn, date, &payout);
    if (r != 0 || payout.phase != ACCOUNTING_PAYOUT_CLOSED) {
        return r != 0 ? r : ATES_NOT_FOUND;
    }
    *closed = (struct accounting_payout_closed){
        .business_date = payout.business_date,
        .paid_count = payout.paid_count,
        .total_cents = payout.total_cents,
    };
    return 0;
}

const struct ates_snapshot_part accounting_snapshot[ACCOUNTING_SNAPSHOT_PARTS] = {
    {&accounting_balance_snapshot_message, ACCOUNTING_ACCOUNTS, make_balance},
    {&accounting_income_snapshot_message, ACCOUNTING_DATES, make_income},
    {&accounting_reward_snapshot_message, ACCOUNTING_TRANSFERS, make_reward},
    {&accounting_payout_snapshot_message, ACCOUNTING_PAYOUTS, make_payout},
};

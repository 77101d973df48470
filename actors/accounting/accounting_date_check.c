/* Whether what is kept of each business date agrees; see accounting_date_check.h. */
#include "accounting/accounting_date_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "accounting/accounting_ledger.h"

#define DATE_SIZE (ATES_DATE_SIZE - 1)

/* Where the date is, or would be. The last one found is the likeliest: a user's transfers come by
 * time. */
static size_t find(const struct accounting_date_check *self, const char *date)
{
    size_t low = 0, high = self->count;

    if (self->last < self->count && memcmp(self->dates[self->last].date, date, DATE_SIZE) == 0) {
        return self->last;
    }
    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (memcmp(self->dates[middle].date, date, DATE_SIZE) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool is_at(const struct accounting_date_check *self, size_t at, const char *date)
{
    return at < self->count && memcmp(self->dates[at].date, date, DATE_SIZE) == 0;
}

static struct accounting_date_sum *find_or_add(struct accounting_date_check *self,
                                               struct ates_bytes date)
{
    const size_t at = find(self, (const char *)date.data);

    if (is_at(self, at, (const char *)date.data)) {
        return &self->dates[at];
    }
    if (self->count == self->capacity) {
        const size_t capacity = self->capacity == 0 ? 64 : 2 * self->capacity;
        struct accounting_date_sum *dates = ates_arena_alloc(self->arena, capacity * sizeof *dates);

        if (self->count > 0) {
            memcpy(dates, self->dates, self->count * sizeof *dates);
        }
        self->dates = dates;
        self->capacity = capacity;
    }
    memmove(&self->dates[at + 1], &self->dates[at], (self->count - at) * sizeof *self->dates);
    self->dates[at] = (struct accounting_date_sum){.has_first = false};
    memcpy(self->dates[at].date, date.data, DATE_SIZE);
    self->count++;
    return &self->dates[at];
}

static int read_dates(struct accounting_date_check *self, struct ates_txn *txn)
{
    struct ates_bytes key, value;
    struct ates_scan scan;

    int r = ates_scan_open(&scan, txn, ACCOUNTING_DATES, NULL, NULL);
    while (r == 0 && (r = ates_scan_next(&scan, &key, &value)) == 0) {
        if (key.size != DATE_SIZE || value.size != 8) {
            r = -EBADMSG;
            break;
        }
        struct accounting_date_sum *sum = find_or_add(self, key);
        sum->has_first = true;
        sum->first_timestamp = (int64_t)ates_u64_from(value.data);
    }
    ates_scan_close(&scan);
    return r == ATES_NOT_FOUND ? 0 : r;
}

static int read_payouts(struct accounting_date_check *self, struct ates_txn *txn)
{
    struct accounting_payout payout;
    struct ates_bytes key, value;
    struct ates_scan scan;

    int r = ates_scan_open(&scan, txn, ACCOUNTING_PAYOUTS, NULL, NULL);
    while (r == 0 && (r = ates_scan_next(&scan, &key, &value)) == 0) {
        const struct ates_text date = {(const char *)key.data, key.size};

        if (key.size != DATE_SIZE || accounting_state_get_payout(txn, date, &payout) != 0 ||
            !ates_text_equal(payout.business_date, date)) {
            r = -EBADMSG;
            break;
        }
        struct accounting_date_sum *sum = find_or_add(self, key);
        sum->paid_count = payout.paid_count;
        sum->total_cents = payout.total_cents;
    }
    ates_scan_close(&scan);
    return r == ATES_NOT_FOUND ? 0 : r;
}

int accounting_date_check_begin(struct accounting_date_check *self, struct ates_txn *txn)
{
    *self = (struct accounting_date_check){.arena = txn->arena};
    int r = read_dates(self, txn);
    return r != 0 ? r : read_payouts(self, txn);
}

int accounting_date_check_add(struct accounting_date_check *self,
                              const struct accounting_transfer *transfer)
{
    const size_t at = find(self, transfer->business_date.data);

    if (!is_at(self, at, transfer->business_date.data)) {
        return ATES_NOT_FOUND;
    }
    struct accounting_date_sum *sum = &self->dates[at];
    self->last = at;
    if (transfer->kind == ACCOUNTING_PAYOUT) {
        sum->seen_count++;
        return accounting_add(sum->seen_cents, -transfer->delta_cents, &sum->seen_cents);
    }
    if (!sum->seen_first || transfer->timestamp < sum->seen_timestamp) {
        sum->seen_first = true;
        sum->seen_timestamp = transfer->timestamp;
    }
    return 0;
}

int accounting_date_check_end(const struct accounting_date_check *self, char *error,
                              size_t error_size)
{
    for (size_t i = 0; i < self->count; i++) {
        const struct accounting_date_sum *sum = &self->dates[i];

        if (sum->has_first != sum->seen_first || sum->first_timestamp != sum->seen_timestamp) {
            snprintf(error, error_size,
                     "%s begins with %" PRId64 ", but its transfers with %" PRId64, sum->date,
                     sum->first_timestamp, sum->seen_timestamp);
            return -EBADMSG;
        }
        if (sum->paid_count != sum->seen_count || sum->total_cents != sum->seen_cents) {
            snprintf(error, error_size,
                     "the payout of %s is %" PRIu64 " of %" PRId64 " in all, but its transfers are "
                     "%" PRIu64 " of %" PRId64,
                     sum->date, sum->paid_count, sum->total_cents, sum->seen_count,
                     sum->seen_cents);
            return -EBADMSG;
        }
    }
    return 0;
}

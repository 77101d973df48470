/* Whether accounting's rows agree; see accounting_check.h.
 *
 * One walk through by_user and accounts together, which are in the same order, compares each user's
 * balance and day totals with the transfers; one through day_totals then compares the company's.
 * What is kept of each date, and of mails, is compared by accounting_date_check and
 * accounting_mail_check. Rows are read in place: the map may be far larger than the memory. */
#include "accounting/accounting_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "accounting/accounting_date_check.h"
#include "accounting/accounting_ledger.h"
#include "accounting/accounting_mail_check.h"

#define DATE_SIZE (ATES_DATE_SIZE - 1)

/* The sum of one user's fees and rewards of a date. */
struct day_sum {
    char date[DATE_SIZE];
    int64_t cents;
};

struct check {
    struct ates_txn *txn;
    char *error;
    size_t error_size;
    struct ates_scan by_user, transfers, day_totals;
    uint64_t user_id;              /* of the by_user row in hand */
    struct accounting_place place; /* likewise */
    bool by_user_ended;
    uint64_t transfer_count, total_count; /* verified ones */
    struct day_sum *days;                 /* of the user in hand */
    size_t day_count, day_capacity;
    struct accounting_date_check dates;
    struct ates_arena *scratch; /* of the transfer in hand */
};

__attribute__((format(printf, 2, 3))) static int fail(struct check *self, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(self->error, self->error_size, format, arguments);
    va_end(arguments);
    return -EBADMSG;
}

static int next_by_user(struct check *self)
{
    struct ates_bytes key, value;

    int r = ates_scan_next(&self->by_user, &key, &value);
    if (r == ATES_NOT_FOUND) {
        self->by_user_ended = true;
        return 0;
    }
    if (r == 0) {
        r = accounting_place_from(key, &self->place);
    }
    if (r == 0) {
        self->user_id = ates_u64_from(key.data);
    }
    return r;
}

/* Reads the row with exactly this key in place, which does not last. */
static int read_row(struct ates_scan *scan, const struct ates_key *wanted, struct ates_bytes *value)
{
    struct ates_bytes key;

    ates_scan_seek(scan, wanted);
    int r = ates_scan_next(scan, &key, value);
    if (r == 0 && (key.size != wanted->size || memcmp(key.data, wanted->data, key.size) != 0)) {
        r = ATES_NOT_FOUND;
    }
    return r;
}

static int add_to_day(struct check *self, const struct accounting_transfer *transfer)
{
    size_t i = self->day_count;

    if (transfer->kind == ACCOUNTING_PAYOUT) {
        return 0;
    }
    while (i > 0 && memcmp(self->days[i - 1].date, transfer->business_date.data, DATE_SIZE) != 0) {
        i--;
    }
    if (i > 0) {
        return accounting_add(self->days[i - 1].cents, transfer->delta_cents,
                              &self->days[i - 1].cents);
    }
    if (self->day_count == self->day_capacity) {
        const size_t capacity = self->day_capacity == 0 ? 32 : self->day_capacity * 2;
        struct day_sum *days = ates_arena_alloc(self->txn->arena, capacity * sizeof *days);

        if (self->day_count > 0) {
            memcpy(days, self->days, self->day_count * sizeof *days);
        }
        self->days = days;
        self->day_capacity = capacity;
    }
    struct day_sum *day = &self->days[self->day_count++];
    memcpy(day->date, transfer->business_date.data, DATE_SIZE);
    day->cents = transfer->delta_cents;
    return 0;
}

static int add_to_date(struct check *self, const struct accounting_transfer *transfer)
{
    int r = accounting_date_check_add(&self->dates, transfer);

    if (r == ATES_NOT_FOUND) {
        return fail(self, "transfer %" PRIu64 " is of %.*s, of which nothing is known",
                    transfer->id, (int)DATE_SIZE, transfer->business_date.data);
    }
    return r == -EOVERFLOW ? fail(self, "the payouts of %.*s overflow", (int)DATE_SIZE,
                                  transfer->business_date.data)
                           : r;
}

/* The transfer to which the by_user row in hand leads. */
static int add_transfer(struct check *self, int64_t *sum)
{
    const struct ates_key key = accounting_transfer_key(&self->place);
    struct accounting_transfer transfer;
    struct ates_bytes row;

    ates_arena_reset(self->scratch);
    int r = read_row(&self->transfers, &key, &row);
    if (r < 0) {
        return r;
    }
    if (r != 0 || ates_message_decode(&accounting_transfer_message, row.data, row.size,
                                      ATES_UNKNOWN_IGNORED, self->scratch, &transfer, NULL) != 0) {
        return fail(self, "transfer %" PRIu64 " is missing or broken", self->place.id);
    }
    if (transfer.user_id != self->user_id || transfer.id != self->place.id ||
        transfer.timestamp != self->place.timestamp || transfer.kind != self->place.kind) {
        return fail(self, "transfer %" PRIu64 " is not what its key says", self->place.id);
    }
    self->transfer_count++;
    if (accounting_add(*sum, transfer.delta_cents, sum) != 0 || add_to_day(self, &transfer) != 0) {
        return fail(self, "the transfers of user %" PRIu64 " overflow", self->user_id);
    }
    return add_to_date(self, &transfer);
}

static int check_user_days(struct check *self, uint64_t user_id)
{
    for (size_t i = 0; i < self->day_count; i++) {
        const struct ates_text date = {self->days[i].date, DATE_SIZE};
        const struct ates_key key = accounting_day_total_key(date, user_id);
        struct ates_bytes row;

        int r = read_row(&self->day_totals, &key, &row);
        if (r < 0) {
            return r;
        }
        if (r != 0 || row.size != 8 || (int64_t)ates_u64_from(row.data) != self->days[i].cents) {
            return fail(self,
                        "the total of user %" PRIu64 " on %.*s is not %" PRId64
                        ", the sum of its transfers",
                        user_id, (int)DATE_SIZE, date.data, self->days[i].cents);
        }
    }
    self->total_count += self->day_count;
    return 0;
}

static int fail_without_account(struct check *self)
{
    return fail(self, "transfer %" PRIu64 " of user %" PRIu64 " has no account", self->place.id,
                self->user_id);
}

/* One account against its transfers, which are the next rows of by_user. */
static int check_account(struct check *self, uint64_t account_id, int64_t balance_cents)
{
    int64_t sum = 0;
    int r = 0;

    if (!self->by_user_ended && self->user_id < account_id) {
        return fail_without_account(self);
    }
    self->day_count = 0;
    while (r == 0 && !self->by_user_ended && self->user_id == account_id) {
        r = add_transfer(self, &sum);
        if (r == 0) {
            r = next_by_user(self);
        }
    }
    if (r != 0 || account_id == ACCOUNTING_COMPANY) {
        return r; /* the company's balance is the others' negated sum */
    }
    if (sum != balance_cents) {
        return fail(self,
                    "the balance of user %" PRIu64 " is %" PRId64
                    ", but its transfers sum to %" PRId64,
                    account_id, balance_cents, sum);
    }
    return check_user_days(self, account_id);
}

static int check_accounts(struct check *self, struct ates_scan *accounts)
{
    struct ates_bytes key, value;
    int64_t sum = 0;

    int r = next_by_user(self);
    while (r == 0 && (r = ates_scan_next(accounts, &key, &value)) == 0) {
        if (key.size != 8 || value.size != 8) {
            return fail(self, "a broken row in accounts");
        }
        const int64_t balance_cents = (int64_t)ates_u64_from(value.data);
        if (accounting_add(sum, balance_cents, &sum) != 0) {
            return fail(self, "the balances overflow");
        }
        r = check_account(self, ates_u64_from(key.data), balance_cents);
    }
    if (r < 0) {
        return r;
    }
    if (!self->by_user_ended) {
        return fail_without_account(self);
    }
    return sum == 0 ? 0 : fail(self, "all balances sum to %" PRId64 ", not to 0", sum);
}

/* Every transfer was reached through by_user, and their ids are 1, 2, 3 ... */
static int check_counts(struct check *self)
{
    struct accounting_counters counters;
    struct ates_bytes key, value;
    uint64_t count = 0;
    int r;

    ates_scan_seek(&self->transfers, &self->transfers.prefix);
    while ((r = ates_scan_next(&self->transfers, &key, &value)) == 0) {
        count++;
    }
    if (r == ATES_NOT_FOUND) {
        r = accounting_state_get_counters(self->txn, &counters);
    }
    if (r == 0 && (count != self->transfer_count || count != counters.last_transfer_id)) {
        r = fail(self,
                 "%" PRIu64 " transfers, %" PRIu64 " of them in by_user; the last id is %" PRIu64,
                 count, self->transfer_count, counters.last_transfer_id);
    }
    return r;
}

/* As the users' totals were found right, the company's is right where the date sums to 0. */
static int check_income(struct check *self)
{
    struct ates_bytes key, value;
    char date[DATE_SIZE] = "";
    uint64_t count = 0;
    int64_t sum = 0;
    int r;

    ates_scan_seek(&self->day_totals, &self->day_totals.prefix);
    while ((r = ates_scan_next(&self->day_totals, &key, &value)) == 0) {
        if (key.size != DATE_SIZE + 8 || value.size != 8) {
            return fail(self, "a broken row in day_totals");
        }
        if (memcmp(date, key.data, DATE_SIZE) != 0) {
            if (sum != 0) {
                break;
            }
            memcpy(date, key.data, DATE_SIZE);
        }
        count += ates_u64_from(key.data + DATE_SIZE) != ACCOUNTING_COMPANY;
        if (accounting_add(sum, (int64_t)ates_u64_from(value.data), &sum) != 0) {
            return fail(self, "the totals of %.*s overflow", (int)DATE_SIZE, date);
        }
    }
    if (r < 0) {
        return r;
    }
    if (sum != 0) {
        return fail(self, "the income of %.*s is off by %" PRId64, (int)DATE_SIZE, date, sum);
    }
    if (count != self->total_count) {
        return fail(self, "%" PRIu64 " day totals, but transfers for %" PRIu64, count,
                    self->total_count);
    }
    return 0;
}

static int begin_dates(struct check *self)
{
    int r = accounting_date_check_begin(&self->dates, self->txn);

    return r == -EBADMSG ? fail(self, "a broken row in dates or payouts") : r;
}

int accounting_check(struct ates_txn *txn, char *error, size_t error_size)
{
    struct check self = {
        .txn = txn, .error = error, .error_size = error_size, .scratch = ates_arena_new()};
    struct ates_scan accounts = {.cursor = NULL};

    int r = ates_scan_open(&self.by_user, txn, ACCOUNTING_BY_USER, NULL, NULL);
    if (r == 0) {
        r = ates_scan_open(&self.transfers, txn, ACCOUNTING_TRANSFERS, NULL, NULL);
    }
    if (r == 0) {
        r = ates_scan_open(&self.day_totals, txn, ACCOUNTING_DAY_TOTALS, NULL, NULL);
    }
    if (r == 0) {
        r = ates_scan_open(&accounts, txn, ACCOUNTING_ACCOUNTS, NULL, NULL);
    }
    if (r == 0) {
        r = begin_dates(&self);
    }
    if (r == 0) {
        r = check_accounts(&self, &accounts);
    }
    if (r == 0) {
        r = check_counts(&self);
    }
    if (r == 0) {
        r = check_income(&self);
    }
    if (r == 0) {
        r = accounting_date_check_end(&self.dates, error, error_size);
    }
    if (r == 0) {
        r = accounting_mail_check(txn, error, error_size);
    }
    ates_scan_close(&accounts);
    ates_scan_close(&self.day_totals);
    ates_scan_close(&self.transfers);
    ates_scan_close(&self.by_user);
    ates_arena_free(&self.scratch);
    return r;
}

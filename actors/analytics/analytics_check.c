/* Whether analytics' rows agree; see analytics_check.h. Rows are read in place: nothing is copied
 * from the map. */
#include "analytics/analytics_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "analytics/analytics_state.h"
#include "core/calendar.h"

struct check {
    struct ates_txn *txn;
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 2, 3))) static int fail(struct check *self, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(self->error, self->error_size, format, arguments);
    va_end(arguments);
    return -EBADMSG;
}

static int count_negative(struct check *self, struct ates_scan *balances, uint64_t *count)
{
    struct ates_bytes key, value;
    int r;

    while ((r = ates_scan_next(balances, &key, &value)) == 0) {
        if (key.size != 8 || value.size != 8) {
            return fail(self, "a broken row in balances");
        }
        *count += (int64_t)ates_u64_from(value.data) < 0;
    }
    return r == ATES_NOT_FOUND ? 0 : r;
}

static int check_debt(struct check *self, struct ates_scan *balances,
                      const struct analytics_debt *debt)
{
    const struct ates_key wanted = ates_key_u64(debt->user_id);
    struct ates_bytes key, value;

    ates_scan_seek(balances, &wanted);
    int r = ates_scan_next(balances, &key, &value);
    if (r < 0) {
        return r;
    }
    if (r != 0 || ates_u64_from(key.data) != debt->user_id ||
        (int64_t)ates_u64_from(value.data) != debt->balance_cents) {
        return fail(self, "user %" PRIu64 " has no balance of %" PRId64 ", as debts says",
                    debt->user_id, debt->balance_cents);
    }
    return 0;
}

/* As every row of debts has its balance, and no two the same, equal counts leave no balance out. */
static int check_debts(struct check *self, struct ates_scan *balances, struct ates_scan *debts)
{
    struct analytics_debt debt;
    uint64_t negative = 0, listed = 0, counted = 0;

    int r = count_negative(self, balances, &negative);
    while (r == 0 && (r = analytics_debts_next(debts, &debt)) == 0) {
        listed++;
        r = check_debt(self, balances, &debt);
    }
    if (r == -EBADMSG && self->error[0] == '\0') {
        return fail(self, "a broken row in debts");
    }
    if (r == ATES_NOT_FOUND) {
        r = analytics_state_count_debts(self->txn, &counted);
    }
    if (r == 0 && (listed != negative || counted != negative)) {
        r = fail(self,
                 "%" PRIu64 " balances are negative, %" PRIu64 " in debts, %" PRIu64 " are counted",
                 negative, listed, counted);
    }
    return r;
}

static int check_days(struct check *self, struct ates_scan *days)
{
    struct ates_bytes key, value;
    struct analytics_day_row row;
    ates_day day;
    int r;

    while ((r = ates_scan_next(days, &key, &value)) == 0) {
        if (ates_day_parse((const char *)key.data, key.size, &day) != 0 ||
            analytics_day_row_from(value, &row) != 0) {
            return fail(self, "a broken row in days");
        }
        const struct analytics_top *top = &row.top;
        if (top->task_id == 0 ? top->complete_price_cents != 0 || top->completed_at != 0
                              : top->completed_at < 0) {
            return fail(self, "the best task of %.*s contradicts itself", (int)key.size,
                        (const char *)key.data);
        }
    }
    return r == ATES_NOT_FOUND ? 0 : r;
}

int analytics_check(struct ates_txn *txn, char *error, size_t error_size)
{
    struct check self = {.txn = txn, .error = error, .error_size = error_size};
    struct ates_scan balances = {.cursor = NULL}, debts = {.cursor = NULL}, days = {.cursor = NULL};

    error[0] = '\0';
    int r = ates_scan_open(&balances, txn, ANALYTICS_BALANCES, NULL, NULL);
    if (r == 0) {
        r = ates_scan_open(&debts, txn, ANALYTICS_DEBTS, NULL, NULL);
    }
    if (r == 0) {
        r = ates_scan_open(&days, txn, ANALYTICS_DAYS, NULL, NULL);
    }
    if (r == 0) {
        r = check_debts(&self, &balances, &debts);
    }
    if (r == 0) {
        r = check_days(&self, &days);
    }
    ates_scan_close(&days);
    ates_scan_close(&debts);
    ates_scan_close(&balances);
    return r;
}

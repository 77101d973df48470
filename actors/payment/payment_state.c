/* Payment's row; see payment_state.h. */
#include "payment/payment_state.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/domain.h"
#include "core/fields.h"

enum { SCHEDULE = ATES_TABLE_DOMAIN };

const char *const payment_tables[] = {"schedule", NULL};

static const struct ates_field payment_schedule_fields[] = {
    {ATES_OPTIONAL(payment_schedule, next_business_date), ATES_IS_DATE},
    {ATES_FIELD(payment_schedule, failures), ATES_IS_COUNT},
    {ATES_OPTIONAL(payment_schedule, retry_at), ATES_IS_TIME},
    {ATES_OPTIONAL(payment_schedule, last_run), ATES_IS_STRUCT(payment_last_run_message)},
};
static ATES_MESSAGE(payment_schedule, "schedule");

static struct ates_key schedule_key(void)
{
    return (struct ates_key){.size = 8, .data = "schedule"};
}

int payment_state_get_schedule(struct ates_txn *txn, struct payment_schedule *schedule)
{
    const struct ates_key key = schedule_key();
    int r = ates_get_message(txn, SCHEDULE, &key, &payment_schedule_message, schedule);

    if (r == ATES_NOT_FOUND) {
        *schedule = (struct payment_schedule){.failures = 0};
        r = 0;
    }
    return r;
}

int payment_state_put_schedule(struct ates_txn *txn, const struct payment_schedule *schedule)
{
    const struct ates_key key = schedule_key();

    return ates_put_message(txn, SCHEDULE, &key, &payment_schedule_message, schedule);
}

/* What is wrong with it, or NULL. */
static const char *contradiction(const struct payment_schedule *schedule)
{
    const struct payment_last_run *last = &schedule->last_run;

    if (schedule->has_retry_at != (schedule->failures > 0)) {
        return "failures and the time of the next try do not go together";
    }
    if (!schedule->has_last_run) {
        return schedule->failures == 0 ? NULL : "there are failures, but no last run";
    }
    if (last->has_error != (last->status == PAYMENT_FAILED)) {
        return "the last run's status and its error do not go together";
    }
    if (last->status != PAYMENT_PAID && (last->paid_count != 0 || last->total_cents != 0)) {
        return "the last run paid nothing, but counts payouts";
    }
    return NULL;
}

static int count_rows(struct ates_txn *txn, size_t *count)
{
    struct ates_scan scan;
    struct ates_bytes key, value;
    int r = ates_scan_open(&scan, txn, SCHEDULE, NULL, NULL);

    if (r != 0) {
        return r;
    }
    for (*count = 0; (r = ates_scan_next(&scan, &key, &value)) == 0; (*count)++) {
    }
    ates_scan_close(&scan);
    return r == ATES_NOT_FOUND ? 0 : r;
}

int payment_state_check(struct ates_txn *txn, char *error, size_t error_size)
{
    const struct ates_key key = schedule_key();
    struct payment_schedule schedule;
    const char *wrong = NULL;
    size_t count = 0;

    int r = count_rows(txn, &count);
    if (r != 0 || count == 0) {
        return r;
    }
    r = ates_get_message(txn, SCHEDULE, &key, &payment_schedule_message, &schedule);
    if (r == -EBADMSG || r == ATES_NOT_FOUND) {
        wrong = "its row is broken or missing";
    } else if (r != 0) {
        return r;
    } else {
        wrong = count > 1 ? "it has more than one row" : contradiction(&schedule);
    }
    if (wrong != NULL) {
        snprintf(error, error_size, "the payment schedule: %s", wrong);
        return -EBADMSG;
    }
    return 0;
}

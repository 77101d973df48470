/* The call to accounting that closes a business date: work beside the loop, for the schedule and for
 * who asks by hand alike. Invariant: a date's call bears the request id payout-DATE, so that it may
 * be made again at any time; a dry run bears none, as it changes nothing. */
#ifndef PAYMENT_RUN_H
#define PAYMENT_RUN_H

#include "core/calendar.h"
#include "core/domain.h"
#include "core/fields.h"

#define PAYMENT_ANSWER_TIMEOUT_MS 60000
#define PAYMENT_REQUEST_ID_SIZE (sizeof "payout-" + ATES_DATE_SIZE - 1)

/* The domain's memory. */
struct payment_memory {
    struct ates_secret_key key; /* signs the services' own tokens */
};

struct payment_pay_input {
    struct ates_reach reach;
    char token[ATES_TOKEN_MAX + 1];
    ates_day day;
    bool is_dry;                                /* only what would be paid is asked for */
    int64_t timeout_ms;                         /* for which an answer is waited for */
    char traceparent[ATES_TRACEPARENT_MAX + 1]; /* of who asked for the payout; empty: none */
};
struct payment_pay_output {
    ates_day day;
    int status; /* accounting's enum ates_status; < 0: no answer, -ECANCELED: as payment is to end */
    struct ates_refusal refusal; /* where it refused */
    uint64_t paid_count;
    int64_t total_cents;
    bool already_closed; /* before this call */
};
extern const struct ates_work payment_pay_work;

/* Has the date closed, its day number being the work's id: payment_pay_begin beside the loop,
 * payment_pay_defer for a handler, which returns what this returns; where is_dry, nothing is closed or
 * paid. 0 or a fault. */
int payment_pay_begin(struct ates_call *call, ates_day day);
int payment_pay_defer(struct ates_call *call, ates_day day, bool is_dry);

/* struct ates_domain's open and close. */
int payment_memory_open(const struct ates_config *config, const char *keys_dir, void **memory,
                        char *error, size_t error_size);
void payment_memory_close(void **memory);

#endif

/* The payment service: its commands, results and events (PROTOCOL.md sections 7 and 8). Invariant:
 * a struct here and the table of the same name say the same; only the table knows limits. */
#ifndef ATES_PAYMENT_H
#define ATES_PAYMENT_H

#include <ates/service.h>

#pragma GCC visibility push(default)

#define PAYMENT_ERROR_MAX 256 /* characters */

/* How a run ended. */
enum payment_status {
    PAYMENT_PAID,    /* the date is closed */
    PAYMENT_NOTHING, /* there was nothing to close: no transfer up to this date */
    PAYMENT_FAILED   /* it will be tried again */
};
extern const char *const payment_status_names[];

struct payment_last_run {
    struct ates_text business_date;
    int64_t at;
    int status; /* enum payment_status */
    uint64_t paid_count;
    int64_t total_cents;
    bool has_error;
    struct ates_text error;
};
struct payment_show_schedule_result {
    int64_t next_run_at; /* in the past where a run is overdue */
    struct ates_text next_business_date;
    bool has_retry_at; /* after a failure */
    int64_t retry_at;
    uint64_t failures; /* in a row */
    bool has_last_run;
    struct payment_last_run last_run;
};

struct payment_run_payment {
    bool has_business_date; /* else the date that the schedule would close next, or today */
    struct ates_text business_date;
    bool has_dry_run;
    bool dry_run; /* tells what would be paid, and pays nothing */
};
struct payment_run_payment_result {
    struct ates_text business_date;
    uint64_t paid_count;
    int64_t total_cents;
    bool has_already_closed;
    bool already_closed; /* before this command, which moved nothing */
};

extern const struct ates_message payment_last_run_message, payment_show_schedule_result_message,
    payment_run_payment_message, payment_run_payment_result_message;

/* Events. */
struct payment_payment_run {
    struct ates_text business_date;
    int status; /* enum payment_status */
    uint64_t paid_count;
    int64_t total_cents;
    bool has_error;
    struct ates_text error;
    bool has_retry_at; /* where it failed */
    int64_t retry_at;
};
/* Private: the first business date that the schedule closes. */
struct payment_schedule_started {
    struct ates_text business_date;
};
/* Private: accounting closed a date, whoever asked for it. */
struct payment_date_closed {
    struct ates_text business_date;
};
extern const struct ates_message payment_payment_run_message, payment_schedule_started_message,
    payment_date_closed_message;

extern const struct ates_service payment_service;

#pragma GCC visibility pop

#endif

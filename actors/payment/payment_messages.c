/* The field tables of the payment service, and its commands and events in PROTOCOL.md's order.
 * Invariant: what a message may hold is said here and nowhere else. */
#include <ates/payment.h>

#include "core/fields.h"

#define IS_STATUS .type = ATES_ENUM, .names = payment_status_names
#define IS_ERROR .type = ATES_TEXT, .rule = ATES_RULE_TEXT, .max = PAYMENT_ERROR_MAX

const char *const payment_status_names[] = {
    [PAYMENT_PAID] = "paid",
    [PAYMENT_NOTHING] = "nothing",
    [PAYMENT_FAILED] = "failed",
    NULL,
};

static const struct ates_field payment_last_run_fields[] = {
    {ATES_FIELD(payment_last_run, business_date), ATES_IS_DATE},
    {ATES_FIELD(payment_last_run, at), ATES_IS_TIME},
    {ATES_FIELD(payment_last_run, status), IS_STATUS},
    {ATES_FIELD(payment_last_run, paid_count), ATES_IS_COUNT},
    {ATES_FIELD(payment_last_run, total_cents), ATES_IS_CENTS},
    {ATES_OPTIONAL(payment_last_run, error), IS_ERROR, .summary = "why it failed"},
};
ATES_MESSAGE(payment_last_run, "last_run");

static const struct ates_field payment_show_schedule_result_fields[] = {
    {ATES_FIELD(payment_show_schedule_result, next_run_at), ATES_IS_TIME,
     .summary = "when the next business date is due; in the past where that is overdue"},
    {ATES_FIELD(payment_show_schedule_result, next_business_date), ATES_IS_DATE,
     .summary = "the business date that will be closed next"},
    {ATES_OPTIONAL(payment_show_schedule_result, retry_at), ATES_IS_TIME,
     .summary = "when it is tried again, after a failure"},
    {ATES_FIELD(payment_show_schedule_result, failures), ATES_IS_COUNT,
     .summary = "how often it failed in a row"},
    {ATES_OPTIONAL(payment_show_schedule_result, last_run),
     ATES_IS_STRUCT(payment_last_run_message)},
};
ATES_MESSAGE(payment_show_schedule_result, "show_schedule_result");

static const struct ates_field payment_run_payment_fields[] = {
    {ATES_OPTIONAL(payment_run_payment, business_date), ATES_IS_DATE,
     .summary = "the date to close; the schedule's next if that has ended, else today, unless "
                "given"},
    {ATES_OPTIONAL(payment_run_payment, dry_run), .type = ATES_BOOL,
     .summary = "tell what would be paid, and pay nothing"},
};
ATES_MESSAGE(payment_run_payment, "run_payment");

static const struct ates_field payment_run_payment_result_fields[] = {
    {ATES_FIELD(payment_run_payment_result, business_date), ATES_IS_DATE},
    {ATES_FIELD(payment_run_payment_result, paid_count), ATES_IS_COUNT},
    {ATES_FIELD(payment_run_payment_result, total_cents), ATES_IS_CENTS},
    {ATES_OPTIONAL(payment_run_payment_result, already_closed), .type = ATES_BOOL,
     .summary = "given where the date had been closed before: nothing was paid now"},
};
ATES_MESSAGE(payment_run_payment_result, "run_payment_result");

static const struct ates_field payment_payment_run_fields[] = {
    {ATES_FIELD(payment_payment_run, business_date), ATES_IS_DATE},
    {ATES_FIELD(payment_payment_run, status), IS_STATUS},
    {ATES_FIELD(payment_payment_run, paid_count), ATES_IS_COUNT},
    {ATES_FIELD(payment_payment_run, total_cents), ATES_IS_CENTS},
    {ATES_OPTIONAL(payment_payment_run, error), IS_ERROR},
    {ATES_OPTIONAL(payment_payment_run, retry_at), ATES_IS_TIME},
};
ATES_MESSAGE(payment_payment_run, "payment_run");

static const struct ates_field payment_schedule_started_fields[] = {
    {ATES_FIELD(payment_schedule_started, business_date), ATES_IS_DATE},
};
ATES_MESSAGE(payment_schedule_started, "schedule_started");

static const struct ates_field payment_date_closed_fields[] = {
    {ATES_FIELD(payment_date_closed, business_date), ATES_IS_DATE},
};
ATES_MESSAGE(payment_date_closed, "date_closed");

#define ADMINISTRATOR ATES_ROLE(ATES_ADMINISTRATOR)
#define ACCOUNTANT ATES_ROLE(ATES_ACCOUNTANT)

static const struct ates_command commands[] = {
    {
        .name = "show_schedule",
        .summary = "Shows when the next business date will be closed, and how the last run went.",
        .body = &ates_empty_message,
        .result = &payment_show_schedule_result_message,
        .is_query = true,
        .callers = ACCOUNTANT | ADMINISTRATOR,
    },
    {
        .name = "run_payment",
        .summary = "Closes a business date at once, as the schedule would.",
        .body = &payment_run_payment_message,
        .result = &payment_run_payment_result_message,
        .callers = ACCOUNTANT | ADMINISTRATOR,
        .waits = true,
    },
};

static const struct ates_event_type events[] = {
    {
        .data = &payment_payment_run_message,
        .version = 1,
        .summary = "Accounting was asked to close a business date.",
    },
    {
        .data = &payment_schedule_started_message,
        .version = 1,
        .is_private = true,
        .summary = "The first business date that the schedule closes.",
    },
    {
        .data = &payment_date_closed_message,
        .version = 1,
        .is_private = true,
        .summary = "Accounting closed a date, whoever asked for it.",
    },
};

const struct ates_service payment_service = {
    .name = "payment",
    .commands = commands,
    .command_count = sizeof commands / sizeof commands[0],
    .events = events,
    .event_count = sizeof events / sizeof events[0],
};

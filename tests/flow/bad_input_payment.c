/* Bodies of payment's commands with a field that may not be so; see bad_input.h. */
#include "flow/bad_input.h"

#define DATE_KEY                                                                                   \
    "\xad"                                                                                         \
    "business_date"
#define RUN(WHAT, VALUE)                                                                           \
    BODY(PAYMENT, "run_payment", WHAT, "FIELD_INVALID", "business_date",                           \
         BYTES("\x81" DATE_KEY VALUE))
#define NO_FIELD(COMMAND, WHAT, FIELD, ...)                                                        \
    BODY(PAYMENT, COMMAND, WHAT, "FIELD_UNKNOWN", FIELD, __VA_ARGS__)

static const struct bad_input fields[] = {
    NO_FIELD("show_schedule", "a date", "business_date", BYTES("\x81" DATE_KEY "\2522024-01-01")),
    NO_FIELD("show_schedule", "a limit", "limit", BYTES("\x81\xa5limit\x01")),
    BODY(PAYMENT, "show_schedule", "a list", "BODY_INVALID", NULL, BYTES("\x91\x01")),

    RUN("an empty date", "\xa0"),
    RUN("30 February", "\2522024-02-30"),
    RUN("29 February where there is none", "\2522023-02-29"),
    RUN("a month 13", "\2522024-13-01"),
    RUN("a day 0", "\2522024-01-00"),
    RUN("a year before 1970", "\2521969-12-31"),
    RUN("a year of five digits", "\25310000-01-01"),
    RUN("one digit for a month", "\2502024-1-1"),
    RUN("days first", "\25201-02-2024"),
    RUN("a space behind", "\2532024-01-01 "),
    RUN("a NUL behind", "\2532024-01-01\x00"),
    RUN("a time behind", "\2642024-01-01T00:00:00Z"),
    RUN("a word", "\xa5today"),
    RUN("a date that is not UTF-8", "\2522024-01-0\xff"),
    RUN("an integer", "\x01"),
    RUN("true", "\xc3"),
    RUN("nil", "\xc0"),
    RUN("bytes", "\xc4\0122024-01-01"),
    RUN("a list of dates", "\x92\2522024-01-01\2522024-01-02"),
    RUN("a timestamp", "\xd6\xff\x00\x00\x00\x00"),
    BODY(PAYMENT, "run_payment", "a date twice", "FIELD_DUPLICATE", "business_date",
         BYTES("\x82" DATE_KEY "\2522024-01-01" DATE_KEY "\2522024-01-01")),
    BODY(PAYMENT, "run_payment", "a dry run by a number", "FIELD_INVALID", "dry_run",
         BYTES("\x81\xa7"
               "dry_run\x01")),
    NO_FIELD("run_payment", "another word for the date", "date",
             BYTES("\x81\244date\2522024-01-01")),
    NO_FIELD("run_payment", "a field in capitals", "Business_date",
             BYTES("\x81\xad"
                   "Business_date\2522024-01-01")),
    BODY(PAYMENT, "run_payment", "a list", "BODY_INVALID", NULL, BYTES("\x91\2522024-01-01")),
    /* What accounting says of the date comes back. */
    SIGNED_BODY(PAYMENT, "run_payment", "a date that has not begun", "DATE_IN_FUTURE",
                "business_date", BYTES("\x81" DATE_KEY "\2529999-12-31")),
    {
        .what = "a date before all transfers",
        .services = PAYMENT,
        .command = "run_payment",
        .body = BYTES("\x81" DATE_KEY "\2521970-01-01"),
        .token = TOKEN_OF_ADMINISTRATOR,
        .status = ATES_FAILED_PRECONDITION,
        .reason = "NO_TRANSFERS",
        .field = "business_date",
    },
};

const struct bad_table bad_payment_fields = BAD_TABLE("payment's fields", fields);

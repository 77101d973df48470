/* Bodies of accounting's commands for payouts and their mails with a field that may not be so; see
 * bad_input.h. */
#include "flow/bad_input.h"

#define DATE_KEY                                                                                   \
    "\xad"                                                                                         \
    "business_date"
#define DRY_RUN_KEY                                                                                \
    "\xa7"                                                                                         \
    "dry_run"
#define PAY(WHAT, FIELD, VALUE)                                                                    \
    BODY(ACCOUNTING, "pay_to_workers", WHAT, "FIELD_INVALID", FIELD, BYTES("\x81" VALUE))
#define DATE(WHAT, VALUE) PAY(WHAT, "business_date", DATE_KEY VALUE)
#define DRY_RUN(WHAT, VALUE) PAY(WHAT, "dry_run", DRY_RUN_KEY VALUE)
#define SIGNED_PAY(WHAT, STATUS, REASON, ...)                                                      \
    {                                                                                              \
        .what = WHAT, .services = ACCOUNTING, .command = "pay_to_workers", .body = __VA_ARGS__,    \
        .token = TOKEN_MADE, .made = {.sub = "\"3\"", .role = "\"accountant\""}, .status = STATUS, \
        .reason = REASON, .field = "business_date"                                                 \
    }
#define MAILS(WHAT, FIELD, VALUE)                                                                  \
    BODY(ACCOUNTING, "show_mails", WHAT, "FIELD_INVALID", FIELD, BYTES("\x81" VALUE))
#define AFTER(WHAT, VALUE)                                                                         \
    SIGNED_BODY(ACCOUNTING, "show_mails", WHAT, "FIELD_INVALID", "after",                          \
                BYTES("\x81\245after" VALUE))
#define MAIL_ID(COMMAND, WHAT, VALUE)                                                              \
    BODY(ACCOUNTING, COMMAND, WHAT, "FIELD_INVALID", "mail_id", BYTES("\x81\xa7mail_id" VALUE))
#define UNKNOWN(COMMAND, WHAT, FIELD, ...)                                                         \
    BODY(ACCOUNTING, COMMAND, WHAT, "FIELD_UNKNOWN", FIELD, __VA_ARGS__)
#define MAIL_UNKNOWN(COMMAND, WHAT, VALUE)                                                         \
    {                                                                                              \
        .what = WHAT, .services = ACCOUNTING, .command = COMMAND,                                  \
        .body = BYTES("\x81\xa7mail_id" VALUE), .token = TOKEN_OF_ADMINISTRATOR,                   \
        .status = ATES_NOT_FOUND, .reason = "MAIL_UNKNOWN"                                         \
    }
/* What show_mail and retry_mail have in common: their only field. */
#define MAIL(COMMAND)                                                                              \
    BODY(ACCOUNTING, COMMAND, "no mail_id", "FIELD_MISSING", "mail_id", BYTES("\x80")),            \
        MAIL_ID(COMMAND, "mail 0", "\x00"), MAIL_ID(COMMAND, "mail -1", "\xff"),                   \
        MAIL_ID(COMMAND, "mail -2^63", "\xd3\x80\x00\x00\x00\x00\x00\x00\x00"),                    \
        MAIL_ID(COMMAND, "mail 2^53", "\xcf\x00\x20\x00\x00\x00\x00\x00\x00"),                     \
        MAIL_ID(COMMAND, "mail 2^64-1", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),                   \
        MAIL_ID(COMMAND, "a mail with a fraction", "\xca\x3f\x80\x00\x00"),                        \
        MAIL_ID(COMMAND, "a digit for a mail", "\2411"),                                           \
        MAIL_ID(COMMAND, "an address for a mail", "\xa3x@y"),                                      \
        MAIL_ID(COMMAND, "a list of mails", "\x92\x01\x02"),                                       \
        MAIL_ID(COMMAND, "true for a mail", "\xc3"), MAIL_ID(COMMAND, "nil for a mail", "\xc0"),   \
        BODY(ACCOUNTING, COMMAND, "a mail twice", "FIELD_DUPLICATE", "mail_id",                    \
             BYTES("\x82\xa7mail_id\x01\xa7mail_id\x01")),                                         \
        UNKNOWN(COMMAND, "a state", "state", BYTES("\x82\xa7mail_id\x01\245state\244dead")),       \
        UNKNOWN(COMMAND, "an address", "to", BYTES("\x82\xa7mail_id\x01\242to\xa3x@y")),           \
        MAIL_UNKNOWN(COMMAND, "a mail where there is none", "\x01"),                               \
        MAIL_UNKNOWN(COMMAND, "mail 2^53-1", "\xcf\x00\x1f\xff\xff\xff\xff\xff\xff")

static const struct bad_input fields[] = {
    DATE("an empty date", "\xa0"),
    DATE("30 February", "\2522024-02-30"),
    DATE("29 February where there is none", "\2522023-02-29"),
    DATE("a month 13", "\2522024-13-01"),
    DATE("a day 0", "\2522024-01-00"),
    DATE("a year before 1970", "\2521969-12-31"),
    DATE("a year of five digits", "\25310000-01-01"),
    DATE("a space behind", "\2532024-01-01 "),
    DATE("a time behind", "\2642024-01-01T00:00:00Z"),
    DATE("a word", "\xa5today"),
    DATE("a date that is not UTF-8", "\2522024-01-0\xff"),
    DATE("an integer", "\x01"),
    DATE("true", "\xc3"),
    DATE("nil", "\xc0"),
    DATE("bytes", "\xc4\0122024-01-01"),
    DATE("a list of dates", "\x92\2522024-01-01\2522024-01-02"),
    BODY(ACCOUNTING, "pay_to_workers", "a date twice", "FIELD_DUPLICATE", "business_date",
         BYTES("\x82" DATE_KEY "\2522024-01-01" DATE_KEY "\2522024-01-01")),
    DRY_RUN("1 for a dry run", "\x01"),
    DRY_RUN("0 for a dry run", "\x00"),
    DRY_RUN("a word for a dry run", "\244true"),
    DRY_RUN("an empty text for a dry run", "\xa0"),
    DRY_RUN("nil for a dry run", "\xc0"),
    DRY_RUN("a map for a dry run", "\x80"),
    BODY(ACCOUNTING, "pay_to_workers", "a dry run twice", "FIELD_DUPLICATE", "dry_run",
         BYTES("\x82" DRY_RUN_KEY "\xc3" DRY_RUN_KEY "\xc2")),
    UNKNOWN("pay_to_workers", "a user", "user_id", BYTES("\x81\xa7user_id\x01")),
    UNKNOWN("pay_to_workers", "an amount", "total_cents", BYTES("\x81\xabtotal_cents\x01")),
    UNKNOWN("pay_to_workers", "another word for the date", "date",
            BYTES("\x81\244date\2522024-01-01")),
    SIGNED_PAY("a date that has not begun", ATES_INVALID_ARGUMENT, "DATE_IN_FUTURE",
               BYTES("\x81" DATE_KEY "\2529999-12-31")),
    SIGNED_PAY("a date that has not begun, in a dry run", ATES_INVALID_ARGUMENT, "DATE_IN_FUTURE",
               BYTES("\x82" DATE_KEY "\2529999-12-31" DRY_RUN_KEY "\xc3")),
    SIGNED_PAY("a date before all transfers", ATES_FAILED_PRECONDITION, "NO_TRANSFERS",
               BYTES("\x81" DATE_KEY "\2521970-01-01")),
    SIGNED_PAY("a date before all transfers, in a dry run", ATES_FAILED_PRECONDITION,
               "NO_TRANSFERS", BYTES("\x82" DATE_KEY "\2521970-01-01" DRY_RUN_KEY "\xc3")),

    MAILS("a state that there is not", "state", "\245state\244lost"),
    MAILS("a state in capitals", "state", "\245state\244DEAD"),
    MAILS("an empty state", "state", "\245state\xa0"),
    MAILS("a state's number", "state", "\245state\x01"),
    MAILS("nil for a state", "state", "\245state\xc0"),
    MAILS("a list of states", "state", "\245state\x91\244dead"),
    MAILS("an empty after", "after", "\245after\xa0"),
    MAILS("an integer for after", "after", "\245after\x01"),
    MAILS("a limit of 0", "limit", "\xa5limit\x00"),
    MAILS("a limit of -1", "limit", "\xa5limit\xff"),
    MAILS("a limit of 1001", "limit", "\xa5limit\xcd\x03\xe9"),
    MAILS("a digit for a limit", "limit", "\xa5limit\2411"),
    UNKNOWN("show_mails", "a mail", "mail_id", BYTES("\x81\xa7mail_id\x01")),
    UNKNOWN("show_mails", "a user", "user_id", BYTES("\x81\xa7user_id\x01")),
    AFTER("an after of letters", "\xa1x"),
    AFTER("an after with letters behind", "\2421x"),
    AFTER("a negative after", "\242-1"),
    AFTER("an after with a plus", "\242+1"),
    AFTER("an after with a space", "\242 1"),
    AFTER("an after of two numbers", "\2431-1"),
    AFTER("an after of 17 digits", "\xb1"
                                   "12345678901234567"),

    MAIL("show_mail"),
    MAIL("retry_mail"),
};

const struct bad_table bad_payout_fields = BAD_TABLE("payouts' fields", fields);

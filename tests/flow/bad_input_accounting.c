/* Bodies of accounting's commands, and of the lists that every service has, with a field that may
 * not be so; see bad_input.h. */
#include "flow/bad_input.h"

#define ACCOUNT(COMMAND, WHAT, FIELD, VALUE)                                                       \
    BODY(ACCOUNTING, COMMAND, WHAT, "FIELD_INVALID", FIELD, BYTES("\x81" VALUE))
#define FROM_DATE(WHAT, VALUE) ACCOUNT("show_income", WHAT, "from_date", "\251from_date" VALUE)
#define TO_DATE(WHAT, VALUE) ACCOUNT("show_income", WHAT, "to_date", "\xa7to_date" VALUE)
#define PERIOD(WHAT, ...)                                                                          \
    SIGNED_BODY(ACCOUNTING, "show_income", WHAT, "FIELD_INVALID", "from_date", __VA_ARGS__)
#define AFTER(WHAT, VALUE)                                                                         \
    SIGNED_BODY(ACCOUNTING, "show_account_transfers", WHAT, "FIELD_INVALID", "after",              \
                BYTES("\x82\xa7user_id\x01\245after" VALUE))
#define LETTERS(WHAT, FIELD, VALUE)                                                                \
    BODY(ANY, "show_dead_letters", WHAT, "FIELD_INVALID", FIELD, BYTES("\x81" VALUE))
#define LETTERS_AFTER(WHAT, VALUE)                                                                 \
    SIGNED_BODY(ANY, "show_dead_letters", WHAT, "FIELD_INVALID", "after",                          \
                BYTES("\x81\245after" VALUE))

#define RETRY(WHAT, REASON, FIELD, BODY_BYTES)                                                     \
    BODY(ANY, "retry_event", WHAT, REASON, FIELD, BYTES(BODY_BYTES))

static const struct bad_input fields[] = {
    RETRY("nothing to retry", "FIELD_MISSING", "producer", "\x80"),
    RETRY("a producer alone", "FIELD_MISSING", "seq", "\x81\250producer\245tasks"),
    RETRY("an empty producer", "FIELD_INVALID", "producer", "\x82\250producer\xa0\xa3seq\x01"),
    RETRY("event 0", "FIELD_INVALID", "seq", "\x82\250producer\245tasks\xa3seq\x00"),
    RETRY("event -1", "FIELD_INVALID", "seq", "\x82\250producer\245tasks\xa3seq\xff"),
    RETRY("a text for an event", "FIELD_INVALID", "seq", "\x82\250producer\245tasks\xa3seq\xa1x"),
    ACCOUNT("show_balance", "user 0", "user_id", "\xa7user_id\x00"),
    ACCOUNT("show_balance", "user -1", "user_id", "\xa7user_id\xff"),
    ACCOUNT("show_balance", "user 2^53", "user_id",
            "\xa7user_id\xcf\x00\x20\x00\x00\x00\x00\x00\x00"),
    ACCOUNT("show_balance", "a user's name", "user_id", "\xa7user_id\xa5user1"),
    ACCOUNT("show_balance", "a list of users", "user_id", "\xa7user_id\x92\x01\x02"),
    ACCOUNT("show_balance", "nil for a user", "user_id", "\xa7user_id\xc0"),
    BODY(ACCOUNTING, "show_balance", "a date", "FIELD_UNKNOWN", "date",
         BYTES("\x81\244date\2522024-01-01")),
    ACCOUNT("show_account_transfers", "user 0", "user_id", "\xa7user_id\x00"),
    ACCOUNT("show_account_transfers", "a date for a time", "from", "\244from\2522024-01-01"),
    ACCOUNT("show_account_transfers", "a time with a fraction", "from",
            "\244from\xca\x3f\x80\x00\x00"),
    ACCOUNT("show_account_transfers", "a time of 2^64-1", "to",
            "\xa2to\xcf\xff\xff\xff\xff\xff\xff\xff\xff"),
    ACCOUNT("show_account_transfers", "nil for a time", "to", "\xa2to\xc0"),
    ACCOUNT("show_account_transfers", "an empty after", "after", "\245after\xa0"),
    ACCOUNT("show_account_transfers", "nil for the order", "newest_first", "\254newest_first\xc0"),
    ACCOUNT("show_account_transfers", "a limit of 0", "limit", "\xa5limit\x00"),
    ACCOUNT("show_account_transfers", "a limit of 1001", "limit", "\xa5limit\xcd\x03\xe9"),
    BODY(ACCOUNTING, "show_account_transfers", "a kind", "FIELD_UNKNOWN", "kind",
         BYTES("\x81\xa4kind\xa6payout")),
    AFTER("an after of letters", "\xa1x"),
    AFTER("an after of one number", "\2411"),
    AFTER("an after that ends with the dash", "\2421-"),
    AFTER("an after that begins with the dash", "\xa2-1"),
    AFTER("a dash", "\xa1-"),
    AFTER("an after with letters for an id", "\2431-x"),
    AFTER("an after with letters for a time", "\xa3x-1"),
    AFTER("an after of three numbers", "\2451-1-1"),
    AFTER("an after with a negative id", "\2441--1"),
    AFTER("an after with a time of 17 digits", "\26312345678901234567-1"),
    AFTER("an after with an id of 17 digits", "\2631-12345678901234567"),
    ACCOUNT("show_all_account_transfers", "a kind that there is not", "kind", "\xa4kind\xa4gift"),
    ACCOUNT("show_all_account_transfers", "an empty kind", "kind", "\xa4kind\xa0"),
    ACCOUNT("show_all_account_transfers", "a kind's number", "kind", "\xa4kind\x01"),
    ACCOUNT("show_all_account_transfers", "user 0", "user_id", "\xa7user_id\x00"),
    ACCOUNT("show_all_account_transfers", "a limit of 65,536", "limit",
            "\xa5limit\xce\x00\x01\x00\x00"),

    FROM_DATE("an empty date", "\xa0"),
    FROM_DATE("30 February", "\2522024-02-30"),
    FROM_DATE("29 February where there is none", "\2522023-02-29"),
    FROM_DATE("29 February of 2100", "\2522100-02-29"),
    FROM_DATE("a month 13", "\2522024-13-01"),
    FROM_DATE("a month 0", "\2522024-00-01"),
    FROM_DATE("a day 0", "\2522024-01-00"),
    FROM_DATE("a day 32", "\2522024-01-32"),
    FROM_DATE("31 April", "\2522024-04-31"),
    FROM_DATE("a year before 1970", "\2521969-12-31"),
    FROM_DATE("a year of two digits", "\25024-01-01"),
    FROM_DATE("a year of five digits", "\25310000-01-01"),
    FROM_DATE("one digit for a month", "\2502024-1-1"),
    FROM_DATE("slashes", "\2522024/01/01"),
    FROM_DATE("no dashes", "\25020240101"),
    FROM_DATE("days first", "\25201-02-2024"),
    FROM_DATE("a space behind", "\2532024-01-01 "),
    FROM_DATE("a NUL behind", "\2532024-01-01\x00"),
    FROM_DATE("a time behind", "\2642024-01-01T00:00:00Z"),
    FROM_DATE("a minus", "\xaa-024-01-01"),
    FROM_DATE("a space for a digit", "\2522024-01- 1"),
    FROM_DATE("letters", "\xaayyyy-mm-dd"),
    FROM_DATE("another script's digits", "\xaa\xef\xbc\x92-01-01-"),
    FROM_DATE("a date that is not UTF-8", "\2522024-01-0\xff"),
    FROM_DATE("an integer", "\x01"),
    FROM_DATE("nil", "\xc0"),
    FROM_DATE("a timestamp", "\xd6\xff\x00\x00\x00\x00"),
    TO_DATE("30 February", "\2522024-02-30"),
    TO_DATE("a year 0", "\2520000-01-01"),
    TO_DATE("a word", "\xa5today"),
    PERIOD("a period that ends before it begins",
           BYTES("\x82\251from_date\2522024-01-02\xa7to_date\2522024-01-01")),
    PERIOD("a period of 1,001 days",
           BYTES("\x82\251from_date\2522020-01-01\xa7to_date\2522022-09-27")),
    PERIOD("a period of 8,000 years",
           BYTES("\x82\251from_date\2521970-01-01\xa7to_date\2529999-12-31")),
    PERIOD("a period that begins after today", BYTES("\x81\251from_date\2529999-12-31")),

    LETTERS("an empty after", "after", "\245after\xa0"),
    LETTERS("an integer for after", "after", "\245after\x01"),
    LETTERS("an after that is not ASCII", "after", "\245after\xa4\xd1\x8f/1"),
    LETTERS("a limit of 0", "limit", "\xa5limit\x00"),
    LETTERS("a limit of 1001", "limit", "\xa5limit\xcd\x03\xe9"),
    LETTERS_AFTER("an after of letters", "\xa1x"),
    LETTERS_AFTER("a slash", "\xa1/"),
    LETTERS_AFTER("an after without a number", "\xa6tasks/"),
    LETTERS_AFTER("an after with letters for a number", "\xa7tasks/x"),
    LETTERS_AFTER("an after with letters behind its number", "\xa8tasks/1x"),
    LETTERS_AFTER("an after with a negative number", "\xa8tasks/-1"),
    LETTERS_AFTER("an after with a space", "\xa8tasks/ 1"),
    LETTERS_AFTER("an after with a plus", "\xa8tasks/+1"),
    LETTERS_AFTER("an after of a number only", "\xa2/1"),
    LETTERS_AFTER("an after of 2^64", "\xbatasks/18446744073709551616"),
    BODY(ANY, "metrics", "a field where none is", "FIELD_UNKNOWN", "name",
         BYTES("\x81\xa4name\xa1x")),
    BODY(ANY, "health", "a field where none is", "FIELD_UNKNOWN", "name",
         BYTES("\x81\xa4name\xa1x")),
};

const struct bad_table bad_accounting_fields = BAD_TABLE("accounting's fields", fields);

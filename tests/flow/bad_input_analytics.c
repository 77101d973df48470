/* Bodies of analytics' commands with a field that may not be so; see bad_input.h. */
#include "flow/bad_input.h"

#define TOP_TASK "show_the_most_expensive_task"
#define FROM(DATE) "\251from_date\252" DATE
#define TO(DATE) "\xa7to_date\252" DATE
#define DAY(DATE) "\244date\252" DATE
#define WEEK "\xa6period\xa4week"
#define INCOME(WHAT, REASON, FIELD, ...)                                                           \
    BODY(ANALYTICS, "show_income", WHAT, REASON, FIELD, __VA_ARGS__)
#define DAYS(COMMAND, WHAT, ...)                                                                   \
    SIGNED_BODY(ANALYTICS, COMMAND, WHAT, "FIELD_INVALID", "from_date", __VA_ARGS__)
#define BALANCES(WHAT, FIELD, VALUE)                                                               \
    BODY(ANALYTICS, "negative_balances", WHAT, "FIELD_INVALID", FIELD, BYTES("\x81" VALUE))
#define AFTER(WHAT, VALUE)                                                                         \
    SIGNED_BODY(ANALYTICS, "negative_balances", WHAT, "FIELD_INVALID", "after",                    \
                BYTES("\x81\245after" VALUE))
#define TOP(WHAT, FIELD, VALUE)                                                                    \
    BODY(ANALYTICS, TOP_TASK, WHAT, "FIELD_INVALID", FIELD, BYTES("\x81" VALUE))
#define PERIOD(WHAT, REASON, FIELD, ...)                                                           \
    SIGNED_BODY(ANALYTICS, TOP_TASK, WHAT, REASON, FIELD, __VA_ARGS__)

static const struct bad_input fields[] = {
    BODY(ANALYTICS, "today_income", "a date", "FIELD_UNKNOWN", "date",
         BYTES("\x81" DAY("2024-01-01"))),
    INCOME("no dates", "FIELD_MISSING", "from_date", BYTES("\x80")),
    INCOME("no last date", "FIELD_MISSING", "to_date", BYTES("\x81" FROM("2024-01-01"))),
    INCOME("no first date", "FIELD_MISSING", "from_date", BYTES("\x81" TO("2024-01-01"))),
    INCOME("30 February", "FIELD_INVALID", "from_date",
           BYTES("\x82" FROM("2024-02-30") TO("2024-03-01"))),
    INCOME("29 February where there is none", "FIELD_INVALID", "to_date",
           BYTES("\x82" FROM("2023-02-01") TO("2023-02-29"))),
    INCOME("a period", "FIELD_UNKNOWN", "period",
           BYTES("\x83" FROM("2024-01-01") TO("2024-01-02") WEEK)),
    DAYS("show_income", "a first date after the last",
         BYTES("\x82" FROM("2024-01-02") TO("2024-01-01"))),
    DAYS("show_income", "1,001 days", BYTES("\x82" FROM("2020-01-01") TO("2022-09-27"))),
    DAYS("show_income", "8,000 years", BYTES("\x82" FROM("1970-01-01") TO("9999-12-31"))),

    BALANCES("an empty after", "after", "\245after\xa0"),
    BALANCES("an integer for after", "after", "\245after\x01"),
    BALANCES("a limit of 0", "limit", "\xa5limit\x00"),
    BALANCES("a limit of 1001", "limit", "\xa5limit\xcd\x03\xe9"),
    BODY(ANALYTICS, "negative_balances", "a user", "FIELD_UNKNOWN", "user_id",
         BYTES("\x81\xa7user_id\x01")),
    AFTER("an after of letters", "\xa1x"),
    AFTER("an after of one number", "\2411"),
    AFTER("a dash", "\xa1-"),
    AFTER("an after that ends with the dash", "\2421-"),
    AFTER("an after that begins with the dash", "\xa2-1"),
    AFTER("an after of no debt", "\2430-1"),
    AFTER("an after with two dashes", "\2441--1"),
    AFTER("an after with a debt of 17 digits", "\26312345678901234567-1"),
    AFTER("an after with a user of 17 digits", "\2631-12345678901234567"),

    TOP("a period that there is not", "period", "\xa6period\xa4year"),
    TOP("a period in capitals", "period", "\xa6period\244WEEK"),
    TOP("a period's number", "period", "\xa6period\x01"),
    TOP("30 February", "date",
        "\244date\252"
        "2024-02-30"),
    TOP("a word for a date", "date", "\244date\xa5today"),
    TOP("a year before 1970", "from_date", FROM("1969-12-31")),
    TOP("a year of five digits", "to_date",
        "\xa7to_date\253"
        "10000-01-01"),
    PERIOD("nothing", "FIELD_MISSING", "period", BYTES("\x80")),
    PERIOD("a date alone", "FIELD_MISSING", "period", BYTES("\x81" DAY("2024-01-01"))),
    PERIOD("a first date alone", "FIELD_MISSING", "to_date", BYTES("\x81" FROM("2024-01-01"))),
    PERIOD("a last date alone", "FIELD_MISSING", "from_date", BYTES("\x81" TO("2024-01-01"))),
    PERIOD("a period and a first date", "FIELD_INVALID", "period",
           BYTES("\x82" WEEK FROM("2024-01-01"))),
    PERIOD("a period and a last date", "FIELD_INVALID", "period",
           BYTES("\x82" WEEK TO("2024-01-01"))),
    PERIOD("a date, and a first and a last one", "FIELD_INVALID", "date",
           BYTES("\x83" DAY("2024-01-01") FROM("2024-01-01") TO("2024-01-02"))),
    DAYS(TOP_TASK, "a first date after the last",
         BYTES("\x82" FROM("2024-01-02") TO("2024-01-01"))),
    DAYS(TOP_TASK, "1,001 days", BYTES("\x82" FROM("2020-01-01") TO("2022-09-27"))),
};

const struct bad_table bad_analytics_fields = BAD_TABLE("analytics' fields", fields);

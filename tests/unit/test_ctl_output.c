/* What people and programs read: amounts, times, CSV fields, and whole listings. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include <ates/accounting.h>
#include <ates/auth.h>

#include "atesctl/output.h"
#include "atesctl/table.h"
#include "core/calendar.h"

static const char *cents(int64_t value)
{
    static char text[CTL_TIME_SIZE];

    ctl_format_cents(value, text);
    return text;
}

Test(ctl_output, cents)
{
    cr_expect_str_eq(cents(0), "0.00");
    cr_expect_str_eq(cents(5), "0.05");
    cr_expect_str_eq(cents(-5), "-0.05");
    cr_expect_str_eq(cents(1234), "12.34");
    cr_expect_str_eq(cents(-123400), "-1234.00");
    cr_expect_str_eq(cents(INT64_MIN), "-92233720368547758.08");
}

Test(ctl_output, times_are_business_time)
{
    char text[CTL_TIME_SIZE];

    cr_assert_eq(ates_calendar_open("Europe/Moscow"), 0);
    ctl_format_time(INT64_C(1795344780000), text);
    cr_expect_str_eq(text, "2026-11-22 13:53 MSK");
    ctl_format_moment(INT64_C(1795344780000), text);
    cr_expect_str_eq(text, "2026-11-22 13:53:00 MSK");
    ctl_format_time(-1, text);
    cr_expect_str_eq(text, "1970-01-01 02:59 MSK");
}

static const char *csv_field(const char *text)
{
    static char out[64];
    struct ates_buffer buffer = {0};

    ctl_csv_field(&buffer, text, strlen(text));
    snprintf(out, sizeof out, "%.*s", (int)buffer.size, buffer.size ? (char *)buffer.data : "");
    ates_buffer_release(&buffer);
    return out;
}

Test(ctl_output, csv_fields)
{
    cr_expect_str_eq(csv_field(""), "");
    cr_expect_str_eq(csv_field("plain text"), "plain text");
    cr_expect_str_eq(csv_field("a,b"), "\"a,b\"");
    cr_expect_str_eq(csv_field("say \"hi\""), "\"say \"\"hi\"\"\"");
    cr_expect_str_eq(csv_field("two\nlines"), "\"two\nlines\"");
}

static const struct accounting_transfer transfer = {
    .id = 7,
    .timestamp = INT64_C(1795344780000),
    .user_id = 2,
    .kind = ACCOUNTING_ASSIGN_FEE,
    .delta_cents = -1234,
    .balance_cents = 66,
    .business_date = {"2026-11-22", 10},
    .description = {"Тонер, \"чёрный\"\nвторая строка", 52},
};

static void list(enum ctl_format format, size_t count)
{
    const struct ctl ctl = {.format = format};

    cr_assert_eq(ates_calendar_open("Europe/Moscow"), 0);
    cr_redirect_stdout();
    struct ctl_listing *listing = ctl_listing_new(&ctl, &accounting_transfer_message, "service");
    cr_assert_not_null(listing);
    for (size_t i = 0; i < count; i++) {
        ctl_listing_add(listing, "a", &transfer);
    }
    cr_expect_eq(ctl_listing_end(listing, NULL), CTL_OK);
    ctl_listing_free(&listing);
    fflush(stdout);
}

Test(ctl_output, csv)
{
    list(CTL_CSV, 1);
    cr_expect_stdout_eq_str(
        "service,id,timestamp,user_id,kind,delta_cents,balance_cents,task_id,business_date,"
        "description\r\na,7,1795344780000,2,assign_fee,-1234,66,,2026-11-22,"
        "\"Тонер, \"\"чёрный\"\"\nвторая строка\"\r\n");
}

Test(ctl_output, json)
{
    list(CTL_JSON, 2);
    const char *item = "{\"service\":\"a\",\"id\":7,\"timestamp\":1795344780000,\"user_id\":2,"
                       "\"kind\":\"assign_fee\",\"delta_cents\":-1234,\"balance_cents\":66,"
                       "\"business_date\":\"2026-11-22\",\"description\":\"Тонер, "
                       "\\\"чёрный\\\"\\nвторая строка\"}";
    char expected[2048];
    snprintf(expected, sizeof expected, "[\n  %s,\n  %s\n]\n", item, item);
    cr_expect_stdout_eq_str(expected);
}

Test(ctl_output, json_of_nothing)
{
    list(CTL_JSON, 0);
    cr_expect_stdout_eq_str("[]\n");
}

Test(ctl_output, an_object_a_line)
{
    list(CTL_NDJSON, 2);
    const char *item = "{\"service\":\"a\",\"id\":7,\"timestamp\":1795344780000,\"user_id\":2,"
                       "\"kind\":\"assign_fee\",\"delta_cents\":-1234,\"balance_cents\":66,"
                       "\"business_date\":\"2026-11-22\",\"description\":\"Тонер, "
                       "\\\"чёрный\\\"\\nвторая строка\"}";
    char expected[2048];
    snprintf(expected, sizeof expected, "%s\n%s\n", item, item);
    cr_expect_stdout_eq_str(expected);
}

Test(ctl_output, nothing_has_no_lines)
{
    list(CTL_NDJSON, 0);
    list(CTL_NAME, 0);
    cr_expect_stdout_eq_str("");
}

Test(ctl_output, names)
{
    list(CTL_NAME, 2);
    cr_expect_stdout_eq_str("a/7\na/7\n");
}

/* The first field of a sign-in is its token. */
Test(ctl_output, a_secret_is_no_name)
{
    const struct ctl ctl = {.format = CTL_NAME};
    const struct auth_auth_user_result result = {.token = {"secret", 6}, .expires_at = 5};

    cr_redirect_stdout();
    cr_expect_eq(ctl_print(&ctl, &auth_auth_user_result_message, &result), CTL_OK);
    fflush(stdout);
    cr_expect_stdout_eq_str("5\n");
}

Test(ctl_output, wide_shows_what_is_empty_too)
{
    const struct ctl ctl = {.format = CTL_TABLE, .is_wide = true};
    const struct accounting_mail mail = {
        .id = 3, .to = {"ann@example.com", 15}, .subject = {"Pay", 3}};

    setlocale(LC_CTYPE, "C.UTF-8");
    cr_redirect_stdout();
    struct ctl_listing *listing = ctl_listing_new(&ctl, &accounting_mail_message, NULL);
    ctl_listing_add(listing, NULL, &mail);
    cr_expect_eq(ctl_listing_end(listing, NULL), CTL_OK);
    ctl_listing_free(&listing);
    fflush(stdout);
    char head[256] = "";
    cr_assert_not_null(fgets(head, sizeof head, cr_get_redirected_stdout()));
    cr_expect_not_null(strstr(head, "TRIES ERROR CREATED"), "%s", head);
    cr_expect_not_null(strstr(head, "SENT NEXT TRY"), "%s", head);
}

Test(ctl_output, table)
{
    setlocale(LC_CTYPE, "C.UTF-8");
    list(CTL_TABLE, 1);
    cr_expect_stdout_eq_str(
        "SERVICE ID TIME                 USER KIND       AMOUNT BALANCE DAY        DESCRIPTION\n"
        "a        7 2026-11-22 13:53 MSK    2 assign_fee -12.34    0.66 2026-11-22 "
        "Тонер, \"чёрный\"…\n");
}

static const struct ctl_column columns[] = {
    {.heading = "ID", .is_number = true},
    {.heading = "NAME", .is_text = true},
    {.heading = "NOTE", .is_text = true, .drop = 1},
    {.heading = "EMPTY"},
};

/* Prints two rows in so much room. */
static void print_in(size_t width)
{
    char *cells[8] = {strdup("1"),
                      strdup("Тонер для принтера на складе"),
                      strdup("ещё не привезли"),
                      NULL,
                      strdup("12"),
                      strdup("x"),
                      NULL,
                      NULL};

    setlocale(LC_CTYPE, "C.UTF-8");
    cr_redirect_stdout();
    cr_expect_eq(ctl_table_print(columns, 4, cells, 2, width), 0);
    fflush(stdout);
    for (size_t i = 0; i < 8; i++) {
        free(cells[i]);
    }
}

Test(ctl_output, a_table_leaves_out_what_is_empty)
{
    print_in(0);
    cr_expect_stdout_eq_str("ID NAME                         NOTE\n"
                            " 1 Тонер для принтера на складе ещё не привезли\n"
                            "12 x                            \n");
}

Test(ctl_output, a_text_that_is_cut_shows_it)
{
    print_in(40);
    cr_expect_stdout_eq_str("ID NAME                  NOTE\n"
                            " 1 Тонер для принтера н… ещё не привезли\n"
                            "12 x                     \n");
}

Test(ctl_output, without_room_columns_are_left_out)
{
    print_in(20);
    cr_expect_stdout_eq_str("ID NAME\n"
                            " 1 Тонер для принте…\n"
                            "12 x\n");
}

Test(ctl_output, a_row_becomes_lines_at_last)
{
    print_in(12);
    cr_expect_stdout_eq_str("ID   1\n"
                            "NAME Тонер для принтера на складе\n"
                            "NOTE ещё не привезли\n"
                            "\n"
                            "ID   12\n"
                            "NAME x\n");
}

Test(ctl_output, secrets_are_never_written)
{
    const struct auth_change_password body = {ates_text_from("old one"), ates_text_from("new one")};
    const struct ctl ctl = {.format = CTL_JSON};

    cr_redirect_stdout();
    cr_expect_eq(ctl_print(&ctl, &auth_change_password_message, &body), CTL_OK);
    fflush(stdout);
    cr_expect_stdout_eq_str("{}\n");
}

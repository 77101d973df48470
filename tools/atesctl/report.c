/* What administrators watch: income, debts and the most expensive tasks. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ates/analytics.h>

#include "core/calendar.h"
#include "core/random.h"
#include "ctl.h"
#include "output.h"
#include "remote.h"

#define INCOME_DAYS 30 /* where no --from is given */

static int run_today(struct ctl *ctl, const struct ctl_input *input)
{
    const struct ates_empty body = {0};
    struct analytics_today_income_result result;

    (void)input;
    const int code = ctl_query(ctl, &analytics_service, "today_income", &body, &result);
    return code == CTL_OK ? ctl_print(ctl, &analytics_today_income_result_message, &result) : code;
}

static const struct ctl_command today_command = {
    .name = "today",
    .summary = "Show what the company has earned today",
    .examples = "atesctl report today",
    .run = run_today,
};

static const struct ctl_option income_options[] = {
    {"from", "DATE", "the first date (default: the first of the last 30 days with money in it)"},
    {"to", "DATE", "the last date (default: today)"},
    {NULL, NULL, NULL},
};

static ates_day today(void)
{
    const struct ates_source source = ates_source_system();

    return ates_day_at(ates_now_ms(&source));
}

/* As many days as fit one answer, from first on. */
static int query_income(struct ctl *ctl, ates_day first, ates_day last, struct ates_list *days)
{
    const ates_day room = first + ANALYTICS_DAYS_MAX - 1;
    char from_date[ATES_DATE_SIZE], to_date[ATES_DATE_SIZE];
    struct analytics_show_income_result result;

    ates_day_format(first, from_date);
    ates_day_format(last < room ? last : room, to_date);
    const struct analytics_show_income body = {ates_text_from(from_date), ates_text_from(to_date)};
    const int code = ctl_query(ctl, &analytics_service, "show_income", &body, &result);
    if (code == CTL_OK) {
        *days = result.items;
    }
    return code;
}

/* The period asked for; its end is today unless given, its start some days before. */
static int take_days(const struct ctl_input *input, ates_day *first, ates_day *last)
{
    const char *from = ctl_value(input, "from"), *to = ctl_value(input, "to");

    int code = ctl_check_period(from, to);
    if (code != CTL_OK) {
        return code;
    }
    *last = today();
    if (to != NULL) {
        ates_day_parse(to, strlen(to), last);
    }
    *first = *last < INCOME_DAYS ? 0 : *last - INCOME_DAYS + 1;
    if (from != NULL) {
        ates_day_parse(from, strlen(from), first);
    }
    return *first <= *last ? CTL_OK
                           : ctl_fail(CTL_USAGE, NULL, "--from is in the future: %s", from);
}

static int run_income(struct ctl *ctl, const struct ctl_input *input)
{
    const bool whole = ctl_value(input, "from") != NULL || ctl->format != CTL_TABLE;
    struct ctl_listing *listing = NULL;
    struct ates_list days = {NULL, 0};
    ates_day first = 0, last = 0;

    int code = take_days(input, &first, &last);
    if (code != CTL_OK) {
        return code;
    }
    listing = ctl_listing_new(ctl, &analytics_income_message, NULL);
    if (listing == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    for (; first <= last && code == CTL_OK; first += ANALYTICS_DAYS_MAX) {
        code = query_income(ctl, first, last, &days);
        if (code == CTL_OK) {
            ctl_listing_add_income(listing, &analytics_income_message, &days, whole);
        }
    }
    if (code == CTL_OK) {
        code = ctl_listing_end(listing, NULL);
    }
    ctl_listing_free(&listing);
    return code;
}

static const struct ctl_command income_command = {
    .name = "income",
    .summary = "List what the company earned on each day",
    .examples = "atesctl report income\n"
                "atesctl report income --from 2026-11-01 --to 2026-11-30",
    .options = income_options,
    .run = run_income,
};

static const struct ctl_option negative_options[] = {
    {"limit", "N", "at most so many (default: all)"},
    {NULL, NULL, NULL},
};

/* The first page, for its count, and then the others. */
static int list_negative(struct ctl *ctl, struct ctl_listing *listing, uint64_t left)
{
    const struct ates_command *command = ctl_command(&analytics_service, "negative_balances");
    struct analytics_negative_balances body = {.has_limit = true,
                                               .limit = left < 1000 ? left : 1000};
    struct analytics_negative_balances_result page;

    const int code = ctl_query(ctl, &analytics_service, "negative_balances", &body, &page);
    if (code != CTL_OK) {
        return code;
    }
    if (ctl->format == CTL_TABLE && page.count > 0) {
        ctl_say("%" PRIu64 " employee%s a negative balance", page.count,
                page.count == 1 ? " has" : "s have");
    }
    const struct analytics_negative_balance *items = page.items.items;
    for (size_t i = 0; i < page.items.count && left > 0; i++, left--) {
        ctl_listing_add(listing, NULL, &items[i]);
    }
    if (!page.has_next || left == 0) {
        return CTL_OK;
    }
    body.has_after = true;
    body.after = page.next;
    return ctl_list_pages(ctl, &analytics_service, command, &body, NULL, listing, &left);
}

static int run_negative(struct ctl *ctl, const struct ctl_input *input)
{
    uint64_t left = 0;

    int code = ctl_parse_limit(ctl_value(input, "limit"), &left);
    if (code != CTL_OK) {
        return code;
    }
    struct ctl_listing *listing = ctl_listing_new(ctl, &analytics_negative_balance_message, NULL);
    if (listing == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    code = list_negative(ctl, listing, left);
    if (code == CTL_OK) {
        code = ctl_listing_end(listing, "nobody has a negative balance");
    }
    ctl_listing_free(&listing);
    return code;
}

static const struct ctl_command negative_command = {
    .name = "negative",
    .summary = "Count and list the employees whose balance is below zero",
    .examples = "atesctl report negative\n"
                "atesctl report negative -o csv > debts.csv",
    .options = negative_options,
    .run = run_negative,
};

static const struct ctl_option top_task_options[] = {
    {"period", "PERIOD", "day, week (Monday first) or month (default: day)",
     analytics_period_names},
    {"date", "DATE", "a date within the period (default: today)"},
    {"from", "DATE", "the first date, instead of a period"},
    {"to", "DATE", "the last date, instead of a period"},
    {NULL, NULL, NULL},
};

/* What is shown of the whole period, and of each of its days in a table or as CSV. */
struct top_task {
    struct ates_text period;
    struct analytics_task task;
};
static const struct ates_field top_task_fields[] = {
    {ATES_FIELD(top_task, period), .type = ATES_TEXT, .max = 24},
    {.name = "task_id", .offset = offsetof(struct top_task, task.task_id), .type = ATES_UINT},
    {.name = "name", .offset = offsetof(struct top_task, task.name), .type = ATES_TEXT},
    {.name = "complete_price_cents",
     .offset = offsetof(struct top_task, task.complete_price_cents),
     .type = ATES_INT},
    {.name = "completed_at",
     .offset = offsetof(struct top_task, task.completed_at),
     .type = ATES_INT},
};
static ATES_MESSAGE(top_task, "top_task");

#define OF_DAY(NAME)                                                                               \
    .name = #NAME, .offset = offsetof(struct analytics_day, task.NAME), .optional = true,          \
    .present = offsetof(struct analytics_day, has_task)

static const struct ates_field top_day_fields[] = {
    {ATES_FIELD(analytics_day, date), .type = ATES_TEXT, .max = 10},
    {OF_DAY(task_id), .type = ATES_UINT},
    {OF_DAY(name), .type = ATES_TEXT},
    {OF_DAY(complete_price_cents), .type = ATES_INT},
    {OF_DAY(completed_at), .type = ATES_INT},
};
static const struct ates_message top_day_message = {
    .name = "top_day",
    .fields = top_day_fields,
    .count = sizeof top_day_fields / sizeof top_day_fields[0],
    .size = sizeof(struct analytics_day),
};

static int print_top_days(const struct ctl *ctl, const struct ates_list *days)
{
    const struct analytics_day *items = days->items;
    struct ctl_listing *listing = ctl_listing_new(ctl, &top_day_message, NULL);

    if (listing == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    for (size_t i = 0; i < days->count; i++) {
        ctl_listing_add(listing, NULL, &items[i]);
    }
    const int code = ctl_listing_end(listing, NULL);
    ctl_listing_free(&listing);
    return code;
}

/* The period's task, then each day's; of one day that would be the same twice. */
static int print_top_task(const struct ctl *ctl,
                          const struct analytics_show_the_most_expensive_task_result *result)
{
    const struct ates_text from = result->from_date, to = result->to_date;
    const bool is_day = ates_text_equal(from, to);
    char period[64];

    if (ctl->format == CTL_JSON || ctl->format == CTL_NDJSON) {
        return ctl_print(ctl, &analytics_show_the_most_expensive_task_result_message, result);
    }
    if (ctl->format != CTL_TABLE) {
        return print_top_days(ctl, &result->days);
    }
    snprintf(period, sizeof period, "%.*s%s%.*s", (int)from.size, from.data, is_day ? "" : " to ",
             is_day ? 0 : (int)to.size, to.data);
    if (!result->has_task) {
        ctl_say("%s: no task was completed", period);
        return CTL_OK;
    }
    const struct top_task top = {ates_text_from(period), result->task};
    int code = ctl_print(ctl, &top_task_message, &top);
    if (code == CTL_OK && !is_day) {
        fputs("\n", stdout);
        code = print_top_days(ctl, &result->days);
    }
    return code;
}

/* Either a period, today if none is named, or two dates. */
static int take_period(struct ctl *ctl, const struct ctl_input *input,
                       const struct ates_command *command, void *body)
{
    static const char *const options[][2] = {
        {"period", "period"}, {"date", "date"}, {"from", "from_date"}, {"to", "to_date"}};
    const char *from = ctl_value(input, "from"), *to = ctl_value(input, "to");
    const char *period = ctl_value(input, "period");
    const bool is_range = from != NULL || to != NULL;
    int code = ctl_check_period(from, to);

    if (code == CTL_OK && is_range &&
        (from == NULL || to == NULL || period != NULL || ctl_value(input, "date") != NULL)) {
        return ctl_fail(CTL_USAGE, "atesctl report top-task --period week",
                        "either --period and --date may be given, or both --from and --to");
    }
    if (code == CTL_OK && !is_range && period == NULL) {
        code = ctl_set(ctl, command, body, "period", "day", "--period");
    }
    for (size_t i = 0; i < sizeof options / sizeof options[0] && code == CTL_OK; i++) {
        const char *value = ctl_value(input, options[i][0]);
        char what[16];

        snprintf(what, sizeof what, "--%s", options[i][0]);
        code = value != NULL ? ctl_set(ctl, command, body, options[i][1], value, what) : CTL_OK;
    }
    return code;
}

static int run_top_task(struct ctl *ctl, const struct ctl_input *input)
{
    const char *name = "show_the_most_expensive_task";
    struct analytics_show_the_most_expensive_task body = {.has_period = false};
    struct analytics_show_the_most_expensive_task_result result;

    int code = take_period(ctl, input, ctl_command(&analytics_service, name), &body);
    if (code == CTL_OK) {
        code = ctl_query(ctl, &analytics_service, name, &body, &result);
    }
    return code == CTL_OK ? print_top_task(ctl, &result) : code;
}

static const struct ctl_command top_task_command = {
    .name = "top-task",
    .summary = "Show the task with the highest reward of those completed in a period",
    .notes = "\nOf equal rewards the earlier completion wins. Below it stands each day's own; CSV "
             "has the\ndays alone.\n",
    .examples = "atesctl report top-task\n"
                "atesctl report top-task --period week\n"
                "atesctl report top-task --period month --date 2026-02-01\n"
                "atesctl report top-task --from 2026-11-01 --to 2026-11-22 -o json",
    .options = top_task_options,
    .run = run_top_task,
};

static const struct ctl_command *const commands[] = {&today_command, &income_command,
                                                     &negative_command, &top_task_command, NULL};
const struct ctl_group report_group = {
    .name = "report", .summary = "Reports", .commands = commands};

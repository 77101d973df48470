/* The daily payout: when it comes, how the last one went, and one by hand. */
#include <inttypes.h>
#include <stdio.h>

#include <ates/payment.h>

#include "core/random.h"
#include "ctl.h"
#include "output.h"
#include "payout.h"
#include "remote.h"

#define RUN_TIMEOUT_MS (CTL_PAYOUT_TIMEOUT_MS + 15000) /* payment waits so long for accounting */

static int64_t now_ms(void)
{
    const struct ates_source source = ates_source_system();

    return ates_now_ms(&source);
}

static void tell_next(const struct payment_show_schedule_result *schedule)
{
    const bool is_overdue = schedule->next_run_at <= now_ms();
    char next[CTL_TIME_SIZE], retry[CTL_TIME_SIZE];

    ctl_format_time(schedule->next_run_at, next);
    ctl_tell(is_overdue && schedule->failures > 0, "%s %s, for %.*s",
             is_overdue ? "next run: overdue since" : "next run:", next,
             (int)schedule->next_business_date.size, schedule->next_business_date.data);
    if (schedule->failures == 0) {
        return;
    }
    if (schedule->has_retry_at) {
        ctl_format_moment(schedule->retry_at, retry);
    }
    ctl_tell(true, "          failed %" PRIu64 " time%s in a row%s%s", schedule->failures,
             schedule->failures == 1 ? "" : "s", schedule->has_retry_at ? ", is tried again " : "",
             schedule->has_retry_at ? retry : "");
}

static void tell_last(const struct payment_last_run *run)
{
    const int date_size = (int)run->business_date.size;
    const char *date = run->business_date.data;
    char at[CTL_TIME_SIZE], words[CTL_PAYOUT_WORDS_SIZE];

    ctl_format_time(run->at, at);
    switch ((enum payment_status)run->status) {
    case PAYMENT_PAID:
        ctl_tell(false, "last run: %s, for %.*s: paid %s", at, date_size, date,
                 ctl_payout_words(run->paid_count, run->total_cents, words));
        break;
    case PAYMENT_NOTHING:
        ctl_tell(false, "last run: %s, for %.*s: there was nothing to pay", at, date_size, date);
        break;
    case PAYMENT_FAILED:
        ctl_tell(true, "last run: %s, for %.*s: failed%s%.*s", at, date_size, date,
                 run->has_error ? ": " : "", run->has_error ? (int)run->error.size : 0,
                 run->has_error ? run->error.data : "");
        break;
    }
}

static int run_show(struct ctl *ctl, const struct ctl_input *input)
{
    const struct ates_empty body = {0};
    struct payment_show_schedule_result schedule;

    (void)input;
    const int code = ctl_query(ctl, &payment_service, "show_schedule", &body, &schedule);
    if (code != CTL_OK || ctl->format != CTL_TABLE) {
        return code != CTL_OK ? code
                              : ctl_print(ctl, &payment_show_schedule_result_message, &schedule);
    }
    tell_next(&schedule);
    if (schedule.has_last_run) {
        tell_last(&schedule.last_run);
    } else {
        ctl_tell(false, "last run: none yet");
    }
    return ctl_flush();
}

static const struct ctl_command show_command = {
    .name = "show",
    .summary = "Tell when the next payout comes, for which date, and how the last one went",
    .examples = "atesctl payment show\n"
                "atesctl payment show -o json",
    .run = run_show,
};

static const struct ctl_option run_options[] = {
    {"date", "DATE", "the date to pay for (default: the one that is due next, else today)"},
    {"dry-run", NULL, "tell what would be paid, and pay nothing"},
    {NULL, NULL, NULL},
};

static struct ctl_payout payout_of(const struct payment_run_payment_result *result)
{
    return (struct ctl_payout){result->business_date, result->paid_count, result->total_cents,
                               result->already_closed};
}

/* The dry run that the user is asked by: what they say yes to is its date. */
static int preview_run(struct ctl *ctl, struct payment_run_payment *body)
{
    struct payment_run_payment dry = *body;
    struct payment_run_payment_result result;

    int code = ctl_check_consent(ctl, CTL_PAYOUT_WARNING);
    if (code == CTL_OK) {
        dry.has_dry_run = dry.dry_run = true;
        code = ctl_change_patiently(ctl, &payment_service, "run_payment", &dry, &result);
    }
    if (code != CTL_OK) {
        return code;
    }
    const struct ctl_payout preview = payout_of(&result);
    body->has_business_date = true;
    body->business_date = result.business_date;
    return ctl_payout_confirm(ctl, &preview);
}

static int run_run(struct ctl *ctl, const struct ctl_input *input)
{
    const struct ates_command *command = ctl_command(&payment_service, "run_payment");
    const char *date = ctl_value(input, "date");
    const bool is_dry = ctl_value(input, "dry-run") != NULL;
    struct payment_run_payment body = {.has_dry_run = is_dry, .dry_run = is_dry};
    struct payment_run_payment_result result;

    int code =
        date != NULL ? ctl_set(ctl, command, &body, "business_date", date, "--date") : CTL_OK;
    if (code == CTL_OK && !is_dry && !ctl->yes) {
        code = preview_run(ctl, &body);
    }
    if (code == CTL_OK) {
        code = ctl_change_patiently(ctl, &payment_service, "run_payment", &body, &result);
    }
    if (code != CTL_OK) {
        return code;
    }
    const struct ctl_payout payout = payout_of(&result);
    ctl_payout_say(&payout, is_dry);
    return ctl->format != CTL_TABLE ? ctl_print(ctl, &payment_run_payment_result_message, &result)
                                    : ctl_print_number(result.paid_count);
}

static const struct ctl_command run_command = {
    .name = "run",
    .summary = "Make the payout of a date now, as the schedule would",
    .notes = CTL_PAYOUT_NOTES,
    .examples = "atesctl payment run\n"
                "atesctl payment run --date 2026-11-22 --yes",
    .look = "atesctl payment show",
    .timeout_ms = RUN_TIMEOUT_MS,
    .options = run_options,
    .run = run_run,
};

static const struct ctl_command *const commands[] = {&show_command, &run_command, NULL};
const struct ctl_group payment_group = {
    .name = "payment", .summary = "The daily payout", .commands = commands};

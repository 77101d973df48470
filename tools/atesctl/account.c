/* Money: what somebody owes or has earned, and why. */
#include <stdio.h>

#include <ates/accounting.h>

#include "account_watch.h"
#include "ctl.h"
#include "output.h"
#include "payout.h"
#include "remote.h"

#define USER_NOTES "\nUSER is a user's login or id.\n"

static int run_balance(struct ctl *ctl, const struct ctl_input *input)
{
    struct accounting_show_balance body = {.has_user_id = input->count > 0};
    struct accounting_show_balance_result result;

    int code = body.has_user_id ? ctl_find_user(ctl, input->arguments[0], &body.user_id) : CTL_OK;
    if (code == CTL_OK) {
        code = ctl_query(ctl, &accounting_service, "show_balance", &body, &result);
    }
    return code == CTL_OK ? ctl_print(ctl, &accounting_show_balance_result_message, &result) : code;
}

static const struct ctl_command balance_command = {
    .name = "balance",
    .arguments = "[USER]",
    .summary = "Show your balance or, as an accountant or administrator, a user's",
    .examples = "atesctl account balance\n"
                "atesctl account balance 7",
    .notes = USER_NOTES,
    .max = 1,
    .run = run_balance,
};

static int set_period(const struct ctl_input *input, const struct ates_command *command, void *body)
{
    const char *from = ctl_value(input, "from"), *to = ctl_value(input, "to");

    int code = ctl_check_period(from, to);
    if (code == CTL_OK && from != NULL) {
        code = ctl_set_date(command, body, "from", from, false);
    }
    if (code == CTL_OK && to != NULL) {
        code = ctl_set_date(command, body, "to", to, true);
    }
    return code;
}

static const struct ctl_option ledger_options[] = {
    {"from", "DATE", "only transfers on this date or later"},
    {"to", "DATE", "only transfers on this date or earlier"},
    {"newest-first", NULL, "the newest first, not the oldest"},
    {"limit", "N", "at most so many (default: all)"},
    {NULL, NULL, NULL},
};

static int run_ledger(struct ctl *ctl, const struct ctl_input *input)
{
    const char *name = "show_account_transfers";
    struct accounting_show_account_transfers body = {.has_user_id = input->count > 0};

    int code = set_period(input, ctl_command(&accounting_service, name), &body);
    if (code == CTL_OK && body.has_user_id) {
        code = ctl_find_user(ctl, input->arguments[0], &body.user_id);
    }
    return code == CTL_OK ? ctl_list(ctl, input, &accounting_service, name, &body, "no transfers")
                          : code;
}

static const struct ctl_command ledger_command = {
    .name = "ledger",
    .arguments = "[USER]",
    .summary = "List your transfers or, as an accountant or administrator, a user's",
    .examples = "atesctl account ledger\n"
                "atesctl account ledger 7 --from 2026-11-22 --to 2026-11-22",
    .notes = USER_NOTES,
    .options = ledger_options,
    .max = 1,
    .run = run_ledger,
};

static const struct ctl_option all_options[] = {
    {"kind", "KIND", "only assign_fee, completion_reward or payout", accounting_kind_names},
    {"user", "USER", "only transfers of this user"},
    {"from", "DATE", "only transfers on this date or later"},
    {"to", "DATE", "only transfers on this date or earlier"},
    {"newest-first", NULL, "the newest first, not the oldest"},
    {"limit", "N", "at most so many (default: all)"},
    {NULL, NULL, NULL},
};

static int run_all(struct ctl *ctl, const struct ctl_input *input)
{
    const char *name = "show_all_account_transfers";
    const char *kind = ctl_value(input, "kind"), *user = ctl_value(input, "user");
    const struct ates_command *command = ctl_command(&accounting_service, name);
    struct accounting_show_all_account_transfers body = {.has_user_id = user != NULL};

    int code = set_period(input, command, &body);
    if (code == CTL_OK && kind != NULL) {
        code = ctl_set(ctl, command, &body, "kind", kind, "--kind");
    }
    if (code == CTL_OK && user != NULL) {
        code = ctl_find_user(ctl, user, &body.user_id);
    }
    return code == CTL_OK ? ctl_list(ctl, input, &accounting_service, name, &body, "no transfers")
                          : code;
}

static const struct ctl_command all_command = {
    .name = "all",
    .summary = "List everybody's transfers, as an accountant",
    .examples = "atesctl account all --kind completion_reward\n"
                "atesctl account all --from 2026-11-01 -o csv > transfers.csv",
    .notes = USER_NOTES,
    .options = all_options,
    .run = run_all,
};

static const struct ctl_option income_options[] = {
    {"from", "DATE", "the first date (default: the first of the last 30 days with money in it)"},
    {"to", "DATE", "the last date (default: today)"},
    {NULL, NULL, NULL},
};

static int run_income(struct ctl *ctl, const struct ctl_input *input)
{
    const struct ates_command *command = ctl_command(&accounting_service, "show_income");
    const char *from = ctl_value(input, "from"), *to = ctl_value(input, "to");
    struct accounting_show_income body = {.has_from_date = false};
    struct accounting_show_income_result result;

    int code = ctl_check_period(from, to);
    if (code == CTL_OK && from != NULL) {
        code = ctl_set(ctl, command, &body, "from_date", from, "--from");
    }
    if (code == CTL_OK && to != NULL) {
        code = ctl_set(ctl, command, &body, "to_date", to, "--to");
    }
    if (code == CTL_OK) {
        code = ctl_query(ctl, &accounting_service, "show_income", &body, &result);
    }
    if (code != CTL_OK) {
        return code;
    }
    struct ctl_listing *listing = ctl_listing_new(ctl, &accounting_income_message, NULL);
    if (listing == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    ctl_listing_add_income(listing, &accounting_income_message, &result.items,
                           from != NULL || ctl->format != CTL_TABLE);
    code = ctl_listing_end(listing, NULL);
    ctl_listing_free(&listing);
    return code;
}

static const struct ctl_command income_command = {
    .name = "income",
    .summary = "List the company's income by business day",
    .examples = "atesctl account income\n"
                "atesctl account income --from 2026-11-01 --to 2026-11-30",
    .options = income_options,
    .run = run_income,
};

static const struct ctl_option pay_options[] = {
    {"date", "DATE", "the date to pay for (default: today, up to now)"},
    {"dry-run", NULL, "tell what would be paid, and pay nothing"},
    {NULL, NULL, NULL},
};

static struct ctl_payout payout_of(const struct accounting_pay_to_workers_result *result)
{
    return (struct ctl_payout){result->business_date, result->paid_count, result->total_cents,
                               result->already_closed};
}

/* The dry run that the user is asked by: what they say yes to is its date. */
static int preview_pay(struct ctl *ctl, struct accounting_pay_to_workers *body)
{
    struct accounting_pay_to_workers dry = *body;
    struct accounting_pay_to_workers_result result;

    int code = ctl_check_consent(ctl, CTL_PAYOUT_WARNING);
    if (code == CTL_OK) {
        dry.has_dry_run = dry.dry_run = true;
        code = ctl_change_patiently(ctl, &accounting_service, "pay_to_workers", &dry, &result);
    }
    if (code != CTL_OK) {
        return code;
    }
    const struct ctl_payout preview = payout_of(&result);
    body->has_business_date = true;
    body->business_date = result.business_date;
    return ctl_payout_confirm(ctl, &preview);
}

static int run_pay(struct ctl *ctl, const struct ctl_input *input)
{
    const struct ates_command *command = ctl_command(&accounting_service, "pay_to_workers");
    const char *date = ctl_value(input, "date");
    const bool is_dry = ctl_value(input, "dry-run") != NULL;
    struct accounting_pay_to_workers body = {.has_dry_run = is_dry, .dry_run = is_dry};
    struct accounting_pay_to_workers_result result;

    int code =
        date != NULL ? ctl_set(ctl, command, &body, "business_date", date, "--date") : CTL_OK;
    if (code == CTL_OK && !is_dry && !ctl->yes) {
        code = preview_pay(ctl, &body);
    }
    if (code == CTL_OK) {
        code = ctl_change_patiently(ctl, &accounting_service, "pay_to_workers", &body, &result);
    }
    if (code != CTL_OK) {
        return code;
    }
    const struct ctl_payout payout = payout_of(&result);
    ctl_payout_say(&payout, is_dry);
    return ctl->format != CTL_TABLE
               ? ctl_print(ctl, &accounting_pay_to_workers_result_message, &result)
               : ctl_print_number(result.paid_count);
}

static const struct ctl_command pay_command = {
    .name = "pay",
    .summary = "Pay out every positive balance, as an accountant",
    .examples = "atesctl account pay --dry-run\n"
                "atesctl account pay\n"
                "atesctl account pay --date 2026-11-22 --yes",
    .notes = CTL_PAYOUT_NOTES,
    .look = "atesctl account all --kind payout",
    .timeout_ms = CTL_PAYOUT_TIMEOUT_MS,
    .options = pay_options,
    .run = run_pay,
};

static const struct ctl_command *const commands[] = {
    &balance_command, &ledger_command,        &all_command, &income_command,
    &pay_command,     &account_watch_command, NULL};
const struct ctl_group account_group = {
    .name = "account", .summary = "Money", .commands = commands};

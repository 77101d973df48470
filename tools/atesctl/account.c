/* Money: what somebody owes or has earned, and why. */
#include <ates/accounting.h>

#include "ctl.h"
#include "output.h"
#include "remote.h"

/* auth lists users to overseers alone. */
#define USER_NOTES                                                                                 \
    "\nUSER is a user's id; administrators may also give a login (atesctl user ls).\n"

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
    .usage = "[USER]",
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
    return code == CTL_OK ? ctl_list(ctl, &accounting_service, name, &body,
                                     ctl_value(input, "limit"), "no transfers")
                          : code;
}

static const struct ctl_command ledger_command = {
    .name = "ledger",
    .usage = "[USER] [--from DATE] [--to DATE] [--limit N]",
    .summary = "List your transfers or, as an accountant or administrator, a user's",
    .examples = "atesctl account ledger\n"
                "atesctl account ledger 7 --from 2026-11-22 --to 2026-11-22",
    .notes = USER_NOTES,
    .options = ledger_options,
    .max = 1,
    .run = run_ledger,
};

static const struct ctl_option all_options[] = {
    {"kind", "KIND", "only assign_fee, completion_reward or payout"},
    {"user", "USER", "only transfers of this user"},
    {"from", "DATE", "only transfers on this date or later"},
    {"to", "DATE", "only transfers on this date or earlier"},
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
    return code == CTL_OK ? ctl_list(ctl, &accounting_service, name, &body,
                                     ctl_value(input, "limit"), "no transfers")
                          : code;
}

static const struct ctl_command all_command = {
    .name = "all",
    .usage = "[--kind KIND] [--user USER] [--from DATE] [--to DATE] [--limit N]",
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

/* Days before the first with money in it; the last one is shown in any case. */
static size_t count_empty(const struct ates_list *days)
{
    const struct accounting_income *items = days->items;
    size_t i = 0;

    while (i + 1 < days->count && items[i].income_cents == 0) {
        i++;
    }
    return i;
}

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
    const struct accounting_income *days = result.items.items;
    const bool whole = from != NULL || ctl->format != CTL_TABLE;
    for (size_t i = whole ? 0 : count_empty(&result.items); i < result.items.count; i++) {
        ctl_listing_add(listing, NULL, &days[i]);
    }
    code = ctl_listing_end(listing, NULL);
    ctl_listing_free(&listing);
    return code;
}

static const struct ctl_command income_command = {
    .name = "income",
    .usage = "[--from DATE] [--to DATE]",
    .summary = "List the company's income by business day",
    .examples = "atesctl account income\n"
                "atesctl account income --from 2026-11-01 --to 2026-11-30",
    .options = income_options,
    .run = run_income,
};

static const struct ctl_command *const commands[] = {&balance_command, &ledger_command,
                                                     &all_command, &income_command, NULL};
const struct ctl_group account_group = {
    .name = "account", .summary = "Money", .commands = commands};

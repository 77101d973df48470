/* account watch: a balance, and the transfers that change it. */
#include "account_watch.h"

#include <stdio.h>

#include <ates/accounting.h>

#include "output.h"
#include "remote.h"
#include "watch.h"

/* The balance, above the transfers. */
static int print_balance(struct ctl *ctl, void *context)
{
    struct ates_arena *arena = ates_arena_new();
    struct accounting_show_balance_result result;
    char balance[CTL_TIME_SIZE], today[CTL_TIME_SIZE];

    const int code =
        ctl_call(ctl, &accounting_service, ctl_command(&accounting_service, "show_balance"), NULL,
                 context, arena, &result);
    if (code == CTL_OK) {
        ctl_format_cents(result.balance_cents, balance);
        ctl_format_cents(result.today_cents, today);
        printf("Balance %s, today %s\n\n", balance, today);
    }
    ates_arena_free(&arena);
    return code;
}

static const struct ctl_option options[] = {
    {"limit", "N", "the newest transfers, at most so many (default: 20)"},
    {NULL, NULL, NULL},
};

static int run(struct ctl *ctl, const struct ctl_input *input)
{
    const char *limit = ctl_value(input, "limit");
    struct accounting_show_account_transfers body = {
        .has_newest_first = true, .newest_first = true, .has_limit = true, .limit = 20};
    struct accounting_show_balance balance = {.has_user_id = input->count > 0};
    struct ctl_watch watch = {.service = &accounting_service,
                              .query = "show_account_transfers",
                              .body = &body,
                              .noun = "transfer",
                              .head = print_balance,
                              .context = &balance};

    int code = limit != NULL ? ctl_parse_number(limit, "--limit", 1, 1000, &body.limit) : CTL_OK;
    if (code == CTL_OK) {
        code = input->count > 0 ? ctl_find_user(ctl, input->arguments[0], &watch.user_id)
                                : ctl_own_id(ctl, &watch.user_id);
    }
    body.has_user_id = balance.has_user_id;
    body.user_id = balance.user_id = watch.user_id;
    return code == CTL_OK ? ctl_watch(ctl, &watch) : code;
}

const struct ctl_command account_watch_command = {
    .name = "watch",
    .arguments = "[USER]",
    .summary = "Show your balance and transfers, and what changes, until Ctrl-C",
    .notes = "\nUSER is a user's login or id, for accountants and administrators. On a terminal a "
             "table is\n"
             "drawn anew; elsewhere each transfer is a line of JSON (or what -o says). Ctrl-C ends "
             "it, with\n"
             "exit code 130.\n",
    .examples = "atesctl account watch\n"
                "atesctl account watch ann -o ndjson",
    .options = options,
    .max = 1,
    .run = run,
};

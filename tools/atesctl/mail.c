/* The mails of payouts: which have gone out, which have not, and why. */
#include <inttypes.h>
#include <stdio.h>

#include <ates/accounting.h>

#include "ctl.h"
#include "output.h"
#include "remote.h"

static const struct ctl_option ls_options[] = {
    {"state", "STATE", "only mails that are queued, sending, sent or dead (given up)",
     accounting_mail_state_names},
    {"newest-first", NULL, "the newest first, not the oldest"},
    {"limit", "N", "at most so many (default: all)"},
    {NULL, NULL, NULL},
};

static int run_ls(struct ctl *ctl, const struct ctl_input *input)
{
    const struct ates_command *command = ctl_command(&accounting_service, "show_mails");
    const char *state = ctl_value(input, "state");
    struct accounting_show_mails body = {.has_state = false};

    const int code =
        state != NULL ? ctl_set(ctl, command, &body, "state", state, "--state") : CTL_OK;
    return code == CTL_OK
               ? ctl_list(ctl, input, &accounting_service, "show_mails", &body, "no such mails")
               : code;
}

static const struct ctl_command ls_command = {
    .name = "ls",
    .summary = "List the mails that go with payouts",
    .examples = "atesctl mail ls\n"
                "atesctl mail ls --state dead",
    .options = ls_options,
    .run = run_ls,
};

static int parse_id(const struct ctl_input *input, uint64_t *mail_id)
{
    return ctl_parse_number(input->arguments[0], "mail id", 1, ATES_INTEGER_MAX, mail_id);
}

/* A mail as people know it: its text below its head. */
static int print_mail(const struct ctl *ctl, const struct accounting_show_mail_result *result)
{
    if (ctl->format != CTL_TABLE) {
        return ctl_print(ctl, &accounting_show_mail_result_message, result);
    }
    const int code = ctl_print(ctl, &accounting_mail_message, &result->mail);
    if (code != CTL_OK) {
        return code;
    }
    size_t size = result->text.size;
    while (size > 0 && result->text.data[size - 1] == '\n') {
        size--;
    }
    /* By its table it holds no control characters but newlines and tabs. */
    printf("\n%.*s\n", (int)size, result->text.data);
    return ctl_flush();
}

static int run_show(struct ctl *ctl, const struct ctl_input *input)
{
    struct accounting_show_mail body;
    struct accounting_show_mail_result result;

    int code = parse_id(input, &body.mail_id);
    if (code == CTL_OK) {
        code = ctl_query(ctl, &accounting_service, "show_mail", &body, &result);
    }
    return code == CTL_OK ? print_mail(ctl, &result) : code;
}

static const struct ctl_command show_command = {
    .name = "show",
    .arguments = "ID",
    .summary = "Show a mail whole, and how its sending went",
    .examples = "atesctl mail show 12",
    .min = 1,
    .max = 1,
    .run = run_show,
};

/* JSON and CSV show the mail as it is now. */
static int run_retry(struct ctl *ctl, const struct ctl_input *input)
{
    struct accounting_retry_mail body;
    struct accounting_show_mail_result mail;
    struct ates_empty result;

    int code = parse_id(input, &body.mail_id);
    if (code == CTL_OK) {
        code = ctl_change(ctl, &accounting_service, "retry_mail", &body, &result);
    }
    if (code != CTL_OK) {
        return code;
    }
    ctl_say("mail %" PRIu64 " is sent again; how that goes: atesctl mail show %" PRIu64,
            body.mail_id, body.mail_id);
    if (ctl->format == CTL_TABLE) {
        return ctl_print_number(body.mail_id);
    }
    const struct accounting_show_mail wanted = {.mail_id = body.mail_id};
    code = ctl_query(ctl, &accounting_service, "show_mail", &wanted, &mail);
    return code == CTL_OK ? ctl_print(ctl, &accounting_mail_message, &mail.mail) : code;
}

static const struct ctl_command retry_command = {
    .name = "retry",
    .arguments = "ID",
    .summary = "Send a mail again that was given up, or at once one that waits",
    .examples = "atesctl mail retry 12",
    .look = "atesctl mail show ID",
    .min = 1,
    .max = 1,
    .run = run_retry,
};

static const struct ctl_command *const commands[] = {&ls_command, &show_command, &retry_command,
                                                     NULL};
const struct ctl_group mail_group = {
    .name = "mail", .summary = "Mails of payouts", .commands = commands};

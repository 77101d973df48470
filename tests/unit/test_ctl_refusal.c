/* Refusals in words: which exit code, and that the words name what was asked for. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include <ates/accounting.h>
#include <ates/auth.h>
#include <ates/payment.h>
#include <ates/tasks.h>

#include "atesctl/help.h"
#include "atesctl/refusal.h"
#include "atesctl/remote.h"

static int refuse(const struct ates_service *service, const char *name, const void *body,
                  enum ates_status status, const char *reason, const char *field)
{
    struct ates_refusal refusal;

    ates_refusal_set(&refusal, status, reason, field, "its own words");
    cr_redirect_stderr();
    const int code = ctl_refused(service->name, ctl_command(service, name), body, &refusal);
    fflush(stderr);
    return code;
}

Test(ctl_refusal, names_the_id_and_what_to_try)
{
    const struct tasks_complete_task body = {.task_id = 31};

    cr_expect_eq(refuse(&tasks_service, "complete_task", &body, ATES_PERMISSION_DENIED,
                        "NOT_ASSIGNEE", NULL),
                 CTL_FORBIDDEN);
    cr_expect_stderr_eq_str("atesctl: task 31 is assigned to somebody else: only the assignee can "
                            "complete it; try: atesctl task mine\n");
}

Test(ctl_refusal, names_the_roles_that_may)
{
    cr_expect_eq(refuse(&tasks_service, "reassign_tasks", NULL, ATES_PERMISSION_DENIED,
                        "ROLE_NOT_ALLOWED", NULL),
                 CTL_FORBIDDEN);
    cr_expect_stderr_eq_str("atesctl: your role may not do this; who may: administrator or "
                            "manager; try: atesctl whoami\n");
}

Test(ctl_refusal, a_word_may_mean_another_thing_to_another_command)
{
    cr_expect_eq(refuse(&auth_service, "change_password", NULL, ATES_UNAUTHENTICATED,
                        "BAD_CREDENTIALS", NULL),
                 CTL_NOT_SIGNED_IN);
    cr_expect_stderr_eq_str("atesctl: the present password is wrong\n");
}

Test(ctl_refusal, names_the_date)
{
    const struct accounting_pay_to_workers body = {.has_business_date = true,
                                                   .business_date = ates_text_from("2026-12-01")};

    cr_expect_eq(refuse(&accounting_service, "pay_to_workers", &body, ATES_INVALID_ARGUMENT,
                        "DATE_IN_FUTURE", "business_date"),
                 CTL_REFUSED);
    cr_expect_stderr_eq_str("atesctl: 2026-12-01 is in the future: a date can be paid once it has "
                            "begun\n");
}

Test(ctl_refusal, there_may_be_no_date_to_name)
{
    const struct accounting_pay_to_workers body = {.has_business_date = false};

    cr_expect_eq(refuse(&accounting_service, "pay_to_workers", &body, ATES_FAILED_PRECONDITION,
                        "NO_TRANSFERS", NULL),
                 CTL_CONFLICT);
    cr_expect_stderr_eq_str("atesctl: there is nothing to pay: no money was moved yet; try: "
                            "atesctl account income\n");
}

/* A user who signs in again would be no wiser. */
Test(ctl_refusal, services_may_not_know_each_other)
{
    const struct payment_run_payment body = {.has_business_date = false};

    cr_expect_eq(
        refuse(&payment_service, "run_payment", &body, ATES_UNAVAILABLE, "TOKEN_INVALID", NULL),
        CTL_UNREACHABLE);
    cr_expect_stderr_eq_str("atesctl: payment.run_payment refused: its own words (TOKEN_INVALID); "
                            "try: again in a while\n");
}

Test(ctl_refusal, in_words_alone)
{
    const struct accounting_retry_mail body = {.mail_id = 3};
    const struct ates_command *command = ctl_command(&accounting_service, "retry_mail");
    struct ates_refusal refusal;
    char words[CTL_REFUSAL_WORDS_SIZE];

    ates_refusal_set(&refusal, ATES_NOT_FOUND, "MAIL_UNKNOWN", NULL, "its own words");
    cr_expect_str_eq(ctl_refusal_words(command, &body, &refusal, words), "there is no mail 3");
    ates_refusal_set(&refusal, ATES_UNAVAILABLE, "ODD", NULL, "task #7 is at work");
    cr_expect_str_eq(ctl_refusal_words(command, &body, &refusal, words), "task #7 is at work");
}

/* About oneself there is no id to name. */
Test(ctl_refusal, otherwise_the_service_is_quoted)
{
    const struct auth_show_user body = {.has_user_id = false};

    cr_expect_eq(refuse(&auth_service, "show_user", &body, ATES_NOT_FOUND, "USER_UNKNOWN", NULL),
                 CTL_NOT_FOUND);
    cr_expect_stderr_eq_str("atesctl: auth.show_user refused: its own words (USER_UNKNOWN)\n");
}

Test(ctl_refusal, a_period_is_in_order)
{
    cr_expect_eq(ctl_check_period(NULL, NULL), CTL_OK);
    cr_expect_eq(ctl_check_period("2026-11-01", "2026-11-01"), CTL_OK);
    cr_expect_eq(ctl_check_period("2026-11-30", "2026-11-01"), CTL_USAGE);
    cr_expect_eq(ctl_check_period(NULL, "2026-11-31"), CTL_USAGE);
}

Test(ctl_refusal, every_status_has_its_exit_code)
{
    static const enum ctl_exit codes[ATES_STATUS_COUNT] = {
        [ATES_OK] = CTL_OK,
        [ATES_INVALID_ARGUMENT] = CTL_REFUSED,
        [ATES_UNAUTHENTICATED] = CTL_NOT_SIGNED_IN,
        [ATES_PERMISSION_DENIED] = CTL_FORBIDDEN,
        [ATES_NOT_FOUND] = CTL_NOT_FOUND,
        [ATES_ALREADY_EXISTS] = CTL_CONFLICT,
        [ATES_FAILED_PRECONDITION] = CTL_CONFLICT,
        [ATES_RESOURCE_EXHAUSTED] = CTL_REFUSED,
        [ATES_DEADLINE_EXCEEDED] = CTL_UNREACHABLE,
        [ATES_UNAVAILABLE] = CTL_UNREACHABLE,
        [ATES_UNIMPLEMENTED] = CTL_REFUSED,
        [ATES_INTERNAL] = CTL_REFUSED,
        [ATES_DATA_LOSS] = CTL_REFUSED,
    };

    for (int status = 0; status < ATES_STATUS_COUNT; status++) {
        cr_expect_eq(ctl_exit_of((enum ates_status)status), codes[status], "%s",
                     ates_status_name((enum ates_status)status));
    }
}

/* What scripts rely on: the numbers themselves. */
Test(ctl_refusal, exit_codes_stay)
{
    static const int numbers[] = {0, 1, 2, 3, 4, 5, 6, 7, 130};
    size_t count = 0;

    for (; ctl_exit_table[count].words != NULL; count++) {
        cr_assert_lt(count, sizeof numbers / sizeof numbers[0]);
        cr_expect_eq((int)ctl_exit_table[count].code, numbers[count], "%s",
                     ctl_exit_table[count].words);
    }
    cr_expect_eq(count, sizeof numbers / sizeof numbers[0]);
}

/* Refusals in words: which exit code, and that the words name what was asked for. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include <ates/auth.h>
#include <ates/tasks.h>

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

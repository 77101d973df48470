/* Reassigning by hand: what is told before, what is asked, and what is done. */
#include <string.h>

#include <criterion/criterion.h>

#include <ates/tasks.h>

#include "support/ctl_fixture.h"

static const struct tasks_reassign_tasks_result many = {.reassigned = 42}, one = {.reassigned = 1};

static void answer(const struct tasks_reassign_tasks_result *result)
{
    ctl_answer(0, &tasks_reassign_tasks_result_message, result);
}

/* Whether the service was asked for a dry run, in this place. */
static bool was_dry(size_t step)
{
    struct ates_arena *arena = ates_arena_new();
    struct tasks_reassign_tasks body;

    ctl_asked(step, &tasks_reassign_tasks_message, arena, &body);
    ates_arena_free(&arena);
    return body.has_dry_run && body.dry_run;
}

Test(ctl_reassign, draws_at_once_where_nobody_is_asked)
{
    answer(&many);
    cr_expect_eq(ctl_run_against("tasks", "task reassign --yes"), CTL_OK);
    cr_expect_str_eq(ctl_run.err, "42 open tasks were reassigned\n");
    cr_expect_str_eq(ctl_run.out, "42\n");
    cr_assert_eq(ctl_run.service.request_count, 1);
    cr_expect_str_eq(ctl_run.service.seen[0].command, "tasks.reassign_tasks");
    cr_expect_str_neq(ctl_run.service.seen[0].request_id, "");
    cr_expect_not(was_dry(0));
    answer(&one);
    cr_expect_eq(ctl_run_against("tasks", "task reassign --yes -o json"), CTL_OK);
    cr_expect_str_eq(ctl_run.err, "1 open task was reassigned\n");
    cr_expect_str_eq(ctl_run.out, "{\n  \"reassigned\": 1\n}\n");
}

Test(ctl_reassign, a_dry_run_is_one)
{
    answer(&many);
    cr_expect_eq(ctl_run_against("tasks", "task reassign --dry-run"), CTL_OK);
    cr_expect_str_eq(ctl_run.err, "42 open tasks would be reassigned\n");
    cr_expect_str_eq(ctl_run.out, "42\n");
    cr_assert_eq(ctl_run.service.request_count, 1);
    cr_expect(was_dry(0));
    cr_expect_eq(ctl_run_against("tasks", "task reassign --dry-run --yes"), CTL_OK);
    cr_assert_eq(ctl_run.service.request_count, 1);
    cr_expect(was_dry(0), "yes to what? to nothing");
}

Test(ctl_reassign, draws_nothing_unasked)
{
    answer(&many);
    cr_expect_eq(ctl_run_against("tasks", "task reassign"), CTL_USAGE);
    cr_expect_eq(ctl_run.service.request_count, 0);
    cr_expect_not_null(strstr(ctl_run.err, "the same with --yes"), "%s", ctl_run.err);
}

static int check_asked(bool is_agreed)
{
    const int code = ctl_run_with("tasks", "task reassign", true);

    if (code != (is_agreed ? CTL_OK : CTL_REFUSED) ||
        ctl_run.service.request_count != (is_agreed ? 2 : 1)) {
        return 2;
    }
    return !was_dry(0) || (is_agreed && was_dry(1)) ? 3 : 0;
}

Test(ctl_reassign, asks_with_the_number)
{
    char shown[4096] = "";

    answer(&many);
    cr_expect_eq(ctl_at_terminal(check_asked, "y\n", true, shown, sizeof shown), 0, "%s", shown);
    cr_expect_not_null(
        strstr(shown, "42 open tasks will be drawn again, each for a fee. Go on? [y/N]: "), "%s",
        shown);
    cr_expect_not_null(strstr(shown, "42 open tasks were reassigned"), "%s", shown);
}

Test(ctl_reassign, draws_nothing_without_a_yes)
{
    char shown[4096] = "";

    answer(&one);
    cr_expect_eq(ctl_at_terminal(check_asked, "\n", false, shown, sizeof shown), 0, "%s", shown);
    cr_expect_not_null(strstr(shown, "1 open task will be drawn again"), "%s", shown);
    cr_expect_not_null(strstr(shown, "atesctl: nothing was reassigned"), "%s", shown);
}

Test(ctl_reassign, a_refusal_is_told)
{
    ctl_refuse(0, ATES_FAILED_PRECONDITION, "NO_ASSIGNEES", 0);
    cr_expect_eq(ctl_run_against("tasks", "task reassign --yes"), CTL_CONFLICT);
    cr_expect_eq(ctl_run.service.request_count, 1);
}

/* The tasks service: creating and completing tasks, who may see one, and its log. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/tasks_fixture.h"

TestSuite(tasks, .init = set_up, .fini = tear_down);

Test(tasks, create_task_draws_an_assignee)
{
    register_popugs(3);
    fixture.now_ms += 5000;
    const struct tasks_task task = create_as(popug(FIRST_POPUG), "Fix the roof", "with\nnails");

    cr_expect_eq(task.id, 1);
    cr_expect(ates_text_equal(task.name, ates_text_from("Fix the roof")));
    cr_expect(ates_text_equal(task.description, ates_text_from("with\nnails")));
    cr_expect(task.assigned_to >= FIRST_POPUG && task.assigned_to < FIRST_POPUG + 3);
    cr_expect_eq(task.created_by, FIRST_POPUG);
    cr_expect_eq(task.created_at, FIXTURE_TIME + 5000);
    cr_expect(!task.is_finished && !task.has_finished_at);
    cr_expect_eq(create("another").id, 2);

    struct tasks_task_created_v2 event;
    fixture_event(&fixture, 1, &tasks_task_created_v2_message, &event);
    cr_expect_eq(event.task_id, 1);
    cr_expect_eq(event.assigned_to, task.assigned_to);
    cr_expect_eq(event.created_by, FIRST_POPUG);
    cr_expect(ates_text_equal(event.description, task.description));
    cr_expect_eq(fixture_head(&fixture), 2);

    const struct tasks_show_task_log_result log = show_log(1);
    cr_assert_eq(log.items.count, 1);
    cr_expect_eq(entry(&log, 0)->type, TASKS_LOG_CREATE);
    cr_expect_eq(entry(&log, 0)->actor_id, FIRST_POPUG);
    cr_expect_eq(entry(&log, 0)->timestamp, FIXTURE_TIME + 5000);
    cr_expect(!entry(&log, 0)->has_from_user_id);
    cr_expect_eq(entry(&log, 0)->to_user_id, task.assigned_to);
}

static struct tasks_task create_for_issue(const char *name, const char *jira_id)
{
    const struct tasks_create_task body = {
        .name = ates_text_from(name), .has_jira_id = true, .jira_id = ates_text_from(jira_id)};
    struct tasks_task_result result;

    fixture_do(&fixture, manager, "create_task", &body, &result);
    return result.task;
}

static void text_is(struct ates_text text, const char *expected)
{
    cr_expect(ates_text_equal(text, ates_text_from(expected)), "'%.*s' is not '%s'", (int)text.size,
              text.data, expected);
}

Test(tasks, create_task_for_an_issue)
{
    register_popugs(3);
    const struct tasks_task task = create_for_issue("Fix the roof", "ATES-12");
    struct tasks_task_created_v2 event;

    text_is(task.name, "Fix the roof");
    cr_assert(task.has_jira_id);
    text_is(task.jira_id, "ATES-12");
    text_is(show(1).jira_id, "ATES-12");
    fixture_event(&fixture, 1, &tasks_task_created_v2_message, &event);
    text_is(event.title, "Fix the roof");
    cr_assert(event.has_jira_id);
    text_is(event.jira_id, "ATES-12");
    cr_expect_eq(event.task_id, 1);
    cr_expect_eq(event.assigned_to, task.assigned_to);
    cr_expect_eq(event.created_by, MANAGER);
    cr_expect_eq(fixture_head(&fixture), 1, "version 1 is published no more");
}

/* A service signs its own tokens with user id 0, which is no user's. */
Test(tasks, a_service_by_itself_has_no_tasks)
{
    register_popugs(1);
    const struct ates_caller service = fixture_caller(0, ATES_INTERNALSERVICE);
    const struct tasks_create_task body = {.name = ates_text_from("Count the eggs")};
    const struct tasks_complete_task done = {.task_id = 1};
    const struct tasks_show_my_assigned_tasks mine = {.has_limit = false};
    struct tasks_show_my_assigned_tasks_result page;

    fixture_refused(&fixture, service, "create_task", &body, ATES_PERMISSION_DENIED,
                    "ROLE_NOT_ALLOWED");
    create("Count the eggs");
    fixture_refused(&fixture, service, "complete_task", &done, ATES_PERMISSION_DENIED,
                    "NOT_ASSIGNEE");
    fixture_do(&fixture, service, "show_my_assigned_tasks", &mine, &page);
    cr_expect_eq(page.items.count, 0);
}

Test(tasks, complete_task)
{
    register_popugs(2);
    const struct tasks_task task = create("Fix the roof");
    const struct tasks_complete_task body = {.task_id = task.id}, unknown = {.task_id = 99};
    const uint64_t other = FIRST_POPUG + FIRST_POPUG + 1 - task.assigned_to;

    fixture_refused(&fixture, popug(task.assigned_to), "complete_task", &unknown, ATES_NOT_FOUND,
                    "TASK_UNKNOWN");
    fixture_refused(&fixture, popug(other), "complete_task", &body, ATES_PERMISSION_DENIED,
                    "NOT_ASSIGNEE");
    fixture_refused(&fixture, manager, "complete_task", &body, ATES_PERMISSION_DENIED,
                    "NOT_ASSIGNEE");
    fixture.now_ms += 1000;
    const struct tasks_task done = complete(&task);
    cr_expect(done.is_finished && done.has_finished_at);
    cr_expect_eq(done.finished_at, FIXTURE_TIME + 1000);
    cr_expect_eq(done.created_at, FIXTURE_TIME);
    fixture_refused(&fixture, popug(task.assigned_to), "complete_task", &body,
                    ATES_FAILED_PRECONDITION, "ALREADY_FINISHED");

    struct tasks_task_completed event;
    fixture_event(&fixture, 2, &tasks_task_completed_message, &event);
    cr_expect_eq(event.task_id, task.id);
    cr_expect_eq(event.completed_by, task.assigned_to);
    cr_expect_eq(fixture_head(&fixture), 2);
    fixture_reopen(&fixture);
    const struct tasks_show_task_log_result log = show_log(task.id);
    cr_assert_eq(log.items.count, 2);
    cr_expect_eq(entry(&log, 1)->type, TASKS_LOG_COMPLETE);
    cr_expect_eq(entry(&log, 1)->actor_id, task.assigned_to);
    cr_expect(!entry(&log, 1)->has_to_user_id);
    cr_expect(show(task.id).is_finished);
}

Test(tasks, who_may_see_a_task)
{
    register_popugs(1);
    const struct tasks_task task = create_as(popug(50), "Fix the roof", "");
    const struct tasks_show_task body = {.task_id = task.id}, unknown = {.task_id = 2};
    const struct tasks_show_task_log log = {.task_id = task.id}, unknown_log = {.task_id = 2};
    const struct ates_caller may[] = {popug(FIRST_POPUG), popug(50), admin, manager};
    const struct ates_caller may_not[] = {popug(51), fixture_caller(52, ATES_BOSS),
                                          fixture_caller(53, ATES_ACCOUNTANT),
                                          fixture_caller(0, ATES_INTERNALSERVICE)};

    for (size_t i = 0; i < 4; i++) {
        struct tasks_task_result result;
        struct tasks_show_task_log_result entries;

        fixture_do(&fixture, may[i], "show_task", &body, &result);
        cr_expect_eq(result.task.id, task.id);
        fixture_do(&fixture, may[i], "show_task_log", &log, &entries);
        cr_expect_eq(entries.items.count, 1);
        fixture_refused(&fixture, may_not[i], "show_task", &body, ATES_PERMISSION_DENIED,
                        "NOT_YOUR_TASK");
        fixture_refused(&fixture, may_not[i], "show_task_log", &log, ATES_PERMISSION_DENIED,
                        "NOT_YOUR_TASK");
    }
    fixture_refused(&fixture, admin, "show_task", &unknown, ATES_NOT_FOUND, "TASK_UNKNOWN");
    fixture_refused(&fixture, admin, "show_task_log", &unknown_log, ATES_NOT_FOUND, "TASK_UNKNOWN");
}

Test(tasks, show_task_log_pages)
{
    struct tasks_show_task_log body = {.task_id = 1, .has_limit = true, .limit = 2};
    struct tasks_show_task_log_result page;
    uint64_t last = 0;
    size_t count = 0;

    register_popugs(3);
    create("a");
    create("b");
    for (int i = 0; i < 6; i++) {
        fixture_do(&fixture, manager, "reassign_tasks", NULL, NULL);
    }
    do {
        fixture_do(&fixture, admin, "show_task_log", &body, &page);
        for (size_t i = 0; i < page.items.count; i++, count++) {
            cr_assert_gt(entry(&page, i)->id, last);
            cr_assert_eq(entry(&page, i)->task_id, 1);
            cr_assert_eq(entry(&page, i)->type, count == 0 ? TASKS_LOG_CREATE : TASKS_LOG_ASSIGN);
            last = entry(&page, i)->id;
        }
        body.has_after = page.has_next;
        body.after = page.next;
    } while (page.has_next);
    cr_expect_eq(count, 7);
    cr_expect_eq(page.items.count, 1);
    body.has_newest_first = body.newest_first = true;
    last++;
    do {
        fixture_do(&fixture, admin, "show_task_log", &body, &page);
        for (size_t i = 0; i < page.items.count; i++, count--) {
            cr_assert_lt(entry(&page, i)->id, last);
            cr_assert_eq(entry(&page, i)->task_id, 1);
            cr_assert_eq(entry(&page, i)->type, count == 1 ? TASKS_LOG_CREATE : TASKS_LOG_ASSIGN);
            last = entry(&page, i)->id;
        }
        body.has_after = page.has_next;
        body.after = page.next;
    } while (page.has_next);
    cr_expect_eq(count, 0, "all of them again, the newest first");
    body = (struct tasks_show_task_log){
        .task_id = 1, .has_after = true, .after = ates_text_from("1x")};
    fixture_refused(&fixture, admin, "show_task_log", &body, ATES_INVALID_ARGUMENT,
                    "FIELD_INVALID");
    cr_expect_str_eq(fixture.refusal.field, "after");
}

/* A random life of the service: its rows agree all along, and the log alone gives the same state.
 */
static const char *const names[] = {"Fix the roof", "Починить крышу", "roof of the coop"};

Test(tasks, any_life_can_be_replayed)
{
    register_popugs(4);
    for (int round = 0; round < 400; round++) {
        const uint64_t user = FIRST_POPUG + fixture_draw(&fixture, 6);
        const uint64_t id = 1 + fixture_draw(&fixture, 200);
        const struct tasks_create_task new_task = {.name = ates_text_from(names[id % 3])};
        const struct tasks_complete_task done = {.task_id = id};

        ates_arena_reset(fixture.arena);
        fixture.now_ms += (int64_t)fixture_draw(&fixture, 1000) - 200; /* clocks go back too */
        switch (fixture_draw(&fixture, 8)) {
        case 0:
            fixture_change_user(&fixture, user,
                                (enum ates_role)fixture_draw(&fixture, ATES_ROLE_COUNT),
                                fixture_draw(&fixture, 3) == 0);
            break;
        case 1:
            fixture_execute(&fixture, manager, "reassign_tasks", NULL, NULL);
            fixture_commit(&fixture);
            break;
        case 2:
            fixture_step(&fixture);
            break;
        case 3:
            fixture_invoke(&fixture, popug(user), "complete_task", &done, NULL);
            break;
        default:
            fixture_execute(&fixture, popug(user), "create_task", &new_task, NULL);
            fixture_commit(&fixture);
        }
        if (round % 100 == 99) {
            fixture_check_rebuild(&fixture);
        }
    }
}

/* The tasks service: what it refuses, whom it draws, what it lists. Every test ends with the
 * domain's own check of its rows and with a rebuild from the log, which must give the same state
 * byte for byte. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include <ates/tasks.h>

#include "support/engine_fixture.h"
#include "tasks/tasks.h"

#define ADMIN 1u
#define MANAGER 2u
#define FIRST_POPUG 10u

static struct fixture fixture;
static struct ates_caller admin, manager;

static struct ates_caller popug(uint64_t user_id)
{
    return fixture_caller(user_id, ATES_DEVELOPER);
}

static void set_up(void)
{
    fixture_open(&fixture, &tasks_domain);
    fixture_register_user(&fixture, ADMIN, ATES_ADMINISTRATOR);
    fixture_register_user(&fixture, MANAGER, ATES_MANAGER);
    admin = fixture_caller(ADMIN, ATES_ADMINISTRATOR);
    manager = fixture_caller(MANAGER, ATES_MANAGER);
}

static void tear_down(void)
{
    fixture_check_rebuild(&fixture);
    fixture_close(&fixture);
}

TestSuite(tasks, .init = set_up, .fini = tear_down);

/* Popugs with ids from FIRST_POPUG. */
static void register_popugs(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        fixture_register_user(&fixture, FIRST_POPUG + i, ATES_DEVELOPER);
    }
}

static struct tasks_task create_as(struct ates_caller caller, const char *name,
                                   const char *description)
{
    const struct tasks_create_task body = {.name = ates_text_from(name),
                                           .description = ates_text_from(description)};
    struct tasks_task_result result;

    fixture_do(&fixture, caller, "create_task", &body, &result);
    return result.task;
}

static struct tasks_task create(const char *name)
{
    return create_as(manager, name, "");
}

/* Many tasks in few commits. */
static void create_many(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char name[32];

        snprintf(name, sizeof name, "task %u", i);
        const struct tasks_create_task body = {.name = ates_text_from(name)};
        cr_assert_eq(fixture_execute(&fixture, manager, "create_task", &body, NULL).status,
                     ATES_OK);
        if (i % 500 == 499) {
            fixture_commit(&fixture);
        }
    }
    fixture_commit(&fixture);
}

static struct tasks_task show(uint64_t task_id)
{
    const struct tasks_show_task body = {.task_id = task_id};
    struct tasks_task_result result;

    fixture_do(&fixture, admin, "show_task", &body, &result);
    return result.task;
}

static struct tasks_task complete(const struct tasks_task *task)
{
    const struct tasks_complete_task body = {.task_id = task->id};
    struct tasks_task_result result;

    fixture_do(&fixture, popug(task->assigned_to), "complete_task", &body, &result);
    return result.task;
}

static struct tasks_show_task_log_result show_log(uint64_t task_id)
{
    const struct tasks_show_task_log body = {.task_id = task_id};
    struct tasks_show_task_log_result result;

    fixture_do(&fixture, admin, "show_task_log", &body, &result);
    return result;
}

static const struct tasks_log_entry *entry(const struct tasks_show_task_log_result *log,
                                           size_t index)
{
    cr_assert_lt(index, log->items.count);
    return (const struct tasks_log_entry *)log->items.items + index;
}

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

    struct tasks_task_created event;
    fixture_event(&fixture, 1, &tasks_task_created_message, &event);
    cr_expect_eq(event.task_id, 1);
    cr_expect_eq(event.assigned_to, task.assigned_to);
    cr_expect_eq(event.created_by, FIRST_POPUG);
    cr_expect(ates_text_equal(event.description, task.description));
    cr_expect_eq(fixture_head(&fixture), 2, "one event a task");

    const struct tasks_show_task_log_result log = show_log(1);
    cr_assert_eq(log.items.count, 1);
    cr_expect_eq(entry(&log, 0)->type, TASKS_LOG_CREATE);
    cr_expect_eq(entry(&log, 0)->actor_id, FIRST_POPUG);
    cr_expect_eq(entry(&log, 0)->timestamp, FIXTURE_TIME + 5000);
    cr_expect(!entry(&log, 0)->has_from_user_id);
    cr_expect_eq(entry(&log, 0)->to_user_id, task.assigned_to);
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

Test(tasks, nobody_eligible)
{
    const struct tasks_create_task body = {.name = ates_text_from("x")};

    fixture_register_user(&fixture, 3, ATES_INTERNALSERVICE);
    fixture_register_user(&fixture, 4, ATES_DEVELOPER);
    fixture_change_user(&fixture, 4, ATES_DEVELOPER, true);
    fixture_refused(&fixture, admin, "create_task", &body, ATES_FAILED_PRECONDITION,
                    "NO_ASSIGNEES");
    fixture_refused(&fixture, admin, "reassign_tasks", NULL, ATES_FAILED_PRECONDITION,
                    "NO_ASSIGNEES");
    cr_expect_eq(fixture_head(&fixture), 0);
    fixture_change_user(&fixture, 4, ATES_DEVELOPER, false);
    cr_expect_eq(create("x").assigned_to, 4);
}

Test(tasks, every_role_but_three_is_eligible)
{
    bool drawn[ATES_ROLE_COUNT] = {false};

    for (int role = 0; role < ATES_ROLE_COUNT; role++) {
        fixture_register_user(&fixture, FIRST_POPUG + (unsigned)role, (enum ates_role)role);
    }
    create_many(300);
    for (uint64_t id = 1; id <= 300; id++) {
        drawn[show(id).assigned_to - FIRST_POPUG] = true;
    }
    for (int role = 0; role < ATES_ROLE_COUNT; role++) {
        const bool expected =
            role != ATES_ADMINISTRATOR && role != ATES_MANAGER && role != ATES_INTERNALSERVICE;

        cr_expect_eq(drawn[role], expected, "%s", ates_role_names[role]);
    }
}

/* Chi-square of the counts against equal shares. */
static double chi_square(const unsigned *counts, size_t classes, unsigned total)
{
    const double expected = (double)total / (double)classes;
    double sum = 0;

    for (size_t i = 0; i < classes; i++) {
        const double difference = (double)counts[i] - expected;

        sum += difference * difference / expected;
    }
    return sum;
}

/* 22.458 is the 0.999 quantile of chi-square with 6 degrees of freedom: a fair draw fails once in a
 * thousand seeds. Users come and go before, so that slots have been swapped. */
Test(tasks, each_eligible_user_is_equally_likely)
{
    unsigned counts[7] = {0};
    const unsigned total = 20000;

    register_popugs(12);
    for (unsigned i = 0; i < 12; i++) {
        if (i % 2 == 0 && i < 10) {
            fixture_change_user(&fixture, FIRST_POPUG + i, ATES_DEVELOPER, true);
        }
    }
    for (unsigned i = 0; i < total; i++) {
        const struct tasks_create_task body = {.name = ates_text_from("x")};

        cr_assert_eq(fixture_execute(&fixture, manager, "create_task", &body, NULL).status,
                     ATES_OK);
        if (i % 1000 == 999) {
            fixture_commit(&fixture);
        }
    }
    static const unsigned expected[7] = {1, 3, 5, 7, 9, 10, 11};
    for (uint64_t seq = 1; seq <= total; seq++) {
        struct tasks_task_created event;
        size_t i = 0;

        ates_arena_reset(fixture.arena);
        fixture_event(&fixture, seq, &tasks_task_created_message, &event);
        while (i < 7 && event.assigned_to != FIRST_POPUG + expected[i]) {
            i++;
        }
        cr_assert_lt(i, 7, "user %" PRIu64 " was drawn", event.assigned_to);
        counts[i]++;
    }
    const double chi = chi_square(counts, 7, total);
    cr_assert_lt(chi, 22.458, "chi-square %.2f", chi);
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
    body = (struct tasks_show_task_log){
        .task_id = 1, .has_after = true, .after = ates_text_from("1x")};
    fixture_refused(&fixture, admin, "show_task_log", &body, ATES_INVALID_ARGUMENT,
                    "FIELD_INVALID");
    cr_expect_str_eq(fixture.refusal.field, "after");
}

Test(tasks, reassign_tasks_draws_every_open_task)
{
    struct tasks_reassign_tasks_result result;

    register_popugs(2);
    fixture_do(&fixture, manager, "reassign_tasks", NULL, &result);
    cr_expect_eq(result.reassigned, 0, "no task at all");
    const struct tasks_task a = create("a"), b = create("b"), c = create("c");
    complete(&b);
    const uint64_t head = fixture_head(&fixture);
    fixture_do(&fixture, admin, "reassign_tasks", NULL, &result);
    cr_expect_eq(result.reassigned, 2);

    struct tasks_reassignment_started started;
    fixture_event(&fixture, head + 1, &tasks_reassignment_started_message, &started);
    cr_expect_eq(started.reassignment_id, 2);
    cr_expect_eq(started.requested_by, ADMIN);
    cr_expect_eq(started.up_to_task_id, 3);
    const struct tasks_task *const tasks[] = {&a, &c};
    for (size_t i = 0; i < 2; i++) {
        struct tasks_task_assigned assigned;

        fixture_event(&fixture, head + 2 + i, &tasks_task_assigned_message, &assigned);
        cr_expect_eq(assigned.task_id, tasks[i]->id);
        cr_expect_eq(assigned.from_user_id, tasks[i]->assigned_to);
        cr_expect_eq(assigned.reassignment_id, 2);
        cr_expect_eq(show(tasks[i]->id).assigned_to, assigned.assigned_to);
        const struct tasks_show_task_log_result log = show_log(tasks[i]->id);
        cr_assert_eq(log.items.count, 2);
        cr_expect_eq(entry(&log, 1)->type, TASKS_LOG_ASSIGN);
        cr_expect_eq(entry(&log, 1)->actor_id, ADMIN);
        cr_expect_eq(entry(&log, 1)->from_user_id, assigned.from_user_id);
        cr_expect_eq(entry(&log, 1)->to_user_id, assigned.assigned_to);
        cr_expect(!entry(&log, 1)->has_description);
    }
    struct tasks_reassignment_finished finished;
    fixture_event(&fixture, head + 4, &tasks_reassignment_finished_message, &finished);
    cr_expect_eq(finished.reassignment_id, 2);
    cr_expect_eq(finished.count, 2);
    cr_expect_eq(fixture_head(&fixture), head + 4);
    cr_expect_eq(show(b.id).assigned_to, b.assigned_to, "finished tasks stay");
}

static uint64_t count_assigned(uint64_t first_seq, uint64_t reassignment_id, uint64_t *times,
                               uint64_t last_task)
{
    uint64_t count = 0;

    memset(times, 0, (last_task + 1) * sizeof *times);
    for (uint64_t seq = first_seq; seq <= fixture_head(&fixture); seq++) {
        const struct ates_envelope envelope = fixture_envelope(&fixture, seq);
        struct tasks_task_assigned assigned;

        if (ates_text_equal(envelope.event_name, ates_text_from("task_assigned"))) {
            fixture_event(&fixture, seq, &tasks_task_assigned_message, &assigned);
            cr_assert_leq(assigned.task_id, last_task);
            if (assigned.reassignment_id == reassignment_id) {
                times[assigned.task_id]++;
                count++;
            }
        }
    }
    return count;
}

/* Many chunks, with restarts in the middle - also one that has to replay everything - and with
 * other commands in between: every task that stays open is drawn exactly once. */
Test(tasks, reassign_tasks_goes_on_where_it_was)
{
    enum { TASKS = 2600 };
    static uint64_t times[TASKS + 3];
    struct ates_outcome outcome;
    unsigned steps = 0;
    bool more = true;

    register_popugs(5);
    create_many(TASKS);
    const struct tasks_task finished_before = show(100), late = show(TASKS);
    complete(&finished_before);
    const uint64_t head = fixture_head(&fixture);
    outcome = fixture_execute(&fixture, manager, "reassign_tasks", NULL, "again-1");
    cr_assert_eq(outcome.status, ATES_OK);
    cr_assert_eq(outcome.job, 1);
    fixture_commit(&fixture);
    while (more) {
        more = fixture_step(&fixture);
        cr_assert_eq(ates_engine_finished_jobs(fixture.engine), (size_t)(steps == 10));
        steps++;
        if (steps == 2) {
            complete(&late);
            cr_expect_eq(create("new").id, TASKS + 1);
        }
        if (steps == 4) {
            fixture_reopen(&fixture);
        }
        if (steps == 7) {
            fixture_check_rebuild(&fixture);
        }
        if (steps == 10) {
            outcome = fixture_execute(&fixture, manager, "reassign_tasks", NULL, "again-1");
            cr_expect(outcome.status == ATES_OK && outcome.job == 1, "the same job is waited for");
            fixture_commit(&fixture);
        }
    }
    cr_expect_eq(steps, 12, "11 chunks, and one look for more");
    cr_expect_eq(count_assigned(head + 1, 1, times, TASKS + 1), TASKS - 2);
    for (uint64_t id = 1; id <= TASKS + 1; id++) {
        cr_assert_eq(times[id], id != finished_before.id && id != late.id && id <= TASKS,
                     "task %" PRIu64, id);
    }

    struct tasks_reassignment_finished finished;
    fixture_event(&fixture, fixture_head(&fixture), &tasks_reassignment_finished_message,
                  &finished);
    cr_expect_eq(finished.count, TASKS - 2);
    const struct ates_envelope envelope = fixture_envelope(&fixture, fixture_head(&fixture));
    cr_assert(envelope.has_cause);
    cr_expect(ates_text_equal(envelope.cause.command, ates_text_from("tasks.reassign_tasks")));
    cr_expect(ates_text_equal(envelope.cause.request_id, ates_text_from("again-1")));
    cr_expect_eq(envelope.cause.user_id, MANAGER);
    outcome = fixture_execute(&fixture, manager, "reassign_tasks", NULL, "again-1");
    cr_expect(outcome.status == ATES_OK && outcome.replayed && outcome.job == 0);
    fixture_commit(&fixture);
}

Test(tasks, reassign_tasks_stops_when_nobody_is_left)
{
    register_popugs(1);
    create_many(600);
    fixture_execute(&fixture, manager, "reassign_tasks", NULL, NULL);
    fixture_commit(&fixture);
    cr_expect(fixture_step(&fixture));
    fixture_change_user(&fixture, FIRST_POPUG, ATES_MANAGER, false);
    while (fixture_step(&fixture)) {
    }
    struct tasks_reassignment_finished finished;
    fixture_event(&fixture, fixture_head(&fixture), &tasks_reassignment_finished_message,
                  &finished);
    cr_expect_eq(finished.count, 250);
    cr_expect_eq(show(600).assigned_to, FIRST_POPUG, "it stays where it is");
}

Test(tasks, reassign_tasks_does_not_queue_without_end)
{
    register_popugs(1);
    create("a");
    for (unsigned i = 0; i < 16; i++) {
        cr_assert_eq(fixture_execute(&fixture, manager, "reassign_tasks", NULL, NULL).job, i + 1);
    }
    const struct ates_outcome outcome =
        fixture_execute(&fixture, manager, "reassign_tasks", NULL, NULL);
    cr_expect_eq(outcome.status, ATES_RESOURCE_EXHAUSTED);
    cr_expect_str_eq(outcome.refusal.reason, "REASSIGNMENTS_PENDING");
    cr_expect_gt(outcome.refusal.retry_after_ms, 0);
    fixture_commit(&fixture);
    for (uint64_t job = 1; job <= 16; job++) {
        cr_expect(fixture_step(&fixture));
        cr_assert_eq(ates_engine_finished_jobs(fixture.engine), 1);
        cr_expect_eq(ates_engine_finished_job(fixture.engine, 0).job, job, "in their order");
    }
    cr_expect(!fixture_step(&fixture));
    const struct tasks_show_task_log_result log = show_log(1);
    cr_expect_eq(log.items.count, 17);
}

Test(tasks, open_tasks_of_who_is_no_longer_eligible_are_drawn_again)
{
    static uint64_t times[701];

    register_popugs(2);
    create_many(700);
    const struct tasks_task first = show(1);
    complete(&first);
    fixture_change_user(&fixture, FIRST_POPUG + 1, ATES_BOSS, false);
    cr_expect(!fixture_step(&fixture), "a boss may be drawn too");
    const uint64_t head = fixture_head(&fixture);
    fixture_change_user(&fixture, FIRST_POPUG, ATES_DEVELOPER, true);
    cr_expect(ates_engine_has_steps(fixture.engine));
    cr_expect(fixture_step(&fixture));
    fixture_reopen(&fixture);
    while (fixture_step(&fixture)) {
    }
    const uint64_t moved = count_assigned(head + 1, 1, times, 700);
    cr_expect_gt(moved, 250, "more than one chunk");
    cr_expect_eq(fixture_head(&fixture), head + moved, "no other event is published");
    cr_expect_eq(times[1], 0);
    for (uint64_t id = 2; id <= 700; id++) {
        cr_assert_eq(show(id).assigned_to, FIRST_POPUG + 1);
        ates_arena_reset(fixture.arena);
    }
    cr_expect_eq(show(1).assigned_to, first.assigned_to, "finished tasks stay");

    const struct ates_envelope envelope = fixture_envelope(&fixture, fixture_head(&fixture));
    cr_expect(!envelope.cause.has_user_id && !envelope.cause.has_command);
    cr_expect(ates_text_equal(envelope.cause.producer, ates_text_from("auth")));
    cr_expect_eq(envelope.cause.seq, 6);
    struct tasks_task_assigned assigned;
    fixture_event(&fixture, fixture_head(&fixture), &tasks_task_assigned_message, &assigned);
    const struct tasks_show_task_log_result log = show_log(assigned.task_id);
    cr_expect_eq(entry(&log, 1)->actor_id, 0);
    cr_expect_eq(entry(&log, 1)->from_user_id, FIRST_POPUG);
    cr_expect(entry(&log, 1)->has_description);

    const uint64_t quiet = fixture_head(&fixture);
    fixture_change_user(&fixture, FIRST_POPUG, ATES_MANAGER, true);
    cr_expect(!fixture_step(&fixture), "has been ineligible before");
    fixture_change_user(&fixture, FIRST_POPUG + 1, ATES_BOSS, true);
    while (fixture_step(&fixture)) {
    }
    cr_expect_eq(fixture_head(&fixture), quiet, "nobody is left: they stay");
    fixture_change_user(&fixture, FIRST_POPUG, ATES_DEVELOPER, false);
    struct tasks_reassign_tasks_result result;
    fixture_do(&fixture, manager, "reassign_tasks", NULL, &result);
    cr_expect_eq(result.reassigned, 699);
    cr_expect_eq(show(700).assigned_to, FIRST_POPUG);
}

/* Asks for all pages; fills ids with what they hold. */
static size_t list_all(struct ates_caller caller, struct tasks_show_all_assigned_tasks body,
                       uint64_t *ids, size_t most, size_t *pages)
{
    struct tasks_show_all_assigned_tasks_result page;
    size_t count = 0;

    *pages = 0;
    do {
        fixture_do(&fixture, caller, "show_all_assigned_tasks", &body, &page);
        cr_assert_leq(page.items.count, body.has_limit ? body.limit : 100);
        for (size_t i = 0; i < page.items.count; i++) {
            cr_assert_lt(count, most);
            ids[count++] = ((const struct tasks_task *)page.items.items)[i].id;
        }
        ++*pages;
        body.has_after = page.has_next;
        body.after = page.next;
    } while (page.has_next);
    return count;
}

static const char *const titles[] = {"Fix the roof", "Roofing nails", "Paint the coop",
                                     "Починить крышу", "roof of the coop"};

static bool title_has(size_t title, const char *query)
{
    static const struct {
        const char *query;
        bool has[5];
    } known[] = {
        {"roof", {true, true, false, false, true}},
        {"RO co", {false, false, false, false, true}},
        {"крыш", {false, false, false, true, false}},
        {"the", {true, false, true, false, true}},
        {"...", {false}},
    };

    for (size_t i = 0; i < 5; i++) {
        if (strcmp(known[i].query, query) == 0) {
            return known[i].has[title];
        }
    }
    return false;
}

#define LISTED 230u

/* Any combination of filters gives what a look at every task gives. */
Test(tasks, show_all_assigned_tasks_agrees_with_a_look_at_everything)
{
    static struct tasks_task tasks[LISTED + 1];
    static const char *const queries[] = {"roof", "RO co", "крыш", "the", "..."};
    static uint64_t ids[LISTED + 1];
    size_t titled[LISTED + 1];

    register_popugs(3);
    for (uint64_t id = 1; id <= LISTED; id++) {
        fixture.now_ms += (int64_t)fixture_draw(&fixture, 3);
        titled[id] = (size_t)fixture_draw(&fixture, 5);
        tasks[id] = create(titles[titled[id]]);
        if (fixture_draw(&fixture, 3) == 0) {
            tasks[id] = complete(&tasks[id]);
        }
    }
    for (int round = 0; round < 600; round++) {
        struct tasks_show_all_assigned_tasks body = {
            .has_status = fixture_draw(&fixture, 3) != 0,
            .status = (int)fixture_draw(&fixture, 3),
            .has_assigned_to = fixture_draw(&fixture, 2) == 0,
            .assigned_to = FIRST_POPUG + fixture_draw(&fixture, 4),
            .has_query = fixture_draw(&fixture, 2) == 0,
            .has_created_from = fixture_draw(&fixture, 3) == 0,
            .created_from = FIXTURE_TIME - 5 + (int64_t)fixture_draw(&fixture, LISTED + 20),
            .has_created_to = fixture_draw(&fixture, 3) == 0,
            .created_to = FIXTURE_TIME - 5 + (int64_t)fixture_draw(&fixture, LISTED + 20),
            .has_limit = fixture_draw(&fixture, 2) == 0,
            .limit = 1 + fixture_draw(&fixture, 40),
        };
        const char *query = queries[fixture_draw(&fixture, 5)];
        const int status = body.has_status ? body.status : TASKS_ALL;
        size_t pages, expected = 0;

        body.query = ates_text_from(query);
        const size_t count = list_all(manager, body, ids, LISTED, &pages);
        for (uint64_t id = 1; id <= LISTED; id++) {
            if ((status == TASKS_ALL || tasks[id].is_finished == (status == TASKS_FINISHED)) &&
                (!body.has_assigned_to || tasks[id].assigned_to == body.assigned_to) &&
                (!body.has_query || title_has(titled[id], query)) &&
                (!body.has_created_from || tasks[id].created_at >= body.created_from) &&
                (!body.has_created_to || tasks[id].created_at < body.created_to)) {
                cr_assert_lt(expected, count, "task %" PRIu64 " is not listed", id);
                cr_assert_eq(ids[expected], id, "round %d", round);
                expected++;
            }
        }
        cr_assert_eq(count, expected, "round %d", round);
        const size_t limit = body.has_limit ? body.limit : 100;
        cr_assert_eq(pages, count == 0 ? 1 : (count + limit - 1) / limit, "no empty last page");
    }
}

Test(tasks, show_my_assigned_tasks)
{
    register_popugs(2);
    struct tasks_show_my_assigned_tasks body = {.has_limit = false};
    struct tasks_show_my_assigned_tasks_result page;
    size_t mine = 0, finished = 0;

    for (uint64_t id = 1; id <= 60; id++) {
        const struct tasks_task task = create(id % 2 == 0 ? "even roof" : "odd roof");

        if (task.assigned_to == FIRST_POPUG) {
            mine++;
            if (id % 3 == 0) {
                complete(&task);
                finished++;
            }
        }
    }
    fixture_do(&fixture, popug(FIRST_POPUG), "show_my_assigned_tasks", &body, &page);
    cr_expect_eq(page.items.count, mine - finished, "open ones, unless told otherwise");
    cr_expect(!page.has_next);
    for (size_t i = 0; i < page.items.count; i++) {
        const struct tasks_task *task = (const struct tasks_task *)page.items.items + i;

        cr_expect(task->assigned_to == FIRST_POPUG && !task->is_finished);
    }
    body.has_status = true;
    body.status = TASKS_FINISHED;
    fixture_do(&fixture, popug(FIRST_POPUG), "show_my_assigned_tasks", &body, &page);
    cr_expect_eq(page.items.count, finished);
    body.status = TASKS_ALL;
    fixture_do(&fixture, popug(FIRST_POPUG), "show_my_assigned_tasks", &body, &page);
    cr_expect_eq(page.items.count, mine);
    body.has_query = true;
    body.query = ates_text_from("ev roof");
    size_t even = 0, seen = 0;
    for (size_t i = 0; i < page.items.count; i++) {
        even += ((const struct tasks_task *)page.items.items)[i].id % 2 == 0;
    }
    body.has_limit = true;
    body.limit = 3;
    do {
        fixture_do(&fixture, popug(FIRST_POPUG), "show_my_assigned_tasks", &body, &page);
        seen += page.items.count;
        body.has_after = page.has_next;
        body.after = page.next;
    } while (page.has_next);
    cr_expect_eq(seen, even);
    fixture_do(&fixture, manager, "show_my_assigned_tasks",
               &(struct tasks_show_my_assigned_tasks){.has_limit = false}, &page);
    cr_expect_eq(page.items.count, 0);
}

Test(tasks, lists_refuse_what_no_page_gave)
{
    static const char *const wrong[] = {"x", "-1", "1.", " 1", "12345678901234567", "0x1"};

    register_popugs(1);
    create("a");
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const struct tasks_show_all_assigned_tasks all = {.has_after = true,
                                                          .after = ates_text_from(wrong[i])};
        const struct tasks_show_my_assigned_tasks my = {.has_after = true,
                                                        .after = ates_text_from(wrong[i])};

        fixture_refused(&fixture, manager, "show_all_assigned_tasks", &all, ATES_INVALID_ARGUMENT,
                        "FIELD_INVALID");
        cr_expect_str_eq(fixture.refusal.field, "after");
        fixture_refused(&fixture, popug(FIRST_POPUG), "show_my_assigned_tasks", &my,
                        ATES_INVALID_ARGUMENT, "FIELD_INVALID");
    }
    const struct tasks_show_all_assigned_tasks past = {.has_after = true,
                                                       .after = ates_text_from("9999999999999999")};
    struct tasks_show_all_assigned_tasks_result page;
    fixture_do(&fixture, manager, "show_all_assigned_tasks", &past, &page);
    cr_expect(page.items.count == 0 && !page.has_next);
}

/* Long descriptions: the page ends where the frame would be full, and the next one goes on. */
Test(tasks, a_page_fits_into_a_frame)
{
    static char description[4 * TASKS_DESCRIPTION_MAX + 1];
    struct tasks_show_all_assigned_tasks body = {.has_limit = true, .limit = 1000};
    uint64_t ids[40];
    size_t pages;

    for (size_t i = 0; i < TASKS_DESCRIPTION_MAX; i++) {
        memcpy(description + 4 * i, "\xf0\x9f\xa6\x9c", 4); /* the widest character: a parrot */
    }
    register_popugs(2);
    for (int i = 0; i < 20; i++) {
        create_as(manager, "roof", description);
    }
    cr_expect_eq(list_all(manager, body, ids, 40, &pages), 20);
    cr_expect_eq(pages, 4, "6 x 40 kB a page");
    const struct ates_outcome outcome =
        fixture_execute(&fixture, manager, "show_all_assigned_tasks", &body, NULL);
    cr_expect_leq(outcome.reply.size, ATES_FRAME_MAX - 512u);
    cr_expect_gt(outcome.reply.size, ATES_FRAME_MAX / 2u);
    body.has_query = true;
    body.query = ates_text_from("roof");
    cr_expect_eq(list_all(manager, body, ids, 40, &pages), 20);
}

/* What a query has to look through is bounded by the call: pages may come short, even empty, and
 * still go on. */
Test(tasks, a_query_looks_through_so_many_rows_a_call)
{
    enum { TASKS = 11000 };
    struct tasks_show_all_assigned_tasks body = {
        .has_status = true,
        .status = TASKS_FINISHED,
        .has_query = true,
        .query = ates_text_from("task"),
    };
    struct tasks_show_all_assigned_tasks_result page;
    uint64_t ids[4];
    size_t pages;

    register_popugs(1);
    create_many(TASKS);
    const struct tasks_task last = show(TASKS);
    complete(&last);
    fixture_do(&fixture, manager, "show_all_assigned_tasks", &body, &page);
    cr_expect(page.items.count == 0 && page.has_next);
    cr_expect_eq(list_all(manager, body, ids, 4, &pages), 1);
    cr_expect_eq(ids[0], TASKS);
    cr_expect_eq(pages, 3);
    body.query = ates_text_from("t");
    body.has_status = false;
    fixture_do(&fixture, manager, "show_all_assigned_tasks", &body, &page);
    cr_expect(page.items.count == 100 && page.has_next);
}

/* A random life of the service: its rows agree all along, and the log alone gives the same state.
 */
Test(tasks, any_life_can_be_replayed)
{
    register_popugs(4);
    for (int round = 0; round < 400; round++) {
        const uint64_t user = FIRST_POPUG + fixture_draw(&fixture, 6);
        const uint64_t id = 1 + fixture_draw(&fixture, 200);
        const struct tasks_create_task new_task = {.name = ates_text_from(titles[id % 5])};
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

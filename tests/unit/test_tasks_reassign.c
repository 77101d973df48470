/* Who does a task: the draw, and open tasks drawn again, chunk by chunk. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/tasks_fixture.h"

TestSuite(tasks_reassign, .init = set_up, .fini = tear_down);

Test(tasks_reassign, nobody_eligible)
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

Test(tasks_reassign, every_role_but_three_is_eligible)
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
Test(tasks_reassign, each_eligible_user_is_equally_likely)
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
        struct tasks_task_created_v2 event;
        size_t i = 0;

        ates_arena_reset(fixture.arena);
        fixture_event(&fixture, seq, &tasks_task_created_v2_message, &event);
        while (i < 7 && event.assigned_to != FIRST_POPUG + expected[i]) {
            i++;
        }
        cr_assert_lt(i, 7, "user %" PRIu64 " was drawn", event.assigned_to);
        counts[i]++;
    }
    const double chi = chi_square(counts, 7, total);
    cr_assert_lt(chi, 22.458, "chi-square %.2f", chi);
}

Test(tasks_reassign, reassign_tasks_draws_every_open_task)
{
    struct tasks_reassign_tasks_result result;

    register_popugs(2);
    fixture_do(&fixture, manager, "reassign_tasks", NULL, &result);
    cr_expect_eq(result.reassigned, 0, "no task at all");
    const struct tasks_task a = create("a"), b = create("b"), c = create("c");
    complete(&b);
    const uint64_t head = fixture_head(&fixture);
    const struct tasks_reassign_tasks dry = {.has_dry_run = true, .dry_run = true};
    fixture_do(&fixture, manager, "reassign_tasks", &dry, &result);
    cr_expect_eq(result.reassigned, 2, "so many would be");
    cr_expect_eq(fixture_head(&fixture), head, "but none was");
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
Test(tasks_reassign, reassign_tasks_goes_on_where_it_was)
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

Test(tasks_reassign, reassign_tasks_stops_when_nobody_is_left)
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

Test(tasks_reassign, reassign_tasks_does_not_queue_without_end)
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

Test(tasks_reassign, open_tasks_of_who_is_no_longer_eligible_are_drawn_again)
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
    fixture_change_user(&fixture, FIRST_POPUG + 1, ATES_MANAGER, true);
    cr_expect(!fixture_step(&fixture), "is no news");
    cr_expect_eq(fixture_head(&fixture), quiet);
    fixture_change_user(&fixture, FIRST_POPUG, ATES_DEVELOPER, false);
    struct tasks_reassign_tasks_result result;
    fixture_do(&fixture, manager, "reassign_tasks", NULL, &result);
    cr_expect_eq(result.reassigned, 699);
    cr_expect_eq(show(700).assigned_to, FIRST_POPUG);
}

/* Telling of old tasks again, by task_created.v2: each once, as it was when it was created, in steps
 * that a restart goes on with. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "support/tasks_fixture.h"
#include "tasks/tasks_backfill.h"
#include "tasks/tasks_state.h"

/* The service as it was when it knew version 1 alone. */
static struct ates_domain first_domain;
static struct ates_handler first_handlers[16];

static int handle_first(struct ates_call *call, const void *body)
{
    const struct tasks_create_task *command = body;
    uint64_t last_id;

    cr_assert_eq(tasks_state_get_counter(call->txn, TASKS_LAST_TASK, &last_id), 0);
    const struct tasks_task_created event = {
        .task_id = last_id + 1,
        .name = command->description, /* where a body may hold brackets */
        .assigned_to = FIRST_POPUG,
        .created_by = call->user.id,
    };
    call->subject = event.task_id;
    return ates_emit(call, &tasks_task_created_message, &event);
}

static int first_step(struct ates_call *call, bool *more)
{
    (void)call;
    *more = false;
    return 0;
}

static void open_first(void)
{
    first_domain = tasks_domain;
    memcpy(first_handlers, tasks_domain.handlers,
           tasks_domain.handler_count * sizeof first_handlers[0]);
    for (size_t i = 0; i < tasks_domain.handler_count; i++) {
        if (strcmp(first_handlers[i].command, "create_task") == 0) {
            first_handlers[i].decide = handle_first;
        }
    }
    first_domain.handlers = first_handlers;
    first_domain.step = first_step;
    fixture_open(&fixture, &first_domain);
    fixture_register_user(&fixture, MANAGER, ATES_MANAGER);
    manager = fixture_caller(MANAGER, ATES_MANAGER);
    register_popugs(2);
}

TestSuite(tasks_backfill, .init = open_first, .fini = tear_down, .timeout = 120);

static void create_first(const char *name)
{
    const struct tasks_create_task body = {.name = ates_text_from("-"),
                                           .description = ates_text_from(name)};

    cr_assert_eq(fixture_execute(&fixture, manager, "create_task", &body, NULL).status, ATES_OK);
}

/* Today's service, on what the first one left. */
static void open_today(void)
{
    fixture_commit(&fixture);
    fixture.domain = &tasks_domain;
    fixture_reopen(&fixture);
}

static uint64_t left(void)
{
    uint64_t count;

    cr_assert_eq(tasks_backfill_left(ates_engine_txn(fixture.engine), &count), 0);
    return count;
}

static void run(void)
{
    while (ates_engine_has_steps(fixture.engine)) {
        fixture_step(&fixture);
    }
}

static void told_is(uint64_t seq, uint64_t task_id, const char *jira_id, const char *title)
{
    struct tasks_task_created_v2 event;

    fixture_event(&fixture, seq, &tasks_task_created_v2_message, &event);
    cr_expect_eq(event.task_id, task_id);
    cr_expect(ates_text_equal(event.title, ates_text_from(title)), "%s", title);
    cr_expect_eq(event.has_jira_id, jira_id != NULL);
    cr_expect(jira_id == NULL || ates_text_equal(event.jira_id, ates_text_from(jira_id)));
    cr_expect_eq(event.assigned_to, FIRST_POPUG, "who had it first, whoever has it now");
    cr_expect_eq(event.created_by, MANAGER);
    cr_expect_not(fixture_envelope(&fixture, seq).has_cause, "nobody asked for it");
}

Test(tasks_backfill, each_old_task_is_told_of_once)
{
    static const char *const names[] = {"[ATES-7] Fix it", "[WIP] [x] Mend it", "Paint it"};

    for (size_t i = 0; i < 3; i++) {
        create_first(names[i]);
    }
    fixture_change_user(&fixture, FIRST_POPUG, ATES_DEVELOPER, true);
    open_today();
    cr_expect_eq(left(), 3);
    cr_assert(ates_engine_has_steps(fixture.engine), "it begins by itself");
    run();
    cr_expect_eq(left(), 0);
    const uint64_t head = fixture_head(&fixture);
    told_is(head - 2, 1, "ATES-7", "Fix it");
    told_is(head - 1, 2, NULL, "(WIP) (x) Mend it");
    told_is(head, 3, NULL, "Paint it");
    cr_expect(ates_text_equal(show(1).name, ates_text_from("Fix it")));
    cr_expect(ates_text_equal(show(1).jira_id, ates_text_from("ATES-7")));
    cr_expect_eq(show(1).created_at, FIXTURE_TIME);
    cr_expect_eq(show_log(1).items.count, 2, "created and drawn again: nothing happened to it");
    fixture_reopen(&fixture);
    run();
    cr_expect_eq(fixture_head(&fixture), head, "a restart does not begin again");
    create("new");
    run();
    cr_expect_eq(fixture_head(&fixture), head + 1, "a new task needs no backfill");
}

Test(tasks_backfill, a_restart_goes_on_where_it_was)
{
    const unsigned count = 450;

    for (unsigned i = 0; i < count; i++) {
        create_first("[ATES-7] one of many");
    }
    open_today();
    uint64_t steps = 0, before = left();
    cr_expect_eq(before, count);
    while (left() > 0) {
        fixture_step(&fixture);
        cr_assert_leq(before - left(), 100, "a step is bounded");
        before = left();
        steps++;
        if (steps % 2 == 0) {
            fixture_reopen(&fixture);
        } else {
            fixture_rebuild(&fixture);
        }
        cr_assert_eq(left(), before);
        create("in between");
    }
    cr_expect_gt(steps, count / 100);
    unsigned told[1024] = {0};
    for (uint64_t seq = 1; seq <= fixture_head(&fixture); seq++) {
        const struct ates_envelope envelope = fixture_envelope(&fixture, seq);
        struct tasks_task_created_v2 event;

        if (envelope.event_version == 2) {
            fixture_event(&fixture, seq, &tasks_task_created_v2_message, &event);
            told[event.task_id]++;
        }
        ates_arena_reset(fixture.arena);
    }
    for (uint64_t id = 1; id <= count + steps; id++) {
        cr_assert_eq(told[id], 1, "task %" PRIu64 " was told of %u times", id, told[id]);
    }
}

Test(tasks_backfill, long_texts_make_short_steps)
{
    char *name = calloc(1, TASKS_NAME_MAX + 1);

    memset(name, 'x', TASKS_NAME_MAX);
    for (unsigned i = 0; i < 20; i++) {
        create_first(name);
    }
    open_today();
    run();
    cr_expect_eq(left(), 0);
    free(name);
}

/* A base of the form before had no such counters. */
Test(tasks_backfill, rows_of_the_form_before_are_brought_on)
{
    create_first("[ATES-7] Fix it");
    create_first("Paint it");
    struct ates_txn *txn = ates_engine_txn(fixture.engine);
    cr_assert_eq(tasks_state_put_counter(txn, TASKS_TOLD_BY_V1, 0), 0);
    cr_assert_eq(tasks_domain.upgrade(txn, 1), 0);
    cr_expect_eq(left(), 2);
    cr_expect_lt(tasks_domain.upgrade(txn, 0), 0, "there is no way from an older one");
    open_today();
    fixture_rebuild(&fixture);
}

Test(tasks_backfill, counters_that_contradict_each_other_are_found)
{
    char error[256] = "";

    create_first("Paint it");
    struct ates_txn *txn = ates_engine_txn(fixture.engine);
    cr_assert_eq(tasks_backfill_check(txn, error, sizeof error), 0);
    cr_assert_eq(tasks_state_put_counter(txn, TASKS_BACKFILL_UP_TO, 2), 0);
    cr_assert_lt(tasks_backfill_check(txn, error, sizeof error), 0);
    cr_expect_not_null(strstr(error, "of these 2 to be told of again"), "%s", error);
    open_today();
    fixture_rebuild(&fixture);
}

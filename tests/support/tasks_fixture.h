/* The tasks domain's engine with an administrator, a manager and popugs, and the commands that
 * tests give most. Every test ends with the domain's own check of its rows and with a rebuild from
 * the log, which must give the same state byte for byte. */
#ifndef ATES_TEST_TASKS_FIXTURE_H
#define ATES_TEST_TASKS_FIXTURE_H

#include <stdio.h>

#include <criterion/criterion.h>

#include <ates/tasks.h>

#include "support/engine_fixture.h"
#include "tasks/tasks.h"

#define ADMIN 1u
#define MANAGER 2u
#define FIRST_POPUG 10u

static struct fixture fixture;
static struct ates_caller admin, manager;

static inline struct ates_caller popug(uint64_t user_id)
{
    return fixture_caller(user_id, ATES_DEVELOPER);
}

static inline void set_up(void)
{
    fixture_open(&fixture, &tasks_domain);
    fixture_register_user(&fixture, ADMIN, ATES_ADMINISTRATOR);
    fixture_register_user(&fixture, MANAGER, ATES_MANAGER);
    admin = fixture_caller(ADMIN, ATES_ADMINISTRATOR);
    manager = fixture_caller(MANAGER, ATES_MANAGER);
}

static inline void tear_down(void)
{
    fixture_check_rebuild(&fixture);
    fixture_close(&fixture);
}

/* Popugs with ids from FIRST_POPUG. */
static inline void register_popugs(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        fixture_register_user(&fixture, FIRST_POPUG + i, ATES_DEVELOPER);
    }
}

static inline struct tasks_task create_as(struct ates_caller caller, const char *name,
                                          const char *description)
{
    const struct tasks_create_task body = {.name = ates_text_from(name),
                                           .description = ates_text_from(description)};
    struct tasks_task_result result;

    fixture_do(&fixture, caller, "create_task", &body, &result);
    return result.task;
}

static inline struct tasks_task create(const char *name)
{
    return create_as(manager, name, "");
}

/* Many tasks in few commits. */
static inline void create_many(unsigned count)
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

static inline struct tasks_task show(uint64_t task_id)
{
    const struct tasks_show_task body = {.task_id = task_id};
    struct tasks_task_result result;

    fixture_do(&fixture, admin, "show_task", &body, &result);
    return result.task;
}

static inline struct tasks_task complete(const struct tasks_task *task)
{
    const struct tasks_complete_task body = {.task_id = task->id};
    struct tasks_task_result result;

    fixture_do(&fixture, popug(task->assigned_to), "complete_task", &body, &result);
    return result.task;
}

static inline struct tasks_show_task_log_result show_log(uint64_t task_id)
{
    const struct tasks_show_task_log body = {.task_id = task_id};
    struct tasks_show_task_log_result result;

    fixture_do(&fixture, admin, "show_task_log", &body, &result);
    return result;
}

static inline const struct tasks_log_entry *entry(const struct tasks_show_task_log_result *log,
                                                  size_t index)
{
    cr_assert_lt(index, log->items.count);
    return (const struct tasks_log_entry *)log->items.items + index;
}

#endif

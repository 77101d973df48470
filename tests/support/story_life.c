/* See story_life.h. */
#include "support/story_life.h"

#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/auth_fixture.h"
#include "support/story_pay.h"

#define HOUR_MS INT64_C(3600000)

static const enum ates_role roles[] = {ATES_DEVELOPER,     ATES_DEVELOPER, ATES_DEVELOPER,
                                       ATES_OTHER,         ATES_BOSS,      ATES_ACCOUNTANT,
                                       ATES_ADMINISTRATOR, ATES_MANAGER};

static enum ates_role draw_role(struct story *story)
{
    return roles[story_draw(story, sizeof roles / sizeof roles[0])];
}

static void add_user(struct story *story, enum ates_role role)
{
    char login[32];

    if (story->model.user_count == STORY_USERS) {
        return;
    }
    snprintf(login, sizeof login, "popug%lu", (unsigned long)story->model.user_count + 1);
    const uint64_t id = auth_fixture_user(story_fixture(story, STORY_AUTH), login, role);
    cr_assert_eq(id, story->model.user_count + 1);
    story->model.user_count = id;
}

void story_people(struct story *story, uint64_t count)
{
    add_user(story, ATES_ADMINISTRATOR);
    for (uint64_t i = 1; i < count; i++) {
        add_user(story, draw_role(story));
    }
    story_run_payment(story); /* the schedule begins with this day */
}

static struct ates_caller administrator(void)
{
    return fixture_caller(1, ATES_ADMINISTRATOR);
}

/* Anybody but the first administrator; there is somebody. */
static uint64_t draw_user(struct story *story)
{
    return 2 + story_draw(story, story->model.user_count - 1);
}

/* The time of what tasks publishes is checked here: it is the clock's, but never goes back. */
static int invoke_tasks(struct story *story, struct ates_caller caller, const char *command,
                        const void *body, void *result)
{
    struct fixture *tasks = story_fixture(story, STORY_TASKS_SERVICE);
    const int64_t time = story_time(story, STORY_TASKS_SERVICE);
    const uint64_t head = fixture_head(tasks);
    const int status = fixture_invoke(tasks, caller, command, body, result);

    if (fixture_head(tasks) > head) {
        cr_assert_eq(fixture_envelope(tasks, fixture_head(tasks)).event_time, time);
    }
    return status;
}

static void create(struct story *story)
{
    struct fixture *tasks = story_fixture(story, STORY_TASKS_SERVICE);
    char name[40];

    if (story->model.task_count == STORY_TASKS) {
        return;
    }
    snprintf(name, sizeof name, "Task %lu", (unsigned long)story->model.task_count + 1);
    const struct tasks_create_task body = {.name = ates_text_from(name),
                                           .description = ates_text_from("")};
    const bool may = story_model_eligible(&story->model) > 0;
    const int status = invoke_tasks(story, administrator(), "create_task", &body, NULL);

    cr_assert_eq(status, may ? ATES_OK : ATES_FAILED_PRECONDITION);
    story_read_tasks(story);
    ates_arena_reset(tasks->arena);
}

/* An open task from a random one on, 0 where there is none. */
static uint64_t find_open(struct story *story)
{
    const struct story_model *model = &story->model;
    const uint64_t begin = model->task_count > 0 ? story_draw(story, model->task_count) : 0;

    for (uint64_t i = 0; i < model->task_count; i++) {
        const uint64_t task = 1 + (begin + i) % model->task_count;

        if (!model->tasks[task].is_finished) {
            return task;
        }
    }
    return 0;
}

static void complete(struct story *story, uint64_t task)
{
    struct fixture *tasks = story_fixture(story, STORY_TASKS_SERVICE);
    const struct tasks_complete_task body = {.task_id = task};
    const struct ates_caller caller =
        fixture_caller(story->model.tasks[task].assigned_to, ATES_DEVELOPER);

    cr_assert_eq(invoke_tasks(story, caller, "complete_task", &body, NULL), ATES_OK, "%s",
                 tasks->refusal.reason);
    story_read_tasks(story);
    ates_arena_reset(tasks->arena);
}

/* By who must not, or what is done already. */
static void complete_wrongly(struct story *story)
{
    struct fixture *tasks = story_fixture(story, STORY_TASKS_SERVICE);
    const uint64_t task =
        story->model.task_count > 0 ? 1 + story_draw(story, story->model.task_count) : 0;
    const struct tasks_complete_task body = {.task_id = task};

    if (task == 0) {
        return;
    }
    const struct story_task *known = &story->model.tasks[task];
    const uint64_t caller = known->is_finished ? known->assigned_to : known->assigned_to + 1;
    const int status =
        invoke_tasks(story, fixture_caller(caller, ATES_DEVELOPER), "complete_task", &body, NULL);

    cr_assert_eq(status, known->is_finished ? ATES_FAILED_PRECONDITION : ATES_PERMISSION_DENIED);
    ates_arena_reset(tasks->arena);
}

static void reassign(struct story *story)
{
    struct fixture *tasks = story_fixture(story, STORY_TASKS_SERVICE);
    const bool may = story_model_eligible(&story->model) > 0;
    const size_t open = story_model_open_tasks(&story->model, 0);
    struct tasks_reassign_tasks_result result = {.reassigned = 0};
    const int status =
        invoke_tasks(story, administrator(), "reassign_tasks", NULL, may ? &result : NULL);

    cr_assert_eq(status, may ? ATES_OK : ATES_FAILED_PRECONDITION);
    cr_assert_eq(result.reassigned, may ? open : 0);
    cr_assert_eq(story_read_tasks(story), may ? open : 0);
    ates_arena_reset(tasks->arena);
}

void story_work(struct story *story)
{
    const uint64_t open = find_open(story);
    const uint64_t what = story_draw(story, 60);

    if (what < 31 && open != 0) {
        complete(story, open);
    } else if (what == 31) {
        reassign(story);
    } else {
        create(story);
    }
}

void story_rush(struct story *story, size_t tasks)
{
    for (size_t i = 0; i < tasks; i++) {
        create(story);
    }
    for (size_t i = 0; i < tasks; i++) {
        const uint64_t open = find_open(story);

        if (open != 0) {
            complete(story, open);
        }
    }
}

static void change_role(struct story *story)
{
    struct fixture *auth = story_fixture(story, STORY_AUTH);
    const struct auth_change_role body = {.user_id = draw_user(story),
                                          .role = (int)draw_role(story)};

    fixture_do(auth, administrator(), "change_role", &body, NULL);
    ates_arena_reset(auth->arena);
}

static void disable_or_enable(struct story *story, uint64_t user)
{
    struct fixture *auth = story_fixture(story, STORY_AUTH);
    struct story_user *known = &story->model.users[user];
    const struct auth_disable_user disable = {.user_id = user};
    const struct auth_enable_user enable = {.user_id = user};

    if (known->is_disabled) {
        fixture_do(auth, administrator(), "enable_user", &enable, NULL);
    } else {
        fixture_do(auth, administrator(), "disable_user", &disable, NULL);
    }
    known->is_disabled = !known->is_disabled;
    ates_arena_reset(auth->arena);
}

/* Once in a while nearly everybody goes away, and comes back soon. */
static void change_people(struct story *story)
{
    const uint64_t count = story->model.user_count, what = story_draw(story, 64);
    uint64_t away = 0;

    for (uint64_t user = 2; user <= count; user++) {
        away += story->model.users[user].is_disabled;
    }
    const bool are_away = 2 * away > count;
    if (what == 0 || (are_away && what < 32)) {
        for (uint64_t user = 2; user <= count; user++) {
            if (story->model.users[user].is_disabled == are_away && !story_chance(story, 8)) {
                disable_or_enable(story, user);
            }
        }
    } else if (what < 8) {
        add_user(story, draw_role(story));
    } else if (what < 36) {
        change_role(story);
    } else {
        disable_or_enable(story, draw_user(story));
    }
}

static void stop_payment(struct story *story)
{
    story->payment_is_down = true;
    story->payment_up_at = story->now_ms + (int64_t)story_draw(story, 60 * HOUR_MS);
}

static void something_happens(struct story *story)
{
    const uint64_t what = story_draw(story, 200);

    if (what < 170) {
        story_work(story);
    } else if (what < 182) {
        change_people(story);
    } else if (what < 190) {
        complete_wrongly(story);
    } else if (what < 195) {
        story_pay_by_hand(story);
    } else if (what < 196) {
        story_reopen(story, (enum story_service)story_draw(story, STORY_SERVICES));
    } else if (what < 197) {
        stop_payment(story);
    }
    story_carry_some(story);
}

/* When payment or accounting wants to be woken next, as the sun has it. */
static int64_t next_wake(struct story *story)
{
    static const enum story_service sleepers[] = {STORY_ACCOUNTING, STORY_PAYMENT};
    int64_t wake = INT64_MAX;

    for (size_t i = 0; i < 2; i++) {
        const int64_t in = ates_engine_wakes_in(story->services[sleepers[i]].engine);
        const int64_t at =
            in < INT64_MAX ? story_time(story, sleepers[i]) + in - story->clock_off_ms : INT64_MAX;

        if (at < wake && !(sleepers[i] == STORY_PAYMENT && story->payment_is_down)) {
            wake = at;
        }
    }
    return wake;
}

static void wake_all(struct story *story)
{
    if (story->payment_is_down && story->now_ms >= story->payment_up_at) {
        story->payment_is_down = false;
        story_reopen(story, STORY_PAYMENT);
    }
    story_run_jobs(story);
    story_run_payment(story);
}

/* Services wake when they want to; now and then the machine was too busy. */
static void pass_to(struct story *story, int64_t time_ms)
{
    while (story->now_ms < time_ms) {
        const int64_t wake = next_wake(story);

        if (wake < time_ms && (story->is_quiet || !story_chance(story, 10))) {
            story_set_clock(story, wake > story->now_ms ? wake : story->now_ms + 1);
        } else {
            story_set_clock(story, time_ms);
        }
        wake_all(story);
    }
}

void story_pass(struct story *story, int64_t ms, unsigned things)
{
    const int64_t end = story->now_ms + ms;

    for (unsigned i = 0; i < things; i++) {
        const int64_t next =
            story->now_ms + (int64_t)story_draw(story, 2 * (uint64_t)ms / things + 1);

        pass_to(story, next < end ? next : end);
        something_happens(story);
    }
    pass_to(story, end);
}

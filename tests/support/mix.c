/* The mix; see mix.h. */
#include "support/mix.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include <ates/auth.h>
#include <ates/tasks.h>

#include "support/event_log.h"

#define TOGGLED ((uint64_t)FLOW_LAST_USER)
#define KNOWN_WANTED 200u /* tasks to choose from; beyond it more are completed than created */
#define RARE 100u         /* one command in so many is a reassignment, and as many toggle a user */

void mix_open(struct mix *mix, struct flow *flow)
{
    *mix = (struct mix){.flow = flow};
    load_open(&mix->load, flow);
}

void mix_close(struct mix *mix)
{
    load_close(&mix->load);
    free(mix->known);
    free(mix->is_tried);
}

static bool *tried(struct mix *mix, uint64_t task_id)
{
    if (task_id >= mix->tried_capacity) {
        const size_t capacity = 2 * (task_id + 1024);

        mix->is_tried = realloc(mix->is_tried, capacity * sizeof *mix->is_tried);
        cr_assert_not_null(mix->is_tried);
        memset(mix->is_tried + mix->tried_capacity, 0,
               (capacity - mix->tried_capacity) * sizeof *mix->is_tried);
        mix->tried_capacity = capacity;
    }
    return &mix->is_tried[task_id];
}

/* The toggled developer's tokens come and go with the toggling, so their tasks are left alone. */
static void know(struct mix *mix, const struct tasks_task *task)
{
    if (*tried(mix, task->id) || task->assigned_to == TOGGLED) {
        return;
    }
    if (mix->known_count == mix->known_capacity) {
        mix->known_capacity = 2 * mix->known_capacity + 256;
        mix->known = realloc(mix->known, mix->known_capacity * sizeof *mix->known);
        cr_assert_not_null(mix->known);
    }
    mix->known[mix->known_count++] = (struct mix_task){task->id, task->assigned_to};
}

static void send_create(struct mix *mix)
{
    char name[64], description[512];
    const size_t size = (size_t)flow_draw(mix->flow, sizeof description);

    for (size_t i = 0; i < size; i++) {
        description[i] = (char)('a' + flow_draw(mix->flow, 26));
    }
    const struct tasks_create_task body = {
        .name = {name,
                 (size_t)snprintf(name, sizeof name, "работа %lu", (unsigned long)++mix->created)},
        .description = {description, size},
    };
    load_send(&mix->load, 1 + flow_draw(mix->flow, FLOW_USERS - 1), &tasks_service, "create_task",
              &body, 0);
}

static void send_complete(struct mix *mix)
{
    const size_t i = (size_t)flow_draw(mix->flow, mix->known_count);
    const struct mix_task task = mix->known[i];
    const struct tasks_complete_task body = {.task_id = task.id};

    mix->known[i] = mix->known[--mix->known_count];
    if (!*tried(mix, task.id)) {
        *tried(mix, task.id) = true;
        load_send(&mix->load, task.assigned_to, &tasks_service, "complete_task", &body, task.id);
    }
}

static void send_toggle(struct mix *mix)
{
    const struct auth_disable_user body = {.user_id = TOGGLED};

    mix->is_toggling = true;
    mix->is_disabled = !mix->is_disabled;
    load_send(&mix->load, FLOW_ADMINISTRATOR, &auth_service,
              mix->is_disabled ? "disable_user" : "enable_user", &body, 0);
}

static void send_list(struct mix *mix)
{
    const struct tasks_show_all_assigned_tasks body = {
        .has_status = true, .status = TASKS_OPEN, .has_limit = true, .limit = 500};

    mix->is_listing = true;
    load_send(&mix->load, FLOW_MANAGER, &tasks_service, "show_all_assigned_tasks", &body, 0);
}

static void send_one(struct mix *mix)
{
    const uint64_t draw = flow_draw(mix->flow, RARE);

    if (draw == 0 && !mix->is_drawing) {
        mix->is_drawing = true;
        load_send(&mix->load, FLOW_MANAGER, &tasks_service, "reassign_tasks", NULL, 0);
    } else if (draw == 1 && !mix->is_toggling) {
        send_toggle(mix);
    } else if (mix->known_count > 0 && draw < (mix->known_count > KNOWN_WANTED ? 70u : 45u)) {
        send_complete(mix);
    } else {
        send_create(mix);
    }
}

void mix_fill(struct mix *mix, size_t in_flight)
{
    while (mix->load.open < in_flight) {
        send_one(mix);
    }
}

static void take_list(struct mix *mix, size_t index)
{
    struct tasks_show_all_assigned_tasks_result list;

    load_result(&mix->load, index, &list);
    mix->known_count = 0;
    for (size_t i = 0; i < list.items.count; i++) {
        know(mix, &((const struct tasks_task *)list.items.items)[i]);
    }
    mix->is_listing = false;
}

static void take_created(struct mix *mix, size_t index)
{
    struct tasks_task_result result;

    load_result(&mix->load, index, &result);
    know(mix, &result.task);
}

static void take_done(struct mix *mix, size_t index)
{
    const struct load_command *command = &mix->load.commands[index];
    const char *name = command->command->name;
    const bool accepted = command->status == ATES_OK;

    if (strcmp(name, "complete_task") == 0) {
        cr_assert(accepted || strcmp(command->reason, "NOT_ASSIGNEE") == 0,
                  "complete_task of %lu under %s: %s", (unsigned long)command->subject,
                  command->request_id, command->reason);
        *tried(mix, command->subject) = accepted;
    } else {
        cr_assert(accepted, "%s under %s: %s", name, command->request_id, command->reason);
        if (strcmp(name, "create_task") == 0) {
            take_created(mix, index);
        } else if (strcmp(name, "show_all_assigned_tasks") == 0) {
            take_list(mix, index);
        } else if (strcmp(name, "reassign_tasks") == 0) {
            mix->is_drawing = false;
            if (!mix->is_listing) {
                send_list(mix);
            }
        } else {
            mix->is_toggling = false;
        }
    }
    mix->accepted += accepted;
    mix->refused += !accepted;
}

bool mix_receive(struct mix *mix, int64_t timeout_ms)
{
    size_t index;

    if (!load_receive(&mix->load, timeout_ms, &index)) {
        return false;
    }
    take_done(mix, index);
    return true;
}

void mix_drain(struct mix *mix)
{
    while (mix->load.open > 0) {
        cr_assert(mix_receive(mix, FLOW_PATIENCE_MS * flow_scale()),
                  "%zu commands stay without a reply", mix->load.open);
    }
}

void mix_run(struct mix *mix, size_t count, size_t in_flight)
{
    const size_t end = mix->load.count + count;

    while (mix->load.count < end) {
        mix_fill(mix, in_flight);
        cr_assert(mix_receive(mix, FLOW_PATIENCE_MS * flow_scale()));
    }
    mix_drain(mix);
}

/* What the logs say of one command. */
struct effect {
    size_t created, completed, started, finished, toggled;
    uint64_t task_id, count;
};

/* Two versions of the event tell of one task. */
static void count_created(struct effect *effect, uint64_t task_id)
{
    effect->created += effect->task_id != task_id;
    effect->task_id = task_id;
}

static void count_tasks_event(const struct event_log *log, size_t i, struct effect *effect)
{
    struct tasks_task_created_v2 created;
    struct tasks_task_created older;
    struct tasks_task_completed completed;
    struct tasks_reassignment_started started;
    struct tasks_reassignment_finished finished;

    if (event_log_is(log, i, &tasks_task_created_v2_message, &created)) {
        count_created(effect, created.task_id);
    } else if (event_log_is(log, i, &tasks_task_created_message, &older)) {
        count_created(effect, older.task_id);
    } else if (event_log_is(log, i, &tasks_task_completed_message, &completed)) {
        effect->completed++;
        effect->task_id = completed.task_id;
    } else if (event_log_is(log, i, &tasks_reassignment_started_message, &started)) {
        effect->started++;
    } else if (event_log_is(log, i, &tasks_reassignment_finished_message, &finished)) {
        effect->finished++;
        effect->count = finished.count;
    }
}

static void count_effects(struct mix *mix, const char *service, struct effect *effects)
{
    struct event_log log;

    event_log_read(&log, mix->flow, service);
    for (size_t i = 0; i < log.count; i++) {
        if (!log.events[i].has_cause || !log.events[i].cause.has_request_id) {
            continue;
        }
        const struct load_command *command = load_find(&mix->load, log.events[i].cause.request_id);
        cr_assert_not_null(command, "seq %zu has a cause that nobody sent", i + 1);
        struct effect *effect = &effects[command - mix->load.commands];
        if (command->service == &tasks_service) {
            count_tasks_event(&log, i, effect);
        } else {
            effect->toggled++;
        }
    }
    event_log_free(&log);
}

static void check_effect(struct mix *mix, size_t index, const struct effect *effect)
{
    const struct load_command *command = &mix->load.commands[index];
    const char *name = command->command->name;
    struct tasks_task_result task;
    struct tasks_reassign_tasks_result reassigned;
    size_t times = 1; /* that its effect is there */

    if (strcmp(name, "create_task") == 0) {
        times = effect->created;
        load_result(&mix->load, index, &task);
        cr_assert_eq(task.task.id, effect->task_id, "%s tells of another task",
                     command->request_id);
    } else if (strcmp(name, "complete_task") == 0) {
        times = effect->completed;
    } else if (strcmp(name, "reassign_tasks") == 0) {
        times = effect->started;
        load_result(&mix->load, index, &reassigned);
        cr_assert_eq(effect->finished, 1, "a reassignment has not ended once");
        cr_assert_eq(reassigned.reassigned, effect->count);
    } else if (command->service == &auth_service) {
        times = effect->toggled;
    }
    if (command->status == ATES_OK) {
        cr_assert_eq(times, 1, "%s (%s) was accepted and took effect %zu times", name,
                     command->request_id, times);
    } else {
        /* A copy of it may have come later, when it could be accepted. */
        cr_assert_leq(times, 1, "%s (%s) took effect %zu times", name, command->request_id, times);
    }
}

void mix_check(struct mix *mix)
{
    struct effect *effects = calloc(mix->load.count + 1, sizeof *effects);

    cr_assert_not_null(effects);
    count_effects(mix, "auth", effects);
    count_effects(mix, "tasks", effects);
    for (size_t i = 0; i < mix->load.count; i++) {
        check_effect(mix, i, &effects[i]);
    }
    free(effects);
}

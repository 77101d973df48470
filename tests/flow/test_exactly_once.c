/* A command with a request id has its effect once, whoever asks how often, and through a crash. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include <ates/auth.h>
#include <ates/tasks.h>

#include "support/event_log.h"
#include "support/event_type.h"

#define CONNECTIONS 10u
#define TIMES 10u /* a connection */
#define REPLIES (CONNECTIONS * TIMES)
#define RESEND_MS 1000

TestSuite(exactly_once, .timeout = 600);

struct reply {
    bool is_there;
    enum ates_status status; /* frame 2 */
    struct ates_buffer body; /* frame 4 */
};

/* One command sent by many connections under one request id. */
struct crowd {
    struct flow *flow;
    struct ates_client *clients[CONNECTIONS];
    struct ates_pipeline *pipelines[CONNECTIONS];
    const char *command, *request_id;
    struct ates_buffer body;
    struct reply replies[REPLIES];
    size_t received, replayed;
};

static void gather(struct crowd *crowd, struct flow *flow, uint64_t user,
                   const struct ates_service *service, const char *command, const char *request_id,
                   const void *body)
{
    static const struct ates_empty nothing;
    const struct ates_command *type = ates_service_command(service, command, strlen(command));

    *crowd = (struct crowd){.flow = flow, .command = command, .request_id = request_id};
    ates_message_encode(type->body, body != NULL ? body : &nothing, &crowd->body);
    for (size_t i = 0; i < CONNECTIONS; i++) {
        crowd->clients[i] = ates_client_new(flow->run_dir);
        ates_client_set_token(crowd->clients[i], flow->tokens[user]);
        crowd->pipelines[i] = ates_pipeline_new(crowd->clients[i], service->name);
        cr_assert_not_null(crowd->pipelines[i]);
    }
}

static void part(struct crowd *crowd)
{
    for (size_t i = 0; i < CONNECTIONS; i++) {
        ates_pipeline_free(&crowd->pipelines[i]);
        ates_client_free(&crowd->clients[i]);
    }
    for (size_t i = 0; i < REPLIES; i++) {
        ates_buffer_release(&crowd->replies[i].body);
    }
    ates_buffer_release(&crowd->body);
}

/* Each sends all its copies that have no reply yet; nobody waits for another. */
static void send_all(struct crowd *crowd)
{
    for (size_t i = 0; i < REPLIES; i++) {
        if (!crowd->replies[i].is_there) {
            cr_assert_eq(ates_pipeline_send(crowd->pipelines[i % CONNECTIONS], crowd->command,
                                            crowd->request_id, crowd->body.data, crowd->body.size,
                                            i),
                         0);
        }
    }
}

static bool receive(struct crowd *crowd, size_t connection, int64_t timeout_ms)
{
    struct ates_reply reply;

    if (ates_pipeline_receive(crowd->pipelines[connection], timeout_ms, &reply) != 0) {
        return false;
    }
    struct reply *kept = &crowd->replies[reply.tag];
    if (!kept->is_there) {
        crowd->received++;
    }
    kept->is_there = true;
    kept->status = reply.status;
    kept->body.size = 0;
    ates_buffer_append(&kept->body, reply.body.data, reply.body.size);
    crowd->replayed += reply.replayed;
    return true;
}

/* Until every copy has its reply; those whose reply was lost with the service are sent again. */
static void receive_all(struct crowd *crowd)
{
    const int64_t deadline_ms = flow_now_ms() + FLOW_PATIENCE_MS * flow_scale();

    while (crowd->received < REPLIES) {
        bool any = false;

        cr_assert_lt(flow_now_ms(), deadline_ms, "%zu replies of %u", crowd->received, REPLIES);
        for (size_t i = 0; i < CONNECTIONS; i++) {
            while (receive(crowd, i, any ? 0 : RESEND_MS * flow_scale() / CONNECTIONS)) {
                any = true;
            }
        }
        if (!any) {
            send_all(crowd);
        }
    }
}

static void check_equal(const struct crowd *crowd)
{
    for (size_t i = 0; i < REPLIES; i++) {
        const struct reply *reply = &crowd->replies[i];

        cr_assert_eq(reply->status, ATES_OK, "%s", ates_status_name(reply->status));
        cr_assert(reply->body.size == crowd->replies[0].body.size &&
                      memcmp(reply->body.data, crowd->replies[0].body.data, reply->body.size) == 0,
                  "reply %zu is another", i);
    }
}

/* How many events of this message have this request id as their cause. */
static size_t count_effects(struct flow *flow, const char *service,
                            const struct ates_message *message, const char *request_id)
{
    struct event_log log;
    size_t count = 0;

    event_log_read(&log, flow, service);
    for (size_t i = 0; i < log.count; i++) {
        const struct ates_envelope *event = &log.events[i];

        count += event_is(event, message) && event->cause.has_request_id &&
                 ates_text_equal(event->cause.request_id, ates_text_from(request_id));
    }
    event_log_free(&log);
    return count;
}

static void create_tasks(struct flow *flow, size_t count)
{
    const struct tasks_create_task body = {.name = ates_text_from("one of several"),
                                           .description = ates_text_from("")};

    for (size_t i = 0; i < count; i++) {
        flow_do(flow, FLOW_MANAGER, &tasks_service, "create_task", &body, NULL);
    }
}

static void open_with_tasks(struct flow *flow)
{
    flow_open(flow);
    flow_start(flow, "auth");
    flow_start(flow, "tasks");
    flow_until(flow_has_followed(flow, "tasks", "auth"));
}

Test(exactly_once, a_task_is_created_once)
{
    struct flow flow;
    struct crowd crowd;
    const struct tasks_create_task body = {.name = ates_text_from("Только один раз"),
                                           .description = ates_text_from("once")};

    open_with_tasks(&flow);
    gather(&crowd, &flow, FLOW_DEVELOPER, &tasks_service, "create_task", "the same", &body);
    send_all(&crowd);
    receive_all(&crowd);
    check_equal(&crowd);
    cr_assert_eq(crowd.replayed, REPLIES - 1);
    cr_assert_eq(count_effects(&flow, "tasks", &tasks_task_created_v2_message, "the same"), 1);
    part(&crowd);
    flow_close(&flow);
}

Test(exactly_once, the_same_id_with_something_else_is_refused)
{
    struct flow flow;
    struct tasks_create_task body = {.name = ates_text_from("first"),
                                     .description = ates_text_from("")};
    struct tasks_task_result mine, other;

    open_with_tasks(&flow);
    cr_assert_eq(
        flow_call(&flow, FLOW_DEVELOPER, &tasks_service, "create_task", "taken", &body, &mine), 0);
    body.name = ates_text_from("second");
    cr_assert_eq(
        flow_call(&flow, FLOW_DEVELOPER, &tasks_service, "create_task", "taken", &body, NULL),
        ATES_FAILED_PRECONDITION);
    cr_assert_str_eq(flow.reply.refusal.reason, "REQUEST_ID_REUSED");
    const struct tasks_complete_task complete = {.task_id = mine.task.id};
    cr_assert_eq(
        flow_call(&flow, FLOW_DEVELOPER, &tasks_service, "complete_task", "taken", &complete, NULL),
        ATES_FAILED_PRECONDITION);
    cr_assert_str_eq(flow.reply.refusal.reason, "REQUEST_ID_REUSED");
    /* Request ids are each user's own. */
    cr_assert_eq(
        flow_call(&flow, FLOW_MANAGER, &tasks_service, "create_task", "taken", &body, &other), 0);
    cr_assert_neq(other.task.id, mine.task.id);
    cr_assert_eq(count_effects(&flow, "tasks", &tasks_task_created_v2_message, "taken"), 2);
    flow_close(&flow);
}

/* The reply comes when the job is done: all wait for it, or get it stored. */
Test(exactly_once, a_reassignment_is_done_once)
{
    struct flow flow;
    struct crowd crowd;

    open_with_tasks(&flow);
    create_tasks(&flow, 300);
    gather(&crowd, &flow, FLOW_MANAGER, &tasks_service, "reassign_tasks", "draw", NULL);
    send_all(&crowd);
    receive_all(&crowd);
    check_equal(&crowd);
    cr_assert_eq(count_effects(&flow, "tasks", &tasks_reassignment_started_message, "draw"), 1);
    cr_assert_eq(count_effects(&flow, "tasks", &tasks_task_assigned_message, "draw"), 300);
    part(&crowd);
    flow_close(&flow);
}

/* The password is hashed once: the copies that come meanwhile wait for the first one's reply. */
Test(exactly_once, a_user_is_registered_once)
{
    struct flow flow;
    struct crowd crowd;
    const struct auth_register_user body = {
        .login = ates_text_from("newcomer"),
        .email = ates_text_from("newcomer@example.org"),
        .password = ates_text_from("something long"),
        .role = ATES_DEVELOPER,
    };

    flow_open(&flow);
    flow_start(&flow, "auth");
    gather(&crowd, &flow, FLOW_ADMINISTRATOR, &auth_service, "register_user", "hire", &body);
    send_all(&crowd);
    receive_all(&crowd);
    check_equal(&crowd);
    cr_assert_eq(count_effects(&flow, "auth", &ates_user_registered_message, "hire"), 1);
    part(&crowd);
    flow_close(&flow);
}

/* A refusal is not stored, yet the copies under way get the same: one guess is one guess. */
Test(exactly_once, a_wrong_password_is_one_guess)
{
    struct flow flow;
    struct crowd crowd;
    const struct auth_auth_user body = {
        .login = ates_text_from(flow_login(FLOW_DEVELOPER)),
        .password = ates_text_from("not this one"),
    };

    flow_open(&flow);
    flow_start(&flow, "auth");
    gather(&crowd, &flow, FLOW_ADMINISTRATOR, &auth_service, "auth_user", "guess", &body);
    send_all(&crowd);
    receive_all(&crowd);
    for (size_t i = 0; i < REPLIES; i++) {
        cr_assert_eq(crowd.replies[i].status, ATES_UNAUTHENTICATED, "%s",
                     ates_status_name(crowd.replies[i].status));
        cr_assert_eq(crowd.replies[i].body.size, crowd.replies[0].body.size);
    }
    part(&crowd);
    flow_sign_in(&flow, FLOW_DEVELOPER); /* not throttled */
    flow_close(&flow);
}

/* Killed at a drawn moment while the copies are under way; killed again when all have their reply.
 */
static void crash_while(const char *command, const char *request_id, const void *body,
                        const struct ates_message *effect)
{
    struct flow flow;
    struct crowd crowd;

    open_with_tasks(&flow);
    create_tasks(&flow, 300);
    gather(&crowd, &flow, FLOW_MANAGER, &tasks_service, command, request_id, body);
    const size_t before_kill = (size_t)flow_draw(&flow, REPLIES);
    send_all(&crowd);
    for (size_t i = 0; i < before_kill; i++) {
        receive(&crowd, i % CONNECTIONS, 1);
    }
    flow_kill(&flow, "tasks");
    flow_start(&flow, "tasks");
    receive_all(&crowd);
    check_equal(&crowd);

    flow_kill(&flow, "tasks");
    flow_start(&flow, "tasks");
    for (size_t i = 1; i < REPLIES; i++) { /* the first is kept, to compare with */
        crowd.replies[i].is_there = false;
        crowd.received--;
    }
    crowd.replayed = 0;
    send_all(&crowd);
    receive_all(&crowd);
    check_equal(&crowd);
    cr_assert_geq(crowd.replayed, REPLIES - 1, "all of them are stored replies");
    cr_assert_eq(count_effects(&flow, "tasks", effect, request_id), 1);
    part(&crowd);
    flow_close(&flow);
}

Test(exactly_once, a_crash_changes_nothing_for_a_task)
{
    const struct tasks_create_task body = {.name = ates_text_from("through a crash"),
                                           .description = ates_text_from("")};

    crash_while("create_task", "crash", &body, &tasks_task_created_v2_message);
}

Test(exactly_once, a_crash_changes_nothing_for_a_reassignment)
{
    crash_while("reassign_tasks", "crash-draw", NULL, &tasks_reassignment_started_message);
}

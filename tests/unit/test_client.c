/* Calls against a service that answers as each test tells it to. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ates/client.h>

#include "support/fake_service.h"

static int call(struct ates_client *client, const char *command, const char *request_id,
                struct ates_reply *reply)
{
    return ates_client_call(client, "tasks", command, request_id, "\x80", 1, reply);
}

static bool body_is(const struct ates_reply *reply, const char *body)
{
    return reply->body.size == strlen(body) &&
           memcmp(reply->body.data, body, reply->body.size) == 0;
}

Test(client, call_returns_the_whole_reply)
{
    struct fake_service server = {0};
    struct ates_reply reply;

    fake_service_start(&server, fake_echo);
    struct ates_client *client = ates_client_new(server.run_dir);
    ates_client_set_token(client, "v4.public.abc");
    cr_assert_eq(call(client, "show_task", NULL, &reply), 0);
    cr_assert_eq(reply.status, ATES_OK);
    cr_assert_eq(reply.seq, 7);
    cr_assert(reply.replayed);
    cr_assert(body_is(&reply, "\x80"));
    ates_client_set_token(client, NULL);
    cr_assert_eq(call(client, "complete_task", "id-1", &reply), 0);
    ates_client_free(&client);
    cr_assert_null(client);
    ates_client_free(&client);
    fake_service_stop(&server);
    cr_assert_str_eq(server.seen[0].command, "tasks.show_task");
    cr_assert_str_eq(server.seen[0].token, "v4.public.abc");
    cr_assert_str_eq(server.seen[0].request_id, "");
    cr_assert(server.seen[0].has_timeout_ms);
    cr_assert(server.seen[0].timeout_ms <= 5000 && server.seen[0].timeout_ms > 0);
    cr_assert_str_eq(server.seen[1].command, "tasks.complete_task");
    cr_assert_str_eq(server.seen[1].token, "");
    cr_assert_str_eq(server.seen[1].request_id, "id-1");
    fake_service_clean(&server);
}

Test(client, call_returns_a_refusal)
{
    struct fake_service server = {0};
    struct ates_reply reply;

    fake_service_start(&server, fake_refuse);
    struct ates_client *client = ates_client_new(server.run_dir);
    cr_assert_eq(call(client, "complete_task", NULL, &reply), 0);
    cr_assert_eq(reply.status, ATES_PERMISSION_DENIED);
    cr_assert_eq(reply.refusal.status, ATES_PERMISSION_DENIED);
    cr_assert_str_eq(reply.refusal.reason, "NOT_ASSIGNEE");
    cr_assert_str_eq(reply.refusal.message, "the task is somebody else's");
    cr_assert_str_eq(reply.refusal.field, "task_id");
    cr_assert_eq(reply.refusal.retry_after_ms, 250);
    ates_client_free(&client);
    fake_service_stop(&server);
    fake_service_clean(&server);
}

/* Answers a held request only when the next one is there, and before that one. */
static void behave_late(struct fake_service *self, const struct fake_request *request)
{
    if (fake_is_command(request, "tasks.slow") && self->held_count == 0) {
        fake_hold(self, request);
        return;
    }
    fake_send_reply(self, self->held[0], "OK", "late", 4);
    fake_send_reply(self, request, "OK", "timely", 6);
}

Test(client, late_reply_does_not_answer_the_next_call)
{
    struct fake_service server = {0};
    struct ates_reply reply;

    fake_service_start(&server, behave_late);
    struct ates_client *client = ates_client_new(server.run_dir);
    ates_client_set_timeout(client, 200);
    cr_assert_eq(call(client, "slow", NULL, &reply), -ETIMEDOUT);
    ates_client_set_timeout(client, 5000);
    cr_assert_eq(call(client, "next", NULL, &reply), 0);
    cr_assert(body_is(&reply, "timely"));
    cr_assert_eq(call(client, "next", NULL, &reply), 0);
    cr_assert(body_is(&reply, "timely"));
    ates_client_free(&client);
    fake_service_stop(&server);
    fake_service_clean(&server);
}

Test(client, late_reply_does_not_answer_the_retry)
{
    struct fake_service server = {0};
    struct ates_reply reply;

    fake_service_start(&server, behave_late);
    struct ates_client *client = ates_client_new(server.run_dir);
    ates_client_set_timeout(client, 1500);
    cr_assert_eq(call(client, "slow", "id-1", &reply), 0);
    cr_assert(body_is(&reply, "timely"));
    ates_client_free(&client);
    fake_service_stop(&server);
    fake_service_clean(&server);
}

static void behave_third(struct fake_service *self, const struct fake_request *request)
{
    if (self->request_count == 3) {
        fake_send_reply(self, request, "OK", "third", 5);
    }
}

Test(client, retries_keep_the_request_id)
{
    struct fake_service server = {0};
    struct ates_reply reply;

    fake_service_start(&server, behave_third);
    struct ates_client *client = ates_client_new(server.run_dir);
    ates_client_set_timeout(client, 1200);
    cr_assert_eq(call(client, "create_task", "id-1", &reply), 0);
    cr_assert(body_is(&reply, "third"));
    ates_client_free(&client);
    fake_service_stop(&server);
    cr_assert_eq(server.request_count, 3);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_str_eq(server.seen[i].request_id, "id-1");
        cr_assert_str_eq(server.seen[i].command, "tasks.create_task");
        cr_assert_leq(server.seen[i].timeout_ms, 1200 - 400 * i);
    }
    fake_service_clean(&server);
}

Test(client, call_without_request_id_is_sent_once)
{
    struct fake_service server = {0};
    struct ates_reply reply = {.tag = 99};

    fake_service_start(&server, fake_silence);
    struct ates_client *client = ates_client_new(server.run_dir);
    ates_client_set_timeout(client, 300);
    cr_assert_eq(call(client, "create_task", NULL, &reply), -ETIMEDOUT);
    cr_assert_eq(reply.tag, 99, "the reply is untouched");
    ates_client_free(&client);
    fake_service_stop(&server);
    cr_assert_eq(server.request_count, 1);
    fake_service_clean(&server);
}

/* As a service that restarts may lose what was sent to it. */
static void lose_first(struct fake_service *self, const struct fake_request *request)
{
    if (self->request_count > 1) {
        fake_send_reply(self, request, "OK", "\x80", 1);
    }
}

Test(client, a_query_whose_reply_is_lost_is_asked_again)
{
    static const struct ates_service tasks = {.name = "tasks"};
    struct ates_command command = {
        .name = "ask", .body = &ates_empty_message, .result = &ates_empty_message};
    const struct ates_empty body = {0};
    struct fake_service server = {0};
    struct ates_reply reply;

    fake_service_start(&server, lose_first);
    struct ates_client *client = ates_client_new(server.run_dir);
    ates_client_set_timeout(client, 600);
    cr_assert_eq(ates_client_invoke(client, &tasks, &command, NULL, &body, NULL, NULL, &reply),
                 -ETIMEDOUT, "it may change something");
    ates_client_free(&client);
    fake_service_stop(&server);
    cr_assert_eq(server.request_count, 1);

    server.request_count = 0;
    command.is_query = true;
    fake_service_start(&server, lose_first);
    client = ates_client_new(server.run_dir);
    cr_assert_eq(ates_client_invoke(client, &tasks, &command, NULL, &body, NULL, NULL, &reply), 0);
    ates_client_free(&client);
    fake_service_stop(&server);
    cr_assert_eq(server.request_count, 2);
    cr_assert_str_eq(server.seen[1].request_id, "");
    fake_service_clean(&server);
}

Test(client, call_without_service_times_out)
{
    char run_dir[] = "/tmp/ates-client-XXXXXX";
    struct ates_reply reply;

    cr_assert_not_null(mkdtemp(run_dir));
    struct ates_client *client = ates_client_new(run_dir);
    ates_client_set_timeout(client, 200);
    int64_t before_ms = fake_now_ms();
    cr_assert_eq(call(client, "create_task", "id-1", &reply), -ETIMEDOUT);
    int64_t took_ms = fake_now_ms() - before_ms;
    cr_assert(took_ms >= 200 && took_ms < 1000, "took %ld ms", (long)took_ms);
    before_ms = fake_now_ms();
    ates_client_free(&client);
    cr_assert_lt(fake_now_ms() - before_ms, 1000, "nothing unsent keeps the client");
    rmdir(run_dir);
}

/* What was not sent in time must not be done when the service comes up. */
Test(client, commands_do_not_wait_for_an_absent_service)
{
    struct fake_service server = {.run_dir = "/tmp/ates-client-XXXXXX"};
    struct ates_reply reply;

    cr_assert_not_null(mkdtemp(server.run_dir));
    struct ates_client *client = ates_client_new(server.run_dir);
    ates_client_set_timeout(client, 100);
    cr_assert_eq(call(client, "stale", "id-1", &reply), -ETIMEDOUT);
    fake_service_start(&server, fake_echo);
    ates_client_set_timeout(client, 5000);
    cr_assert_eq(call(client, "fresh", "id-2", &reply), 0);
    ates_client_free(&client);
    fake_service_stop(&server);
    cr_assert_eq(server.request_count, 1);
    cr_assert_str_eq(server.seen[0].command, "tasks.fresh");
    fake_service_clean(&server);
}

Test(client, call_survives_a_restart_of_the_service)
{
    struct fake_service server = {0};
    struct ates_reply reply;

    fake_service_start(&server, fake_echo);
    struct ates_client *client = ates_client_new(server.run_dir);
    cr_assert_eq(call(client, "one", "id-1", &reply), 0);
    fake_service_stop(&server);
    fake_service_start(&server, fake_echo);
    cr_assert_eq(call(client, "two", "id-2", &reply), 0);
    ates_client_free(&client);
    fake_service_stop(&server);
    fake_service_clean(&server);
}

Test(client, bad_frames_are_no_reply)
{
    struct fake_service server = {0};
    struct ates_reply reply = {.tag = 99};

    fake_service_start(&server, fake_misbehave);
    struct ates_client *client = ates_client_new(server.run_dir);
    for (size_t i = 0; fake_misbehaviours[i]; i++) {
        cr_assert_eq(call(client, fake_misbehaviours[i], NULL, &reply), -EPROTO, "%s",
                     fake_misbehaviours[i]);
        cr_assert_eq(reply.tag, 99, "the reply is untouched");
        cr_assert_eq(call(client, "good", NULL, &reply), 0, "after %s", fake_misbehaviours[i]);
        reply.tag = 99;
    }
    ates_client_free(&client);
    fake_service_stop(&server);
    fake_service_clean(&server);
}

Test(client, refuses_what_does_not_fit)
{
    struct ates_reply reply;
    char long_name[200];
    char long_dir[120];
    struct fake_service server = {0};

    fake_service_start(&server, fake_echo);
    uint8_t *big = calloc(1, ATES_FRAME_MAX + 1);
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    memset(long_dir, 'x', sizeof long_dir - 1);
    long_dir[0] = '/';
    long_dir[sizeof long_dir - 1] = '\0';
    struct ates_client *client = ates_client_new(server.run_dir);
    cr_assert_eq(ates_client_call(client, "tasks", "x", NULL, big, ATES_FRAME_MAX + 1, &reply),
                 -EMSGSIZE);
    cr_assert_eq(call(client, long_name, NULL, &reply), -EMSGSIZE);
    cr_assert_eq(call(client, "good", NULL, &reply), 0);
    struct ates_pipeline *pipeline = ates_pipeline_new(client, "tasks");
    cr_assert_eq(ates_pipeline_send(pipeline, "x", NULL, big, ATES_FRAME_MAX + 1, 1), -EMSGSIZE);
    ates_pipeline_free(&pipeline);
    ates_client_free(&client);
    client = ates_client_new(long_dir);
    cr_assert_eq(call(client, "x", NULL, &reply), -ENAMETOOLONG);
    cr_assert_null(ates_pipeline_new(client, "tasks"));
    cr_assert_eq(errno, ENAMETOOLONG);
    ates_client_free(&client);
    free(big);
    fake_service_stop(&server);
    fake_service_clean(&server);
}

static void behave_health(struct fake_service *self, const struct fake_request *request)
{
    const struct ates_health_result result = {
        .status = ates_text_from("serving"), .version = ates_text_from("1.2.3"), .seq = 42};
    struct ates_buffer body = {0};

    if (self->request_count == 2) {
        fake_refuse(self, request);
        return;
    }
    if (self->request_count == 3) {
        fake_send_reply(self, request, "OK", "\x80", 1);
        return;
    }
    ates_message_encode(&ates_health_result_message, &result, &body);
    fake_send_reply(self, request, "OK", body.data, body.size);
    ates_buffer_release(&body);
}

Test(client, invoke_encodes_and_decodes_by_the_tables)
{
    static const struct ates_service tasks = {.name = "tasks"};
    const struct ates_command *health = ates_service_command(&tasks, "health", 6);
    const struct ates_empty body = {0};
    struct ates_arena *arena = ates_arena_new();
    struct ates_health_result result;
    struct ates_reply reply;
    struct fake_service server = {0};

    fake_service_start(&server, behave_health);
    struct ates_client *client = ates_client_new(server.run_dir);
    cr_assert_eq(ates_client_invoke(client, &tasks, health, NULL, &body, arena, &result, &reply),
                 0);
    cr_assert(ates_text_equal(result.status, ates_text_from("serving")));
    cr_assert_eq(result.seq, 42);
    struct ates_health_result before = result;
    cr_assert_eq(ates_client_invoke(client, &tasks, health, NULL, &body, arena, &result, &reply),
                 ATES_PERMISSION_DENIED);
    cr_assert_str_eq(reply.refusal.reason, "NOT_ASSIGNEE");
    cr_assert_eq(ates_client_invoke(client, &tasks, health, NULL, &body, arena, &result, &reply),
                 -EPROTO);
    cr_assert_eq(memcmp(&before, &result, sizeof result), 0);
    cr_assert(ates_text_equal(result.version, ates_text_from("1.2.3")),
              "a result outlives later calls");
    cr_assert_eq(ates_client_invoke(client, &tasks, health, NULL, &body, NULL, NULL, &reply), 0);
    ates_client_free(&client);
    ates_arena_free(&arena);
    fake_service_stop(&server);
    cr_assert_str_eq(server.seen[0].command, "tasks.health");
    fake_service_clean(&server);
}

Test(client, request_ids_are_random_uuids)
{
    char ids[100][37];

    for (size_t i = 0; i < 100; i++) {
        ates_request_id_new(ids[i]);
        cr_assert_eq(strlen(ids[i]), 36);
        for (size_t at = 0; at < 36; at++) {
            bool dash = at == 8 || at == 13 || at == 18 || at == 23;
            cr_assert(dash ? ids[i][at] == '-' : strchr("0123456789abcdef", ids[i][at]) != NULL);
        }
        cr_assert_eq(ids[i][14], '4');
        cr_assert_not_null(strchr("89ab", ids[i][19]));
        for (size_t other = 0; other < i; other++) {
            cr_assert_str_neq(ids[other], ids[i]);
        }
    }
}

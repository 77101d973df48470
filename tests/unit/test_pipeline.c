/* Pipelines against a service that answers as each test tells it to. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include <ates/client.h>

#include "core/socket.h"
#include "support/fake_service.h"
#include "support/seed.h"

static void behave_shuffled(struct fake_service *self, const struct fake_request *request)
{
    fake_hold(self, request);
    if (self->held_count < FAKE_HELD_MAX) {
        return;
    }
    for (size_t left = FAKE_HELD_MAX; left > 0; left--) {
        size_t drawn = (size_t)rand_r(&self->seed) % left;
        struct fake_request *taken = self->held[drawn];
        self->held[drawn] = self->held[left - 1];
        self->held[left - 1] = taken;
        fake_echo(self, taken);
    }
}

Test(pipeline, replies_find_their_commands_in_any_order)
{
    struct fake_service server = {.seed = (unsigned)seed_start()};
    bool seen[FAKE_HELD_MAX] = {false};
    size_t in_order = 0;
    struct ates_reply reply;

    fake_service_start(&server, behave_shuffled);
    struct ates_client *client = ates_client_new(server.run_dir);
    struct ates_pipeline *pipeline = ates_pipeline_new(client, "tasks");
    for (uint64_t i = 0; i < FAKE_HELD_MAX; i++) {
        uint64_t body = i * 3;
        cr_assert_eq(ates_pipeline_send(pipeline, "echo", NULL, &body, sizeof body, i), 0);
    }
    for (size_t i = 0; i < FAKE_HELD_MAX; i++) {
        uint64_t body;
        cr_assert_eq(ates_pipeline_receive(pipeline, 10000, &reply), 0);
        cr_assert_lt(reply.tag, FAKE_HELD_MAX);
        cr_assert_not(seen[reply.tag]);
        seen[reply.tag] = true;
        in_order += reply.tag == i;
        cr_assert_eq(reply.body.size, sizeof body);
        memcpy(&body, reply.body.data, sizeof body);
        cr_assert_eq(body, reply.tag * 3);
    }
    cr_assert_lt(in_order, FAKE_HELD_MAX / 2);
    cr_assert_eq(ates_pipeline_receive(pipeline, 0, &reply), -EAGAIN);
    ates_pipeline_free(&pipeline);
    ates_client_free(&client);
    fake_service_stop(&server);
    cr_assert_not(server.seen[0].has_timeout_ms);
    fake_service_clean(&server);
}

/* Everything, then nothing but the client's own token, then not even that. */
Test(pipeline, a_command_tells_all_that_it_is_given)
{
    static const char traceparent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const struct ates_pipeline_command commands[] = {
        {.command = "first",
         .request_id = "id-1",
         .token = {"v4.public.hers and more", strlen("v4.public.hers")},
         .client = "192.0.2.7",
         .traceparent = traceparent,
         .timeout_ms = 4321,
         .body = "\x81\xa1k\x07",
         .body_size = 4,
         .tag = UINT64_MAX},
        {.command = "second", .body = "\x80", .body_size = 1, .tag = 2},
        {.command = "third", .body = "\x80", .body_size = 1, .tag = 3},
    };
    struct fake_service server = {0};
    struct ates_reply reply;

    fake_service_start(&server, fake_echo);
    struct ates_client *client = ates_client_new(server.run_dir);
    struct ates_pipeline *pipeline = ates_pipeline_new(client, "tasks");
    ates_client_set_token(client, "v4.public.own");
    for (size_t i = 0; i < 3; i++) {
        if (i == 2) {
            ates_client_set_token(client, NULL);
        }
        cr_assert_eq(ates_pipeline_send_command(pipeline, &commands[i]), 0);
        cr_assert_eq(ates_pipeline_receive(pipeline, 10000, &reply), 0);
        cr_assert_eq(reply.tag, commands[i].tag);
        cr_assert(reply.body.size == commands[i].body_size &&
                  memcmp(reply.body.data, commands[i].body, reply.body.size) == 0);
    }
    ates_pipeline_free(&pipeline);
    ates_client_free(&client);
    fake_service_stop(&server);
    const struct fake_seen *all = &server.seen[0], *own = &server.seen[1], *none = &server.seen[2];
    cr_expect_str_eq(all->command, "tasks.first");
    cr_expect_str_eq(all->request_id, "id-1");
    cr_expect_str_eq(all->token, "v4.public.hers");
    cr_expect_str_eq(all->client, "192.0.2.7");
    cr_expect_str_eq(all->traceparent, traceparent);
    cr_expect(all->has_timeout_ms && all->timeout_ms == 4321);
    cr_expect_str_eq(own->token, "v4.public.own");
    cr_expect(own->client[0] == '\0' && own->traceparent[0] == '\0' && !own->has_timeout_ms);
    cr_expect_str_eq(none->command, "tasks.third");
    cr_expect(none->token[0] == '\0' && none->request_id[0] == '\0');
    fake_service_clean(&server);
}

Test(pipeline, a_command_over_the_limit_is_not_sent)
{
    static uint8_t large[ATES_FRAME_MAX + 1];
    const struct ates_pipeline_command command = {
        .command = "x", .body = large, .body_size = sizeof large};
    struct fake_service server = {0};
    struct ates_reply reply;

    fake_service_start(&server, fake_echo);
    struct ates_client *client = ates_client_new(server.run_dir);
    struct ates_pipeline *pipeline = ates_pipeline_new(client, "tasks");
    cr_assert_eq(ates_pipeline_send_command(pipeline, &command), -EMSGSIZE);
    cr_assert_eq(ates_pipeline_send(pipeline, "x", NULL, "\x80", 1, 1), 0);
    cr_assert_eq(ates_pipeline_receive(pipeline, 10000, &reply), 0);
    ates_pipeline_free(&pipeline);
    ates_client_free(&client);
    fake_service_stop(&server);
    cr_assert_eq(server.request_count, 1);
    fake_service_clean(&server);
}

Test(pipeline, holds_4096_in_flight_before_the_first_reply_is_taken)
{
    const uint64_t count = 4096;
    struct fake_service server = {0};
    struct ates_reply reply;

    fake_service_start(&server, fake_echo);
    struct ates_client *client = ates_client_new(server.run_dir);
    struct ates_pipeline *pipeline = ates_pipeline_new(client, "tasks");
    for (int round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < count; i++) {
            cr_assert_eq(ates_pipeline_send(pipeline, "echo", NULL, &i, sizeof i, i), 0);
        }
        for (uint64_t i = 0; i < count; i++) {
            cr_assert_eq(ates_pipeline_receive(pipeline, 10000, &reply), 0);
            cr_assert_eq(reply.tag, i);
        }
    }
    ates_pipeline_free(&pipeline);
    ates_client_free(&client);
    fake_service_stop(&server);
    cr_assert_eq(server.request_count, 3 * count);
    fake_service_clean(&server);
}

Test(pipeline, send_tells_when_the_socket_is_full)
{
    char run_dir[] = "/tmp/ates-client-XXXXXX";
    size_t sent = 0;
    int r;

    cr_assert_not_null(mkdtemp(run_dir));
    struct ates_client *client = ates_client_new(run_dir);
    struct ates_pipeline *pipeline = ates_pipeline_new(client, "tasks");
    while ((r = ates_pipeline_send(pipeline, "x", NULL, "\x80", 1, sent)) == 0 &&
           sent < 10 * ATES_SOCKET_HWM) {
        sent++;
    }
    cr_assert_eq(r, -EAGAIN);
    cr_assert_geq(sent, 4096);
    int64_t before_ms = fake_now_ms();
    ates_pipeline_free(&pipeline);
    ates_client_free(&client);
    cr_assert_lt(fake_now_ms() - before_ms, 1000, "nothing unsent keeps the client");
    rmdir(run_dir);
}

Test(pipeline, receive_keeps_its_timeout)
{
    struct fake_service server = {0};
    struct ates_reply reply = {.tag = 99};

    fake_service_start(&server, fake_silence);
    struct ates_client *client = ates_client_new(server.run_dir);
    struct ates_pipeline *pipeline = ates_pipeline_new(client, "tasks");
    cr_assert_eq(ates_pipeline_send(pipeline, "x", "id-1", "\x80", 1, 5), 0);
    int64_t before_ms = fake_now_ms();
    cr_assert_eq(ates_pipeline_receive(pipeline, 0, &reply), -EAGAIN);
    cr_assert_lt(fake_now_ms() - before_ms, 100);
    before_ms = fake_now_ms();
    cr_assert_eq(ates_pipeline_receive(pipeline, 150, &reply), -EAGAIN);
    int64_t took_ms = fake_now_ms() - before_ms;
    cr_assert(took_ms >= 150 && took_ms < 1000, "took %ld ms", (long)took_ms);
    cr_assert_eq(reply.tag, 99);
    ates_pipeline_free(&pipeline);
    cr_assert_null(pipeline);
    ates_pipeline_free(&pipeline);
    ates_client_free(&client);
    fake_service_stop(&server);
    fake_service_clean(&server);
}

Test(pipeline, receive_waits_for_ever_and_its_socket_can_be_polled)
{
    struct fake_service server = {0};
    struct ates_reply reply;

    fake_service_start(&server, fake_echo);
    struct ates_client *client = ates_client_new(server.run_dir);
    struct ates_pipeline *pipeline = ates_pipeline_new(client, "tasks");
    cr_assert_eq(ates_pipeline_send(pipeline, "x", NULL, "\x80", 1, UINT64_MAX), 0);
    cr_assert_eq(ates_pipeline_receive(pipeline, -1, &reply), 0);
    cr_assert_eq(reply.tag, UINT64_MAX);
    cr_assert_eq(reply.seq, 7);
    cr_assert_eq(ates_pipeline_send(pipeline, "x", NULL, "\x80", 1, 1), 0);
    zmq_pollitem_t item = {.socket = ates_pipeline_socket(pipeline), .events = ZMQ_POLLIN};
    cr_assert_eq(zmq_poll(&item, 1, 5000), 1);
    cr_assert_eq(ates_pipeline_receive(pipeline, 0, &reply), 0);
    cr_assert_eq(reply.tag, 1);
    ates_pipeline_free(&pipeline);
    ates_client_free(&client);
    fake_service_stop(&server);
    fake_service_clean(&server);
}

/* Sends the tag back shortened, or with something in the delimiter, or nothing at all, and then a
 * good reply; other commands get replies that are none. */
static void behave_untagged(struct fake_service *self, const struct fake_request *request)
{
    struct fake_request altered = *request;

    if (fake_is_command(request, "tasks.cut")) {
        altered.size[1] = 7;
        fake_echo(self, &altered);
    } else if (fake_is_command(request, "tasks.undelimited")) {
        altered.size[2] = 1;
        fake_echo(self, &altered);
    } else if (fake_is_command(request, "tasks.empty")) {
        fake_send_frame(self, request->data[0], request->size[0], ZMQ_SNDMORE);
        fake_send_frame(self, "", 0, 0);
    } else {
        fake_misbehave(self, request);
        return;
    }
    fake_echo(self, request);
}

Test(pipeline, bad_frames_are_no_reply)
{
    static const char *const commands[] = {"cut", "undelimited", "empty"};
    struct ates_reply reply = {.tag = 99};
    struct fake_service server = {0};

    fake_service_start(&server, behave_untagged);
    struct ates_client *client = ates_client_new(server.run_dir);
    struct ates_pipeline *pipeline = ates_pipeline_new(client, "tasks");
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(ates_pipeline_send(pipeline, commands[i], NULL, "\x80", 1, 5), 0);
        cr_assert_eq(ates_pipeline_receive(pipeline, 5000, &reply), -EPROTO, "%s", commands[i]);
        cr_assert_eq(reply.tag, 99);
        cr_assert_eq(ates_pipeline_receive(pipeline, 5000, &reply), 0, "after %s", commands[i]);
        cr_assert_eq(reply.tag, 5);
        reply.tag = 99;
    }
    for (size_t i = 0; fake_misbehaviours[i]; i++) {
        cr_assert_eq(ates_pipeline_send(pipeline, fake_misbehaviours[i], NULL, "\x80", 1, 5), 0);
        cr_assert_eq(ates_pipeline_receive(pipeline, 5000, &reply), -EPROTO, "%s",
                     fake_misbehaviours[i]);
    }
    ates_pipeline_free(&pipeline);
    ates_client_free(&client);
    fake_service_stop(&server);
    fake_service_clean(&server);
}

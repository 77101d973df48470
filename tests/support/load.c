/* The load; see load.h. */
#include "support/load.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include <criterion/criterion.h>

#include <ates/auth.h>
#include <ates/tasks.h>

/* Short, so that a restarted service is found soon; the same id makes it harmless. */
#define RESEND_MS 400
#define BUSY_MS 50

static const struct ates_service *const services[LOAD_SERVICES] = {&auth_service, &tasks_service};

void load_open(struct load *load, struct flow *flow)
{
    *load = (struct load){.flow = flow, .client = ates_client_new(flow->run_dir)};
    cr_assert_not_null(load->client);
    for (size_t i = 0; i < LOAD_SERVICES; i++) {
        load->pipelines[i] = ates_pipeline_new(load->client, services[i]->name);
        cr_assert_not_null(load->pipelines[i]);
    }
    load->arena = ates_arena_new();
}

void load_close(struct load *load)
{
    for (size_t i = 0; i < LOAD_SERVICES; i++) {
        ates_pipeline_free(&load->pipelines[i]);
    }
    ates_client_free(&load->client);
    for (size_t i = 0; i < load->count; i++) {
        ates_buffer_release(&load->commands[i].body);
        ates_buffer_release(&load->commands[i].reply);
    }
    free(load->commands);
    ates_arena_free(&load->arena);
}

static size_t pipeline_of(const struct ates_service *service)
{
    size_t i = 0;

    while (i < LOAD_SERVICES && services[i] != service) {
        i++;
    }
    cr_assert_lt(i, LOAD_SERVICES);
    return i;
}

/* A full socket is tried again when the command is due. */
static void send_command(struct load *load, size_t index)
{
    struct load_command *command = &load->commands[index];

    ates_client_set_token(load->client, load->flow->tokens[command->user]);
    const int r =
        ates_pipeline_send(load->pipelines[pipeline_of(command->service)], command->command->name,
                           command->request_id, command->body.data, command->body.size, index);
    cr_assert(r == 0 || r == -EAGAIN, "%s", strerror(-r));
    command->due_ms = flow_now_ms() + RESEND_MS * flow_scale();
    load->sent++;
}

size_t load_send(struct load *load, uint64_t user, const struct ates_service *service,
                 const char *name, const void *body, uint64_t subject)
{
    if (load->count == load->capacity) {
        load->capacity = load->capacity == 0 ? 1024 : 2 * load->capacity;
        load->commands = realloc(load->commands, load->capacity * sizeof *load->commands);
        cr_assert_not_null(load->commands);
    }
    const size_t index = load->count++;
    struct load_command *command = &load->commands[index];
    *command = (struct load_command){
        .service = service,
        .command = ates_service_command(service, name, strlen(name)),
        .user = user,
        .subject = subject,
    };
    cr_assert_not_null(command->command);
    snprintf(command->request_id, sizeof command->request_id, "load-%zu", index);
    ates_arena_reset(load->arena);
    ates_message_encode(command->command->body,
                        body != NULL ? body
                                     : ates_arena_alloc(load->arena, command->command->body->size),
                        &command->body);
    load->open++;
    send_command(load, index);
    return index;
}

static void check_equal(const struct load_command *command, const struct ates_reply *reply)
{
    const bool is_query = command->command->is_query;

    if (command->status == ATES_OK && reply->status == ATES_OK && !is_query) {
        cr_assert(command->reply.size == reply->body.size &&
                      memcmp(command->reply.data, reply->body.data, reply->body.size) == 0,
                  "%s: another reply to the same request id", command->request_id);
    }
    cr_assert(command->status != ATES_OK || reply->status == ATES_OK ||
                  reply->status == ATES_RESOURCE_EXHAUSTED || reply->status == ATES_UNAVAILABLE,
              "%s was accepted and is refused now: %s", command->request_id,
              reply->refusal.message);
}

/* Returns whether the command is done with this reply. */
static bool take_reply(struct load *load, const struct ates_reply *reply)
{
    cr_assert_lt(reply->tag, load->count);
    struct load_command *command = &load->commands[reply->tag];

    load->replayed += reply->replayed;
    if (command->is_done) {
        check_equal(command, reply);
        return false;
    }
    if (reply->status == ATES_RESOURCE_EXHAUSTED || reply->status == ATES_UNAVAILABLE) {
        command->due_ms = flow_now_ms() + BUSY_MS;
        return false;
    }
    command->is_done = true;
    command->status = reply->status;
    strcpy(command->reason, reply->refusal.reason);
    ates_buffer_append(&command->reply, reply->body.data, reply->body.size);
    load->open--;
    return true;
}

/* Sends what is due; returns when the next one is. */
static int64_t resend(struct load *load)
{
    const int64_t now_ms = flow_now_ms();
    int64_t next_ms = INT64_MAX;

    while (load->oldest < load->count && load->commands[load->oldest].is_done) {
        load->oldest++;
    }
    for (size_t i = load->oldest; i < load->count; i++) {
        if (load->commands[i].is_done) {
            continue;
        }
        if (load->commands[i].due_ms <= now_ms) {
            send_command(load, i);
        }
        next_ms = load->commands[i].due_ms < next_ms ? load->commands[i].due_ms : next_ms;
    }
    return next_ms;
}

static bool receive_now(struct load *load, size_t *index)
{
    struct ates_reply reply;

    for (size_t i = 0; i < LOAD_SERVICES; i++) {
        while (ates_pipeline_receive(load->pipelines[i], 0, &reply) == 0) {
            if (take_reply(load, &reply)) {
                *index = reply.tag;
                return true;
            }
        }
    }
    return false;
}

bool load_receive(struct load *load, int64_t timeout_ms, size_t *index)
{
    const int64_t deadline_ms = flow_now_ms() + timeout_ms;
    zmq_pollitem_t items[LOAD_SERVICES];

    for (size_t i = 0; i < LOAD_SERVICES; i++) {
        items[i] = (zmq_pollitem_t){ates_pipeline_socket(load->pipelines[i]), 0, ZMQ_POLLIN, 0};
    }
    while (!receive_now(load, index)) {
        const int64_t due_ms = resend(load);
        const int64_t until_ms = due_ms < deadline_ms ? due_ms : deadline_ms;
        const int64_t now_ms = flow_now_ms();

        if (now_ms >= deadline_ms) {
            return false;
        }
        zmq_poll(items, LOAD_SERVICES, until_ms > now_ms ? (long)(until_ms - now_ms) : 0);
    }
    return true;
}

void load_drain(struct load *load, size_t limit)
{
    size_t index;

    while (load->open > limit) {
        cr_assert(load_receive(load, FLOW_PATIENCE_MS * flow_scale(), &index),
                  "%zu commands stay without a reply", load->open);
    }
}

void load_result(struct load *load, size_t index, void *result)
{
    const struct load_command *command = &load->commands[index];

    cr_assert(command->is_done && command->status == ATES_OK, "%s", command->reason);
    ates_arena_reset(load->arena);
    cr_assert_eq(ates_message_decode(command->command->result, command->reply.data,
                                     command->reply.size, ATES_UNKNOWN_IGNORED, load->arena, result,
                                     NULL),
                 0);
}

struct load_command *load_find(struct load *load, struct ates_text request_id)
{
    size_t index = load->count;
    char text[40] = "", expected[40];

    if (request_id.size < sizeof text) {
        memcpy(text, request_id.data, request_id.size);
        if (sscanf(text, "load-%zu", &index) == 1 && index < load->count) {
            snprintf(expected, sizeof expected, "load-%zu", index);
        }
    }
    return index < load->count && strcmp(text, expected) == 0 ? &load->commands[index] : NULL;
}

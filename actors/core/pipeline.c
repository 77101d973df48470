/* Pipelines: a DEALER that speaks to a service as many REQ sockets would. Before each command goes
 * its tag in a frame of its own and the empty delimiter; the service sends both back as they came,
 * so replies find their commands in any order. Invariant: what is sent or handed out is a whole
 * message. */
#include "core/client_private.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX_FRAMES 2 /* tag, delimiter */

struct ates_pipeline {
    struct ates_client *client;
    char *service;
    void *socket;
    struct ates_inbox *inbox;
};

struct ates_pipeline *ates_pipeline_new(struct ates_client *client, const char *service)
{
    struct ates_pipeline *self = calloc(1, sizeof *self);
    if (!self) {
        return NULL;
    }
    self->client = client;
    client->pipeline_count++;
    self->service = strdup(service);
    self->inbox = ates_inbox_new();
    int r = -ENOMEM;
    if (self->service && self->inbox) {
        r = ates_client_connect(client, ZMQ_DEALER, service, &self->socket);
    }
    if (r != 0) {
        ates_pipeline_free(&self);
        errno = -r;
    }
    return self;
}

void ates_pipeline_free(struct ates_pipeline **self)
{
    if (!self || !*self) {
        return;
    }
    struct ates_pipeline *pipeline = *self;
    if (pipeline->socket) {
        zmq_close(pipeline->socket);
    }
    assert(pipeline->client->pipeline_count > 0);
    pipeline->client->pipeline_count--;
    ates_inbox_free(&pipeline->inbox);
    free(pipeline->service);
    free(pipeline);
    *self = NULL;
}

int ates_pipeline_send(struct ates_pipeline *self, const char *command, const char *request_id,
                       const void *body, size_t body_size, uint64_t tag)
{
    /* No timeout is told: how long its replies are waited for is known to the pipeline's user only.
     */
    const struct ates_pipeline_command sent = {.command = command,
                                               .request_id = request_id,
                                               .body = body,
                                               .body_size = body_size,
                                               .tag = tag};
    return ates_pipeline_send_command(self, &sent);
}

int ates_pipeline_send_command(struct ates_pipeline *self,
                               const struct ates_pipeline_command *command)
{
    const struct ates_request request = {.service = self->service,
                                         .command = command->command,
                                         .request_id = command->request_id,
                                         .token = command->token,
                                         .client = command->client,
                                         .traceparent = command->traceparent,
                                         .timeout_ms = command->timeout_ms,
                                         .body = command->body,
                                         .body_size = command->body_size};
    struct ates_bytes frames[PREFIX_FRAMES + ATES_COMMAND_FRAMES] = {
        {(const uint8_t *)&command->tag, sizeof command->tag}, {(const uint8_t *)"", 0}};

    int r = ates_request_frames(self->client, &request, frames + PREFIX_FRAMES);
    if (r != 0) {
        return r;
    }
    return ates_frames_send(self->socket, frames, PREFIX_FRAMES + ATES_COMMAND_FRAMES);
}

/* The reply in the inbox, with the tag that came before it. */
static int tagged_reply(struct ates_inbox *inbox, struct ates_reply *reply)
{
    struct ates_reply parsed;

    if (inbox->held <= PREFIX_FRAMES || zmq_msg_size(&inbox->frames[0]) != sizeof parsed.tag ||
        zmq_msg_size(&inbox->frames[1]) != 0) {
        return -EPROTO;
    }
    int r = ates_inbox_reply(inbox, PREFIX_FRAMES, &parsed);
    if (r != 0) {
        return r;
    }
    memcpy(&parsed.tag, zmq_msg_data(&inbox->frames[0]), sizeof parsed.tag);
    *reply = parsed;
    return 0;
}

int ates_pipeline_receive(struct ates_pipeline *self, int64_t timeout_ms, struct ates_reply *reply)
{
    int64_t deadline_ms = INT64_MAX;

    int r = ates_inbox_receive(self->inbox, self->socket);
    if (r == -EAGAIN && timeout_ms != 0) {
        const int64_t now_ms = ates_client_now_ms();
        if (timeout_ms > 0 && timeout_ms < INT64_MAX - now_ms) {
            deadline_ms = now_ms + timeout_ms;
        }
        r = ates_client_wait(self->socket, ZMQ_POLLIN, deadline_ms);
        r = r < 0 ? r : ates_inbox_receive(self->inbox, self->socket);
    }
    return r != 0 ? r : tagged_reply(self->inbox, reply);
}

void *ates_pipeline_socket(struct ates_pipeline *self)
{
    return self->socket;
}

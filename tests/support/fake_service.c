/* See fake_service.h. Its thread alone uses the ROUTER between start and stop. */
#include "support/fake_service.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <zmq.h>

#include "core/endpoint.h"
#include "core/socket.h"

int64_t fake_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void fake_send_frame(struct fake_service *self, const void *data, size_t size, int more)
{
    if (zmq_send(self->router, data, size, more | ZMQ_DONTWAIT) != (int)size) {
        cr_assert_eq(errno, ETERM, "%s", strerror(errno)); /* stopped with requests in hand */
    }
}

void fake_send_envelope(struct fake_service *self, const struct fake_request *request)
{
    for (size_t i = 0; i < request->first; i++) {
        fake_send_frame(self, request->data[i], request->size[i], ZMQ_SNDMORE);
    }
}

void fake_send_reply(struct fake_service *self, const struct fake_request *request,
                     const char *status, const void *body, size_t body_size)
{
    const struct ates_reply_meta meta = {.seq = 7, .has_replayed = true, .replayed = true};
    struct ates_buffer encoded = {0};

    ates_message_encode(&ates_reply_meta_message, &meta, &encoded);
    fake_send_envelope(self, request);
    fake_send_frame(self, ATES_PROTOCOL, strlen(ATES_PROTOCOL), ZMQ_SNDMORE);
    fake_send_frame(self, status, strlen(status), ZMQ_SNDMORE);
    fake_send_frame(self, encoded.data, encoded.size, ZMQ_SNDMORE);
    fake_send_frame(self, body, body_size, 0);
    ates_buffer_release(&encoded);
}

bool fake_is_command(const struct fake_request *request, const char *name)
{
    size_t index = request->first + 1;

    return request->size[index] == strlen(name) &&
           memcmp(request->data[index], name, strlen(name)) == 0;
}

void fake_echo(struct fake_service *self, const struct fake_request *request)
{
    fake_send_reply(self, request, "OK", request->data[request->first + 3],
                    request->size[request->first + 3]);
}

static bool receive(struct fake_service *self, struct fake_request *request)
{
    int more = 1;
    size_t more_size = sizeof more;

    *request = (struct fake_request){0};
    while (more) {
        cr_assert_lt(request->count, FAKE_FRAMES_MAX);
        int size = zmq_recv(self->router, request->data[request->count], FAKE_FRAME_SIZE, 0);
        if (size < 0) {
            return false;
        }
        cr_assert_leq(size, FAKE_FRAME_SIZE);
        request->size[request->count++] = (size_t)size;
        if (size == 0 && request->first == 0) {
            request->first = request->count;
        }
        zmq_getsockopt(self->router, ZMQ_RCVMORE, &more, &more_size);
    }
    cr_assert_eq(request->count, request->first + 4, "four frames after the delimiter");
    return true;
}

static void copy_text(char *out, size_t size, struct ates_text text)
{
    snprintf(out, size, "%.*s", (int)text.size, text.data);
}

static void note(struct fake_service *self, const struct fake_request *request)
{
    struct ates_arena *arena = ates_arena_new();
    struct ates_request_meta meta;
    size_t first = request->first;

    cr_assert_eq(request->size[first], strlen(ATES_PROTOCOL));
    cr_assert_eq(memcmp(request->data[first], ATES_PROTOCOL, request->size[first]), 0);
    cr_assert_eq(ates_message_decode(&ates_request_meta_message, request->data[first + 2],
                                     request->size[first + 2], ATES_UNKNOWN_REFUSED, arena, &meta,
                                     NULL),
                 0);
    if (self->request_count < FAKE_SEEN_MAX) {
        struct fake_seen *seen = &self->seen[self->request_count];
        copy_text(
            seen->command, sizeof seen->command,
            (struct ates_text){(const char *)request->data[first + 1], request->size[first + 1]});
        if (meta.has_request_id) {
            copy_text(seen->request_id, sizeof seen->request_id, meta.request_id);
        }
        if (meta.has_token) {
            copy_text(seen->token, sizeof seen->token, meta.token);
        }
        if (meta.has_client) {
            copy_text(seen->client, sizeof seen->client, meta.client);
        }
        if (meta.has_traceparent) {
            copy_text(seen->traceparent, sizeof seen->traceparent, meta.traceparent);
        }
        seen->has_timeout_ms = meta.has_timeout_ms;
        seen->timeout_ms = meta.timeout_ms;
    }
    self->request_count++;
    ates_arena_free(&arena);
}

static void *serve(void *argument)
{
    struct fake_service *self = argument;
    struct fake_request *request = malloc(sizeof *request);

    while (receive(self, request)) {
        note(self, request);
        self->behave(self, request);
    }
    cr_assert_eq(errno, ETERM);
    free(request);
    zmq_close(self->router);
    return NULL;
}

void fake_service_start(struct fake_service *self, fake_behaviour *behave)
{
    char endpoint[256];

    self->behave = behave;
    if (self->run_dir[0] == '\0') {
        strcpy(self->run_dir, "/tmp/ates-client-XXXXXX");
        cr_assert_not_null(mkdtemp(self->run_dir));
    }
    self->context = zmq_ctx_new();
    const int optional = 0; /* whoever asked may have gone */
    self->router = ates_socket_open(self->context, ZMQ_ROUTER);
    zmq_setsockopt(self->router, ZMQ_ROUTER_MANDATORY, &optional, sizeof optional);
    cr_assert_not_null(self->router);
    if (self->name == NULL) {
        self->name = "tasks";
    }
    cr_assert_eq(ates_endpoint(self->run_dir, self->name, endpoint, sizeof endpoint), 0);
    cr_assert_eq(ates_socket_bind(self->router, endpoint), 0);
    cr_assert_eq(pthread_create(&self->thread, NULL, serve, self), 0);
}

void fake_service_stop(struct fake_service *self)
{
    zmq_ctx_shutdown(self->context);
    cr_assert_eq(pthread_join(self->thread, NULL), 0);
    zmq_ctx_term(self->context);
    for (size_t i = 0; i < self->held_count; i++) {
        free(self->held[i]);
    }
    self->held_count = 0;
}

void fake_service_clean(struct fake_service *self)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s.sock", self->run_dir, self->name);
    unlink(path);
    cr_assert_eq(rmdir(self->run_dir), 0);
}

void fake_hold(struct fake_service *self, const struct fake_request *request)
{
    struct fake_request *copy = malloc(sizeof *copy);

    cr_assert_lt(self->held_count, FAKE_HELD_MAX);
    *copy = *request;
    self->held[self->held_count++] = copy;
}

void fake_refuse(struct fake_service *self, const struct fake_request *request)
{
    struct ates_buffer body = {0};
    const struct ates_refusal_body refusal = {
        .reason = ates_text_from("NOT_ASSIGNEE"),
        .message = ates_text_from("the task is somebody else's"),
        .has_field = true,
        .field = ates_text_from("task_id"),
        .has_retry_after_ms = true,
        .retry_after_ms = 250,
    };

    ates_message_encode(&ates_refusal_body_message, &refusal, &body);
    fake_send_reply(self, request, "PERMISSION_DENIED", body.data, body.size);
    ates_buffer_release(&body);
}

void fake_silence(struct fake_service *self, const struct fake_request *request)
{
    (void)self;
    (void)request;
}

/* Replies that are none, by the command's name. */
void fake_misbehave(struct fake_service *self, const struct fake_request *request)
{
    static const uint8_t meta[] = {0x81, 0xa3, 's', 'e', 'q', 0x07};
    static const uint8_t empty_map[] = {0x80};
    bool wrong_status = fake_is_command(request, "tasks.status");
    bool wrong_meta = fake_is_command(request, "tasks.meta");
    bool refusal = fake_is_command(request, "tasks.refusal");
    const char *protocol = fake_is_command(request, "tasks.protocol") ? "ATES/2" : ATES_PROTOCOL;
    const char *status = wrong_status ? "FINE" : refusal ? "NOT_FOUND" : "OK";

    fake_send_envelope(self, request);
    fake_send_frame(self, protocol, strlen(protocol), ZMQ_SNDMORE);
    fake_send_frame(self, status, strlen(status), ZMQ_SNDMORE);
    if (fake_is_command(request, "tasks.short")) {
        fake_send_frame(self, meta, sizeof meta, 0);
        return;
    }
    fake_send_frame(self, wrong_meta ? empty_map : meta, wrong_meta ? 1 : sizeof meta, ZMQ_SNDMORE);
    if (fake_is_command(request, "tasks.long")) {
        fake_send_frame(self, empty_map, sizeof empty_map, ZMQ_SNDMORE);
    } else if (fake_is_command(request, "tasks.longer")) {
        for (int i = 0; i < 20; i++) {
            fake_send_frame(self, empty_map, sizeof empty_map, ZMQ_SNDMORE);
        }
    }
    fake_send_frame(self, empty_map, sizeof empty_map, 0);
}

const char *const fake_misbehaviours[] = {"protocol", "status", "short",   "long",
                                          "longer",   "meta",   "refusal", NULL};

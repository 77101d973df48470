/* A service for tests of clients: a ROUTER in a thread of its own, which notes what comes and
 * answers as the test's function tells it to. What it noted is read after fake_service_stop. */
#ifndef FAKE_SERVICE_H
#define FAKE_SERVICE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ates/client.h>

#define FAKE_FRAMES_MAX 12
#define FAKE_FRAME_SIZE 1024
#define FAKE_SEEN_MAX 8
#define FAKE_HELD_MAX 1000

/* A request as it came: the frames up to the first empty one, then the command's four. */
struct fake_request {
    uint8_t data[FAKE_FRAMES_MAX][FAKE_FRAME_SIZE];
    size_t size[FAKE_FRAMES_MAX];
    size_t count;
    size_t first; /* of the command's frames */
};

struct fake_seen {
    char command[64];
    char request_id[65];
    char token[65];
    char client[65];
    char traceparent[65];
    uint64_t timeout_ms;
    bool has_timeout_ms;
};

struct fake_service;
typedef void fake_behaviour(struct fake_service *self, const struct fake_request *request);

struct fake_service {
    const char *name; /* NULL: "tasks" */
    char run_dir[64];
    void *context;
    void *router;
    pthread_t thread;
    fake_behaviour *behave;
    size_t request_count;
    struct fake_seen seen[FAKE_SEEN_MAX]; /* the first ones */
    struct fake_request *held[FAKE_HELD_MAX];
    size_t held_count;
    unsigned seed; /* for the behaviour's use */
};

/* Starts the service self->name below self->run_dir, or in a new folder where that is empty. */
void fake_service_start(struct fake_service *self, fake_behaviour *behave);
void fake_service_stop(struct fake_service *self);
/* Removes the folder. */
void fake_service_clean(struct fake_service *self);

/* For behaviours. */
bool fake_is_command(const struct fake_request *request, const char *name);
void fake_hold(struct fake_service *self, const struct fake_request *request);
void fake_send_frame(struct fake_service *self, const void *data, size_t size, int more);
void fake_send_envelope(struct fake_service *self, const struct fake_request *request);
void fake_send_reply(struct fake_service *self, const struct fake_request *request,
                     const char *status, const void *body, size_t body_size);

/* Behaviours: the body back as result; no reply; a refusal (PERMISSION_DENIED, NOT_ASSIGNEE); and
 * replies that are none, each by the name of its command. */
fake_behaviour fake_echo, fake_silence, fake_refuse, fake_misbehave;
extern const char *const fake_misbehaviours[]; /* NULL at the end */

int64_t fake_now_ms(void);

#endif

/* The backend of the web service against a service of the test's making. The clock is the test's
 * own: only replies take real time, and they are waited for. */
#ifndef ATES_TEST_WEB_BACKEND_FIXTURE_H
#define ATES_TEST_WEB_BACKEND_FIXTURE_H

#include <criterion/criterion.h>
#include <semaphore.h>
#include <string.h>
#include <time.h>

#include <ates/auth.h>
#include <ates/tasks.h>

#include "support/fake_service.h"
#include "web/web_backend.h"

#define MS INT64_C(1000)
#define START (INT64_C(1000000) * MS)
#define TIMEOUT_MS 3000
#define THIRD (TIMEOUT_MS / 3 * MS)
#define SLACK (60 * MS) /* by which a deadline may be noticed late */
#define AUTH 0u         /* in web_services */
#define TASKS 1u

static const struct ates_command query = {.name = "query", .is_query = true},
                                 change = {.name = "change"}, quick = {.name = "quick"};

struct call {
    uint64_t body;
    struct web_pending *pending; /* NULL: replied or not sent */
    unsigned answered, given_up;
    enum ates_status status;
    bool cancelled;
    int64_t deadline_us;
    struct call *cancels; /* when it is replied to */
    unsigned chain;       /* calls more that it makes then, one after the other */
};

static void *context;
static struct web_backend *backend;
static struct fake_service server;
static sem_t noted; /* requests that the service looked at */
static unsigned answered, given_up;
static int64_t now_us;

static inline void open_backend(fake_behaviour *behave)
{
    sem_init(&noted, 0, 0);
    memset(&server, 0, sizeof server);
    fake_service_start(&server, behave);
    context = zmq_ctx_new();
    struct ates_reach reach;

    ates_reach_init(&reach, server.run_dir);
    backend = web_backend_new(context, &reach);
    cr_assert_not_null(backend);
    answered = given_up = 0;
    now_us = START;
}

static inline void close_backend(void)
{
    web_backend_free(&backend);
    cr_assert_null(backend);
    zmq_ctx_term(context);
    fake_service_stop(&server);
}

static inline void take(void *owner, const struct ates_reply *reply);

static inline void send(struct call *call, const struct ates_command *command,
                        const char *request_id, int64_t timeout_ms)
{
    const struct web_command told = {
        .service = &tasks_service,
        .command = command,
        .request_id = request_id,
        .body = {(const uint8_t *)&call->body, sizeof call->body},
        .timeout_ms = timeout_ms,
    };

    call->deadline_us = now_us + timeout_ms * MS;
    call->pending = web_backend_call(backend, &told, take, call, now_us);
    cr_assert_not_null(call->pending);
}

static inline void take(void *owner, const struct ates_reply *reply)
{
    struct call *call = owner;
    uint64_t body;

    cr_assert_not_null(call->pending, "replied to for a second time, or after it was cancelled");
    call->pending = NULL;
    if (reply == NULL) {
        cr_assert_geq(now_us, call->deadline_us);
        call->given_up++;
        given_up++;
    } else {
        call->status = reply->status;
        if (reply->status == ATES_OK) {
            cr_assert_eq(reply->body.size, sizeof body);
            memcpy(&body, reply->body.data, sizeof body);
            cr_assert_eq(body, call->body, "another command's reply");
        }
        call->answered++;
        answered++;
    }
    if (call->cancels != NULL && call->cancels->pending != NULL) {
        web_backend_cancel(backend, call->cancels->pending);
        call->cancels->pending = NULL;
        call->cancels->cancelled = true;
    }
    if (call->chain > 0) {
        call->chain--;
        call->body++;
        send(call, &query, NULL, TIMEOUT_MS);
        if (reply != NULL && reply->status == ATES_OK) { /* which stays, whatever is sent */
            cr_assert_eq(memcmp(reply->body.data, &body, sizeof body), 0);
        }
    }
}

static inline void *socket_of(size_t service)
{
    zmq_pollitem_t items[16];

    cr_assert_gt(web_backend_items(backend, items, 16), service);
    return items[service].socket;
}

/* Until so many commands in all were answered. */
static inline void wait_answered(unsigned count)
{
    zmq_pollitem_t items[16];

    while (answered < count) {
        const size_t held = web_backend_items(backend, items, 16);

        cr_assert_gt(zmq_poll(items, (int)held, 20000), 0, "no reply: %u of %u", answered, count);
        web_backend_advance(backend, now_us);
    }
    cr_assert_eq(answered, count);
}

/* Until the service looked at so many requests more. */
static inline void wait_noted(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct timespec until;

        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec += 20;
        cr_assert_eq(sem_timedwait(&noted, &until), 0, "request %u never came", i);
    }
}

static inline void advance_to(int64_t us)
{
    now_us = us;
    web_backend_advance(backend, now_us);
}

/* What was sent before is there now, in as far as it will ever be. */
static inline void sync_with_service(void)
{
    struct call call = {.body = 99};
    const unsigned before = answered;

    send(&call, &quick, NULL, TIMEOUT_MS);
    wait_answered(before + 1);
}

#endif

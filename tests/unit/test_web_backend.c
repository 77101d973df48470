/* Commands to services that answer as each test tells them to. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/seed.h"
#include "support/web_backend_fixture.h"

#define ALL_MAX 8192u
#define ONE_MAX 6144u
#define BYTES_MAX (32u << 20)

TestSuite(web_backend, .timeout = 120);

static void behave_shuffled(struct fake_service *self, const struct fake_request *request)
{
    fake_hold(self, request);
    for (size_t left = FAKE_HELD_MAX; self->held_count == FAKE_HELD_MAX && left > 0; left--) {
        const size_t drawn = (size_t)rand_r(&self->seed) % left;
        struct fake_request *taken = self->held[drawn];

        self->held[drawn] = self->held[left - 1];
        self->held[left - 1] = taken;
        fake_echo(self, taken);
    }
}

Test(web_backend, replies_find_their_commands_in_any_order)
{
    static struct call calls[FAKE_HELD_MAX];
    unsigned seed = (unsigned)seed_start();

    open_backend(behave_shuffled);
    server.seed = seed;
    for (size_t i = 0; i < FAKE_HELD_MAX; i++) {
        calls[i].body = i * 3;
        send(&calls[i], &query, NULL, TIMEOUT_MS);
    }
    cr_assert_eq(web_backend_in_flight(backend, TASKS), FAKE_HELD_MAX);
    cr_assert_eq(web_backend_in_flight(backend, AUTH), 0);
    wait_answered(FAKE_HELD_MAX);
    for (size_t i = 0; i < FAKE_HELD_MAX; i++) {
        cr_assert_eq(calls[i].answered, 1);
    }
    cr_assert_eq(web_backend_in_flight(backend, TASKS), 0);
    cr_assert_eq(web_backend_given_up(backend, TASKS), 0);
    close_backend();
    fake_service_clean(&server);
}

static void note_and_echo(struct fake_service *self, const struct fake_request *request)
{
    fake_echo(self, request);
    sem_post(&noted);
}

Test(web_backend, a_command_tells_all_that_it_is_given)
{
    static const char traceparent[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    char longest[65], long_traceparent[300];
    struct call calls[4] = {{.body = 1}, {.body = 2}, {.body = 3}, {.body = 4}};
    const char *const traceparents[] = {traceparent, NULL, "00-\xd1\x8f", long_traceparent};

    open_backend(note_and_echo);
    memset(longest, 'i', 64);
    longest[64] = '\0';
    memset(long_traceparent, '0', sizeof long_traceparent - 1);
    long_traceparent[sizeof long_traceparent - 1] = '\0';
    for (size_t i = 0; i < 4; i++) {
        char client[] = "192.0.2.7", token[] = "v4.public.hers";
        uint64_t body = calls[i].body;
        const struct web_command told = {
            .service = &tasks_service,
            .command = &change,
            .token = ates_text_from(i == 0 ? token : ""),
            .request_id = i == 0 ? longest : NULL,
            .client = i == 0 ? client : NULL,
            .traceparent = traceparents[i],
            .body = {(const uint8_t *)&body, sizeof body},
            .timeout_ms = TIMEOUT_MS + (int64_t)i,
        };

        calls[i].pending = web_backend_call(backend, &told, take, &calls[i], now_us);
        cr_assert_not_null(calls[i].pending);
        memset(client, 'x', sizeof client); /* its bytes are copied */
        memset(token, 'x', sizeof token);
        body = 0;
    }
    wait_answered(4);
    close_backend();
    cr_expect_str_eq(server.seen[0].command, "tasks.change");
    cr_expect_str_eq(server.seen[0].request_id, longest);
    cr_expect_str_eq(server.seen[0].token, "v4.public.hers");
    cr_expect_str_eq(server.seen[0].client, "192.0.2.7");
    cr_expect_str_eq(server.seen[0].traceparent, traceparent);
    for (size_t i = 0; i < 4; i++) {
        cr_expect(server.seen[i].has_timeout_ms && server.seen[i].timeout_ms == TIMEOUT_MS + i);
    }
    for (size_t i = 1; i < 4; i++) {
        cr_expect(server.seen[i].request_id[0] == '\0' && server.seen[i].token[0] == '\0' &&
                  server.seen[i].client[0] == '\0' && server.seen[i].traceparent[0] == '\0');
    }
    fake_service_clean(&server);
}

Test(web_backend, a_refusal_is_a_reply)
{
    struct call call = {.body = 1};

    open_backend(fake_refuse);
    send(&call, &query, NULL, TIMEOUT_MS);
    wait_answered(1);
    cr_assert_eq(call.status, ATES_PERMISSION_DENIED);
    close_backend();
    fake_service_clean(&server);
}

/* Answers "quick" at once and every other command's second attempt only. */
static void behave_forgetful(struct fake_service *self, const struct fake_request *request)
{
    bool is_second = false;

    for (size_t i = 0; i < self->held_count; i++) {
        /* by its tag */
        is_second |= memcmp(self->held[i]->data[1], request->data[1], request->size[1]) == 0;
    }
    if (is_second || fake_is_command(request, "tasks.quick")) {
        fake_echo(self, request);
    } else {
        fake_hold(self, request);
    }
    sem_post(&noted);
}

Test(web_backend, a_lost_reply_is_asked_for_again)
{
    struct call asked = {.body = 1}, changed = {.body = 2}, once = {.body = 3};

    open_backend(behave_forgetful);
    send(&asked, &query, NULL, TIMEOUT_MS);
    send(&changed, &change, "id-2", TIMEOUT_MS);
    send(&once, &change, NULL, TIMEOUT_MS);
    wait_noted(3);
    advance_to(START + THIRD - 1);
    sync_with_service();
    wait_noted(1);
    cr_assert_eq(answered, 1, "it is not yet time");
    advance_to(START + THIRD + SLACK);
    wait_answered(3);
    cr_assert(asked.answered == 1 && changed.answered == 1);
    advance_to(START + 2 * THIRD + SLACK);
    sync_with_service();
    advance_to(START + 3 * THIRD - 1);
    cr_assert_not_null(once.pending, "what may have had its effect is not sent again");
    cr_assert_leq(web_backend_due(backend), START + 3 * THIRD + SLACK);
    advance_to(START + 3 * THIRD + SLACK);
    cr_assert_eq(once.given_up, 1);
    cr_assert_eq(web_backend_given_up(backend, TASKS), 1);
    cr_assert_eq(web_backend_due(backend), INT64_MAX);
    close_backend();
    cr_assert_eq(server.request_count, 3 + 1 + 2 + 1);
    cr_expect_str_eq(server.seen[1].request_id, "id-2");
    cr_expect_eq(server.seen[1].timeout_ms, TIMEOUT_MS);
    cr_expect_str_eq(server.seen[5].command, "tasks.change");
    cr_expect_str_eq(server.seen[5].request_id, "id-2");
    cr_expect_eq(server.seen[5].timeout_ms, TIMEOUT_MS - (THIRD + SLACK) / MS, "what is left");
    fake_service_clean(&server);
}

Test(web_backend, a_service_that_is_silent_is_given_up_in_time)
{
    struct call asked = {.body = 1}, brief = {.body = 2};

    open_backend(fake_silence);
    cr_assert_eq(web_backend_due(backend), INT64_MAX);
    send(&asked, &query, NULL, TIMEOUT_MS);
    send(&brief, &query, NULL, TIMEOUT_MS / 10);
    cr_assert_leq(web_backend_due(backend), START + SLACK);
    advance_to(START + TIMEOUT_MS * MS / 10 + SLACK);
    cr_assert(brief.given_up == 1 && asked.given_up == 0);
    for (; given_up < 2; advance_to(web_backend_due(backend))) {
        cr_assert_leq(now_us, START + TIMEOUT_MS * MS);
    }
    cr_assert_eq(asked.given_up, 1);
    cr_assert_eq(web_backend_in_flight(backend, TASKS), 0);
    close_backend();
    fake_service_clean(&server);
}

/* Holds the first request; answers it when the second comes, and then the second. */
static void behave_late(struct fake_service *self, const struct fake_request *request)
{
    if (fake_is_command(request, "tasks.query") && self->held_count == 0) {
        fake_hold(self, request);
    } else {
        for (size_t i = 0; i < self->held_count && self->request_count == 2; i++) {
            fake_echo(self, self->held[i]);
        }
        fake_echo(self, request);
    }
    sem_post(&noted);
}

Test(web_backend, a_late_first_reply_serves_and_the_second_is_ignored)
{
    struct call first = {.body = 1}, next = {.body = 2};

    open_backend(behave_late);
    send(&first, &query, NULL, TIMEOUT_MS);
    wait_noted(1);
    advance_to(START + THIRD + SLACK);
    wait_answered(1);
    send(&next, &query, NULL, TIMEOUT_MS); /* in the same slot */
    wait_answered(2);
    cr_assert(first.answered == 1 && next.answered == 1);
    close_backend();
    fake_service_clean(&server);
}

/* Holds everything until "quick" comes. */
static void behave_held(struct fake_service *self, const struct fake_request *request)
{
    if (!fake_is_command(request, "tasks.quick")) {
        fake_hold(self, request);
    } else {
        for (size_t i = 0; i < self->held_count; i++) {
            fake_echo(self, self->held[i]);
        }
        fake_echo(self, request);
    }
    sem_post(&noted);
}

Test(web_backend, replies_to_what_was_cancelled_are_ignored)
{
    struct call gone = {.body = 1}, kept = {.body = 2}, next = {.body = 3};

    open_backend(behave_held);
    send(&gone, &query, NULL, TIMEOUT_MS);
    send(&kept, &query, NULL, TIMEOUT_MS);
    web_backend_cancel(backend, gone.pending);
    gone.pending = NULL;
    cr_assert_eq(web_backend_in_flight(backend, TASKS), 1);
    send(&next, &query, NULL, TIMEOUT_MS); /* in its slot */
    struct call flush = {.body = 4};
    send(&flush, &quick, NULL, TIMEOUT_MS);
    wait_answered(3);
    cr_assert(kept.answered == 1 && next.answered == 1 && flush.answered == 1);
    advance_to(START + TIMEOUT_MS * MS + SLACK);
    cr_assert(gone.answered == 0 && gone.given_up == 0);
    cr_assert_eq(web_backend_given_up(backend, TASKS), 0);
    close_backend();
    cr_assert_eq(server.request_count, 4, "nor was it repeated");
    fake_service_clean(&server);
}

/* Who is replied to may send and cancel at once, at a reply as when given up. */
Test(web_backend, who_is_replied_to_may_call_and_cancel)
{
    struct call calls[5] = {
        {.body = 10, .chain = 500}, {.body = 1000}, {.body = 2000}, {.body = 3000}, {.body = 4000}};

    open_backend(note_and_echo);
    calls[1].cancels = &calls[2];
    calls[2].cancels = &calls[1];
    for (size_t i = 0; i < 3; i++) {
        send(&calls[i], &query, NULL, TIMEOUT_MS);
    }
    wait_answered(502);
    cr_assert_eq(calls[0].answered, 501);
    cr_assert_neq(calls[1].cancelled, calls[2].cancelled);
    fake_service_stop(&server);
    calls[3].chain = 1;
    calls[3].cancels = &calls[4];
    send(&calls[3], &query, NULL, TIMEOUT_MS);
    send(&calls[4], &query, NULL, TIMEOUT_MS);
    advance_to(now_us + TIMEOUT_MS * MS + SLACK);
    cr_assert(calls[3].given_up == 1 && calls[3].pending != NULL && calls[4].cancelled);
    advance_to(now_us + TIMEOUT_MS * MS + SLACK);
    cr_assert(calls[3].given_up == 2 && calls[3].pending == NULL);
    fake_service_start(&server, fake_echo);
    close_backend();
    fake_service_clean(&server);
}

static size_t fill(const struct ates_service *service, struct call *calls, size_t body_size)
{
    static const uint8_t body[256 * 1024];
    const struct web_command told = {
        .service = service, .command = &query, .body = {body, body_size}, .timeout_ms = TIMEOUT_MS};
    size_t count = 0;

    for (struct web_pending *pending; count < 2 * ALL_MAX; count++) {
        pending = web_backend_call(backend, &told, take, &calls[count], now_us);
        if (pending == NULL) {
            break;
        }
        calls[count].pending = pending;
        calls[count].deadline_us = now_us + TIMEOUT_MS * MS;
    }
    return count;
}

static void give_up_all(void)
{
    advance_to(now_us + TIMEOUT_MS * MS + SLACK);
    cr_assert_eq(web_backend_in_flight(backend, TASKS) + web_backend_in_flight(backend, AUTH), 0);
}

/* No service is there: all that is sent stays in flight. */
Test(web_backend, what_is_in_flight_is_bounded)
{
    static struct call tasks[ALL_MAX + 1], auth[ALL_MAX + 1];
    char run_dir[] = "/tmp/ates-backend-XXXXXX";
    const size_t large = 256 * 1024, room = BYTES_MAX / large;

    cr_assert_not_null(mkdtemp(run_dir));
    context = zmq_ctx_new();
    struct ates_reach reach;

    ates_reach_init(&reach, run_dir);
    backend = web_backend_new(context, &reach);
    now_us = START;
    cr_assert_eq(fill(&tasks_service, tasks, 16), ONE_MAX, "others have room yet");
    cr_assert_eq(fill(&auth_service, auth, 16), ALL_MAX - ONE_MAX);
    web_backend_cancel(backend, tasks[7].pending);
    cr_assert_eq(fill(&auth_service, &tasks[7], 16), 1);
    cr_assert_eq(web_backend_in_flight(backend, TASKS), ONE_MAX - 1);
    cr_assert_eq(web_backend_in_flight(backend, AUTH), ALL_MAX - ONE_MAX + 1);
    advance_to(now_us + THIRD + SLACK);
    advance_to(now_us + THIRD + SLACK);
    cr_assert_eq(web_backend_in_flight(backend, TASKS), ONE_MAX - 1);
    give_up_all();
    cr_assert_eq(web_backend_given_up(backend, TASKS), ONE_MAX - 1);
    cr_assert_eq(web_backend_given_up(backend, AUTH), ALL_MAX - ONE_MAX + 1);

    cr_assert_eq(fill(&tasks_service, tasks, large), room);
    cr_assert_eq(fill(&auth_service, auth, 1), 0);
    cr_assert_eq(fill(&auth_service, auth, 0), ONE_MAX, "these need no room");
    give_up_all();
    cr_assert_eq(web_backend_given_up(backend, TASKS), ONE_MAX - 1 + room);

    cr_assert_eq(fill(&tasks_service, tasks, 16), ONE_MAX, "all is free again");
    for (size_t i = 0; i < ONE_MAX; i++) {
        tasks[i].chain = 1; /* what was given up leaves its room to who is told of it */
    }
    advance_to(now_us + TIMEOUT_MS * MS + SLACK);
    cr_assert_eq(web_backend_in_flight(backend, TASKS), ONE_MAX);
    cr_assert_eq(fill(&auth_service, auth, 16), ALL_MAX - ONE_MAX);
    web_backend_free(&backend); /* with all that is in flight */
    zmq_ctx_term(context);
    cr_assert_eq(rmdir(run_dir), 0);
}

Test(web_backend, ids_that_are_too_long_are_not_sent)
{
    char long_id[66];
    struct call call = {.body = 1};
    struct web_command told = {.service = &tasks_service,
                               .command = &change,
                               .request_id = long_id,
                               .timeout_ms = TIMEOUT_MS};

    open_backend(fake_echo);
    memset(long_id, 'i', 65);
    long_id[65] = '\0';
    cr_assert_null(web_backend_call(backend, &told, take, &call, now_us));
    told.request_id = NULL;
    told.client = long_id;
    cr_assert_null(web_backend_call(backend, &told, take, &call, now_us));
    cr_assert_eq(web_backend_in_flight(backend, TASKS), 0);
    sync_with_service();
    close_backend();
    cr_assert_eq(server.request_count, 1);
    fake_service_clean(&server);
}

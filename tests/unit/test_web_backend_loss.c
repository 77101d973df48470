/* Services that die, lose, break connections and say what is none: nothing is left over. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/seed.h"
#include "support/web_backend_fixture.h"

TestSuite(web_backend_loss, .timeout = 120);

static void note_and_be_silent(struct fake_service *self, const struct fake_request *request)
{
    (void)self;
    (void)request;
    sem_post(&noted);
}

/* One that dies with commands in hand, and comes back: they are repeated, as is what was asked
 * while it was away. */
Test(web_backend_loss, a_service_that_restarts_is_asked_again)
{
    struct call before = {.body = 1}, changed = {.body = 2}, meanwhile = {.body = 3};

    open_backend(note_and_be_silent);
    send(&before, &query, NULL, TIMEOUT_MS);
    send(&changed, &change, "id-2", TIMEOUT_MS);
    wait_noted(2);
    fake_service_stop(&server);
    send(&meanwhile, &query, NULL, TIMEOUT_MS);
    fake_service_start(&server, fake_echo);
    advance_to(START + THIRD + SLACK);
    wait_answered(3);
    cr_assert(before.answered == 1 && changed.answered == 1 && meanwhile.answered == 1);
    close_backend();
    fake_service_clean(&server);
}

static void misbehave_or_echo(struct fake_service *self, const struct fake_request *request)
{
    if (fake_is_command(request, "tasks.quick")) {
        fake_echo(self, request);
    } else {
        fake_misbehave(self, request);
    }
}

Test(web_backend_loss, a_reply_that_is_none_counts_as_none)
{
    struct call calls[16] = {{.body = 1}};
    size_t count = 0;

    open_backend(misbehave_or_echo);
    for (; fake_misbehaviours[count] != NULL; count++) {
        const struct ates_command command = {.name = fake_misbehaviours[count], .is_query = true};

        send(&calls[count], &command, NULL, TIMEOUT_MS);
        sync_with_service();
        cr_assert_not_null(calls[count].pending, "%s", command.name);
    }
    advance_to(START + TIMEOUT_MS * MS + SLACK);
    cr_assert_eq(given_up, count);
    close_backend();
    fake_service_clean(&server);
}

/* Breaks the first connection by a frame above the limit, and answers on every other one. */
static void behave_broken(struct fake_service *self, const struct fake_request *request)
{
    static const uint8_t large[ATES_FRAME_MAX + 1];

    if (self->held_count == 0) {
        fake_hold(self, request);
        fake_send_reply(self, request, "OK", large, sizeof large);
    } else if (request->size[0] != self->held[0]->size[0] ||
               memcmp(request->data[0], self->held[0]->data[0], request->size[0]) != 0) {
        fake_echo(self, request);
    }
    sem_post(&noted);
}

Test(web_backend_loss, a_connection_that_gives_nothing_is_made_anew)
{
    struct call asked = {.body = 1}, slow = {.body = 2}, once = {.body = 3};

    open_backend(behave_broken);
    void *const socket = socket_of(TASKS), *const other = socket_of(AUTH);
    send(&asked, &query, NULL, TIMEOUT_MS);
    wait_noted(1);
    send(&slow, &change, "id-2", 20 * TIMEOUT_MS);
    send(&once, &change, NULL, 20 * TIMEOUT_MS);
    advance_to(START + THIRD + SLACK);
    cr_assert_eq(socket_of(TASKS), socket, "one is not yet enough");
    advance_to(START + 2 * (THIRD + SLACK));
    cr_assert_neq(socket_of(TASKS), socket);
    cr_assert_eq(socket_of(AUTH), other);
    wait_answered(2);
    cr_assert(asked.answered == 1 && slow.answered == 1);
    cr_assert_not_null(once.pending, "what may have had its effect is not sent again");
    sync_with_service();
    close_backend();
    fake_service_clean(&server);
}

/* Answers nothing but "quick". */
static void behave_quick(struct fake_service *self, const struct fake_request *request)
{
    if (fake_is_command(request, "tasks.quick")) {
        fake_echo(self, request);
    }
}

Test(web_backend_loss, a_connection_that_gives_something_is_kept)
{
    struct call many[100], slow = {.body = 1};

    open_backend(behave_quick);
    void *const socket = socket_of(TASKS);
    for (size_t i = 0; i < 100; i++) { /* many at once are one, as a pause has them all wait */
        many[i] = (struct call){.body = i};
        send(&many[i], &query, NULL, TIMEOUT_MS);
    }
    advance_to(START + THIRD / 2);
    sync_with_service(); /* after which their first attempt counts no more */
    advance_to(START + THIRD + SLACK);
    advance_to(START + 2 * (THIRD + SLACK));
    cr_assert_eq(socket_of(TASKS), socket);
    sync_with_service();
    advance_to(START + 3 * (THIRD + SLACK));
    cr_assert_eq(given_up, 100);
    cr_assert_eq(socket_of(TASKS), socket);
    sync_with_service();
    send(&slow, &change, "id-1", 20 * TIMEOUT_MS); /* 20 s are its own time, not ours */
    advance_to(now_us + 3 * TIMEOUT_MS * MS);
    cr_assert_eq(socket_of(TASKS), socket);
    close_backend();
    fake_service_clean(&server);
}

/* Echoes, drops, holds back, says twice. */
static void behave_randomly(struct fake_service *self, const struct fake_request *request)
{
    const unsigned drawn = (unsigned)rand_r(&self->seed) % 10;

    if (drawn == 0 && self->held_count < FAKE_HELD_MAX) {
        fake_hold(self, request);
    } else if (drawn == 1) {
        fake_echo(self, request);
        fake_echo(self, request);
    } else if (drawn > 3) {
        fake_echo(self, request);
    }
    if (self->held_count > 0 && rand_r(&self->seed) % 4 == 0) {
        struct fake_request *held = self->held[--self->held_count];

        fake_echo(self, held);
        free(held);
    }
}

#define RANDOM_CALLS 256u
#define RANDOM_STEPS 20000u

/* Whatever is lost, late or twice: each command is replied to or given up once, with its own reply,
 * unless it was cancelled. */
Test(web_backend_loss, any_order_of_events_leaves_nothing_over)
{
    static struct call calls[RANDOM_CALLS];
    const struct ates_command *const commands[] = {&query, &change};
    uint64_t state = seed_start();
    uint64_t cancelled = 0, sent = 0;
    zmq_pollitem_t items[16];

    open_backend(behave_randomly);
    server.seed = (unsigned)seed_next(&state);
    for (unsigned step = 0; step < RANDOM_STEPS; step++) {
        struct call *call = &calls[seed_draw(&state, RANDOM_CALLS)];
        const unsigned action = (unsigned)seed_draw(&state, 10);

        if (action == 0 && call->pending != NULL) {
            web_backend_cancel(backend, call->pending);
            call->pending = NULL;
            cancelled++;
        } else if (action < 7 && call->pending == NULL) {
            const int64_t timeout_ms = 1 + (int64_t)seed_draw(&state, 2 * TIMEOUT_MS);

            call->body = seed_next(&state);
            send(call, commands[seed_draw(&state, 2)], seed_draw(&state, 2) ? "id" : NULL,
                 timeout_ms);
            sent++;
        } else if (action == 9) {
            advance_to(now_us + (int64_t)seed_draw(&state, 100 * MS));
        }
        const size_t held = web_backend_items(backend, items, 16);
        zmq_poll(items, (int)held, 0);
        web_backend_advance(backend, now_us);
        cr_assert_eq(web_backend_in_flight(backend, TASKS), sent - cancelled - answered - given_up);
    }
    advance_to(now_us + 2 * TIMEOUT_MS * MS + SLACK);
    cr_assert_eq(sent, cancelled + answered + given_up);
    cr_assert_eq(web_backend_given_up(backend, TASKS), given_up);
    fprintf(stderr, "%u answered, %u given up\n", answered, given_up);
    cr_assert(answered > 0 && given_up > 0 && cancelled > 0);
    close_backend();
    fake_service_clean(&server);
}

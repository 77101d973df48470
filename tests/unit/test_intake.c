/* Peers take turns, each keeps its order, and none is held more of than its part. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/intake.h"
#include "core/socket.h"

#define PEERS 3

static void *context, *router, *peers[PEERS];
static struct ates_intake *intake;

/* Over inproc no address is told: each connection is a peer of its own. */
static void setup(void)
{
    context = zmq_ctx_new();
    router = ates_socket_open(context, ZMQ_ROUTER);
    cr_assert_eq(zmq_bind(router, "inproc://intake"), 0);
    for (size_t i = 0; i < PEERS; i++) {
        peers[i] = ates_socket_open(context, ZMQ_DEALER);
        cr_assert_eq(zmq_connect(peers[i], "inproc://intake"), 0);
    }
    intake = ates_intake_new();
    cr_assert_not_null(intake);
}

static void teardown(void)
{
    ates_intake_free(&intake);
    cr_assert_null(intake);
    ates_intake_free(&intake);
    for (size_t i = 0; i < PEERS; i++) {
        zmq_close(peers[i]);
    }
    zmq_close(router);
    zmq_ctx_term(context);
}

TestSuite(intake, .init = setup, .fini = teardown, .timeout = 60);

static void send(size_t peer, unsigned number, size_t size)
{
    uint8_t *bytes = calloc(1, size);

    memcpy(bytes, &number, sizeof number);
    cr_assert_eq(zmq_send(peers[peer], "", 0, ZMQ_SNDMORE), 0);
    cr_assert_eq(zmq_send(peers[peer], bytes, size, 0), (int)size);
    free(bytes);
}

static void send_many(size_t peer, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        send(peer, i, sizeof i);
    }
}

/* Takes in what there is; returns how many were refused. */
static size_t fill(void)
{
    struct ates_request_message *refused;
    size_t count = 0;

    while (ates_intake_fill(intake, router, &refused) == 0) {
        count += refused != NULL;
        cr_assert(refused == NULL || refused->route == 2, "it can be answered");
    }
    return count;
}

static unsigned number_of(struct ates_request_message *request)
{
    unsigned number;

    cr_assert_not_null(request);
    memcpy(&number, ates_request_frame(request, 0).data, sizeof number);
    return number;
}

Test(intake, nothing_there)
{
    struct ates_request_message *refused;

    cr_assert_eq(ates_intake_fill(intake, router, &refused), -EAGAIN);
    cr_assert_null(refused);
    cr_assert_null(ates_intake_next(intake));
}

Test(intake, peers_take_turns_and_keep_their_order)
{
    send_many(0, 5);
    send_many(1, 2);
    send(2, 100, sizeof(unsigned));
    cr_assert_eq(fill(), 0);
    cr_assert_eq(ates_intake_held(intake), 8);
    cr_assert_eq(ates_intake_peers(intake), 3);
    /* Which of them is first is libzmq's to say. */
    unsigned sums[3] = {0}, last[5];
    for (size_t i = 0; i < 3; i++) {
        sums[0] += number_of(ates_intake_next(intake));
    }
    for (size_t i = 0; i < 2; i++) {
        sums[1] += number_of(ates_intake_next(intake));
    }
    for (size_t i = 0; i < 3; i++) {
        last[i] = number_of(ates_intake_next(intake));
    }
    cr_expect_eq(sums[0], 0 + 0 + 100, "the first of each");
    cr_expect_eq(sums[1], 1 + 1, "the second of the two that have one");
    cr_expect(last[0] == 2 && last[1] == 3 && last[2] == 4);
    cr_expect_null(ates_intake_next(intake));
    cr_expect_eq(ates_intake_held(intake), 0);
}

Test(intake, one_peer_is_held_no_more_of_than_its_part)
{
    send_many(0, ATES_INTAKE_PEER_MAX + 3);
    cr_assert_eq(fill(), 3);
    send_many(1, 7);
    cr_assert_eq(fill(), 0, "others are taken");
    cr_assert_eq(ates_intake_held(intake), ATES_INTAKE_PEER_MAX + 7);
    number_of(ates_intake_next(intake));
    number_of(ates_intake_next(intake));
    send(0, 0, sizeof(unsigned));
    cr_assert_eq(fill(), 0, "there is room again");
}

Test(intake, bytes_are_bounded_too)
{
    const size_t mebibyte = 1u << 20;

    for (unsigned i = 0; i < 20; i++) {
        send(0, i, mebibyte);
    }
    /* The identity counts too, so the sixteenth does not fit. */
    cr_assert_eq(fill(), 20 - (ATES_INTAKE_PEER_BYTES / mebibyte - 1), "%zu are held",
                 ates_intake_held(intake));
}

Test(intake, what_is_left_goes_with_it)
{
    send_many(0, 100);
    cr_assert_eq(fill(), 0);
    number_of(ates_intake_next(intake));
}

/* Requests and replies as frames: the route is found, kept and used; a message of any shape does no
 * harm. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core/request.h"
#include "core/socket.h"

static void *context, *router, *dealer;

static void setup(void)
{
    context = zmq_ctx_new();
    router = ates_socket_open(context, ZMQ_ROUTER);
    dealer = ates_socket_open(context, ZMQ_DEALER);
    cr_assert_eq(zmq_bind(router, "inproc://request"), 0);
    cr_assert_eq(zmq_connect(dealer, "inproc://request"), 0);
}

static void teardown(void)
{
    if (dealer != NULL) {
        zmq_close(dealer);
    }
    zmq_close(router);
    zmq_ctx_term(context);
}

TestSuite(request, .init = setup, .fini = teardown, .timeout = 30);

/* Sends frames, one a character: '0' an empty one, others themselves. */
static void send_frames(const char *frames)
{
    for (size_t i = 0; frames[i] != '\0'; i++) {
        const int more = frames[i + 1] != '\0' ? ZMQ_SNDMORE : 0;

        cr_assert_geq(zmq_send(dealer, &frames[i], frames[i] == '0' ? 0 : 1, more), 0);
    }
}

static void receive(struct ates_request_message *request)
{
    zmq_pollitem_t item = {router, 0, ZMQ_POLLIN, 0};

    cr_assert_gt(zmq_poll(&item, 1, 20000), 0);
    cr_assert_eq(ates_request_receive(router, request), 0);
}

Test(request, nothing_there)
{
    struct ates_request_message request;

    cr_assert_eq(ates_request_receive(router, &request), -EAGAIN);
    cr_assert_eq(request.count, 0);
}

Test(request, the_route_ends_with_the_first_empty_frame)
{
    const struct {
        const char *frames;
        unsigned route, count; /* the peer's identity counts too */
    } cases[] = {{"0abcd", 2, 4}, {"i0abcd", 3, 4}, {"ij0a0", 4, 2}, {"0", 2, 0},
                 {"abcd", 0, 5},  {"00abcd", 2, 5}, {"abc0", 5, 0},  {"a", 0, 2}};

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct ates_request_message request;

        send_frames(cases[i].frames);
        receive(&request);
        cr_assert_eq(request.route, cases[i].route, "%s", cases[i].frames);
        cr_assert_eq(ates_request_frame_count(&request), cases[i].count, "%s", cases[i].frames);
        cr_assert_not(request.cut);
        cr_assert_gt(request.received_us, 0);
        if (cases[i].count == 4) {
            cr_assert_eq(ates_request_frame(&request, 0).data[0], 'a');
            cr_assert_eq(ates_request_frame(&request, 3).data[0], 'd');
        }
        ates_request_release(&request);
        ates_request_release(&request);
    }
}

/* However long the message and its route are, no frame that is not held is ever counted as one of
 * four. */
Test(request, too_many_frames_are_cut)
{
    char frames[64];

    for (size_t length = 13; length < 40; length++) {
        for (size_t empty = 0; empty < length; empty++) {
            struct ates_request_message request;

            memset(frames, 'x', length);
            frames[length] = '\0';
            frames[empty] = '0';
            send_frames(frames);
            receive(&request);
            cr_assert_leq(request.count, ATES_REQUEST_FRAMES_MAX);
            cr_assert_eq(request.cut, length + 1 > ATES_REQUEST_FRAMES_MAX);
            if (request.route > 0 && ates_request_frame_count(&request) == 4) {
                cr_assert_eq(request.route + 4, request.count);
                cr_assert_eq(ates_request_frame(&request, 3).size, 1);
            }
            ates_request_release(&request);
        }
    }
    struct ates_request_message after;
    send_frames("0abcd");
    receive(&after);
    cr_assert_eq(ates_request_frame_count(&after), 4);
    ates_request_release(&after);
}

Test(request, a_reply_goes_back_along_the_route)
{
    const char *const expected[] = {"i", "j", "", "ATES/1", "NOT_FOUND", "meta", "body"};
    struct ates_request_message request;
    struct ates_route route;
    char frame[32];

    send_frames("ij0abcd");
    receive(&request);
    ates_request_take_route(&request, &route);
    cr_assert_eq(route.count, 4);
    cr_assert_eq(ates_request_frame(&request, 1).data[0], 'b');
    ates_request_release(&request);
    cr_assert(ates_reply_send(router, &route, "NOT_FOUND",
                              (struct ates_bytes){(const uint8_t *)"meta", 4},
                              (struct ates_bytes){(const uint8_t *)"body", 4}));
    cr_assert_eq(route.count, 0);
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        const int size = zmq_recv(dealer, frame, sizeof frame, 0);
        int more = 0;

        cr_assert_eq(size, (int)strlen(expected[i]));
        cr_assert_arr_eq(frame, expected[i], (size_t)size);
        zmq_getsockopt(dealer, ZMQ_RCVMORE, &more, &(size_t){sizeof more});
        cr_assert_eq(more, i < 6);
    }
}

Test(request, a_reply_to_a_peer_that_is_gone_is_dropped)
{
    struct ates_request_message request;
    struct ates_route route;
    const struct ates_bytes none = {NULL, 0};
    bool sent = true;

    send_frames("0abcd");
    receive(&request);
    zmq_close(dealer);
    dealer = ates_socket_open(context, ZMQ_DEALER);
    cr_assert_eq(zmq_connect(dealer, "inproc://request"), 0);
    while (sent) { /* until the router has heard of it */
        struct ates_route copy = {.count = request.route};

        for (unsigned i = 0; i < request.route; i++) {
            zmq_msg_init(&copy.frames[i]);
            zmq_msg_copy(&copy.frames[i], &request.frames[i]);
        }
        sent = ates_reply_send(router, &copy, "OK", none, none);
    }
    ates_request_take_route(&request, &route);
    ates_route_release(&route);
    ates_request_release(&request);
    struct ates_request_message after; /* the socket still works */
    send_frames("0abcd");
    receive(&after);
    ates_request_release(&after);
}

Test(request, origins_tell_connections_apart)
{
    const struct ates_text nobody = {.size = 0}, one = ates_text_from("10.0.0.1"),
                           two = ates_text_from("10.0.0.2");
    struct ates_request_message first, second, other;

    send_frames("0abcd");
    receive(&first);
    send_frames("0xyzw");
    receive(&second);
    void *another = ates_socket_open(context, ZMQ_DEALER);
    cr_assert_eq(zmq_connect(another, "inproc://request"), 0);
    cr_assert_eq(zmq_send(another, "", 0, ZMQ_SNDMORE), 0);
    cr_assert_eq(zmq_send(another, "a", 1, 0), 1);
    receive(&other);
    cr_assert_eq(ates_request_origin(&first, nobody), ates_request_origin(&second, nobody));
    cr_assert_neq(ates_request_origin(&first, nobody), ates_request_origin(&other, nobody));
    cr_assert_eq(ates_request_origin(&first, one), ates_request_origin(&second, one));
    cr_assert_neq(ates_request_origin(&first, one), ates_request_origin(&first, two));
    cr_assert_neq(ates_request_origin(&first, one), ates_request_origin(&first, nobody));
    cr_assert_neq(ates_request_origin(&first, one), ates_request_origin(&other, one));
    ates_request_release(&first);
    ates_request_release(&second);
    ates_request_release(&other);
    zmq_close(another);
}

/* The server's life: who is let in, who is cut for being slow, what happens at the end. */
#include "support/seed.h"
#include "support/web_server_fixture.h"

static size_t begun; /* requests that reached web_handle */

static ssize_t read_nothing(struct web_request *request, uint8_t *data, size_t size)
{
    (void)request;
    (void)data;
    (void)size;
    return 0;
}

static ssize_t read_zeros(struct web_request *request, uint8_t *data, size_t size)
{
    (void)request;
    memset(data, 0, size);
    return (ssize_t)size;
}

static void begin_stream(struct web_request *request, web_stream_read *read)
{
    const struct web_response head = {.status = 200, .content_type = "text/event-stream"};

    keep_late(request);
    web_respond_stream(request, &head, read);
}

void web_handle(struct web_request *request)
{
    const struct ates_text word =
        request->uri.segment_count > 0 ? request->uri.segments[0] : (struct ates_text){0};

    begun++;
    if (ates_text_equal(word, ates_text_from("late"))) {
        keep_late(request);
    } else if (ates_text_equal(word, ates_text_from("stream"))) {
        begin_stream(request, read_nothing);
    } else if (ates_text_equal(word, ates_text_from("flood"))) {
        begin_stream(request, read_zeros);
    } else {
        keep_late(request);
        respond_text(request, 200, request->peer);
    }
}

static void set_up(void)
{
    server_start();
}

static void tear_down(void)
{
    server_stop();
    cr_expect_eq(gone_count, begun);
}

TestSuite(web_server, .init = set_up, .fini = tear_down);

Test(web_server, knows_its_clients_by_address)
{
    struct peer peer = peer_open_from(1), other = peer_open_from(77);

    peer_ask(&peer, "/");
    peer_expect(&peer, 200, "127.0.0.1");
    peer_ask(&other, "/");
    peer_expect(&other, 200, "127.0.0.77");
    cr_expect_eq(web_server_counts(server)->accepted, 2);
    cr_expect_eq(web_server_counts(server)->connections, 2);
    cr_expect_eq(web_server_counts(server)->requests[2], 2);
    peer_close(&peer);
    peer_close(&other);
    turn();
    cr_expect_eq(web_server_counts(server)->connections, 0);
    cr_expect_eq(web_server_due(server), INT64_MAX);
}

Test(web_server, no_address_has_more_than_its_share)
{
    struct peer peers[3];

    web.config.web_connections_per_address = 2;
    peers[0] = peer_open_from(2);
    peers[1] = peer_open_from(2);
    peers[2] = peer_open_from(2);
    peer_await_end(&peers[2]); /* closed without an answer */
    cr_expect_eq(web_server_counts(server)->refused_at_limit, 1);
    peer_close(&peers[2]);
    peers[2] = peer_open_from(3); /* others are served */
    for (size_t i = 0; i < 3; i++) {
        peer_ask(&peers[i], "/");
        peer_expect(&peers[i], 200, NULL);
    }
    peer_close(&peers[0]);
    turn();
    struct peer again = peer_open_from(2);
    peer_ask(&again, "/");
    peer_expect(&again, 200, "127.0.0.2");
    peer_close(&again);
    peer_close(&peers[1]);
    peer_close(&peers[2]);
}

Test(web_server, this_machine_gets_in_when_all_is_taken)
{
    const struct sockaddr_in far = {.sin_family = AF_INET,
                                    .sin_addr.s_addr = htonl(0xc0000201u)}; /* 192.0.2.1 */
    struct peer peers[3];

    web.config.web_connections = 2;
    cr_expect_eq(web_on_accept(server, (const struct sockaddr *)&far, sizeof far), MHD_YES);
    peers[0] = peer_open_from(2);
    peers[1] = peer_open_from(3);
    cr_expect_eq(web_on_accept(server, (const struct sockaddr *)&far, sizeof far), MHD_NO);
    cr_expect_eq(web_server_counts(server)->refused_at_limit, 1);
    peers[2] = peer_open_from(1);
    peer_ask(&peers[2], "/");
    peer_expect(&peers[2], 200, "127.0.0.1");
    for (size_t i = 0; i < 3; i++) {
        peer_close(&peers[i]);
    }
}

static void expect_open(struct peer *peer)
{
    peer_take(peer);
    cr_expect(!peer->is_ended);
}

Test(web_server, slow_heads_are_cut)
{
    struct peer mute = peer_open(), dripping = peer_open(), other;
    const char *head = "GET / HTTP/1.1\r\nHost: localhost\r\n";

    peer_say(&dripping, "GET /");
    for (int second = 0; second < 14; second++) {
        peer_send(&dripping, " HTTP/1.1\r\nHost:" + second, 1);
        pass_seconds(1);
    }
    expect_open(&mute);
    expect_open(&dripping);
    other = peer_open(); /* meanwhile others are served */
    peer_say(&other, head);
    pass_seconds(3);
    peer_await_end(&mute);
    peer_await_end(&dripping);
    peer_say(&other, "\r\n");
    peer_expect(&other, 200, NULL);
    cr_expect_eq(mute.size + dripping.size, 0);
    cr_expect_eq(web_server_counts(server)->connections, 1);
    peer_close(&mute);
    peer_close(&dripping);
    peer_close(&other);
}

Test(web_server, slow_heads_and_bodies_are_counted)
{
    struct peer head = peer_open(), body = peer_open(), idle = peer_open();

    peer_say(&head, "GET / HTTP/1.1\r\nHost: a\r\nX");
    peer_say(&body, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n");
    for (int second = 0; second < 29; second++) {
        peer_say(&body, "x");
        pass_seconds(1);
        cr_assert(second > 10 || web_server_counts(server)->connections == 3);
    }
    peer_await_end(&head);
    peer_await_end(&idle);
    expect_open(&body);
    cr_expect_eq(web_server_counts(server)->cut_for_slowness, 1);
    pass_seconds(3);
    peer_await_end(&body);
    cr_expect_eq(body.size, 0);
    cr_expect_eq(web_server_counts(server)->cut_for_slowness, 2);
    cr_expect_eq(web_server_counts(server)->requests[0], 2);
    cr_expect_eq(server->bodies_size, 0);
    peer_close(&head);
    peer_close(&body);
    peer_close(&idle);
}

/* The client's end comes together with its last bytes: so that nothing more ever comes. */
Test(web_server, clients_that_are_gone_are_let_go)
{
    static const char *const last_words[] = {
        "",
        "GET / HT",
        "GET / HTTP/1.1\r\nHost: a\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nxyz",
    };

    for (size_t i = 0; i < sizeof last_words / sizeof last_words[0]; i++) {
        const size_t size = strlen(last_words[i]);
        struct peer peer = peer_open();

        cr_assert_eq(send(peer.descriptor, last_words[i], size, MSG_NOSIGNAL), (ssize_t)size);
        cr_assert_eq(shutdown(peer.descriptor, SHUT_WR), 0);
        pass_seconds(4);
        peer_await_end(&peer);
        cr_expect_eq(web_server_counts(server)->connections, 0, "%s", last_words[i]);
        peer_close(&peer);
    }
    cr_expect_eq(web_server_counts(server)->cut_for_slowness, 0);
    cr_expect_eq(server->bodies_size, 0);
}

/* Whoever only says no more is answered all the same. */
Test(web_server, clients_that_said_all_are_answered_first)
{
    static const char both[] =
        "GET /late HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n";
    struct peer peer = peer_open();

    cr_assert_eq(send(peer.descriptor, both, sizeof both - 1, MSG_NOSIGNAL),
                 (ssize_t)sizeof both - 1);
    cr_assert_eq(shutdown(peer.descriptor, SHUT_WR), 0);
    pass_seconds(30);
    cr_assert_eq(late_count, 1);
    respond_text(late[0], 200, "at last");
    peer_expect(&peer, 200, "at last");
    peer_expect(&peer, 200, NULL);
    pass_seconds(4);
    peer_await_end(&peer);
    cr_expect_eq(web_server_counts(server)->connections, 0);
    peer_close(&peer);
}

Test(web_server, idle_connections_are_kept_for_a_while)
{
    struct peer peer = peer_open();

    for (int i = 0; i < 3; i++) {
        peer_ask(&peer, "/");
        peer_expect(&peer, 200, NULL);
        pass_seconds(74);
        expect_open(&peer);
    }
    pass_seconds(3);
    peer_await_end(&peer);
    cr_expect_eq(web_server_counts(server)->cut_for_slowness, 0);
    peer_close(&peer);
}

Test(web_server, who_waits_for_us_is_not_cut)
{
    struct peer peer = peer_open(), stream = peer_open();

    peer_ask(&peer, "/late");
    peer_ask(&stream, "/stream");
    cr_assert_eq(peer_head(&stream).status, 200);
    pass_seconds(1000);
    expect_open(&stream);
    peer_expect_silence(&peer);
    respond_text(late[0], 200, "at last");
    peer_expect(&peer, 200, "at last");
    web_stream_wake(late[0]);
    pass_seconds(1000);
    expect_open(&stream);
    peer_close(&peer);
    peer_close(&stream);
}

Test(web_server, answers_that_are_not_taken_are_cut)
{
    struct peer peer = peer_open(), stream = peer_open();
    char *large = calloc(1, 20000001);

    cr_assert_not_null(large);
    memset(large, 'x', 20000000); /* more than the system holds */
    peer_ask(&peer, "/late");
    respond_text(late[0], 200, large);
    free(large);
    peer_ask(&stream, "/flood");
    pass_seconds(58);
    cr_expect_eq(web_server_counts(server)->connections, 2);
    cr_expect_eq(gone_count, 0);
    pass_seconds(4);
    cr_expect_eq(web_server_counts(server)->connections, 0);
    cr_expect_eq(web_server_counts(server)->cut_for_slowness, 2);
    cr_expect_eq(gone_count, 2);
    peer_close(&peer);
    peer_close(&stream);
}

/* A client that takes a little now and then is slow, but not gone. */
Test(web_server, streams_that_are_taken_slowly_last)
{
    struct peer stream = peer_open();

    peer_ask(&stream, "/flood");
    for (int i = 0; i < 20; i++) {
        pass_seconds(50);
        for (int taken = 0; taken < 40 || web_server_due(server) <= clock_us; taken++) {
            peer_take(&stream);
            stream.size = 0;
            turn();
        }
        cr_assert(!stream.is_ended, "after %d rounds", i);
    }
    peer_close(&stream);
}

Test(web_server, due_is_when_something_may_be_late)
{
    cr_expect_eq(web_server_due(server), INT64_MAX);
    struct peer peer = peer_open();
    cr_expect_eq(web_server_due(server), clock_us + FIXTURE_SECOND_US);
    peer_ask(&peer, "/late");
    cr_expect_eq(web_server_due(server), clock_us + FIXTURE_SECOND_US);
    respond_text(late[0], 200, "now");
    cr_expect_leq(web_server_due(server), clock_us); /* the descriptor would not tell */
    peer_expect(&peer, 200, "now");
    peer_close(&peer);
}

Test(web_server, quiet_server_lets_nobody_in_and_finishes)
{
    struct peer peer = peer_open(), idle = peer_open();

    peer_ask(&peer, "/late");
    web_server_quiesce(server);
    web_server_quiesce(server); /* once is enough */
    const int descriptor = socket(AF_INET, SOCK_STREAM, 0);
    cr_expect_neq(connect(descriptor, (struct sockaddr *)&server_address, sizeof server_address),
                  0);
    close(descriptor);
    respond_text(late[0], 200, "last");
    struct answer answer = peer_answer_of(&peer, true);
    cr_expect_str_eq(answer.body, "last");
    cr_expect_str_eq(answer_header(&answer, "Connection"), "close");
    free(answer.body);
    peer_await_end(&peer);
    peer_close(&peer);
    peer_close(&idle);
}

Test(web_server, closes_with_everything_open)
{
    struct peer peers[10];
    const char *const said[] = {
        "",
        "GET",
        "GET / HTTP/1.1\r\nHo",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
        "GET /late HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /late HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /flood HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /late HTTP/1.1\r\nHost: a\r\n\r\n",
    };

    for (size_t i = 0; i < 10; i++) {
        peers[i] = peer_open();
        peer_say(&peers[i], said[i]);
    }
    cr_expect_eq(begun, 6);
    respond_text(late[late_count - 1], 200, "never sent");
    web_stream_wake(late[2]);
    server_stop();
    cr_expect_eq(gone_count, 6);
    for (size_t i = 0; i < 10; i++) {
        peer_close(&peers[i]);
    }
    web_server_close(&server); /* of none */
}

Test(web_server, address_in_use_is_said_with_the_setting)
{
    struct web_server *second = NULL;
    struct ates_web other = web;
    char address[160], error[256], expected[160];
    const unsigned port = ntohs(server_address.sin_port);

    snprintf(other.config.web_listen, sizeof other.config.web_listen, "127.0.0.1:%u", port);
    cr_assert_eq(web_server_open(&second, &other, address, sizeof address, error, sizeof error),
                 -EADDRINUSE);
    cr_expect_null(second);
    snprintf(expected, sizeof expected,
             "web/listen: 127.0.0.1:%u: Address already in use; try: --http 127.0.0.1:%u", port,
             port < 65535 ? port + 1 : 0);
    cr_expect_str_eq(error, expected);
}

/* Clients that do anything at any time: every request ends once, and all that was held is given
 * back. */
static void do_anything(struct peer *peer, uint64_t *seed)
{
    static const char *const pieces[] = {
        "GET /late HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /late HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc",
        "def",
        "POST /late HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        "0\r\n\r\n",
        "GET /.. HTTP/1.1\r\nHost: a\r\n\r\n",
        "PATCH / HTTP/1.1\r\nHost: a\r\n\r\n",
        "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    };
    const struct linger hard = {.l_onoff = 1};

    switch (seed_draw(seed, 12)) {
    case 0:
        peer_close(peer);
        break;
    case 1:
        setsockopt(peer->descriptor, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
        peer_close(peer);
        break;
    case 2:
        shutdown(peer->descriptor, SHUT_WR);
        break;
    case 3:
        while (peer_take(peer)) {
            peer->size = 0;
        }
        break;
    default: {
        const char *piece = pieces[seed_draw(seed, sizeof pieces / sizeof pieces[0])];
        const size_t size = strlen(piece);
        const size_t cut = seed_draw(seed, 8) == 0 ? seed_draw(seed, size) : size;
        (void)!send(peer->descriptor, piece, cut, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    }
}

/* Answers a request that waits, if one does. */
static bool answer_one(void)
{
    for (size_t i = 0; i < late_count; i++) {
        if (web_exchange_of(late[i])->phase == WEB_WAITING) {
            respond_text(late[i], 200, "late");
            return true;
        }
    }
    return false;
}

Test(web_server, survives_any_order_of_events)
{
    struct peer peers[24];
    uint64_t seed = seed_start();
    size_t answered = 0;

    for (size_t i = 0; i < 24; i++) {
        peers[i].descriptor = -1;
    }
    for (int round = 0; round < 20000; round++) {
        struct peer *peer = &peers[seed_draw(&seed, 24)];
        if (peer->descriptor < 0) {
            *peer = peer_open_from(1 + (unsigned)seed_draw(&seed, 4));
        } else {
            do_anything(peer, &seed);
        }
        if (late_count > 0 && seed_draw(&seed, 2) == 0) {
            web_stream_wake(late[seed_draw(&seed, late_count)]);
            answered += answer_one();
        }
        if (seed_draw(&seed, 4) != 0) {
            web_server_advance(server, clock_us);
        }
        if (seed_draw(&seed, 50) == 0) {
            pass_seconds(10);
        }
    }
    cr_expect_gt(answered, 100);
    for (size_t i = 0; i < 24; i++) {
        if (peers[i].descriptor >= 0) {
            peer_close(&peers[i]);
        }
    }
    pass_seconds(1000);
    while (answer_one()) {
        turn(); /* there may be another one behind it */
    }
    for (size_t i = 0; i < late_count; i++) {
        web_stream_wake(late[i]); /* says nothing, so it does not see that nobody listens */
    }
    turn();
    cr_expect_eq(web_server_counts(server)->connections, late_count);
    cr_expect_eq(web_server_counts(server)->streams, late_count);
    cr_expect_eq(web_server_counts(server)->suspended, late_count);
    cr_expect_eq(server->bodies_size, 0);
    cr_expect_eq(gone_count + late_count, begun);
}

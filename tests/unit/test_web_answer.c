/* Answers: at once, late, and as streams that last. */
#include "support/web_server_fixture.h"

/* Streams of the tests: what they have to say, each to its own request. */
struct talk {
    struct web_request *request;
    char text[65536];
    size_t size;
    bool is_over;
    unsigned asked; /* how often the library wanted something */
};
static struct talk talks[4];
static size_t talk_count;

static ssize_t talk_read(struct web_request *request, uint8_t *data, size_t size)
{
    struct talk *talk = request->context;

    talk->asked++;
    if (talk->size == 0) {
        return talk->is_over ? -1 : 0;
    }
    size = size < talk->size ? size : talk->size;
    memcpy(data, talk->text, size);
    memmove(talk->text, talk->text + size, talk->size - size);
    talk->size -= size;
    return (ssize_t)size;
}

static void talk_gone(struct web_request *request)
{
    struct talk *talk = request->context;

    gone_count++;
    talk->request = NULL;
}

static void begin_talk(struct web_request *request)
{
    struct talk *talk = &talks[talk_count++];
    const struct web_response head = {.status = 200, .content_type = "text/event-stream"};

    talk->request = request;
    request->context = talk;
    request->gone = talk_gone;
    web_respond_stream(request, &head, talk_read);
}

static void say(struct talk *talk, const char *text)
{
    const size_t size = strlen(text);

    cr_assert_leq(talk->size + size, sizeof talk->text);
    memcpy(talk->text + talk->size, text, size);
    talk->size += size;
    web_stream_wake(talk->request);
}

static void end_talk(struct talk *talk)
{
    talk->is_over = true;
    web_stream_wake(talk->request);
}

/* The caller's end comes behind the handler's, once as that does. */
static size_t caller_gone_count;

static void end_caller(struct web_request *request)
{
    (void)request;
    caller_gone_count++;
    cr_expect_eq(gone_count, caller_gone_count);
}

static void respond_many(struct web_request *request)
{
    struct web_response response = {.status = 201, .content_type = "application/json"};

    web_response_add(&response, "ETag", "\"e\"");
    web_response_add(&response, "Content-Security-Policy", "default-src 'self'");
    response.body = (struct ates_bytes){(const uint8_t *)"{}", 2};
    web_respond(request, &response);
}

static void respond_static(struct web_request *request)
{
    static const char text[] = "written once";
    const struct web_response response = {.status = 200,
                                          .content_type = "text/plain",
                                          .is_static = true,
                                          .body = {(const uint8_t *)text, sizeof text - 1}};

    web_respond(request, &response);
}

static void respond_two_lines(struct web_request *request)
{
    struct web_response response = {.status = 200};

    request->gone = forget_late;
    web_response_add(&response, "Location", "/\r\nSet-Cookie: a=b");
    web_respond(request, &response);
}

static void respond_large(struct web_request *request)
{
    const size_t size = 3000000;
    char *text = malloc(size + 1);

    cr_assert_not_null(text);
    for (size_t i = 0; i < size; i++) {
        text[i] = (char)('a' + i % 23);
    }
    text[size] = '\0';
    respond_text(request, 200, text);
    free(text);
}

void web_handle(struct web_request *request)
{
    const struct ates_text word =
        request->uri.segment_count > 0 ? request->uri.segments[0] : (struct ates_text){0};
    char name[32];

    snprintf(name, sizeof name, "%.*s", (int)word.size, word.data);
    if (strcmp(name, "late") == 0) {
        keep_late(request);
        request->caller_gone = end_caller;
    } else if (strcmp(name, "stream") == 0) {
        begin_talk(request);
    } else if (strcmp(name, "many") == 0) {
        respond_many(request);
    } else if (strcmp(name, "empty") == 0) {
        web_respond(request, &(struct web_response){.status = 204});
    } else if (strcmp(name, "same") == 0) {
        web_respond(request, &(struct web_response){.status = 304});
    } else if (strcmp(name, "static") == 0) {
        respond_static(request);
    } else if (strcmp(name, "lines") == 0) {
        respond_two_lines(request);
    } else if (strcmp(name, "large") == 0) {
        respond_large(request);
    } else {
        respond_text(request, 200, name);
    }
}

TestSuite(web_answer, .init = server_start, .fini = server_stop);

Test(web_answer, has_the_headers_of_every_one)
{
    struct peer peer = peer_open();

    peer_ask(&peer, "/word");
    struct answer answer = peer_answer_of(&peer, true);
    cr_expect_eq(answer.status, 200);
    cr_expect_str_eq(answer.body, "word");
    cr_expect_str_eq(answer_header(&answer, "Content-Type"), "text/plain");
    cr_expect_str_eq(answer_header(&answer, "X-Content-Type-Options"), "nosniff");
    cr_expect_str_eq(answer_header(&answer, "Referrer-Policy"), "same-origin");
    cr_expect_str_eq(answer_header(&answer, "Content-Security-Policy"),
                     "default-src 'none'; frame-ancestors 'none'");
    cr_expect_str_eq(answer_header(&answer, "Cross-Origin-Resource-Policy"), "same-origin");
    cr_expect_str_eq(answer_header(&answer, "Cross-Origin-Opener-Policy"), "same-origin");
    cr_expect_neq(answer_header(&answer, "Date")[0], '\0');
    cr_expect_str_eq(answer_header(&answer, "Connection"), "");
    free(answer.body);
    peer_close(&peer);
}

Test(web_answer, brings_its_own_headers)
{
    struct peer peer = peer_open();

    peer_ask(&peer, "/many");
    struct answer answer = peer_answer_of(&peer, true);
    cr_expect_eq(answer.status, 201);
    cr_expect_str_eq(answer.body, "{}");
    cr_expect_str_eq(answer_header(&answer, "ETag"), "\"e\"");
    cr_expect_str_eq(answer_header(&answer, "Content-Security-Policy"), "default-src 'self'");
    cr_expect_str_eq(answer_header(&answer, "X-Content-Type-Options"), "nosniff");
    free(answer.body);
    peer_close(&peer);
}

Test(web_answer, may_have_no_body)
{
    struct peer peer = peer_open();

    peer_ask(&peer, "/empty");
    peer_expect(&peer, 204, "");
    peer_ask(&peer, "/same");
    peer_expect(&peer, 304, "");
    peer_ask(&peer, "/static");
    peer_expect(&peer, 200, "written once");
    peer_close(&peer);
}

Test(web_answer, to_head_is_that_to_get_without_the_body)
{
    struct peer peer = peer_open();

    peer_say(&peer,
             "HEAD /static HTTP/1.1\r\nHost: a\r\n\r\nGET /next HTTP/1.1\r\nHost: a\r\n\r\n");
    struct answer answer = peer_answer_of(&peer, false);
    cr_expect_eq(answer.status, 200);
    cr_expect_str_eq(answer_header(&answer, "Content-Length"), "12");
    free(answer.body);
    peer_expect(&peer, 200, "next");
    peer_close(&peer);
}

/* A handler that passes on what would be two headers breaks its own answer, nobody's view of it. */
Test(web_answer, with_a_broken_header_is_none)
{
    struct peer peer = peer_open();

    peer_ask(&peer, "/lines");
    peer_await_end(&peer);
    cr_expect_eq(peer.size, 0, "%s", peer.in);
    cr_expect_eq(gone_count, 1);
    cr_expect_eq(web_server_counts(server)->requests[0], 1);
    peer_close(&peer);
}

Test(web_answer, may_be_large)
{
    struct peer peer = peer_open();

    peer_ask(&peer, "/large");
    struct answer answer = peer_answer_of(&peer, true);
    cr_assert_eq(answer.size, 3000000);
    for (size_t i = 0; i < answer.size; i++) {
        cr_assert_eq(answer.body[i], (char)('a' + i % 23));
    }
    free(answer.body);
    peer_ask(&peer, "/next");
    peer_expect(&peer, 200, "next");
    peer_close(&peer);
}

Test(web_answer, may_come_late_and_in_any_order)
{
    struct peer peers[3], other;

    for (size_t i = 0; i < 3; i++) {
        peers[i] = peer_open();
        peer_ask(&peers[i], "/late");
    }
    cr_assert_eq(late_count, 3);
    cr_expect_eq(web_server_counts(server)->suspended, 3);
    other = peer_open();
    peer_ask(&other, "/word");
    peer_expect(&other, 200, "word");
    for (size_t i = 3; i-- > 0;) {
        char text[24];
        snprintf(text, sizeof text, "%zu", i);
        peer_expect_silence(&peers[i]);
        struct web_request *request = late[i];
        respond_text(request, 200, text);
        cr_expect_eq(gone_count, 2 - i);
        peer_expect(&peers[i], 200, text);
        cr_expect_eq(gone_count, 3 - i);
        cr_expect_eq(web_server_counts(server)->suspended, i);
    }
    cr_expect_eq(web_server_counts(server)->requests[2], 4);
    for (size_t i = 0; i < 3; i++) {
        peer_close(&peers[i]);
    }
    peer_close(&other);
}

/* Requests that come in one go are answered in their order, whichever of them are late. */
Test(web_answer, keeps_the_order_of_a_pipeline)
{
    struct peer peer = peer_open();

    peer_say(&peer, "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /late HTTP/1.1\r\nHost: a\r\n\r\n"
                    "GET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /late HTTP/1.1\r\nHost: a\r\n\r\n"
                    "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
    peer_expect(&peer, 200, "1");
    for (int i = 0; i < 2; i++) {
        peer_expect_silence(&peer);
        cr_assert_eq(late_count, 1);
        respond_text(late[0], 200, "late");
        peer_expect(&peer, 200, "late");
        peer_expect(&peer, 200, i == 0 ? "2" : "3");
    }
    cr_expect_eq(web_server_counts(server)->accepted, 1);
    cr_expect_eq(gone_count, 2);
    peer_close(&peer);
}

Test(web_answer, to_a_client_that_is_gone_goes_nowhere)
{
    struct peer peer = peer_open(), reset = peer_open();
    const struct linger hard = {.l_onoff = 1};

    peer_ask(&peer, "/late");
    peer_ask(&reset, "/late");
    setsockopt(reset.descriptor, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    peer_close(&peer);
    peer_close(&reset);
    turn();
    cr_expect_eq(gone_count, 0); /* nobody looks at a connection that waits for us */
    cr_assert_eq(late_count, 2);
    respond_text(late[1], 200, "one");
    respond_text(late[0], 200, "two");
    turn();
    cr_expect_eq(gone_count, 2);
    cr_expect_eq(caller_gone_count, 2);
    cr_expect_eq(late_count, 0);
    cr_expect_eq(web_server_counts(server)->connections, 0);
    cr_expect_eq(web_server_counts(server)->suspended, 0);
}

/* Receives the next chunk of a stream as text. */
static char *next_chunk(struct peer *peer)
{
    static char text[65536];
    char *line_end = NULL;

    for (size_t want = 1; line_end == NULL; want = peer->size + 1) {
        peer_await(peer, want);
        line_end = strstr(peer->in, "\r\n");
    }
    const size_t size = strtoul(peer->in, NULL, 16);
    const size_t head = (size_t)(line_end - peer->in) + 2;
    cr_assert_lt(size, sizeof text);
    peer_await(peer, head + size + 2);
    memcpy(text, peer->in + head, size);
    text[size] = '\0';
    peer_drop(peer, head + size + 2);
    return text;
}

static void begin_stream(struct peer *peer)
{
    peer_ask(peer, "/stream");
    const struct answer answer = peer_head(peer);
    cr_assert_eq(answer.status, 200);
    cr_assert_str_eq(answer_header(&answer, "Transfer-Encoding"), "chunked");
    cr_assert_str_eq(answer_header(&answer, "Content-Type"), "text/event-stream");
    cr_assert_str_eq(answer_header(&answer, "X-Content-Type-Options"), "nosniff");
}

Test(web_answer, stream_says_what_there_is_when_it_is_woken)
{
    struct peer peer = peer_open();

    begin_stream(&peer);
    cr_expect_eq(web_server_counts(server)->streams, 1);
    cr_expect_eq(web_server_counts(server)->suspended, 1);
    cr_expect_eq(talks[0].asked, 1);
    peer_expect_silence(&peer);
    say(&talks[0], "one");
    cr_assert_str_eq(next_chunk(&peer), "one");
    say(&talks[0], "two");
    say(&talks[0], "three"); /* woken already */
    cr_assert_str_eq(next_chunk(&peer), "twothree");
    web_stream_wake(talks[0].request);
    peer_expect_silence(&peer);
    const unsigned asked = talks[0].asked;
    turn();
    turn();
    cr_expect_eq(talks[0].asked, asked); /* a stream that waits is left in peace */
    say(&talks[0], "last");
    end_talk(&talks[0]);
    cr_assert_str_eq(next_chunk(&peer), "last");
    cr_assert_str_eq(next_chunk(&peer), "");
    cr_expect_eq(gone_count, 1);
    cr_expect_eq(web_server_counts(server)->streams, 0);
    peer_ask(&peer, "/next"); /* the connection is as good as before */
    peer_expect(&peer, 200, "next");
    peer_close(&peer);
}

Test(web_answer, stream_may_have_something_at_once)
{
    struct peer peer = peer_open();

    strcpy(talks[0].text, "at once");
    talks[0].size = 7;
    begin_stream(&peer);
    cr_assert_str_eq(next_chunk(&peer), "at once");
    peer_close(&peer);
}

Test(web_answer, stream_may_begin_late)
{
    struct peer peer = peer_open();

    peer_ask(&peer, "/late");
    struct web_request *request = late[0];
    late_count = 0;
    web_stream_wake(request); /* of something that is no stream yet: nothing */
    peer_expect_silence(&peer);
    begin_talk(request);
    cr_assert_eq(peer_head(&peer).status, 200);
    say(&talks[0], "late");
    cr_assert_str_eq(next_chunk(&peer), "late");
    end_talk(&talks[0]);
    cr_assert_str_eq(next_chunk(&peer), "");
    peer_close(&peer);
}

Test(web_answer, streams_are_independent)
{
    struct peer peers[3];

    for (size_t i = 0; i < 3; i++) {
        peers[i] = peer_open();
        begin_stream(&peers[i]);
    }
    say(&talks[2], "c");
    cr_assert_str_eq(next_chunk(&peers[2]), "c");
    peer_expect_silence(&peers[0]);
    peer_close(&peers[1]);
    say(&talks[0], "a");
    cr_assert_str_eq(next_chunk(&peers[0]), "a");
    /* The first write to a closed connection succeeds, the second meets the client's reset. */
    for (int i = 0; i < 2 && talks[1].request != NULL; i++) {
        say(&talks[1], "b");
        turn();
    }
    cr_expect_null(talks[1].request);
    cr_expect_eq(gone_count, 1);
    cr_expect_eq(web_server_counts(server)->streams, 2);
    end_talk(&talks[0]);
    end_talk(&talks[2]);
    cr_assert_str_eq(next_chunk(&peers[0]), "");
    cr_assert_str_eq(next_chunk(&peers[2]), "");
    cr_expect_eq(gone_count, 3);
    peer_close(&peers[0]);
    peer_close(&peers[2]);
}

/* HTTP/1.0 has no chunks: the end of the connection is the end of the stream. */
Test(web_answer, stream_to_an_old_client_ends_with_its_connection)
{
    struct peer peer = peer_open();

    peer_say(&peer, "GET /stream HTTP/1.0\r\n\r\n");
    cr_assert_eq(peer_head(&peer).status, 200);
    say(&talks[0], "one");
    peer_await(&peer, 3);
    cr_assert_str_eq(peer.in, "one");
    say(&talks[0], "two");
    peer_await(&peer, 6);
    end_talk(&talks[0]);
    peer_await_end(&peer);
    cr_assert_str_eq(peer.in, "onetwo");
    cr_expect_eq(gone_count, 1);
    peer_close(&peer);
}

Test(web_answer, stream_to_head_is_a_head_and_the_end)
{
    struct peer peer = peer_open();

    peer_say(&peer, "HEAD /stream HTTP/1.1\r\nHost: a\r\n\r\n");
    const struct answer answer = peer_head(&peer);
    cr_expect_eq(answer.status, 200);
    cr_expect_str_eq(answer_header(&answer, "Content-Type"), "text/event-stream");
    cr_expect_str_eq(answer_header(&answer, "Content-Length"), "");
    peer_await_end(&peer);
    cr_expect_eq(peer.size, 0, "%s", peer.in);
    cr_expect_eq(talks[0].asked, 0);
    cr_expect_eq(gone_count, 1);
    cr_expect_eq(web_server_counts(server)->streams, 0);
    peer_close(&peer);
}

Test(web_answer, stream_is_read_as_its_client_takes_it)
{
    struct peer peer = peer_open();
    size_t given = 0, taken = 0;

    begin_stream(&peer);
    /* Until the system's buffers are full, and the library does not ask any more. */
    while (talks[0].size == 0) {
        for (int i = 0; i < 1000; i++) {
            say(&talks[0], "0123456789");
        }
        given += 10000;
        turn();
        cr_assert_lt(given, 100000000);
    }
    cr_expect_lt(given, 8000000, "the system holds %zu bytes of one stream", given);
    end_talk(&talks[0]);
    for (char *chunk = next_chunk(&peer); chunk[0] != '\0'; chunk = next_chunk(&peer)) {
        for (; *chunk != '\0'; chunk++) {
            cr_assert_eq(*chunk, (char)('0' + taken % 10));
            taken++;
        }
    }
    cr_expect_eq(taken, given);
    peer_close(&peer);
}

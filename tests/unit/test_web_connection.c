/* Requests as they arrive: whole, in pieces, too large, and such as no honest client sends. */
#include "support/seed.h"
#include "support/web_server_fixture.h"

static size_t handled;
static char from[46]; /* the last request's client */

/* Says what it got: "METHOD target 5:hello". */
void web_handle(struct web_request *request)
{
    static const char *const names[] = {"GET", "POST", "PUT", "DELETE"};
    static char text[WEB_BODY_MAX + 512];

    handled++;
    memcpy(from, request->peer, sizeof from);
    if (request->uri.segment_count > 0 &&
        ates_text_equal(request->uri.segments[0], ates_text_from("late"))) {
        keep_late(request);
        return;
    }
    snprintf(text, sizeof text, "%s %.*s %zu:%.*s", names[request->method],
             (int)request->uri.raw.size, request->uri.raw.data, request->body.size,
             (int)request->body.size, (const char *)request->body.data);
    respond_text(request, 200, text);
}

TestSuite(web_connection, .init = server_start, .fini = server_stop);

static void expect_refused(struct peer *peer, unsigned status, const char *reason)
{
    struct answer answer = peer_answer_of(peer, true);
    char quoted[64];

    snprintf(quoted, sizeof quoted, "\"%s\"", reason);
    cr_expect_eq(answer.status, status, "%s", answer.head);
    cr_expect_not_null(strstr(answer.body, quoted), "%s: %s", reason, answer.body);
    cr_expect_str_eq(answer_header(&answer, "Content-Type"), "application/problem+json");
    cr_expect_str_eq(answer_header(&answer, "X-Content-Type-Options"), "nosniff");
    free(answer.body);
}

Test(web_connection, requests_come_as_they_were_sent)
{
    static const char *const rows[][2] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 0:"},
        {"GET /a?b=c HTTP/1.1\r\nhost: a\r\n\r\n", "GET /a?b=c 0:"},
        {"GET /%41?b=%41+ HTTP/1.1\r\nHost: a\r\n\r\n", "GET /%41?b=%41+ 0:"},
        {"DELETE /a HTTP/1.1\r\nHost: a\r\n\r\n", "DELETE /a 0:"},
        {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", "POST /a 5:hello"},
        {"PUT /a HTTP/1.1\r\nHost: a\r\ncontent-length:5\r\n\r\nhello", "PUT /a 5:hello"},
        {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "POST /a 0:"},
        {"POST /a HTTP/1.1\r\nHost: a\r\n\r\n", "POST /a 0:"},
        {"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
         "2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
         "POST /a 5:hello"},
        {"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n"
         "5\r\nhello\r\n0\r\nTrailer: b\r\n\r\n",
         "POST /a 5:hello"},
    };
    struct peer peer = peer_open(), slow = peer_open();

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        peer_say(&peer, rows[i][0]);
        peer_expect(&peer, 200, rows[i][1]);
        for (const char *at = rows[i][0]; *at != '\0'; at++) {
            peer_send(&slow, at, 1); /* byte by byte it is the same */
        }
        peer_expect(&slow, 200, rows[i][1]);
    }
    cr_expect_eq(web_server_counts(server)->accepted, 2);
    cr_expect_eq(server->bodies_size, 0);
    peer_close(&peer);
    peer_close(&slow);
}

/* Two lines are as one with a comma: some proxies add their own behind the client's. */
Test(web_connection, a_request_comes_from_where_a_proxy_says_and_nobody_else)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 192.0.2.1\r\n"
                                  "x-forwarded-for: 192.0.2.2\r\n\r\n";
    struct peer proxy = peer_open_from(1), liar = peer_open_from(2);

    strcpy(web.config.web_proxies, "127.0.0.1");
    peer_say(&proxy, request);
    peer_expect(&proxy, 200, "GET / 0:");
    cr_expect_str_eq(from, "192.0.2.2");
    peer_say(&proxy, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    peer_expect(&proxy, 200, "GET / 0:");
    cr_expect_str_eq(from, "127.0.0.1");
    peer_say(&liar, request);
    peer_expect(&liar, 200, "GET / 0:");
    cr_expect_str_eq(from, "127.0.0.2");
    peer_close(&proxy);
    peer_close(&liar);
}

/* A body of size bytes; free it. */
static char *make_body(size_t size)
{
    char *body = malloc(size + 1);

    cr_assert_not_null(body);
    for (size_t i = 0; i < size; i++) {
        body[i] = (char)('a' + i % 25);
    }
    body[size] = '\0';
    return body;
}

static void post(struct peer *peer, size_t size, const char *header)
{
    char head[256], *body = make_body(size);

    snprintf(head, sizeof head, "POST /a HTTP/1.1\r\nHost: a\r\n%sContent-Length: %zu\r\n\r\n",
             header, size);
    peer_say(peer, head);
    peer_send(peer, body, size);
    free(body);
}

Test(web_connection, bodies_up_to_the_limit_are_whole)
{
    static const size_t sizes[] = {1, 255, 8191, 8192, 8193, 16384, 100000, WEB_BODY_MAX};
    struct peer peer = peer_open();
    char begin[64];

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char *body = make_body(sizes[i]);
        post(&peer, sizes[i], "");
        struct answer answer = peer_answer_of(&peer, true);
        snprintf(begin, sizeof begin, "POST /a %zu:", sizes[i]);
        cr_assert_eq(strncmp(answer.body, begin, strlen(begin)), 0, "%zu: %.40s", sizes[i],
                     answer.body);
        cr_assert_str_eq(answer.body + strlen(begin), body);
        free(answer.body);
        free(body);
        cr_expect_eq(server->bodies_size, 0);
    }
    peer_close(&peer);
}

Test(web_connection, larger_bodies_are_refused_and_the_connection_goes_on)
{
    struct peer peer = peer_open();

    post(&peer, WEB_BODY_MAX + 1, "");
    expect_refused(&peer, 413, "BODY_TOO_LARGE");
    post(&peer, 1024 * 1024, "");
    expect_refused(&peer, 413, "BODY_TOO_LARGE");
    post(&peer, 5, "");
    peer_expect(&peer, 200, "POST /a 5:abcde");
    cr_expect_eq(web_server_counts(server)->accepted, 1);
    cr_expect_eq(handled, 1);
    peer_close(&peer);
}

Test(web_connection, much_larger_bodies_are_not_waited_for)
{
    static const char *const lengths[] = {"1048577", "18446744073709551615"};

    for (size_t i = 0; i < 2; i++) {
        struct peer peer = peer_open();
        char head[128];
        snprintf(head, sizeof head, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: %s\r\n\r\n",
                 lengths[i]);
        peer_say(&peer, head);
        expect_refused(&peer, 413, "BODY_TOO_LARGE");
        peer_await_end(&peer);
        peer_close(&peer);
    }
    cr_expect_eq(handled, 0);
}

Test(web_connection, chunks_are_counted)
{
    struct peer peer = peer_open(), endless = peer_open();
    char *body = make_body(1000);
    const char *head = "POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

    peer_say(&peer, head);
    for (size_t size = 0; size <= WEB_BODY_MAX; size += 1000) {
        peer_say(&peer, "3e8\r\n");
        peer_send(&peer, body, 1000);
        peer_say(&peer, "\r\n");
    }
    peer_say(&peer, "0\r\n\r\n");
    expect_refused(&peer, 413, "BODY_TOO_LARGE");
    peer_ask(&peer, "/next");
    peer_expect(&peer, 200, "GET /next 0:");
    peer_say(&endless, head);
    for (int i = 0; i < 2000 && !endless.is_ended; i++) {
        peer_say(&endless, "3e8\r\n");
        peer_send(&endless, body, 1000);
        peer_say(&endless, "\r\n");
        peer_take(&endless);
    }
    cr_expect(endless.is_ended);
    cr_expect_eq(endless.size, 0);
    cr_expect_eq(web_server_counts(server)->requests[0], 1);
    cr_expect_eq(server->bodies_size, 0);
    free(body);
    peer_close(&peer);
    peer_close(&endless);
}

Test(web_connection, client_that_asks_before_it_sends_is_told)
{
    struct peer peer = peer_open();

    peer_say(&peer, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                    "Expect: 100-continue\r\n\r\n");
    cr_expect_eq(peer_head(&peer).status, 100);
    peer_say(&peer, "hello");
    peer_expect(&peer, 200, "POST /a 5:hello");
    peer_say(&peer, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 262145\r\n"
                    "Expect: 100-continue\r\n\r\n");
    expect_refused(&peer, 413, "BODY_TOO_LARGE");
    peer_await_end(&peer);
    peer_close(&peer);
}

/* All but the last byte of a body. */
static void begin_body(struct peer *peer, size_t size)
{
    char head[128], *body = make_body(size);

    snprintf(head, sizeof head, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", size);
    peer_say(peer, head);
    peer_send(peer, body, size - 1);
    free(body);
}

Test(web_connection, memory_of_all_bodies_is_bounded)
{
    struct peer peers[3] = {peer_open_from(1), peer_open_from(2), peer_open_from(3)};

    web_server_limits(server)->bodies_size = 150000;
    begin_body(&peers[0], 100000);
    begin_body(&peers[1], 100000);
    cr_expect_eq(server->bodies_size, 99999);
    begin_body(&peers[2], 40000); /* a smaller one has room */
    peer_say(&peers[1], "x");
    struct answer answer = peer_answer_of(&peers[1], true);
    cr_expect_eq(answer.status, 503);
    cr_expect_str_eq(answer_header(&answer, "Retry-After"), "1");
    free(answer.body);
    peer_close(&peers[0]); /* gives back what it had */
    turn();
    cr_expect_eq(server->bodies_size, 39999);
    post(&peers[1], 100000, "");
    struct answer whole = peer_answer_of(&peers[1], true);
    cr_expect_eq(whole.status, 200);
    free(whole.body);
    peer_say(&peers[2], "x");
    whole = peer_answer_of(&peers[2], true);
    cr_expect_eq(whole.status, 200);
    free(whole.body);
    cr_expect_eq(server->bodies_size, 0);
    peer_close(&peers[1]);
    peer_close(&peers[2]);
}

Test(web_connection, no_address_takes_all_memory_of_bodies)
{
    struct peer first = peer_open_from(2), second = peer_open_from(2), other = peer_open_from(3);

    web_server_limits(server)->peer_size = 150000;
    begin_body(&first, 100000);
    begin_body(&second, 100000);
    post(&other, 100000, "");
    struct answer answer = peer_answer_of(&other, true);
    cr_expect_eq(answer.status, 200);
    free(answer.body);
    peer_say(&second, "x");
    expect_refused(&second, 503, "TOO_BUSY");
    peer_close(&first); /* gives back what it had */
    turn();
    for (int i = 0; i < 3; i++) {
        post(&second, 100000, "");
        answer = peer_answer_of(&second, true);
        cr_expect_eq(answer.status, 200);
        free(answer.body);
    }
    peer_close(&second);
    peer_close(&other);
}

Test(web_connection, methods_that_are_not_served)
{
    static const char *const known[] = {"OPTIONS", "PATCH", "TRACE", "CONNECT"};
    static const char *const unknown[] = {"get", "FETCH", "PROPFIND", "G", "GETT", "HEADD"};
    struct peer peer = peer_open();
    char text[128];

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        snprintf(text, sizeof text, "%s /a HTTP/1.1\r\nHost: a\r\n\r\n", known[i]);
        peer_say(&peer, text);
        struct answer answer = peer_answer_of(&peer, true);
        cr_expect_eq(answer.status, 405);
        cr_expect_str_eq(answer_header(&answer, "Allow"), "GET, HEAD, POST, PUT, DELETE");
        free(answer.body);
    }
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        snprintf(text, sizeof text, "%s /a HTTP/1.1\r\nHost: a\r\n\r\n", unknown[i]);
        peer_say(&peer, text);
        expect_refused(&peer, 501, "METHOD_UNKNOWN");
    }
    cr_expect_eq(handled, 0);
    peer_ask(&peer, "/next");
    peer_expect(&peer, 200, "GET /next 0:");
    peer_close(&peer);
}

Test(web_connection, bad_targets)
{
    static const char *const rows[] = {"/..",   "/a%2Fb", "/%zz",      "/?a=1&a=2",
                                       "/\xff", "*",      "http://a/", "a"};
    struct peer peer = peer_open();
    char text[4096];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(text, sizeof text, "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
                 rows[i]);
        peer_say(&peer, text);
        expect_refused(&peer, 400, "URI_INVALID");
    }
    /* More parameters than the library has memory for. */
    strcpy(text, "GET /?");
    for (int i = 0; i < 900; i++) {
        strcat(text, "a=&");
    }
    strcat(text, " HTTP/1.1\r\nHost: a\r\n\r\n");
    peer_say(&peer, text);
    expect_refused(&peer, 400, "URI_INVALID");
    peer_ask(&peer, "/next");
    peer_expect(&peer, 200, "GET /next 0:");
    cr_expect_eq(handled, 1);
    peer_close(&peer);
}

/* What two readers could take for different requests is answered, and is the last of its
 * connection: what follows is not read as another request. */
Test(web_connection, unclear_heads_end_the_connection)
{
    static const struct {
        const char *head;
        unsigned status;
    } rows[] = {
        {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 5", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\ncontent-length: 6", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5, 5", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: +5", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: -5", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0x5", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5 ", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length:", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999", 413},
        {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length : 5", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length\t: 5", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nX Y: 5", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\n(X): 5", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nX\x80: 5", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nno colon", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nX: a\rb", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nX: \x01", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nX: \x7f", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked", 501},
        {"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked", 501},
        {"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity", 501},
        {"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
         "Transfer-Encoding: identity",
         400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\tx", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n 5", 400},
        {"POST /a HTTP/1.1\r\nHost: a\r\nX: y\r\n Content-Length: 5", 400},
        {"POST /a HTTP/1.0\r\nTransfer-Encoding: chunked", 400},
        {"GET /a HTTP/1.1\r\nHost: a\r\nHost: b", 400},
        {"GET /a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer a\r\nAuthorization: Bearer b", 400},
        {"GET /a HTTP/1.1\r\nHost: a\r\nIdempotency-Key: a\r\nIdempotency-Key: b", 400},
        {"GET /a HTTP/1.1\r\nHost: a\r\nOrigin: a\r\nORIGIN: b", 400},
        {"GET /a HTTP/1.1\r\nHost: a\r\nCookie: ates=a\r\nCookie: ates=b", 400},
        {"GET /a HTTP/1.1\r\nHost: a\r\nSec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site",
         400},
        {"GET /a HTTP/1.1", 400}, /* no Host */
        {"GET /a HTTP/2.0\r\nHost: a", 505},
        {"GET /a HTTP/0.9\r\nHost: a", 505},
        {"GET /a HTTX/1.1\r\nHost: a", 400},
        {"GET /a", 400},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct peer peer = peer_open();
        peer_say(&peer, rows[i].head);
        peer_say(&peer, "\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
        struct answer answer = peer_answer_of(&peer, true);
        cr_expect_eq(answer.status, rows[i].status, "%s: %s", rows[i].head, answer.head);
        free(answer.body);
        peer_await_end(&peer);
        cr_expect_null(peer.size > 0 ? strstr(peer.in, "HTTP/1.1 ") : NULL, "%s: %s", rows[i].head,
                       peer.in);
        peer_close(&peer);
    }
    cr_expect_eq(handled, 0);
}

Test(web_connection, lines_without_sense_end_the_connection)
{
    static const char *const rows[] = {"\x16\x03\x01\x02", "GET\r\n\r\n", "\r\n\r\nx\r\n\r\n",
                                       "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n"};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct peer peer = peer_open();
        peer_say(&peer, rows[i]);
        peer_say(&peer, "\r\n\r\n");
        peer_await_end(&peer);
        peer_close(&peer);
    }
    cr_expect_eq(handled, 0);
    cr_expect_eq(web_server_counts(server)->connections, 0);
}

Test(web_connection, heads_that_are_too_large)
{
    char text[40000] = "GET /a HTTP/1.1\r\nHost: a\r\nX: ";
    struct peer peer = peer_open(), line = peer_open(), many = peer_open();

    memset(text + strlen(text), 'x', 20000);
    peer_say(&peer, text);
    cr_expect_eq(peer_head(&peer).status, 431);
    memset(text, 0, sizeof text);
    strcpy(text, "GET /");
    memset(text + 5, 'x', 20000);
    peer_say(&line, text);
    cr_expect_eq(peer_head(&line).status, 414);
    strcpy(text, "GET /a HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 2000; i++) {
        strcat(text, "X: y\r\n");
    }
    strcat(text, "\r\n");
    peer_say(&many, text);
    cr_expect_eq(peer_head(&many).status, 431);
    cr_expect_eq(handled, 0);
    cr_expect_gt(web_server_counts(server)->requests[4], 0);
    peer_close(&peer);
    peer_close(&line);
    peer_close(&many);
}

/* What a browser sends at most: cookies, a token, a long query. */
Test(web_connection, heads_of_eight_kilobytes_are_taken)
{
    char text[9000] = "GET /a?b=";
    struct peer peer = peer_open();

    memset(text + strlen(text), 'x', 2000);
    strcat(text, " HTTP/1.1\r\nHost: a\r\nCookie: c=");
    memset(text + strlen(text), 'x', 5000);
    strcat(text, "\r\nAuthorization: Bearer ");
    memset(text + strlen(text), 'x', 900);
    strcat(text, "\r\n\r\n");
    peer_say(&peer, text);
    struct answer answer = peer_answer_of(&peer, true);
    cr_expect_eq(answer.status, 200, "%s", answer.head);
    free(answer.body);
    peer_close(&peer);
}

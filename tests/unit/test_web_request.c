/* What a handler reads of a request, and how it puts an answer together. */
#include "support/web_server_fixture.h"

/* Answers with what it finds: the headers and cookies that the test asks for. */
static const char *asked_headers[4], *asked_cookies[4];

void web_handle(struct web_request *request)
{
    char text[1024] = "";
    size_t used = 0;

    for (size_t i = 0; i < 4 && asked_headers[i] != NULL; i++) {
        const char *value = web_request_header(request, asked_headers[i]);
        used += (size_t)snprintf(text + used, sizeof text - used, "[%s]",
                                 value != NULL ? value : "absent");
    }
    for (size_t i = 0; i < 4 && asked_cookies[i] != NULL; i++) {
        const struct ates_text value = web_request_cookie(request, asked_cookies[i]);
        used += (size_t)snprintf(text + used, sizeof text - used, "<%.*s>", (int)value.size,
                                 value.size > 0 ? value.data : "");
    }
    respond_text(request, 200, text);
}

TestSuite(web_request, .init = server_start, .fini = server_stop);

static void expect_read(const char *headers, const char *read)
{
    struct peer peer = peer_open();

    peer_say(&peer, "GET / HTTP/1.1\r\nHost: a\r\n");
    peer_say(&peer, headers);
    peer_say(&peer, "\r\n");
    peer_expect(&peer, 200, read);
    peer_close(&peer);
}

Test(web_request, headers_are_found_without_regard_to_case)
{
    asked_headers[0] = "X-One";
    asked_headers[1] = "x-two";
    asked_headers[2] = "Three";
    expect_read("x-oNE: 1\r\nX-Two:  2 3\r\n", "[1][2 3][absent]");
    expect_read("X-One:\r\nX-Twos: a\r\nThree: \xd0\xbf\r\n", "[][absent][\xd0\xbf]");
}

Test(web_request, cookies_are_found_by_their_whole_name)
{
    static const char *const rows[][2] = {
        {"", "<><>"},
        {"Cookie: ates=abc\r\n", "<abc><>"},
        {"cookie: ates=abc; b=d\r\n", "<abc><d>"},
        {"Cookie: b=d;ates=abc\r\n", "<abc><d>"},
        {"Cookie: b=d ; \tates=abc \r\n", "<abc><d>"},
        {"Cookie: xates=1; atesx=2; ATES=3; ates=4\r\n", "<4><>"},
        {"Cookie: ates=1; ates=2\r\n", "<1><>"},
        {"Cookie: b=ates=1\r\n", "<><ates=1>"},
        {"Cookie: ates\r\n", "<><>"},
        {"Cookie: ates=\r\n", "<><>"},
        {"Cookie: ;;; ates=a;\r\n", "<a><>"},
        {"Cookie: ates=a=b; b==\r\n", "<a=b><=>"},
        {"Cookie: \r\n", "<><>"},
    };

    asked_cookies[0] = "ates";
    asked_cookies[1] = "b";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        expect_read(rows[i][0], rows[i][1]);
    }
}

Test(web_request, answers_take_headers_in_their_order)
{
    struct web_response response = {.status = 200};

    for (size_t i = 0; i < WEB_HEADERS_MAX; i++) {
        web_response_add(&response, i % 2 == 0 ? "A" : "B", "value");
    }
    cr_expect_eq(response.header_count, WEB_HEADERS_MAX);
    cr_expect_str_eq(response.headers[0].name, "A");
    cr_expect_str_eq(response.headers[WEB_HEADERS_MAX - 1].name, "B");
    cr_expect_str_eq(response.headers[1].value, "value");
}

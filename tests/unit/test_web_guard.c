/* What a request must say to be believed by its cookie, and what the cookie looks like. */
#include "support/web_request_fixture.h"
#include "web/web_guard.h"

static void set_origin(const char *origin)
{
    snprintf(web.config.web_origin, sizeof web.config.web_origin, "%s", origin);
}

/* A request with headers as they stand in a table: up to four, NULL where there are fewer. */
static int check(const char *session, const char *site, const char *origin, const char *host)
{
    struct ates_refusal refusal = {.status = ATES_OK};
    struct asked asked;

    asked_open(&asked, WEB_POST, "/api/v1/tasks");
    const struct web_header headers[] = {
        {"ATES-Session", session}, {"Sec-Fetch-Site", site}, {"Origin", origin}, {"Host", host}};
    for (size_t i = 0; i < 4; i++) {
        if (headers[i].value != NULL) {
            asked_send(&asked, headers[i].name, headers[i].value);
        }
    }
    const int r = web_guard_check(&asked.request, &refusal);
    cr_expect(r == 0 || (r == ATES_PERMISSION_DENIED && refusal.status == ATES_PERMISSION_DENIED &&
                         strcmp(refusal.reason, "CROSS_SITE") == 0));
    cr_expect_eq(web_guard_uses_cookie(&asked.request),
                 session != NULL && strcmp(session, "cookie") == 0);
    asked_close(&asked);
    return r;
}

struct row {
    const char *session, *site, *origin, *host;
    bool may;
};

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];

        cr_expect_eq(check(row->session, row->site, row->origin, row->host) == 0, row->may,
                     "row %zu", i);
    }
}

Test(web_guard, without_a_configured_origin_the_host_is_ours)
{
    static const struct row rows[] = {
        {"cookie", NULL, NULL, "a.example:8080", true},
        {"cookie", "same-origin", NULL, "a.example:8080", true},
        {"cookie", "same-origin", "http://a.example:8080", "a.example:8080", true},
        {"cookie", NULL, "http://a.example:8080", "a.example:8080", true},
        {NULL, "same-origin", "http://a.example:8080", "a.example:8080", false},
        {"", NULL, NULL, "a.example", false},
        {"Cookie", NULL, NULL, "a.example", false},
        {"cookie2", NULL, NULL, "a.example", false},
        {"cookie", "same-site", NULL, "a.example", false},
        {"cookie", "cross-site", NULL, "a.example", false},
        {"cookie", "none", NULL, "a.example", false},
        {"cookie", "", NULL, "a.example", false},
        {"cookie", "same-origin", "https://a.example", "a.example", false},
        {"cookie", "same-origin", "http://b.example", "a.example", false},
        {"cookie", "same-origin", "http://a.example:81", "a.example", false},
        {"cookie", "same-origin", "http://a.example.evil", "a.example", false},
        {"cookie", "same-origin", "http://a.exampl", "a.example", false},
        {"cookie", "same-origin", "http://a.example/", "a.example", false},
        {"cookie", "same-origin", "null", "a.example", false},
        {"cookie", "same-origin", "", "a.example", false},
        {"cookie", "same-origin", "http://", NULL, false},
        {"cookie", "same-origin", "http://a.example", NULL, false},
    };

    check_rows(rows, sizeof rows / sizeof rows[0]);
}

Test(web_guard, a_configured_origin_is_the_only_one)
{
    static const struct row rows[] = {
        {"cookie", NULL, NULL, "inside:8080", true},
        {"cookie", "same-origin", "https://a.example", "inside:8080", true},
        {"cookie", "same-origin", "http://inside:8080", "inside:8080", false},
        {"cookie", "same-origin", "http://a.example", "a.example", false},
        {"cookie", "same-origin", "https://a.example:443", "a.example", false},
        {"cookie", "cross-site", "https://a.example", "a.example", false},
        {NULL, NULL, "https://a.example", "a.example", false},
    };

    set_origin("https://a.example");
    check_rows(rows, sizeof rows / sizeof rows[0]);
}

Test(web_guard, the_cookie_is_bound_to_tls_where_it_is_in_front)
{
    char text[WEB_SET_COOKIE_SIZE];

    web_guard_set_cookie(&web, "AAAAAAAAAAAAAAAAAAAAAA", text);
    cr_expect_str_eq(text, "ates=AAAAAAAAAAAAAAAAAAAAAA; Path=/; HttpOnly; SameSite=Strict");
    web_guard_set_cookie(&web, "", text);
    cr_expect_str_eq(text, "ates=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    set_origin("http://a.example");
    web_guard_set_cookie(&web, "", text);
    cr_expect_str_eq(text, "ates=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    set_origin("https://a.example");
    web_guard_set_cookie(&web, "AAAAAAAAAAAAAAAAAAAAAA", text);
    cr_expect_str_eq(
        text, "__Host-ates=AAAAAAAAAAAAAAAAAAAAAA; Path=/; HttpOnly; SameSite=Strict; Secure");
    web_guard_set_cookie(&web, "", text);
    cr_expect_str_eq(text, "__Host-ates=; Path=/; HttpOnly; SameSite=Strict; Secure; Max-Age=0");
}

static void expect_cookies(const char *header, unsigned count, const char *first)
{
    struct ates_text value;
    struct asked asked;

    asked_open(&asked, WEB_GET, "/");
    if (header != NULL) {
        asked_send(&asked, "Cookie", header);
    }
    cr_expect_eq(web_guard_cookies(&asked.request, &value), count, "%s", header);
    cr_expect(ates_text_equal(value, ates_text_from(first)), "%s", header);
    asked_close(&asked);
}

Test(web_guard, cookies_of_our_name_are_counted)
{
    expect_cookies(NULL, 0, "");
    expect_cookies("ates=", 0, "");
    expect_cookies("b=ates=1", 0, "");
    expect_cookies("__Host-ates=a", 0, "");
    expect_cookies("ates=a", 1, "a");
    expect_cookies("x=ates=b; ates=a; ates2=b;Ates=c; xates=d", 1, "a");
    expect_cookies("ates=a; ates=b", 2, "a");
    expect_cookies("ates=a;ates=a", 2, "a");
    expect_cookies("ates=a; b=c;\tates=; ates=b", 3, "a");
    set_origin("https://a.example");
    expect_cookies("ates=a; ates=b", 0, "");
    expect_cookies("ates=a; __Host-ates=b", 1, "b");
}

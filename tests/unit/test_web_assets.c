/* The page's files as answers. The files are the test's own: what embed.py makes of the page's is
 * looked at by tests/web/assets.test.mjs. */
#include <string.h>
#include <strings.h>

#include <criterion/criterion.h>

#include "web/web_assets.h"

#define BYTES(TEXT)                                                                                \
    {                                                                                              \
        (const uint8_t *)(TEXT), sizeof(TEXT) - 1                                                  \
    }

/* Sorted, as embed.py does it. */
const struct web_asset web_assets[] = {
    {"/", "text/html", "\"page\"", BYTES("the page"), BYTES("PAGE"), false},
    {"/assets/1/a.js", "text/javascript", "\"a\"", BYTES("a script"), BYTES("SCRIPT"), true},
    {"/assets/1/b/c.svg", "image/svg+xml", "\"c\"", BYTES("a picture"), BYTES(""), true},
    {"/assets/1/d-worker.js", "text/javascript", "\"d\"", BYTES("a worker"), BYTES(""), true},
    {"/favicon.ico", "image/svg+xml", "\"c\"", BYTES("a picture"), BYTES(""), false},
};
const size_t web_asset_count = sizeof web_assets / sizeof web_assets[0];

/* A request, and what came of it. */
static struct {
    struct web_request request; /* first */
    const char *accept, *encoding, *tag;
    unsigned answers;
    struct web_response response;
} it;

/* The parts around. */

const char *web_request_header(const struct web_request *request, const char *name)
{
    cr_assert_eq(request, &it.request);
    return strcasecmp(name, "Accept") == 0            ? it.accept
           : strcasecmp(name, "Accept-Encoding") == 0 ? it.encoding
           : strcasecmp(name, "If-None-Match") == 0   ? it.tag
                                                      : NULL;
}

void web_response_add(struct web_response *response, const char *name, const char *value)
{
    response->headers[response->header_count++] = (struct web_header){name, value};
}

void web_respond(struct web_request *request, const struct web_response *response)
{
    cr_assert_eq(request, &it.request);
    it.answers++;
    it.response = *response;
}

static const char *header(const char *name)
{
    for (size_t i = 0; i < it.response.header_count; i++) {
        if (strcasecmp(it.response.headers[i].name, name) == 0) {
            return it.response.headers[i].value;
        }
    }
    return NULL;
}

/* Asks for a path; whether it was answered. */
static bool ask(const char *path)
{
    struct web_request *request = &it.request;
    struct ates_refusal refusal;

    ates_arena_free(&request->arena);
    request->arena = ates_arena_new();
    it.answers = 0;
    it.response = (struct web_response){.status = 0};
    cr_assert_eq(web_uri_parse(ates_text_from(path), request->arena, &request->uri, &refusal), 0);
    const bool was_answered = web_handle_asset(request);
    cr_assert_eq(it.answers, (unsigned)was_answered, "%s", path);
    return was_answered;
}

static void assert_body(unsigned status, const char *body)
{
    cr_assert_eq(it.response.status, status);
    cr_assert_eq(it.response.body.size, strlen(body));
    cr_assert(it.response.body.size == 0 || /* a size of 0 may come without bytes */
              memcmp(it.response.body.data, body, strlen(body)) == 0);
}

static void tear_down(void)
{
    ates_arena_free(&it.request.arena);
}

TestSuite(web_assets, .fini = tear_down);

Test(web_assets, files_are_found_by_their_whole_path)
{
    static const struct {
        const char *path, *body, *type;
    } rows[] = {
        {"/", "the page", "text/html"},
        {"/assets/1/a.js", "a script", "text/javascript"},
        {"/assets/1/b/c.svg", "a picture", "image/svg+xml"},
        {"/%61ssets/1/b/c%2Esvg?x=y", "a picture", "image/svg+xml"},
        {"/favicon.ico", "a picture", "image/svg+xml"},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        cr_assert(ask(rows[i].path), "%s", rows[i].path);
        assert_body(200, rows[i].body);
        cr_assert_str_eq(it.response.content_type, rows[i].type);
        cr_assert(it.response.is_static);
    }
    static const char *const none[] = {"/assets",        "/assets/1",       "/assets/1/a",
                                       "/assets/1/a.j",  "/assets/1/a.js2", "/assets/2/a.js",
                                       "/Assets/1/a.js", "/favicon.icon",   "/a.js"};
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        cr_assert_not(ask(none[i]), "%s", none[i]);
    }
}

Test(web_assets, the_page_is_at_its_own_paths_and_where_a_browser_asks_for_one)
{
    static const char *const own[] = {"/tasks",  "/tasks/123", "/accounting", "/analytics",
                                      "/people", "/sign-in",   "/register",   "/tasks/"};
    static const char *const others[] = {"/a/b/c/d", "/indeed", "/tasksx"};

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++) {
        cr_assert(ask(own[i]), "%s", own[i]);
        assert_body(200, "the page");
    }
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        it.accept = "text/html,application/xhtml+xml,*/*;q=0.8";
        cr_assert(ask(others[i]), "%s", others[i]);
        assert_body(200, "the page");
        it.accept = "application/json";
        cr_assert_not(ask(others[i]), "%s", others[i]);
    }
    it.accept = "text/html";
    cr_assert_not(ask("/assets/0/old.js"), "a page is no script");
    cr_assert_not(ask("/assets"));
}

Test(web_assets, what_has_a_hash_in_its_path_is_kept_for_good)
{
    cr_assert(ask("/assets/1/a.js"));
    cr_assert_str_eq(header("Cache-Control"), "public, max-age=31536000, immutable");
    cr_assert(ask("/"));
    cr_assert_str_eq(header("Cache-Control"), "no-cache");
    cr_assert(ask("/favicon.ico"));
    cr_assert_str_eq(header("Cache-Control"), "no-cache");
}

Test(web_assets, gzip_where_it_is_taken)
{
    static const struct {
        const char *encoding; /* NULL: none */
        bool is_packed;
    } rows[] = {
        {NULL, false},
        {"", false},
        {"gzip", true},
        {"GZip", true},
        {"gzip, deflate, br, zstd", true},
        {"br,gzip", true},
        {" br\t, gzip ;q=0.5", true},
        {"gzip;q=1", true},
        {"gzip;Q=0.001", true},
        {"gzip;q=0", false},
        {"gzip; q=0.000", false},
        {"gzip;q=0, *", false},
        {"*", true},
        {"*;q=0", false},
        {"*;q=0, gzip", true},
        {"br, *;q=0.1", true},
        {"identity", false},
        {"gzipped", false},
        {"x-gzip2", false},
        {"br;q=1", false},
        {",,,", false},
        {";", false},
        {"gzip;", true},
        {"gzip;level=9", true},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        it.encoding = rows[i].encoding;
        cr_assert(ask("/assets/1/a.js"));
        assert_body(200, rows[i].is_packed ? "SCRIPT" : "a script");
        if (rows[i].is_packed) {
            cr_assert_str_eq(header("Content-Encoding"), "gzip");
        } else {
            cr_assert_null(header("Content-Encoding"), "%s", rows[i].encoding);
        }
        cr_assert_str_eq(header("Vary"), "Accept-Encoding");
    }
    it.encoding = "gzip";
    cr_assert(ask("/favicon.ico"));
    assert_body(200, "a picture");
    cr_assert_null(header("Content-Encoding"), "it would be no smaller");
}

Test(web_assets, a_known_tag_saves_the_bytes)
{
    it.encoding = "gzip";
    it.tag = "\"x\", W/\"page\"";
    cr_assert(ask("/"));
    assert_body(304, "");
    cr_assert_null(it.response.content_type);
    cr_assert_null(header("Content-Encoding"));
    cr_assert_str_eq(header("ETag"), "\"page\"");
    cr_assert_str_eq(header("Vary"), "Accept-Encoding");
    cr_assert_str_eq(header("Cache-Control"), "no-cache");
    it.tag = "\"pag\"";
    cr_assert(ask("/"));
    assert_body(200, "PAGE");
    cr_assert_str_eq(header("ETag"), "\"page\"");
}

/* Nothing runs that was written into the page, nothing comes from elsewhere, and nobody frames it. */
Test(web_assets, the_page_may_do_what_it_must)
{
    cr_assert(ask("/"));
    const char *policy = header("Content-Security-Policy");
    cr_assert_eq(policy, web_content_security_policy);
    static const char *const rules[] = {
        "default-src 'none'",  "script-src 'self'",      "style-src 'self'",
        "connect-src 'self'",  "base-uri 'none'",        "form-action 'self'",
        "font-src 'self'",     "frame-ancestors 'none'", "worker-src 'self'",
        "manifest-src 'self'", "img-src 'self' data:",
    };
    for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++) {
        cr_assert_not_null(strstr(policy, rules[i]), "%s", rules[i]);
    }
    cr_assert_null(strstr(policy, "unsafe"));
    cr_assert_null(strchr(policy, '*'));
    cr_assert(ask("/assets/1/d-worker.js"));
    cr_assert_eq(header("Content-Security-Policy"), web_content_security_policy,
                 "a worker has a policy of its own");
    cr_assert(ask("/assets/1/a.js"));
    cr_assert_null(header("Content-Security-Policy"), "the page's is enough");
}

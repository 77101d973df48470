/* What a request is for: probes, the API's document, its routes, pages. */
#include "support/web_request_fixture.h"
#include "web/web_assets.h"
#include "web/web_health.h"

static struct asked asked;
static const char *handled; /* by which of the parts around */
static bool has_asset;

static void answer(struct web_request *request, const char *by)
{
    const struct web_response response = {.status = 200};

    handled = by;
    web_respond(request, &response);
}

void web_handle_healthz(struct web_request *request)
{
    answer(request, "healthz");
}

void web_handle_readyz(struct web_request *request)
{
    answer(request, "readyz");
}

void web_handle_metrics(struct web_request *request)
{
    answer(request, "metrics");
}

bool web_handle_asset(struct web_request *request)
{
    if (has_asset) {
        answer(request, "asset");
    }
    return has_asset;
}

static void set_up(void)
{
    static const char document[] = "{\"openapi\":\"3.1.0\"}";

    ates_buffer_append(&web.openapi, document, sizeof document - 1);
    asked_open(&asked, WEB_GET, "/");
}

static void tear_down(void)
{
    asked_close(&asked);
    ates_buffer_release(&web.openapi);
    for (size_t i = 0; i < UNDER_WAY_MAX; i++) {
        ates_buffer_release(&under_way[i].body);
    }
}

TestSuite(web_handle, .init = set_up, .fini = tear_down);

static void begin(enum web_method method, const char *target)
{
    handled = "";
    asked_close(&asked);
    asked_open(&asked, method, target);
}

static void ask(enum web_method method, const char *target)
{
    begin(method, target);
    web_handle(&asked.request);
}

Test(web_handle, probes_are_at_the_top)
{
    static const char *const names[] = {"healthz", "readyz", "metrics"};
    char path[32];

    for (size_t i = 0; i < 3; i++) {
        sprintf(path, "/%s", names[i]);
        ask(WEB_GET, path);
        cr_expect_str_eq(handled, names[i]);
        ask(WEB_POST, path);
        expect_problem(&asked, 405, "METHOD_NOT_ALLOWED");
        cr_expect_str_eq(asked_header(&asked, "Allow"), "GET, HEAD");
        cr_expect_str_eq(handled, "");
        sprintf(path, "/%s/x", names[i]);
        ask(WEB_GET, path);
        expect_problem(&asked, 404, "ROUTE_UNKNOWN");
        sprintf(path, "/api/v1/%s", names[i]);
        ask(WEB_GET, path);
        expect_problem(&asked, 404, "ROUTE_UNKNOWN");
    }
}

Test(web_handle, the_document_has_a_tag)
{
    char tag[64];

    ask(WEB_GET, "/api/v1/openapi.json");
    cr_expect_eq(asked.response.status, 200);
    cr_expect_str_eq(asked.body, "{\"openapi\":\"3.1.0\"}");
    cr_expect_str_eq(asked.response.content_type, "application/json");
    strcpy(tag, asked_header(&asked, "ETag"));
    begin(WEB_GET, "/api/v1/openapi.json");
    asked_send(&asked, "If-None-Match", tag);
    web_handle(&asked.request);
    cr_expect_eq(asked.response.status, 304);
    cr_expect_str_eq(asked.body, "");
    ask(WEB_GET, "/api/v1/openapi.json?pretty=1");
    expect_problem(&asked, 400, "FIELD_UNKNOWN");
    ask(WEB_DELETE, "/api/v1/openapi.json");
    expect_problem(&asked, 405, "METHOD_NOT_ALLOWED");
}

Test(web_handle, routes_are_below_the_api)
{
    begin(WEB_GET, "/api/v1/tasks/12");
    asked_send(&asked, "Authorization", "Bearer a-token");
    web_handle(&asked.request);
    cr_expect_str_eq(find_under_way("show_task")->token, "a-token");
    ask(WEB_GET, "/api/v1/events");
    cr_expect_str_eq(asked.response.content_type, "text/event-stream");
    ask(WEB_DELETE, "/api/v1/tasks");
    expect_problem(&asked, 405, "METHOD_NOT_ALLOWED");
    cr_expect_str_eq(asked_header(&asked, "Allow"), "POST, GET, HEAD");
}

/* Not even a page: a program that errs is told so in its own language. */
Test(web_handle, the_api_has_no_pages)
{
    static const char *const paths[] = {"/api",          "/api/",        "/api/v1",
                                        "/api/v2/tasks", "/api/v1/task", "/api/v1/tasks/1/2/3",
                                        "/api/V1/tasks"};

    has_asset = true;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        ask(WEB_GET, paths[i]);
        expect_problem(&asked, 404, "ROUTE_UNKNOWN");
        cr_expect_str_eq(handled, "");
    }
}

Test(web_handle, everything_else_is_a_page_or_nothing)
{
    has_asset = true;
    ask(WEB_GET, "/");
    cr_expect_str_eq(handled, "asset");
    ask(WEB_GET, "/tasks/12");
    cr_expect_str_eq(handled, "asset");
    ask(WEB_POST, "/tasks");
    expect_problem(&asked, 405, "METHOD_NOT_ALLOWED");
    has_asset = false;
    ask(WEB_GET, "/nothing.js");
    expect_problem(&asked, 404, "ROUTE_UNKNOWN");
}

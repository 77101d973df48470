/* Refusals as problem details: every status, and what goes with it. */
#include "support/web_request_fixture.h"
#include "web/web_problem.h"

static struct asked asked;

static void set_up(void)
{
    asked_open(&asked, WEB_GET, "/api/v1/tasks/1");
}

static void tear_down(void)
{
    asked_close(&asked);
}

TestSuite(web_problem, .init = set_up, .fini = tear_down);

static void expect_text(const char *key, const char *value)
{
    cr_expect_str_eq(asked_text(&asked, key), value, "%s: %s", key, asked.body);
}

static void refuse(enum ates_status status, const char *reason, const char *field,
                   const char *message, uint32_t retry_after_ms)
{
    struct ates_refusal refusal = {.status = ATES_OK};

    ates_refusal_set(&refusal, status, reason, field, "%s", message);
    refusal.retry_after_ms = retry_after_ms;
    web_respond_problem(&asked.request, &refusal);
}

Test(web_problem, every_status_is_one_of_http)
{
    static const unsigned statuses[ATES_STATUS_COUNT] = {
        [ATES_OK] = 200,
        [ATES_INVALID_ARGUMENT] = 400,
        [ATES_UNAUTHENTICATED] = 401,
        [ATES_PERMISSION_DENIED] = 403,
        [ATES_NOT_FOUND] = 404,
        [ATES_ALREADY_EXISTS] = 409,
        [ATES_FAILED_PRECONDITION] = 409,
        [ATES_RESOURCE_EXHAUSTED] = 429,
        [ATES_DEADLINE_EXCEEDED] = 503,
        [ATES_UNAVAILABLE] = 503,
        [ATES_UNIMPLEMENTED] = 501,
        [ATES_INTERNAL] = 500,
        [ATES_DATA_LOSS] = 500,
    };

    for (int status = ATES_OK; status < ATES_STATUS_COUNT; status++) {
        const unsigned expected = statuses[status];

        tear_down();
        set_up();
        cr_expect_eq(web_problem_status((enum ates_status)status), expected);
        refuse((enum ates_status)status, "SOME_REASON", NULL, "it is so", 0);
        cr_expect_eq(asked.response.status, expected);
        cr_expect_eq(json_integer_value(json_object_get(asked.json, "status")), expected);
        cr_expect_str_eq(asked.response.content_type, "application/problem+json");
        cr_expect_gt(strlen(asked_text(&asked, "title")), 0, "status %d", status);
        expect_text("type", "urn:ates:problem:SOME_REASON");
        expect_text("reason", "SOME_REASON");
        expect_text("detail", "it is so");
        cr_expect_eq(json_object_size(asked.json), 5, "%s", asked.body);
        cr_expect_str_eq(asked_header(&asked, "Cache-Control"), "no-store");
        cr_expect_str_eq(asked_header(&asked, "WWW-Authenticate"), expected == 401 ? "Bearer" : "");
        cr_expect_str_eq(asked_header(&asked, "Retry-After"), expected == 503 ? "1" : "");
    }
}

Test(web_problem, names_the_field)
{
    refuse(ATES_INVALID_ARGUMENT, "FIELD_INVALID", "items[1].name", "items[1].name: too long", 0);
    expect_text("field", "items[1].name");
    cr_expect_eq(json_object_size(asked.json), 6, "%s", asked.body);
}

Test(web_problem, a_time_to_wait_is_rounded_up_to_seconds)
{
    static const struct {
        uint32_t ms;
        const char *seconds;
    } rows[] = {{1, "1"}, {999, "1"}, {1000, "1"}, {1001, "2"}, {UINT32_MAX, "4294968"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        tear_down();
        set_up();
        refuse(ATES_RESOURCE_EXHAUSTED, "TOO_MANY_ATTEMPTS", NULL, "later", rows[i].ms);
        cr_expect_str_eq(asked_header(&asked, "Retry-After"), rows[i].seconds);
        cr_expect_eq(json_integer_value(json_object_get(asked.json, "retry_after_ms")), rows[i].ms);
    }
}

/* Refusals quote what came, cut at so many bytes. */
Test(web_problem, what_is_no_text_is_left_out)
{
    struct ates_refusal refusal = {.status = ATES_INVALID_ARGUMENT,
                                   .reason = "BODY_INVALID",
                                   .field = "\xd0",
                                   .message = "near '\xd0"};

    web_respond_problem(&asked.request, &refusal);
    cr_expect_eq(asked.response.status, 400);
    cr_assert_not_null(asked.json, "%s", asked.body);
    expect_text("reason", "BODY_INVALID");
    cr_expect_gt(strlen(asked_text(&asked, "detail")), 0);
    cr_expect_gt(strlen(asked_text(&asked, "field")), 0);
}

Test(web_problem, other_statuses_have_a_header_of_their_own)
{
    struct ates_refusal refusal = {.status = ATES_OK};

    ates_refusal_set(&refusal, ATES_UNIMPLEMENTED, "METHOD_NOT_ALLOWED", NULL, "no");
    web_respond_problem_as(&asked.request, 405, &refusal, "Allow", "GET, HEAD");
    cr_expect_eq(asked.response.status, 405);
    cr_expect_eq(json_integer_value(json_object_get(asked.json, "status")), 405);
    cr_expect_str_eq(asked_header(&asked, "Allow"), "GET, HEAD");
}

Test(web_problem, no_reply_may_be_repeated)
{
    web_respond_no_reply(&asked.request);
    expect_problem(&asked, 503, "NO_REPLY");
    cr_expect_str_eq(asked_header(&asked, "Retry-After"), "1");
    cr_expect_not_null(strstr(asked_text(&asked, "detail"), "Idempotency-Key"));
}

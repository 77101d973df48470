/* Who asks, and commands on their behalf: tokens that are renewed first, and sessions that end. */
#include "support/web_request_fixture.h"
#include "web/web_problem.h"
#include "web/web_session_private.h"

static struct asked one, two;
static char cookie[WEB_SESSION_COOKIE_SIZE], cookie_header[64];
static struct ates_refusal refusal;

static void sign_in(void)
{
    const struct auth_auth_user_result result = signed_in(7, "first-token");
    int fault;

    cr_assert_not_null(web_session_begin(web.sessions, &result, cookie, &fault));
    snprintf(cookie_header, sizeof cookie_header, "ates=%s", cookie);
}

static void set_up(void)
{
    fixture_open();
    sign_in();
    asked_open(&one, WEB_GET, "/");
    asked_open(&two, WEB_GET, "/");
}

static void tear_down(void)
{
    asked_close(&one);
    asked_close(&two);
    fixture_close();
}

TestSuite(web_call, .init = set_up, .fini = tear_down);

static struct web_session *session(void)
{
    return web_sessions_find(web.sessions, ates_text_from(cookie));
}

static void with_cookie(struct asked *asked)
{
    asked_send(asked, "Cookie", cookie_header);
    cr_assert_eq(web_caller_find(&asked->request, &refusal), 0, "%s", refusal.reason);
    cr_assert_eq(web_caller_session(&asked->request), session());
}

static void take_reply(void *owner, const struct ates_reply *reply)
{
    struct web_request *request = owner;
    const struct web_response done = {.status = 200};

    if (reply == NULL) {
        web_respond_no_reply(request);
    } else if (reply->status != ATES_OK) {
        web_respond_problem(request, &reply->refusal);
    } else {
        web_respond(request, &done);
    }
}

static const struct ates_command *command_named(const struct ates_service *service,
                                                const char *name)
{
    return ates_service_command(service, name, strlen(name));
}

static void call(struct asked *asked, const struct ates_service *service, const char *name)
{
    static const uint8_t body[] = {0x80};

    web_call(&asked->request, service, command_named(service, name), NULL,
             (struct ates_bytes){body, sizeof body}, take_reply);
}

static void call_balance(struct asked *asked)
{
    call(asked, &accounting_service, "show_balance");
}

static void reply_balance(void)
{
    const struct accounting_show_balance_result balance = {.user_id = 7};

    reply_result("show_balance", &balance);
}

static void reply_renewed(const char *token)
{
    const struct auth_renew_token_result result = {.token = ates_text_from(token),
                                                   .expires_at = clock_ms + 15 * MINUTE_MS};

    reply_result("renew_token", &result);
}

static int find_with(const char *name, const char *value)
{
    asked_close(&one);
    asked_open(&one, WEB_GET, "/");
    asked_send(&one, name, value);
    refusal = (struct ates_refusal){.status = ATES_OK};
    return web_caller_find(&one.request, &refusal);
}

Test(web_call, a_bearer_is_passed_on_as_it_is)
{
    char long_token[ATES_TOKEN_MAX + 16];

    cr_assert_eq(find_with("Authorization", "Bearer v4.public.x"), 0);
    cr_expect_not(web_caller_is_nobody(&one.request));
    cr_expect_null(web_caller_session(&one.request));
    call_balance(&one);
    cr_expect_str_eq(find_under_way("show_balance")->token, "v4.public.x");
    reply_balance();
    cr_expect_eq(one.response.status, 200);
    cr_expect_eq(find_with("Authorization", "bearer   v4"), 0);

    memset(long_token, 'a', sizeof long_token);
    memcpy(long_token, "Bearer ", 7);
    long_token[7 + ATES_TOKEN_MAX] = '\0';
    cr_expect_eq(find_with("Authorization", long_token), 0);
    long_token[7 + ATES_TOKEN_MAX] = 'a';
    long_token[8 + ATES_TOKEN_MAX] = '\0';
    cr_expect_eq(find_with("Authorization", long_token), ATES_UNAUTHENTICATED);
    static const char *const wrong[] = {"",        "Bearer",      "Bearer ",    "Basic YTpi",
                                        "Bearerx", "Bearer \xff", "Bearer a b", "Bearer a\tb"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cr_expect_eq(find_with("Authorization", wrong[i]), ATES_UNAUTHENTICATED, "%s", wrong[i]);
        cr_expect_str_eq(refusal.reason, "TOKEN_INVALID");
    }
}

Test(web_call, a_bearer_wins_over_a_cookie)
{
    asked_send(&one, "Cookie", cookie_header);
    asked_send(&one, "Authorization", "Bearer other");
    cr_assert_eq(web_caller_find(&one.request, &refusal), 0);
    cr_expect_null(web_caller_session(&one.request));
    call_balance(&one);
    cr_expect_str_eq(find_under_way("show_balance")->token, "other");
}

Test(web_call, cookies_of_no_session)
{
    char twice[160];

    cr_expect_eq(find_with("Cookie", "other=1"), 0);
    cr_expect(web_caller_is_nobody(&one.request));
    cr_expect_eq(find_with("Cookie", "ates=AAAAAAAAAAAAAAAAAAAAAA"), ATES_UNAUTHENTICATED);
    cr_expect_str_eq(refusal.reason, "SESSION_UNKNOWN");
    cr_expect_eq(find_with("Cookie", "ates=x"), ATES_UNAUTHENTICATED);
    /* One of them may be a neighbour's. */
    snprintf(twice, sizeof twice, "%s; ates=AAAAAAAAAAAAAAAAAAAAAA", cookie_header);
    cr_expect_eq(find_with("Cookie", twice), ATES_UNAUTHENTICATED);
    cr_expect_str_eq(refusal.reason, "SESSION_UNKNOWN");
    snprintf(twice, sizeof twice, "%s; %s", cookie_header, cookie_header);
    cr_expect_eq(find_with("Cookie", twice), ATES_UNAUTHENTICATED);
    cr_expect_eq(find_with("Cookie", cookie_header), 0);
}

Test(web_call, a_change_by_the_cookie_must_come_from_our_page)
{
    asked_close(&one);
    asked_open(&one, WEB_POST, "/");
    asked_send(&one, "Cookie", cookie_header);
    cr_expect_eq(web_caller_find(&one.request, &refusal), ATES_PERMISSION_DENIED);
    cr_expect_str_eq(refusal.reason, "CROSS_SITE");
    cr_expect_null(web_caller_session(&one.request));
    asked_send(&one, "ATES-Session", "cookie");
    cr_expect_eq(web_caller_find(&one.request, &refusal), 0);
    cr_expect_not_null(web_caller_session(&one.request));
}

Test(web_call, a_token_that_is_good_is_used)
{
    with_cookie(&one);
    clock_ms += 14 * MINUTE_MS - 1;
    call_balance(&one);
    cr_expect_eq(calls, 1);
    cr_expect_str_eq(find_under_way("show_balance")->token, "first-token");
    reply_balance();
    cr_expect_eq(one.response.status, 200);
}

Test(web_call, a_token_near_its_end_is_renewed_meanwhile)
{
    clock_ms += 14 * MINUTE_MS + 1;
    with_cookie(&one);
    call_balance(&one);
    cr_expect_str_eq(find_under_way("show_balance")->token, "first-token");
    cr_expect_str_eq(find_under_way("renew_token")->token, "first-token");
    with_cookie(&two);
    call(&two, &accounting_service, "show_account_transfers");
    cr_expect_eq(calls, 3, "one renewal is enough");
    reply_renewed("second-token");
    cr_expect_str_eq(session()->token, "second-token");
    reply_balance();
    cr_expect_eq(one.response.status, 200);
}

Test(web_call, a_token_that_is_over_is_renewed_first_and_once)
{
    clock_ms += 15 * MINUTE_MS;
    with_cookie(&one);
    with_cookie(&two);
    call_balance(&one);
    call(&two, &accounting_service, "show_account_transfers");
    cr_expect_eq(count_under_way(), 1);
    reply_renewed("second-token");
    cr_expect_str_eq(find_under_way("show_balance")->token, "second-token");
    cr_expect_str_eq(find_under_way("show_account_transfers")->token, "second-token");
    cr_expect_eq(calls, 3);
    reply_balance();
    cr_expect_eq(one.response.status, 200);
}

/* The browser must not sign in anew for auth's silence. */
Test(web_call, no_renewal_is_no_refusal)
{
    clock_ms += 15 * MINUTE_MS;
    with_cookie(&one);
    call_balance(&one);
    reply_nothing("renew_token");
    expect_problem(&one, 503, "NO_REPLY");
    cr_expect_str_eq(asked_header(&one, "Set-Cookie"), "");
    with_cookie(&two);
    call_balance(&two);
    reply_refusal("renew_token", ATES_RESOURCE_EXHAUSTED, "BUSY");
    expect_problem(&two, 503, "NO_REPLY");
    cr_expect_not_null(session());
    asked_close(&two);
    asked_open(&two, WEB_GET, "/");
    room = 0;
    with_cookie(&two);
    call_balance(&two);
    expect_problem(&two, 503, "NO_REPLY");
}

Test(web_call, auths_word_ends_the_session)
{
    clock_ms += 15 * MINUTE_MS;
    with_cookie(&one);
    with_cookie(&two);
    call_balance(&one);
    call_balance(&two);
    reply_refusal("renew_token", ATES_UNAUTHENTICATED, "SESSION_EXPIRED");
    expect_problem(&one, 401, "SESSION_EXPIRED");
    expect_problem(&two, 401, "SESSION_EXPIRED");
    cr_expect_str_eq(asked_header(&one, "Set-Cookie"), ""); /* a new one may be there by now */
    cr_expect_null(session());
    cr_expect_eq(streams_ended, 1);
}

Test(web_call, a_service_whose_clock_is_ahead_is_asked_again_once)
{
    with_cookie(&one);
    call_balance(&one);
    reply_refusal("show_balance", ATES_UNAUTHENTICATED, "TOKEN_EXPIRED");
    reply_renewed("second-token");
    cr_expect_str_eq(find_under_way("show_balance")->token, "second-token");
    reply_refusal("show_balance", ATES_UNAUTHENTICATED, "TOKEN_EXPIRED");
    expect_problem(&one, 401, "TOKEN_EXPIRED");
    cr_expect_not_null(session());
    cr_expect_eq(count_under_way(), 0);
}

Test(web_call, a_bearer_is_not_renewed)
{
    cr_assert_eq(find_with("Authorization", "Bearer v4.public.x"), 0);
    call_balance(&one);
    reply_refusal("show_balance", ATES_UNAUTHENTICATED, "TOKEN_EXPIRED");
    expect_problem(&one, 401, "TOKEN_EXPIRED");
    cr_expect_eq(count_under_way(), 0);
}

Test(web_call, a_services_word_ends_the_session)
{
    static const char *const reasons[] = {"TOKEN_REVOKED", "USER_DISABLED", "TOKEN_INVALID"};

    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        sign_in();
        asked_close(&one);
        asked_open(&one, WEB_GET, "/");
        with_cookie(&one);
        call_balance(&one);
        reply_refusal("show_balance", ATES_UNAUTHENTICATED, reasons[i]);
        expect_problem(&one, 401, reasons[i]);
        cr_expect_str_eq(asked_header(&one, "Set-Cookie"), "");
        cr_expect_null(session());
    }
}

/* A wrong password is a 401 of another kind. */
Test(web_call, other_refusals_leave_the_session_alone)
{
    static const struct {
        enum ates_status status;
        const char *reason;
    } rows[] = {{ATES_UNAUTHENTICATED, "BAD_CREDENTIALS"},
                {ATES_PERMISSION_DENIED, "ROLE_NOT_ALLOWED"},
                {ATES_NOT_FOUND, "USER_UNKNOWN"},
                {ATES_PERMISSION_DENIED, "USER_DISABLED"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        asked_close(&one);
        asked_open(&one, WEB_GET, "/");
        with_cookie(&one);
        call_balance(&one);
        reply_refusal("show_balance", rows[i].status, rows[i].reason);
        cr_expect_eq(one.response.status, web_problem_status(rows[i].status));
        cr_expect_str_eq(asked_header(&one, "Set-Cookie"), "");
        cr_expect_not_null(session(), "%s", rows[i].reason);
    }
}

/* Signed out in one tab, while another one's command is on its way. */
Test(web_call, a_session_that_ended_meanwhile_is_not_waited_for)
{
    with_cookie(&one);
    call_balance(&one);
    web_session_end(&web, session());
    reply_refusal("show_balance", ATES_UNAUTHENTICATED, "TOKEN_EXPIRED");
    expect_problem(&one, 401, "SESSION_EXPIRED");
    cr_expect_eq(count_under_way(), 0);

    sign_in();
    clock_ms += 15 * MINUTE_MS;
    with_cookie(&two);
    call_balance(&two);
    web_session_end(&web, session()); /* the renewal with it */
    expect_problem(&two, 401, "SESSION_EXPIRED");
    cr_expect_eq(count_under_way(), 0);
}

Test(web_call, who_is_gone_waits_no_more)
{
    clock_ms += 15 * MINUTE_MS;
    with_cookie(&one);
    call_balance(&one);
    with_cookie(&two);
    call(&two, &accounting_service, "show_account_transfers");
    asked_close(&one);
    asked_open(&one, WEB_GET, "/");
    reply_renewed("second-token");
    cr_expect_eq(count_under_way(), 1);
    cr_expect_eq(one.response.status, 0);
    asked_close(&two);
    cr_expect_eq(count_under_way(), 0);
    asked_open(&two, WEB_GET, "/");
}

static void expect_timeout(const struct ates_service *service, const char *name, int64_t ms)
{
    asked_close(&one);
    cr_assert_eq(find_with("Authorization", "Bearer x"), 0);
    call(&one, service, name);
    cr_expect_eq(find_under_way(name)->command.timeout_ms, ms, "%s", name);
    reply_nothing(name);
}

Test(web_call, slow_commands_have_the_time_they_take)
{
    expect_timeout(&accounting_service, "show_balance", 5000);
    expect_timeout(&tasks_service, "create_task", 5000);
    expect_timeout(&auth_service, "auth_user", 15000);
    expect_timeout(&auth_service, "register_user", 15000);
    expect_timeout(&auth_service, "change_password", 15000);
    expect_timeout(&auth_service, "reset_password", 15000);
    expect_timeout(&accounting_service, "pay_to_workers", 60000);
    expect_timeout(&payment_service, "run_payment", 60000);
}

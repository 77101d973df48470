/* Signing in and out: what a browser and a program get, and when a cookie is forgotten. */
#include "core/calendar.h"
#include "support/web_request_fixture.h"
#include "web/web_session_private.h"
#include "web/web_settings.h"

#define CLEARED "ates=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0"
#define PASSWORD "{\"login\":\"ann\",\"password\":\"a long password\"}"

static struct asked asked;

static void set_up(void)
{
    fixture_open();
    asked_open(&asked, WEB_GET, "/session");
}

static void tear_down(void)
{
    asked_close(&asked);
    fixture_close();
}

TestSuite(web_sign, .init = set_up, .fini = tear_down);

static void begin(enum web_method method, const char *target)
{
    asked_close(&asked);
    asked_open(&asked, method, target);
}

static void handle(void)
{
    const struct web_uri *uri = &asked.request.uri;
    struct web_match match;

    cr_assert_eq(web_route_match(asked.request.method, uri->segments, uri->segment_count, &match),
                 0);
    cr_assert_not_null(match.route->handle);
    match.route->handle(&asked.request, match.route);
}

static void reply_signed_in(const char *token)
{
    const struct auth_auth_user_result result = signed_in(7, token);

    reply_result("auth_user", &result);
}

/* Signs in; the Cookie header to send from then on. */
static const char *sign_in_by_cookie(const char *token)
{
    static char header[64];

    begin(WEB_POST, "/session");
    asked_send_json(&asked, PASSWORD);
    asked_send(&asked, "ATES-Session", "cookie");
    handle();
    reply_signed_in(token);
    cr_assert_eq(asked.response.status, 200, "%s", asked.body);
    snprintf(header, sizeof header, "%.*s", (int)strcspn(asked_header(&asked, "Set-Cookie"), ";"),
             asked_header(&asked, "Set-Cookie"));
    return header;
}

Test(web_sign, a_program_gets_a_token_and_no_cookie)
{
    begin(WEB_POST, "/session");
    asked_send_json(&asked, PASSWORD);
    handle();
    cr_expect_str_eq(find_under_way("auth_user")->token, "");
    cr_expect_str_eq(find_under_way("auth_user")->client, "192.0.2.1");
    reply_signed_in("first-token");
    cr_expect_eq(asked.response.status, 200);
    cr_expect_str_eq(asked_text(&asked, "token"), "first-token");
    cr_expect_eq(json_integer_value(json_object_get(asked.json, "expires_at")),
                 clock_ms + 15 * MINUTE_MS);
    cr_expect_eq(json_integer_value(json_object_get(asked.json, "session_expires_at")),
                 clock_ms + 12 * HOUR_MS);
    cr_expect_not_null(json_object_get(asked.json, "user"));
    cr_expect_str_eq(asked_header(&asked, "Set-Cookie"), "");
    cr_expect_str_eq(asked_header(&asked, "Cache-Control"), "no-store");
    cr_expect_eq(web_sessions_count(web.sessions), 0);
}

Test(web_sign, a_page_gets_a_cookie_and_no_token)
{
    const char *header = sign_in_by_cookie("first-token");

    cr_expect_eq(strlen(header), strlen("ates=") + WEB_SESSION_COOKIE_SIZE - 1);
    cr_expect_null(strstr(asked.body, "token"), "%s", asked.body);
    cr_expect_null(json_object_get(asked.json, "expires_at"));
    cr_expect_not_null(json_object_get(asked.json, "user"));
    cr_expect_eq(web_sessions_count(web.sessions), 1);
    struct web_session *session =
        web_sessions_find(web.sessions, ates_text_from(header + strlen("ates=")));
    cr_assert_not_null(session);
    cr_expect_str_eq(session->token, "first-token");
    cr_expect_eq(session->user_id, 7);
}

Test(web_sign, signing_in_anew_ends_the_session_before)
{
    char before[64];

    strcpy(before, sign_in_by_cookie("first-token"));
    begin(WEB_POST, "/session");
    asked_send_json(&asked, PASSWORD);
    asked_send(&asked, "ATES-Session", "cookie");
    asked_send(&asked, "Cookie", before);
    handle();
    cr_expect_str_eq(find_under_way("auth_user")->token, "", "whoever signs in is nobody yet");
    reply_signed_in("second-token");
    cr_expect_eq(asked.response.status, 200);
    cr_expect_str_neq(asked_header(&asked, "Set-Cookie"), "");
    cr_expect_eq(web_sessions_count(web.sessions), 1);
    cr_expect_null(web_sessions_find(web.sessions, ates_text_from(before + strlen("ates="))));
    cr_expect_eq(streams_ended, 1);
}

Test(web_sign, another_site_signs_nobody_in)
{
    const struct web_header wrong[] = {{"Origin", "https://evil.example"},
                                       {"Sec-Fetch-Site", "cross-site"}};

    for (size_t i = 0; i < 2; i++) {
        begin(WEB_POST, "/session");
        asked_send_json(&asked, PASSWORD);
        asked_send(&asked, "ATES-Session", "cookie");
        asked_send(&asked, wrong[i].name, wrong[i].value);
        handle();
        expect_problem(&asked, 403, "CROSS_SITE");
    }
    /* Nor where a cookie is there already, but not the header. */
    begin(WEB_POST, "/session");
    asked_send_json(&asked, PASSWORD);
    asked_send(&asked, "Cookie", "ates=AAAAAAAAAAAAAAAAAAAAAA");
    handle();
    expect_problem(&asked, 403, "CROSS_SITE");
    cr_expect_eq(calls, 0);
}

Test(web_sign, a_wrong_password_is_auths_to_refuse)
{
    begin(WEB_POST, "/session");
    asked_send_json(&asked, PASSWORD);
    asked_send(&asked, "ATES-Session", "cookie");
    asked_send(&asked, "Idempotency-Key", "again");
    handle();
    cr_expect_str_eq(find_under_way("auth_user")->request_id, "again");
    reply_refusal("auth_user", ATES_UNAUTHENTICATED, "BAD_CREDENTIALS");
    expect_problem(&asked, 401, "BAD_CREDENTIALS");
    cr_expect_str_eq(asked_header(&asked, "Set-Cookie"), "");
    cr_expect_eq(web_sessions_count(web.sessions), 0);
    begin(WEB_POST, "/session");
    asked_send_json(&asked, "{\"login\":\"ann\"}");
    handle();
    expect_problem(&asked, 400, "FIELD_MISSING");
}

static const struct auth_user ann = {.id = 7,
                                     .login = {"ann", 3},
                                     .email = {"ann@example.com", 15},
                                     .role = ATES_DEVELOPER,
                                     .created_at = NOW_MS};

static void show(const char *name, const char *value)
{
    begin(WEB_GET, "/session");
    if (name != NULL) {
        asked_send(&asked, name, value);
    }
    handle();
}

Test(web_sign, shows_who_is_signed_in)
{
    const char *header = sign_in_by_cookie("first-token");

    show("Cookie", header);
    cr_expect_str_eq(find_under_way("show_user")->token, "first-token");
    reply_result("show_user", &ann);
    cr_expect_eq(asked.response.status, 200);
    cr_expect_str_eq(
        json_string_value(json_object_get(json_object_get(asked.json, "user"), "login")), "ann");
    cr_expect_eq(json_integer_value(json_object_get(asked.json, "session_expires_at")),
                 NOW_MS + 12 * HOUR_MS);
    cr_expect_str_eq(asked_header(&asked, "Set-Cookie"), "");
    show("Authorization", "Bearer other");
    cr_expect_str_eq(find_under_way("show_user")->token, "other");
    reply_result("show_user", &ann);
    cr_expect_not_null(json_object_get(asked.json, "user"));
    cr_expect_null(json_object_get(asked.json, "session_expires_at"));
}

static void expect_nobody(void)
{
    cr_expect_eq(asked.response.status, 200, "%s", asked.body);
    cr_expect_str_eq(asked.body, "{}");
    cr_expect_str_eq(asked_header(&asked, "Set-Cookie"), "");
}

Test(web_sign, nobody_is_an_answer)
{
    const char *header;

    show(NULL, NULL);
    expect_nobody();
    show("Cookie", "ates=AAAAAAAAAAAAAAAAAAAAAA");
    expect_nobody();
    show("Authorization", "Basic x");
    expect_nobody();
    show("Authorization", "Bearer old");
    reply_refusal("show_user", ATES_UNAUTHENTICATED, "TOKEN_EXPIRED");
    expect_nobody();
    header = sign_in_by_cookie("first-token");
    show("Cookie", header);
    reply_refusal("show_user", ATES_UNAUTHENTICATED, "TOKEN_REVOKED");
    expect_nobody();
    cr_expect_eq(web_sessions_count(web.sessions), 0);
}

Test(web_sign, auths_silence_is_not_nobody)
{
    const char *header = sign_in_by_cookie("first-token");

    show("Cookie", header);
    reply_nothing("show_user");
    expect_problem(&asked, 503, "NO_REPLY");
    show("Cookie", header);
    reply_refusal("show_user", ATES_UNAVAILABLE, "STARTING");
    expect_problem(&asked, 503, "STARTING");
    cr_expect_eq(web_sessions_count(web.sessions), 1);
}

static void reply_renewed(void)
{
    const struct auth_renew_token_result result = {.token = ates_text_from("second-token"),
                                                   .expires_at = clock_ms + 20 * MINUTE_MS};

    reply_result("renew_token", &result);
    cr_expect_eq(asked.response.status, 200, "%s", asked.body);
    cr_expect_eq(json_integer_value(json_object_get(asked.json, "expires_at")),
                 clock_ms + 20 * MINUTE_MS);
}

Test(web_sign, renews_a_token_or_the_sessions_own)
{
    const char *header = sign_in_by_cookie("first-token");

    begin(WEB_PUT, "/session");
    asked_send(&asked, "Authorization", "Bearer old");
    handle();
    reply_renewed();
    cr_expect_str_eq(asked_text(&asked, "token"), "second-token");

    begin(WEB_PUT, "/session");
    asked_send(&asked, "Cookie", header);
    asked_send(&asked, "ATES-Session", "cookie");
    handle();
    cr_expect_str_eq(find_under_way("renew_token")->token, "first-token");
    reply_renewed();
    cr_expect_null(strstr(asked.body, "second-token"), "%s", asked.body);
    cr_expect_str_eq(web_session_of(&asked.request)->token, "second-token");

    begin(WEB_PUT, "/session");
    handle();
    expect_problem(&asked, 401, "TOKEN_MISSING");
}

Test(web_sign, signing_out_is_of_the_cookies_session)
{
    const char *header = sign_in_by_cookie("first-token");

    begin(WEB_DELETE, "/session");
    asked_send(&asked, "Cookie", header);
    handle();
    expect_problem(&asked, 403, "CROSS_SITE");
    cr_expect_eq(web_sessions_count(web.sessions), 1);
    begin(WEB_DELETE, "/session");
    asked_send(&asked, "Cookie", header);
    asked_send(&asked, "Authorization", "Bearer x");
    handle();
    expect_problem(&asked, 409, "NO_SESSION");
    for (int i = 0; i < 2; i++) { /* it is over already: so be it */
        begin(WEB_DELETE, "/session");
        asked_send(&asked, "Cookie", header);
        asked_send(&asked, "ATES-Session", "cookie");
        handle();
        cr_expect_eq(asked.response.status, 204);
        cr_expect_str_eq(asked_header(&asked, "Set-Cookie"), CLEARED);
        cr_expect_str_eq(asked_header(&asked, "Clear-Site-Data"), "\"cache\"");
        cr_expect_eq(web_sessions_count(web.sessions), 0);
    }
    begin(WEB_DELETE, "/session");
    handle();
    cr_expect_eq(asked.response.status, 204);
    cr_expect_eq(streams_ended, 1);
}

Test(web_sign, what_has_no_fields_takes_none)
{
    static const struct {
        enum web_method method;
        const char *target, *body;
    } rows[] = {{WEB_GET, "/session?user_id=1", NULL},
                {WEB_GET, "/settings?x=1", NULL},
                {WEB_PUT, "/session?x=1", NULL},
                {WEB_PUT, "/session", "{\"x\":1}"},
                {WEB_DELETE, "/session", "{\"x\":1}"}};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        begin(rows[i].method, rows[i].target);
        asked_send(&asked, "Authorization", "Bearer x");
        if (rows[i].body != NULL) {
            asked_send_json(&asked, rows[i].body);
        }
        handle();
        expect_problem(&asked, 400, "FIELD_UNKNOWN");
    }
    cr_expect_eq(calls, 0);
}

Test(web_sign, settings_are_for_everybody)
{
    strcpy(web.config.time_zone, "Europe/Moscow");
    strcpy(web.config.open_roles, "developer,other");
    cr_assert_eq(ates_calendar_open("Europe/Moscow"), 0);
    clock_ms = NOW_MS; /* 2023-11-14T22:13:20Z, which is the next day there */
    begin(WEB_GET, "/settings");
    handle();
    cr_expect_eq(asked.response.status, 200);
    cr_expect_str_eq(asked_text(&asked, "time_zone"), "Europe/Moscow");
    cr_expect_str_eq(asked_text(&asked, "business_date"), "2023-11-15");
    cr_expect_str_neq(asked_text(&asked, "version"), "");
    json_t *roles = json_pack("[s, s]", "developer", "other");
    cr_expect(json_equal(json_object_get(asked.json, "open_roles"), roles), "%s", asked.body);
    json_decref(roles);
    strcpy(web.config.open_roles, "");
    begin(WEB_GET, "/settings");
    handle();
    cr_expect_eq(json_array_size(json_object_get(asked.json, "open_roles")), 0);
    cr_expect(json_is_array(json_object_get(asked.json, "open_roles")));
}

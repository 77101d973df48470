/* /session: signing in and out, with a token for programs or a cookie for browsers.
 *
 * Invariant: a token goes out only to who asked for one without the cookie's header. */
#include <string.h>

#include "web/web_api.h"
#include "web/web_call.h"
#include "web/web_guard.h"
#include "web/web_messages.h"
#include "web/web_private.h"
#include "web/web_problem.h"
#include "web/web_session_private.h"

static const uint8_t nothing[] = {0x80}; /* an empty map */

/* The Set-Cookie header for this value; an empty one removes the cookie. */
static struct web_header set_cookie(struct web_request *request, const char *value)
{
    char *text = ates_arena_alloc(request->arena, WEB_SET_COOKIE_SIZE);

    web_guard_set_cookie(request->web, value, text);
    return (struct web_header){"Set-Cookie", text};
}

/* Keeps the session, and answers with its cookie. */
static void answer_cookie(struct web_request *request,
                          const struct auth_auth_user_result *signed_in)
{
    struct web_auth_user_result result = {.session_expires_at = signed_in->session_expires_at,
                                          .user = signed_in->user};
    struct web_session *before = web_session_of(request);
    struct ates_refusal refusal = {.status = ATES_OK};
    char cookie[WEB_SESSION_COOKIE_SIZE];
    int fault = 0;

    if (before != NULL) {
        web_session_end(request->web, before);
    }
    if (web_session_begin(request->web->sessions, signed_in, cookie, &fault) == NULL) {
        ates_refusal_set(&refusal, ATES_INTERNAL, "INTERNAL", NULL,
                         "the session could not be kept: %s", strerror(-fault));
        web_respond_problem(request, &refusal);
        return;
    }
    const struct web_header header = set_cookie(request, cookie);
    web_respond_message(request, 200, &web_auth_user_result_message, &result, &header, 1);
}

static void take_sign_in(void *owner, const struct ates_reply *reply)
{
    struct web_request *request = owner;
    struct auth_auth_user_result result;
    struct ates_refusal refusal = {.status = ATES_OK};

    if (reply == NULL) {
        web_respond_no_reply(request);
    } else if (reply->status != ATES_OK) {
        web_respond_problem(request, &reply->refusal);
    } else if (ates_message_decode(&auth_auth_user_result_message, reply->body.data,
                                   reply->body.size, ATES_UNKNOWN_IGNORED, request->arena, &result,
                                   &refusal) != 0) {
        ates_refusal_set(&refusal, ATES_INTERNAL, "INTERNAL", NULL, "the service's reply is none");
        web_respond_problem(request, &refusal);
    } else if (web_guard_uses_cookie(request)) {
        answer_cookie(request, &result);
    } else {
        const struct web_auth_user_result plain = {.has_token = true,
                                                   .token = result.token,
                                                   .has_expires_at = true,
                                                   .expires_at = result.expires_at,
                                                   .session_expires_at = result.session_expires_at,
                                                   .user = result.user};

        web_respond_message(request, 200, &web_auth_user_result_message, &plain, NULL, 0);
    }
}

/* Whoever signs in is nobody yet, whatever cookie or token is there. */
void web_handle_sign_in(struct web_request *request, const struct web_route *route)
{
    const struct ates_command *command = web_route_command(route);
    const struct web_match match = {.route = route};
    struct ates_refusal refusal = {.status = ATES_OK};
    struct auth_auth_user value;
    struct ates_text cookie;
    bool is_media_type_wrong = false;
    const char *key = NULL;
    int r = 0;

    if (web_guard_uses_cookie(request) || web_guard_cookies(request, &cookie) > 0) {
        r = web_guard_check(request, &refusal);
    }
    if (r == 0) {
        r = web_api_read(request, &match, command->body, &value, &is_media_type_wrong, &refusal);
    }
    if (r == 0) {
        r = web_api_read_key(request, &key, &refusal);
    }
    if (r != 0) {
        web_api_refuse(request, is_media_type_wrong, &refusal);
        return;
    }
    struct ates_buffer body = {0};
    ates_message_encode(command->body, &value, &body);
    web_call(request, route->service, command, key, (struct ates_bytes){body.data, body.size},
             take_sign_in);
    explicit_bzero(body.data, body.size);
    ates_buffer_release(&body);
}

/* It leaves the cookie alone, though its session be over: this answer may come to the browser after
 * that of a new sign-in, of another tab, and would take away the new one. */
static void respond_user(struct web_request *request, const struct web_show_session_result *result)
{
    web_respond_message(request, 200, &web_show_session_result_message, result, NULL, 0);
}

static void take_user(void *owner, const struct ates_reply *reply)
{
    struct web_request *request = owner;
    struct web_show_session_result result = {.has_user = false};
    struct auth_user user;

    if (reply == NULL) {
        web_respond_no_reply(request);
        return;
    }
    if (reply->status == ATES_OK &&
        ates_message_decode(&auth_user_message, reply->body.data, reply->body.size,
                            ATES_UNKNOWN_IGNORED, request->arena, &user, NULL) == 0) {
        const struct web_session *session = web_caller_session(request);

        result.has_user = true;
        result.user = (struct auth_identity){
            .id = user.id, .login = user.login, .email = user.email, .role = user.role};
        result.has_session_expires_at = session != NULL;
        result.session_expires_at = session != NULL ? session->expires_at : 0;
    } else if (reply->status != ATES_OK && reply->status != ATES_UNAUTHENTICATED) {
        web_respond_problem(request, &reply->refusal);
        return;
    }
    respond_user(request, &result);
}

/* Nobody is an answer too: a page asks this before anything else. */
void web_handle_session(struct web_request *request, const struct web_route *route)
{
    const struct web_show_session_result nobody = {.has_user = false};
    struct ates_refusal refusal = {.status = ATES_OK};

    if (!web_api_takes_nothing(request, route)) {
        return;
    }
    if (web_caller_find(request, &refusal) != 0 || web_caller_is_nobody(request)) {
        respond_user(request, &nobody);
        return;
    }
    web_call(request, &auth_service,
             ates_service_command(&auth_service, "show_user", strlen("show_user")), NULL,
             (struct ates_bytes){nothing, sizeof nothing}, take_user);
}

static void take_renewal(void *owner, const struct ates_reply *reply)
{
    struct web_request *request = owner;
    struct web_session *session = web_caller_session(request);
    struct web_renew_token_result result = {.has_token = session == NULL};
    struct auth_renew_token_result renewed;
    struct ates_refusal refusal = {.status = ATES_OK};

    if (reply == NULL) {
        web_respond_no_reply(request);
    } else if (reply->status != ATES_OK) {
        web_respond_problem(request, &reply->refusal);
    } else if (ates_message_decode(&auth_renew_token_result_message, reply->body.data,
                                   reply->body.size, ATES_UNKNOWN_IGNORED, request->arena, &renewed,
                                   &refusal) != 0) {
        ates_refusal_set(&refusal, ATES_INTERNAL, "INTERNAL", NULL, "the service's reply is none");
        web_respond_problem(request, &refusal);
    } else {
        result.token = renewed.token;
        result.expires_at = renewed.expires_at;
        if (session != NULL) {
            web_session_set_token(session, renewed.token, renewed.expires_at);
        }
        web_respond_message(request, 200, &web_renew_token_result_message, &result, NULL, 0);
    }
}

void web_handle_renew(struct web_request *request, const struct web_route *route)
{
    struct ates_refusal refusal = {.status = ATES_OK};
    int r = web_caller_find(request, &refusal);

    if (r == 0 && web_caller_is_nobody(request)) {
        r = web_caller_refuse_nobody(&refusal);
    }
    if (r != 0) {
        web_respond_problem(request, &refusal);
        return;
    }
    if (!web_api_takes_nothing(request, route)) {
        return;
    }
    web_call(request, &auth_service, web_route_command(route), NULL,
             (struct ates_bytes){nothing, sizeof nothing}, take_renewal);
}

/* Where the session is over already, signing out has come true. */
void web_handle_sign_out(struct web_request *request, const struct web_route *route)
{
    struct ates_refusal refusal = {.status = ATES_OK};

    if (!web_api_takes_nothing(request, route)) {
        return;
    }
    if (web_request_header(request, "Authorization") != NULL) {
        ates_refusal_set(&refusal, ATES_FAILED_PRECONDITION, "NO_SESSION", NULL,
                         "a token is forgotten by who holds it; POST /api/v1/users/me/revoke ends "
                         "all sessions");
        web_respond_problem(request, &refusal);
        return;
    }
    if (web_caller_find(request, &refusal) == ATES_PERMISSION_DENIED) {
        web_respond_problem(request, &refusal);
        return;
    }
    struct web_session *session = web_caller_session(request);
    if (session != NULL) {
        web_session_end(request->web, session);
    }
    /* What was shown to the user is in the browser's cache, to be compared by its ETag. */
    const struct web_header headers[] = {set_cookie(request, ""), {"Clear-Site-Data", "\"cache\""}};
    web_respond_empty(request, headers, 2);
}

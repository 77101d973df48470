/* A request's caller, and commands on the caller's behalf.
 *
 * The caller is who the Authorization: Bearer header or the session's cookie says; a request with
 * the cookie that may change something must come from our own page (see web_guard.c). A session's
 * token that is over is renewed first. */
#ifndef WEB_CALL_H
#define WEB_CALL_H

#include "web/web_backend.h"
#include "web/web_request.h"

/* Finds the request's caller, or refuses: UNAUTHENTICATED / TOKEN_INVALID (an Authorization that is
 * none), SESSION_UNKNOWN (the cookie's session is over); PERMISSION_DENIED / CROSS_SITE. Without
 * header and cookie the caller is nobody, and 0 is returned: the service then decides. */
int web_caller_find(struct web_request *request, struct ates_refusal *refusal);

/* Whether the caller that was found is nobody: without header and cookie. */
bool web_caller_is_nobody(const struct web_request *request);

/* Refuses them: UNAUTHENTICATED / TOKEN_MISSING. */
int web_caller_refuse_nobody(struct ates_refusal *refusal);

/* The session by which the caller was found; NULL where it was not by a cookie. */
struct web_session;
struct web_session *web_caller_session(const struct web_request *request);

/* Calls SERVICE.COMMAND with the caller's token (found before). request_id: NULL for a fresh one
 * where the command changes anything. replied as in web_backend.h; a command that could not be sent
 * is answered through it too, by a refusal. At most one such call is under way for a request; it is
 * cancelled with it. */
void web_call(struct web_request *request, const struct ates_service *service,
              const struct ates_command *command, const char *request_id, struct ates_bytes body,
              web_replied *replied);

#endif

/* Sessions of browsers: a random id in a cookie on their side, the token on ours. */
#ifndef WEB_SESSION_H
#define WEB_SESSION_H

#include <ates/auth.h>

#include "web/web_request.h"

struct web_sessions;
struct web_session;

/* Opens the sessions kept below data_dir (DATA/web): they survive a restart. 0 or -errno with one
 * line in error. */
int web_sessions_open(struct web_sessions **self, struct ates_web *web, char *error, size_t size);
void web_sessions_close(struct web_sessions **self);

/* Drops what is over. */
void web_sessions_advance(struct web_sessions *self, int64_t now_us);
uint64_t web_sessions_count(const struct web_sessions *self);

/* The session of the request's cookie; NULL where there is none that lives. */
struct web_session *web_session_of(struct web_request *request);

struct web_route;
/* GET, POST, PUT, DELETE /session (web_sign.c). */
void web_handle_session(struct web_request *request, const struct web_route *route);
void web_handle_sign_in(struct web_request *request, const struct web_route *route);
void web_handle_renew(struct web_request *request, const struct web_route *route);
void web_handle_sign_out(struct web_request *request, const struct web_route *route);

#endif

/* Whether a request that is known by its cookie comes from our own page. Another site can have a
 * browser send requests here, with the cookie where the browser's rules let it: but not with a header
 * of its own making, and the browser says where from. */
#ifndef WEB_GUARD_H
#define WEB_GUARD_H

#include "web/web_request.h"

/* The header by which a page of ours says that it uses the cookie; its value is "cookie". */
#define WEB_SESSION_HEADER "ATES-Session"

/* Whether the request has the header. */
bool web_guard_uses_cookie(const struct web_request *request);

/* 0 where the request may change something on the cookie's word: it has the header, and neither
 * Sec-Fetch-Site nor Origin tells of another site. Else PERMISSION_DENIED / CROSS_SITE. */
int web_guard_check(const struct web_request *request, struct ates_refusal *refusal);

/* How many cookies of the session's name there are; value is the first one's. A page of a neighbour
 * below the same domain can add one, and which of two is ours cannot be told. */
unsigned web_guard_cookies(const struct web_request *request, struct ates_text *value);

/* A Set-Cookie header's value, of WEB_SET_COOKIE_SIZE bytes; an empty cookie is one to forget. By
 * the configured origin: with TLS in front the cookie is Secure, and bound to the host by its
 * name's prefix. */
#define WEB_SET_COOKIE_SIZE 128u
void web_guard_set_cookie(const struct ates_web *web, const char *cookie, char *out);

#endif

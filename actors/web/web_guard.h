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

/* The cookie's name and its attributes, by the configured origin: with TLS in front it is Secure,
 * and bound to the host by its prefix. */
const char *web_guard_cookie_name(const struct ates_web *web);
const char *web_guard_cookie_attributes(const struct ates_web *web);

#endif

/* The rules against other sites' requests; see web_guard.h. */
#include "web/web_guard.h"

#include <string.h>

#include "web/web_private.h"

static bool has_tls(const struct ates_web *web)
{
    return strncmp(web->config.web_origin, "https://", strlen("https://")) == 0;
}

const char *web_guard_cookie_name(const struct ates_web *web)
{
    return has_tls(web) ? "__Host-ates" : "ates";
}

const char *web_guard_cookie_attributes(const struct ates_web *web)
{
    return has_tls(web) ? "; Path=/; HttpOnly; SameSite=Strict; Secure"
                        : "; Path=/; HttpOnly; SameSite=Strict";
}

bool web_guard_uses_cookie(const struct web_request *request)
{
    const char *value = web_request_header(request, WEB_SESSION_HEADER);

    return value != NULL && strcmp(value, "cookie") == 0;
}

/* Where no origin is configured it is what the browser asked for: the host that it named. */
static bool is_our_origin(const struct web_request *request, const char *origin)
{
    static const char scheme[] = "http://";
    const char *host = web_request_header(request, "Host");

    if (request->web->config.web_origin[0] != '\0') {
        return strcmp(origin, request->web->config.web_origin) == 0;
    }
    return host != NULL && strncmp(origin, scheme, sizeof scheme - 1) == 0 &&
           strcmp(origin + sizeof scheme - 1, host) == 0;
}

int web_guard_check(const struct web_request *request, struct ates_refusal *refusal)
{
    const char *site = web_request_header(request, "Sec-Fetch-Site");
    const char *origin = web_request_header(request, "Origin");
    const char *why = !web_guard_uses_cookie(request) ? "the header ATES-Session: cookie is missing"
                      : site != NULL && strcmp(site, "same-origin") != 0
                          ? "the request comes from another site"
                      : origin != NULL && !is_our_origin(request, origin)
                          ? "the request comes from a page of another origin"
                          : NULL;

    return why == NULL
               ? 0
               : ates_refusal_set(refusal, ATES_PERMISSION_DENIED, "CROSS_SITE", NULL, "%s", why);
}

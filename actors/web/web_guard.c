/* The rules against other sites' requests; see web_guard.h. */
#include "web/web_guard.h"

#include <stdio.h>
#include <string.h>

#include "web/web_private.h"

static bool has_tls(const struct ates_web *web)
{
    return strncmp(web->config.web_origin, "https://", strlen("https://")) == 0;
}

static const char *cookie_name(const struct ates_web *web)
{
    return has_tls(web) ? "__Host-ates" : "ates";
}

unsigned web_guard_cookies(const struct web_request *request, struct ates_text *value)
{
    const char *name = cookie_name(request->web);
    const size_t name_size = strlen(name);

    *value = web_request_cookie(request, name);
    if (value->size == 0) {
        return 0;
    }
    unsigned count = 1;
    for (const char *at = value->data; (at = strchr(at, ';')) != NULL;) {
        at++;
        at += strspn(at, " \t");
        count += strncmp(at, name, name_size) == 0 && at[name_size] == '=';
    }
    return count;
}

void web_guard_set_cookie(const struct ates_web *web, const char *cookie, char *out)
{
    snprintf(out, WEB_SET_COOKIE_SIZE, "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s",
             cookie_name(web), cookie, has_tls(web) ? "; Secure" : "",
             cookie[0] != '\0' ? "" : "; Max-Age=0");
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

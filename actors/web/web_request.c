/* What a handler may ask of a request, and how it puts an answer together. */
#include <assert.h>
#include <string.h>

#include "web/web_server_private.h"

const char *web_request_header(const struct web_request *request, const char *name)
{
    return MHD_lookup_connection_value(web_exchange_of(request)->connection->mhd, MHD_HEADER_KIND,
                                       name);
}

/* RFC 6265, section 4.2: pairs with "; " in between. Of two cookies with one name the first counts:
 * browsers send the one of the longer path first. */
struct ates_text web_request_cookie(const struct web_request *request, const char *name)
{
    const char *at = web_request_header(request, "Cookie");
    const size_t name_size = strlen(name);

    while (at != NULL) {
        at += strspn(at, " \t");
        const char *end = at + strcspn(at, ";");
        if ((size_t)(end - at) > name_size && memcmp(at, name, name_size) == 0 &&
            at[name_size] == '=') {
            const char *value = at + name_size + 1;
            while (end > value && (end[-1] == ' ' || end[-1] == '\t')) {
                end--;
            }
            return (struct ates_text){value, (size_t)(end - value)};
        }
        at = *end != '\0' ? end + 1 : NULL;
    }
    return (struct ates_text){0};
}

void web_response_add(struct web_response *response, const char *name, const char *value)
{
    assert(response->header_count < WEB_HEADERS_MAX);
    response->headers[response->header_count++] = (struct web_header){name, value};
}

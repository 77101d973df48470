/* The page's files over HTTP; see web_assets.h. */
#include "web/web_assets.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "web/web_etag.h"

/* Everything comes from here, nothing runs that is not a file of ours, and nobody may frame it. */
const char web_content_security_policy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; worker-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

static int compare(const void *path, const void *asset)
{
    return strcmp(path, ((const struct web_asset *)asset)->path);
}

static const struct web_asset *find(const char *path)
{
    return bsearch(path, web_assets, web_asset_count, sizeof web_assets[0], compare);
}

/* The request's path, put together of its decoded segments. */
static const char *path_of(struct web_request *request)
{
    const struct web_uri *uri = &request->uri;
    size_t size = 2;

    for (size_t i = 0; i < uri->segment_count; i++) {
        size += 1 + uri->segments[i].size;
    }
    char *path = ates_arena_alloc(request->arena, size);
    char *end = path;
    for (size_t i = 0; i < uri->segment_count; i++) {
        *end++ = '/';
        memcpy(end, uri->segments[i].data, uri->segments[i].size);
        end += uri->segments[i].size;
    }
    if (end == path) {
        *end++ = '/';
    }
    *end = '\0';
    return path;
}

/* The weight that an Accept-Encoding gives a coding (RFC 9110, section 12.5.3), in thousandths; -1
 * where it is not named. */
static int weight(const char *accept, const char *coding)
{
    const size_t size = strlen(coding);

    while (*accept != '\0') {
        accept += strspn(accept, ", \t");
        const size_t item = strcspn(accept, ",");
        const size_t word = strcspn(accept, ",; \t");

        if (word == size && strncasecmp(accept, coding, size) == 0) {
            const char *semicolon = memchr(accept, ';', item);
            const char *q = semicolon != NULL ? semicolon + 1 + strspn(semicolon + 1, " \t") : NULL;

            return q != NULL && (q[0] == 'q' || q[0] == 'Q') && q[1] == '='
                       ? (int)(strtod(q + 2, NULL) * 1000)
                       : 1000;
        }
        accept += item;
    }
    return -1;
}

static bool takes_gzip(const struct web_request *request)
{
    const char *accept = web_request_header(request, "Accept-Encoding");

    if (accept == NULL) {
        return false;
    }
    const int gzip = weight(accept, "gzip");
    return (gzip >= 0 ? gzip : weight(accept, "*")) > 0;
}

/* Whether the file's answer says what may run beside it: the page does, and a worker, which has a
 * policy of its own. With each of the others it would be bytes for nothing. */
static bool has_policy(const struct web_asset *asset)
{
    static const char worker[] = "-worker.js";
    const size_t size = strlen(asset->path);

    return strncmp(asset->content_type, "text/html", strlen("text/html")) == 0 ||
           (size >= sizeof worker && strcmp(asset->path + size - (sizeof worker - 1), worker) == 0);
}

static void answer(struct web_request *request, const struct web_asset *asset)
{
    const bool is_packed = asset->gzip.size > 0 && takes_gzip(request);
    struct web_response response = {.status = 200,
                                    .content_type = asset->content_type,
                                    .body = is_packed ? asset->gzip : asset->plain,
                                    .is_static = true};

    web_response_add(&response, "ETag", asset->etag);
    web_response_add(&response, "Vary", "Accept-Encoding");
    web_response_add(&response, "Cache-Control",
                     asset->is_immutable ? "public, max-age=31536000, immutable" : "no-cache");
    if (has_policy(asset)) {
        web_response_add(&response, "Content-Security-Policy", web_content_security_policy);
    }
    if (web_etag_matches(web_request_header(request, "If-None-Match"), asset->etag)) {
        response.status = 304;
        response.content_type = NULL;
        response.body = (struct ates_bytes){.size = 0};
    } else if (is_packed) {
        web_response_add(&response, "Content-Encoding", "gzip");
    }
    web_respond(request, &response);
}

/* Whether a path that names no file is the page's: one of those that its router has, or whatever a
 * browser asks for as a page, which is told there that it is none. */
static bool is_page(const struct web_request *request)
{
    static const char *const own[] = {"tasks",  "accounting", "analytics",
                                      "people", "sign-in",    "register"};
    const char *accept = web_request_header(request, "Accept");
    const struct ates_text *first = &request->uri.segments[0];

    if (request->uri.segment_count > 0 && ates_text_equal(*first, ates_text_from("assets"))) {
        return false;
    }
    for (size_t i = 0; request->uri.segment_count > 0 && i < sizeof own / sizeof own[0]; i++) {
        if (ates_text_equal(*first, ates_text_from(own[i]))) {
            return true;
        }
    }
    return accept != NULL && strstr(accept, "text/html") != NULL;
}

bool web_handle_asset(struct web_request *request)
{
    const struct web_asset *asset = find(path_of(request));

    if (asset == NULL && is_page(request)) {
        asset = find("/");
    }
    if (asset != NULL) {
        answer(request, asset);
    }
    return asset != NULL;
}

/* What a request is for. */
#include <string.h>

#include "web/web_api.h"
#include "web/web_assets.h"
#include "web/web_health.h"
#include "web/web_private.h"
#include "web/web_problem.h"
#include "web/web_route.h"

#define API_SEGMENTS 2u /* api, v1 */

static bool is_path(const struct web_request *request, const char *word)
{
    return request->uri.segment_count == 1 &&
           ates_text_equal(request->uri.segments[0], ates_text_from(word));
}

static bool is_api(const struct web_request *request)
{
    return request->uri.segment_count > 0 &&
           ates_text_equal(request->uri.segments[0], ates_text_from("api"));
}

static void refuse_path(struct web_request *request)
{
    struct ates_refusal refusal = {.status = ATES_OK};

    ates_refusal_set(&refusal, ATES_NOT_FOUND, "ROUTE_UNKNOWN", NULL,
                     "there is nothing at this path; the API is described at "
                     "/api/v1/openapi.json");
    web_respond_problem(request, &refusal);
}

static void refuse_method(struct web_request *request, const char *allow)
{
    struct ates_refusal refusal = {.status = ATES_OK};

    ates_refusal_set(&refusal, ATES_UNIMPLEMENTED, "METHOD_NOT_ALLOWED", NULL,
                     "this path has the methods %s", allow);
    web_respond_problem_as(request, 405, &refusal, "Allow", allow);
}

/* The document, which is no service's. */
static void handle_document(struct web_request *request)
{
    static const struct web_route route = {.method = WEB_GET, .path = "/openapi.json"};
    const struct ates_buffer *document = &request->web->openapi;

    if (request->method != WEB_GET) {
        refuse_method(request, "GET, HEAD");
    } else if (web_api_takes_nothing(request, &route)) {
        web_respond_json(request, 200, (struct ates_bytes){document->data, document->size}, NULL,
                         0);
    }
}

/* A path of the API: below /api/v1. */
static void handle_api(struct web_request *request)
{
    const struct web_uri *uri = &request->uri;
    struct web_match match;

    if (uri->segment_count < API_SEGMENTS + 1 ||
        !ates_text_equal(uri->segments[1], ates_text_from("v1"))) {
        refuse_path(request);
        return;
    }
    if (uri->segment_count == API_SEGMENTS + 1 &&
        ates_text_equal(uri->segments[2], ates_text_from("openapi.json"))) {
        handle_document(request);
        return;
    }
    switch (web_route_match(request->method, uri->segments + API_SEGMENTS,
                            uri->segment_count - API_SEGMENTS, &match)) {
    case 0:
        if (match.route->handle != NULL) {
            match.route->handle(request, match.route);
        } else {
            web_api_pass(request, &match);
        }
        break;
    case ATES_UNIMPLEMENTED:
        refuse_method(request, match.allow);
        break;
    default:
        refuse_path(request);
    }
}

void web_handle(struct web_request *request)
{
    static const struct {
        const char *path;
        void (*handle)(struct web_request *request);
    } probes[] = {
        {"healthz", web_handle_healthz},
        {"readyz", web_handle_readyz},
        {"metrics", web_handle_metrics},
    };

    for (size_t i = 0; i < sizeof probes / sizeof probes[0]; i++) {
        if (is_path(request, probes[i].path)) {
            if (request->method == WEB_GET) {
                probes[i].handle(request);
            } else {
                refuse_method(request, "GET, HEAD");
            }
            return;
        }
    }
    if (is_api(request)) {
        handle_api(request);
    } else if (request->method != WEB_GET) {
        refuse_method(request, "GET, HEAD");
    } else if (!web_handle_asset(request)) {
        refuse_path(request);
    }
}

/* /metrics: who may read them, and their collection from every service.
 *
 * Invariant: nothing is asked of a service for a client that may not read; a service that does not
 * answer is told as down, and holds up nobody beyond its deadline. */
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include <ates/auth.h>

#include "web/web_backend.h"
#include "web/web_call.h"
#include "web/web_health.h"
#include "web/web_hub.h"
#include "web/web_metrics.h"
#include "web/web_private.h"
#include "web/web_problem.h"
#include "web/web_server.h"
#include "web/web_session.h"

#define SCRAPE_TIMEOUT_MS 2000

static const uint8_t nothing[] = {0x80}; /* the empty map */

struct part {
    struct scrape *scrape;
    const struct ates_service *service;
    struct web_pending *pending; /* NULL: none under way */
    bool up;
};

/* In the request's arena. */
struct scrape {
    struct web_request *request;
    struct web_metrics *metrics;
    size_t left; /* replies to come */
    size_t count;
    struct part parts[];
};

static bool is_loopback(const char *peer)
{
    struct in_addr four;
    struct in6_addr six;

    if (inet_pton(AF_INET, peer, &four) == 1) {
        return ntohl(four.s_addr) >> 24 == 127;
    }
    return inet_pton(AF_INET6, peer, &six) == 1 &&
           (IN6_IS_ADDR_LOOPBACK(&six) || (IN6_IS_ADDR_V4MAPPED(&six) && six.s6_addr[12] == 127));
}

/* In a time that tells nothing of either: both are hashed to one length first. */
static bool is_same(const char *a, const char *b)
{
    uint8_t hashes[2][crypto_generichash_BYTES];

    crypto_generichash(hashes[0], sizeof hashes[0], (const uint8_t *)a, strlen(a), NULL, 0);
    crypto_generichash(hashes[1], sizeof hashes[1], (const uint8_t *)b, strlen(b), NULL, 0);
    return sodium_memcmp(hashes[0], hashes[1], sizeof hashes[0]) == 0;
}

/* Whether the client may read whoever it is. */
static bool is_open(const struct web_request *request)
{
    static const char scheme[] = "Bearer ";
    const struct ates_web *web = request->web;

    if (web->metrics_token[0] == '\0') {
        /* Behind a proxy, which an origin tells of, every client would be on this machine. */
        return web->config.web_origin[0] == '\0' && is_loopback(request->peer);
    }
    const char *authorization = web_request_header(request, "Authorization");
    return authorization != NULL && strncasecmp(authorization, scheme, strlen(scheme)) == 0 &&
           is_same(authorization + strlen(scheme), web->metrics_token);
}

static void put_requests(struct web_metrics *metrics, const struct web_server_counts *counts)
{
    static const char help[] = "HTTP requests, by their answer's class; cut: without one.";
    static const char *const classes[] = {"cut", "1xx", "2xx", "3xx", "4xx", "5xx"};

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (i != 1) { /* final answers have no such status */
            web_metrics_put(metrics, "ates_web_requests_total", ATES_COUNTER, help,
                            counts->requests[i], "status=\"%s\"", classes[i]);
        }
    }
    web_metrics_put_histogram(metrics, "ates_web_request_duration_microseconds",
                              "Time from HTTP requests to their answers.", &counts->took_us,
                              &ates_time_scale);
}

static void put_connections(struct web_metrics *metrics, const struct web_server_counts *counts)
{
    const struct {
        const char *name;
        enum ates_metric_type type;
        uint64_t value;
        const char *help;
    } figures[] = {
        {"ates_web_connections", ATES_GAUGE, counts->connections, "HTTP connections."},
        {"ates_web_streams", ATES_GAUGE, counts->streams, "Connections that are event streams."},
        {"ates_web_suspended", ATES_GAUGE, counts->suspended,
         "Connections that wait for a service's reply."},
        {"ates_web_accepted_total", ATES_COUNTER, counts->accepted,
         "HTTP connections that were taken."},
        {"ates_web_refused_total", ATES_COUNTER, counts->refused_at_limit,
         "HTTP connections refused since there were too many."},
        {"ates_web_cut_total", ATES_COUNTER, counts->cut_for_slowness,
         "HTTP connections cut since the client was too slow."},
    };

    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
        web_metrics_put(metrics, figures[i].name, figures[i].type, figures[i].help,
                        figures[i].value, NULL);
    }
}

static void put_own(struct web_metrics *metrics, const struct ates_web *web)
{
    const struct web_server_counts *counts = web_server_counts(web->server);

    web_metrics_put(metrics, "ates_build_info", ATES_GAUGE, "The program's version.", 1,
                    "version=\"%s\"", ATES_VERSION);
    put_requests(metrics, counts);
    put_connections(metrics, counts);
    for (size_t i = 0; web_services[i] != NULL; i++) {
        web_metrics_put(metrics, "ates_web_backend_in_flight", ATES_GAUGE,
                        "Commands that wait for the service's reply.",
                        web_backend_in_flight(web->backend, i), "service=\"%s\"",
                        web_services[i]->name);
        web_metrics_put(metrics, "ates_web_backend_given_up_total", ATES_COUNTER,
                        "Commands to which no reply came in time.",
                        web_backend_given_up(web->backend, i), "service=\"%s\"",
                        web_services[i]->name);
    }
    web_metrics_put(metrics, "ates_web_sessions", ATES_GAUGE, "Browsers' sessions.",
                    web_sessions_count(web->sessions), NULL);
    web_metrics_put(metrics, "ates_web_listeners", ATES_GAUGE, "Streams of live events.",
                    web_hub_streams(web->hub), NULL);
    web_metrics_put(metrics, "ates_web_events_total", ATES_COUNTER,
                    "Events taken in for live streams.", web_hub_events(web->hub), NULL);
}

static void finish(struct scrape *self)
{
    struct ates_buffer text = {0};

    for (size_t i = 0; i < self->count; i++) {
        web_metrics_put(self->metrics, "ates_up", ATES_GAUGE, "1 where the service answers.",
                        self->parts[i].up, "service=\"%s\"", self->parts[i].service->name);
    }
    put_own(self->metrics, self->request->web);
    web_metrics_write(self->metrics, &text);
    struct web_response response = {
        .status = 200,
        .content_type = WEB_METRICS_CONTENT_TYPE,
        .body = {text.data, text.size},
    };
    web_response_add(&response, "Cache-Control", "no-store");
    web_respond(self->request, &response);
    ates_buffer_release(&text);
}

static void take_figures(void *owner, const struct ates_reply *reply)
{
    struct part *part = owner;
    struct scrape *self = part->scrape;
    struct ates_metrics_result result;

    part->pending = NULL;
    if (reply != NULL && reply->status == ATES_OK &&
        ates_message_decode(&ates_metrics_result_message, reply->body.data, reply->body.size,
                            ATES_UNKNOWN_IGNORED, self->request->arena, &result, NULL) == 0) {
        const struct ates_metric *items = result.items.items;

        part->up = true;
        for (size_t i = 0; i < result.items.count; i++) {
            web_metrics_add(self->metrics, &items[i]);
        }
    }
    self->left--;
    if (self->left == 0) {
        finish(self);
    }
}

static void cancel(struct web_request *request)
{
    struct scrape *self = request->context;

    for (size_t i = 0; i < self->count; i++) {
        if (self->parts[i].pending != NULL) {
            web_backend_cancel(request->web->backend, self->parts[i].pending);
        }
    }
}

static void collect(struct web_request *request)
{
    struct ates_web *web = request->web;
    size_t count = 0;

    while (web_services[count] != NULL) {
        count++;
    }
    struct scrape *self =
        ates_arena_alloc(request->arena, sizeof *self + count * sizeof self->parts[0]);
    self->request = request;
    self->metrics = web_metrics_new(request->arena);
    self->count = count;
    request->context = self;
    request->gone = cancel;
    for (size_t i = 0; i < count; i++) {
        struct part *part = &self->parts[i];
        const struct web_command command = {
            .service = web_services[i],
            .command = ates_service_command(web_services[i], "metrics", strlen("metrics")),
            .token = ates_text_from(web->token.text),
            .body = {nothing, sizeof nothing},
            .timeout_ms = SCRAPE_TIMEOUT_MS,
        };

        part->scrape = self;
        part->service = web_services[i];
        part->pending =
            web_backend_call(web->backend, &command, take_figures, part, ates_monotonic_us());
        self->left += part->pending != NULL;
    }
    if (self->left == 0) {
        finish(self);
    }
}

static void take_user(void *owner, const struct ates_reply *reply)
{
    struct web_request *request = owner;
    struct auth_user user;
    struct ates_refusal refusal;

    if (reply == NULL) {
        web_respond_no_reply(request);
    } else if (reply->status != ATES_OK) {
        web_respond_problem(request, &reply->refusal);
    } else if (ates_message_decode(&auth_user_message, reply->body.data, reply->body.size,
                                   ATES_UNKNOWN_IGNORED, request->arena, &user, &refusal) != 0 ||
               user.role != ATES_ADMINISTRATOR) {
        ates_refusal_set(&refusal, ATES_PERMISSION_DENIED, "ROLE_NOT_ALLOWED", NULL,
                         "only administrators may read the metrics");
        web_respond_problem(request, &refusal);
    } else {
        collect(request);
    }
}

void web_handle_metrics(struct web_request *request)
{
    struct ates_refusal refusal;

    if (is_open(request)) {
        collect(request);
    } else if (web_caller_find(request, &refusal) != 0) {
        web_respond_problem(request, &refusal);
    } else {
        web_call(request, &auth_service,
                 ates_service_command(&auth_service, "show_user", strlen("show_user")), NULL,
                 (struct ates_bytes){nothing, sizeof nothing}, take_user);
    }
}

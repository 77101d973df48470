/* /metrics: who may read them, as a table, and what is collected of whom. */
#include "support/promtool.h"
#include "support/web_fakes.h"

static struct ates_web web;
static struct fake_request one;
static struct web_server_counts counts;

static void set_up(void)
{
    fake_open(&one, &web);
    strcpy(web.token.text, "own-token");
}

static void tear_down(void)
{
    fake_close(&one);
    cr_assert_eq(fake_under_way(), 0, "a call outlives its request");
}

TestSuite(web_scrape, .init = set_up, .fini = tear_down, .timeout = 60);

const struct web_server_counts *web_server_counts(const struct web_server *server)
{
    (void)server;
    return &counts;
}

uint64_t web_backend_in_flight(const struct web_backend *self, size_t service)
{
    (void)self;
    return service + 10;
}

uint64_t web_backend_given_up(const struct web_backend *self, size_t service)
{
    (void)self;
    return service + 20;
}

uint64_t web_sessions_count(const struct web_sessions *self)
{
    (void)self;
    return 3;
}

uint64_t web_hub_streams(const struct web_hub *self)
{
    (void)self;
    return 4;
}

uint64_t web_hub_events(const struct web_hub *self)
{
    (void)self;
    return 5;
}

/* "Bearer ROLE" is a token of that role, any other "Bearer" none that is valid. */
int web_caller_find(struct web_request *request, struct ates_refusal *refusal)
{
    const char *authorization = fake_of(request)->authorization;

    if (authorization == NULL) {
        return 0;
    }
    for (int role = 0; role < ATES_ROLE_COUNT; role++) {
        if (strcmp(authorization + strlen("Bearer "), ates_role_names[role]) == 0) {
            return 0;
        }
    }
    return ates_refusal_set(refusal, ATES_UNAUTHENTICATED, "TOKEN_INVALID", NULL, "no token");
}

/* What auth does: silent where it is down. */
static bool auth_is_down;

void web_call(struct web_request *request, const struct ates_service *service,
              const struct ates_command *command, const char *request_id, struct ates_bytes body,
              web_replied *replied)
{
    const char *authorization = fake_of(request)->authorization;
    struct ates_reply reply = {.status = ATES_OK};
    struct ates_buffer made = {0};

    cr_assert_eq(service, &auth_service);
    cr_assert_str_eq(command->name, "show_user");
    cr_assert_null(request_id);
    cr_assert(body.size == 1 && body.data[0] == 0x80);
    if (auth_is_down) {
        replied(request, NULL);
        return;
    }
    if (authorization == NULL) {
        reply.status = (enum ates_status)ates_refusal_set(&reply.refusal, ATES_UNAUTHENTICATED,
                                                          "TOKEN_MISSING", NULL, "no token");
    } else {
        struct auth_user user = {.id = 1,
                                 .login = ates_text_from("popug"),
                                 .email = ates_text_from("popug@example.org")};
        while (strcmp(authorization + strlen("Bearer "), ates_role_names[user.role]) != 0) {
            user.role++;
        }
        ates_message_encode(&auth_user_message, &user, &made);
        reply.body = (struct ates_bytes){made.data, made.size};
    }
    replied(request, &reply);
    ates_buffer_release(&made);
}

static void reply(const struct ates_service *service)
{
    char labels[64];
    struct ates_metric items[] = {
        {.name = ates_text_from("ates_log_head_seq"),
         .has_labels = true,
         .value = 6,
         .has_type = true,
         .type = ATES_GAUGE,
         .has_help = true,
         .help = ates_text_from("Last event of the service's log.")},
    };
    const struct ates_metrics_result result = {{items, 1}};

    snprintf(labels, sizeof labels, "service=\"%s\"", service->name);
    items[0].labels = ates_text_from(labels);
    fake_reply(service, "metrics", &ates_metrics_result_message, &result);
}

static const struct access {
    const char *peer, *origin, *token, *authorization;
    unsigned status; /* 200: may read */
    const char *reason;
} accesses[] = {
    /* Nothing configured: whoever is on this machine. */
    {"127.0.0.1", "", "", NULL, 200, ""},
    {"127.8.9.1", "", "", NULL, 200, ""},
    {"::1", "", "", NULL, 200, ""},
    {"::ffff:127.0.0.1", "", "", NULL, 200, ""},
    {"127.0.0.1", "", "", "Bearer nonsense", 200, ""},
    {"192.0.2.1", "", "", NULL, 401, "TOKEN_MISSING"},
    {"128.0.0.1", "", "", NULL, 401, "TOKEN_MISSING"},
    {"::ffff:192.0.2.1", "", "", NULL, 401, "TOKEN_MISSING"},
    {"fe80::1%lo", "", "", NULL, 401, "TOKEN_MISSING"},
    {"", "", "", NULL, 401, "TOKEN_MISSING"},
    {"192.0.2.1", "", "", "Bearer ", 401, "TOKEN_INVALID"},
    /* An origin: a proxy is on this machine, its clients are not. */
    {"127.0.0.1", "https://a.example", "", NULL, 401, "TOKEN_MISSING"},
    {"127.0.0.1", "https://a.example", "", "Bearer developer", 403, "ROLE_NOT_ALLOWED"},
    {"127.0.0.1", "https://a.example", "", "Bearer administrator", 200, ""},
    /* A token: who knows it, from anywhere. */
    {"192.0.2.1", "", "word", "Bearer word", 200, ""},
    {"192.0.2.1", "https://a.example", "word", "bearer word", 200, ""},
    {"192.0.2.1", "", "word", "Bearer wor", 401, "TOKEN_INVALID"},
    {"192.0.2.1", "", "word", "Bearer words", 401, "TOKEN_INVALID"},
    {"192.0.2.1", "", "word", "Bearer ", 401, "TOKEN_INVALID"},
    {"192.0.2.1", "", "word", "Basic. word", 401, "TOKEN_INVALID"},
    {"127.0.0.1", "", "word", NULL, 401, "TOKEN_MISSING"},
    {"127.0.0.1", "", "word", "Bearer accountant", 403, "ROLE_NOT_ALLOWED"},
    /* An administrator, always; nobody else. */
    {"192.0.2.1", "", "", "Bearer administrator", 200, ""},
    {"192.0.2.1", "", "word", "Bearer administrator", 200, ""},
    {"192.0.2.1", "", "", "Bearer manager", 403, "ROLE_NOT_ALLOWED"},
    {"192.0.2.1", "", "", "Bearer developer", 403, "ROLE_NOT_ALLOWED"},
    {"192.0.2.1", "", "", "Bearer boss", 403, "ROLE_NOT_ALLOWED"},
    {"192.0.2.1", "", "", "Bearer accountant", 403, "ROLE_NOT_ALLOWED"},
    {"192.0.2.1", "", "", "Bearer internalservice", 403, "ROLE_NOT_ALLOWED"},
    {"192.0.2.1", "", "", "Bearer other", 403, "ROLE_NOT_ALLOWED"},
};

static void check_access(const struct access *access)
{
    struct fake_request request;
    const char *authorization = access->authorization != NULL ? access->authorization : "none";

    fake_open(&request, &web);
    strcpy(request.request.peer, access->peer);
    strcpy(web.config.web_origin, access->origin);
    strcpy(web.metrics_token, access->token);
    request.authorization = access->authorization;
    web_handle_metrics(&request.request);
    if (access->status == 200) {
        cr_assert_eq(fake_under_way(), 2, "%s, %s: refused", access->peer, authorization);
        reply(&auth_service);
        reply(&tasks_service);
    }
    cr_expect_eq(fake_under_way(), 0, "%s, %s: services are asked", access->peer, authorization);
    cr_expect_eq(request.status, access->status, "%s, %s, %s, %s: %u", access->peer, access->origin,
                 access->token, authorization, request.status);
    cr_expect_str_eq(request.reason, access->reason);
    cr_expect_eq(strstr(request.body, "ates_up") != NULL, access->status == 200);
    fake_close(&request);
}

Test(web_scrape, who_may_read)
{
    for (size_t i = 0; i < sizeof accesses / sizeof accesses[0]; i++) {
        check_access(&accesses[i]);
    }
}

Test(web_scrape, an_administrator_must_wait_for_auth)
{
    auth_is_down = true;
    one.authorization = "Bearer administrator";
    web_handle_metrics(&one.request);
    cr_assert_eq(one.status, 503);
    cr_assert_str_eq(one.reason, "NO_REPLY");
}

static void scrape(void)
{
    strcpy(one.request.peer, "127.0.0.1");
    web_handle_metrics(&one.request);
}

static void check_line(const char *line)
{
    const char *at = strstr(one.body, line);

    cr_assert_not_null(at, "no line %s in\n%s", line, one.body);
    cr_assert((at == one.body || at[-1] == '\n') && at[strlen(line)] == '\n', "%s", line);
}

Test(web_scrape, asks_with_the_services_own_token)
{
    scrape();
    cr_assert_eq(fake_under_way(), 2);
    for (size_t i = 0; i < 2; i++) {
        cr_assert_str_eq(fake_pending[i].command, "metrics");
        cr_assert_str_eq(fake_pending[i].token, "own-token");
        cr_assert_leq(fake_pending[i].timeout_ms, 5000, "a scraper waits ten seconds");
    }
    reply(&auth_service);
    cr_assert_eq(one.status, 0);
    reply(&tasks_service);
    cr_assert_eq(one.status, 200);
}

Test(web_scrape, a_silent_service_is_down_and_the_others_are_told)
{
    scrape();
    fake_reply(&auth_service, "metrics", NULL, NULL);
    reply(&tasks_service);
    cr_assert_eq(one.status, 200);
    check_line("ates_up{service=\"auth\"} 0");
    check_line("ates_up{service=\"tasks\"} 1");
    check_line("ates_log_head_seq{service=\"tasks\"} 6");
    cr_assert_null(strstr(one.body, "ates_log_head_seq{service=\"auth\"}"));
}

Test(web_scrape, a_service_that_cannot_be_asked_is_down)
{
    fake_room = 0;
    scrape();
    cr_assert_eq(one.status, 200);
    check_line("ates_up{service=\"auth\"} 0");
    check_line("ates_up{service=\"tasks\"} 0");
}

Test(web_scrape, a_reply_that_is_none_is_down)
{
    scrape();
    reply(&auth_service);
    fake_reply(&tasks_service, "metrics", &ates_empty_message, &(struct ates_empty){0});
    check_line("ates_up{service=\"auth\"} 1");
    check_line("ates_up{service=\"tasks\"} 0");
}

Test(web_scrape, a_client_that_is_gone_takes_its_calls_along)
{
    scrape();
    cr_assert_eq(fake_under_way(), 2);
    fake_reply(&auth_service, "metrics", NULL, NULL);
    one.request.gone(&one.request);
    one.request.gone = NULL;
    cr_assert_eq(fake_under_way(), 0);
}

Test(web_scrape, tells_what_this_service_does)
{
    counts = (struct web_server_counts){.connections = 1,
                                        .streams = 2,
                                        .suspended = 3,
                                        .accepted = 4,
                                        .refused_at_limit = 5,
                                        .cut_for_slowness = 6,
                                        .requests = {7, 0, 8, 9, 10, 11},
                                        .took_us = {.counts = {[14] = 2}, .sum = 1500000}};
    scrape();
    reply(&auth_service);
    reply(&tasks_service);
    cr_assert_str_eq(one.content_type, "text/plain; version=0.0.4; charset=utf-8");
    check_line("ates_build_info{version=\"" ATES_VERSION "\"} 1");
    check_line("ates_web_connections 1");
    check_line("ates_web_streams 2");
    check_line("ates_web_suspended 3");
    check_line("ates_web_accepted_total 4");
    check_line("ates_web_refused_total 5");
    check_line("ates_web_cut_total 6");
    check_line("ates_web_requests_total{status=\"cut\"} 7");
    check_line("ates_web_requests_total{status=\"2xx\"} 8");
    check_line("ates_web_requests_total{status=\"3xx\"} 9");
    check_line("ates_web_requests_total{status=\"4xx\"} 10");
    check_line("ates_web_requests_total{status=\"5xx\"} 11");
    check_line("ates_web_request_duration_seconds_bucket{le=\"1.000000\"} 0");
    check_line("ates_web_request_duration_seconds_bucket{le=\"2.500000\"} 2");
    check_line("ates_web_request_duration_seconds_sum 1.500000");
    check_line("ates_web_request_duration_seconds_count 2");
    check_line("ates_web_backend_in_flight{service=\"auth\"} 10");
    check_line("ates_web_backend_in_flight{service=\"tasks\"} 11");
    check_line("ates_web_backend_given_up_total{service=\"tasks\"} 21");
    check_line("ates_web_sessions 3");
    check_line("ates_web_listeners 4");
    check_line("ates_web_events_total 5");
}

Test(web_scrape, prometheus_takes_all_of_it)
{
    scrape();
    reply(&auth_service);
    reply(&tasks_service);
    promtool_check(one.body, strlen(one.body));
}

/* The harness: its folder, users and calls; see flow.h. Its processes are flow_process.c. */
#include "support/flow.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include <ates/auth.h>

#include "auth/auth.h"
#include "core/calendar.h"
#include "core/datadir.h"
#include "core/engine.h"
#include "support/seed.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SCALE_DEFAULT 5
#else
#define SCALE_DEFAULT 1
#endif

#define NOW_HOUR 13
#define TOKEN_LIFE_MS (INT64_C(12) * 3600 * 1000)

uint64_t flow_setting(const char *variable, uint64_t otherwise)
{
    const char *given = getenv(variable);

    return given != NULL && given[0] != '\0' ? strtoull(given, NULL, 0) : otherwise;
}

int64_t flow_scale(void)
{
    return (int64_t)flow_setting("ATES_TIME_SCALE", SCALE_DEFAULT);
}

bool flow_is_long(void)
{
    return flow_setting("ATES_LONG", 0) != 0;
}

int64_t flow_now_ms(void)
{
    return ates_monotonic_us() / 1000;
}

uint64_t flow_draw(struct flow *flow, uint64_t bound)
{
    return seed_draw(&flow->seed, bound);
}

static enum ates_role role_of(uint64_t user)
{
    switch (user) {
    case FLOW_ADMINISTRATOR:
        return ATES_ADMINISTRATOR;
    case FLOW_MANAGER:
        return ATES_MANAGER;
    case FLOW_ACCOUNTANT:
        return ATES_ACCOUNTANT;
    case FLOW_SERVICE:
        return ATES_INTERNALSERVICE;
    default:
        return ATES_DEVELOPER;
    }
}

const char *flow_login(uint64_t user)
{
    static const char *const logins[] = {"",     "ada",  "max",  "acc", "dev1",
                                         "dev2", "dev3", "dev4", "dev5"};

    cr_assert_leq(user, FLOW_USERS);
    return logins[user];
}

const char *flow_password(uint64_t user)
{
    static char password[64];

    snprintf(password, sizeof password, "the password of %s", flow_login(user));
    return password;
}

static void sign_token(struct flow *flow, uint64_t user)
{
    const struct ates_source source = ates_source_system();
    const bool is_user = user != FLOW_SERVICE;
    struct ates_secret_key key;
    char dir[128], error[512] = "";
    struct ates_claims claims = {.user_id = is_user ? user : 0, .role = role_of(user)};

    strcpy(claims.login, is_user ? flow_login(user) : "flow");
    strcpy(claims.sid, is_user ? "flow" : "");
    claims.issued_at = claims.not_before = ates_now_ms(&source);
    claims.expires_at = claims.issued_at + TOKEN_LIFE_MS;
    snprintf(dir, sizeof dir, "%s/keys", flow->data_dir);
    cr_assert_eq(ates_keys_load_secret(dir, is_user ? ATES_KEY_USERS : ATES_KEY_SERVICES, &key,
                                       error, sizeof error),
                 0, "%s", error);
    cr_assert_eq(ates_token_sign(&key, &source, &claims, flow->tokens[user]), 0);
}

void flow_configure(struct flow *flow, const char *format, ...)
{
    va_list values;

    snprintf(flow->config, sizeof flow->config, "%s/ates.conf", flow->folder);
    FILE *file = fopen(flow->config, "w");
    cr_assert_not_null(file, "%s", flow->config);
    va_start(values, format);
    vfprintf(file, format, values);
    va_end(values);
    fclose(file);
}

const struct ates_config *flow_load_config(const struct flow *flow)
{
    const struct ates_setting flags[] = {{"data", flow->data_dir}, {"run", flow->run_dir}};
    static struct ates_config config;
    char error[512] = "";

    cr_assert_eq(ates_config_load(&config, flow->config, flags, 2, error, sizeof error), 0, "%s",
                 error);
    return &config;
}

/* The users go straight into auth's log, before its process starts. */
static void make_users(struct flow *flow)
{
    const struct ates_source source = ates_source_system();
    const struct ates_caller caller = {.signed_in = true, .role = ATES_INTERNALSERVICE};
    const struct ates_config *config = flow_load_config(flow);
    struct ates_engine *engine;
    char keys[128], error[512] = "";

    cr_assert_eq(ates_datadir_create(flow->data_dir, error, sizeof error), 0, "%s", error);
    snprintf(keys, sizeof keys, "%s/keys", flow->data_dir);
    cr_assert_eq(ates_keys_create(keys, error, sizeof error), 0, "%s", error);
    cr_assert_eq(ates_engine_open(&engine, &auth_domain, config, &source, error, sizeof error), 0,
                 "%s", error);
    cr_assert_eq(ates_engine_start(engine), 0);
    for (uint64_t user = 1; user <= FLOW_USERS; user++) {
        struct auth_register_user_result result;
        struct ates_refusal refusal = {.message = ""};
        const struct auth_register_user body = {
            .login = ates_text_from(flow_login(user)),
            .email = ates_text_from("someone@example.org"),
            .password = ates_text_from(flow_password(user)),
            .role = role_of(user),
        };

        cr_assert_eq(ates_engine_invoke(engine, &caller, "register_user", &body, flow->arena,
                                        &result, &refusal),
                     0, "%s", refusal.message);
        cr_assert_eq(result.user_id, user);
    }
    ates_engine_close(&engine);
}

/* At midnight payment closes the day, which moves money: a test that does not ask for that must not
 * meet it. Noon is past, so that a test may place things at today's. */
static void choose_time_zone(void)
{
    const time_t now = time(NULL);
    struct tm utc;
    char zone[32];

    cr_assert_not_null(gmtime_r(&now, &utc));
    snprintf(zone, sizeof zone, "Etc/GMT%+d", utc.tm_hour - NOW_HOUR); /* the names count west */
    cr_assert_eq(setenv("ATES_TIME_ZONE", zone, 0), 0);
    cr_assert_eq(setenv("ATES_WEB_LISTEN", "127.0.0.1:0", 1), 0); /* any port that is free */
}

void flow_open(struct flow *flow)
{
    cr_assert_geq(sodium_init(), 0);
    choose_time_zone();
    *flow = (struct flow){.seed = seed_start()};
    temp_folder_make(flow->folder);
    snprintf(flow->data_dir, sizeof flow->data_dir, "%s/data", flow->folder);
    snprintf(flow->run_dir, sizeof flow->run_dir, "%s/run", flow->folder);
    strcpy(flow->config, "/dev/null");
    cr_assert_eq(ates_calendar_open(flow_load_config(flow)->time_zone), 0);
    flow->arena = ates_arena_new();
    make_users(flow);
    for (uint64_t user = FLOW_ADMINISTRATOR; user <= FLOW_SERVICE; user++) {
        sign_token(flow, user);
    }
    flow->client = ates_client_new(flow->run_dir);
    cr_assert_not_null(flow->client);
    ates_client_set_timeout(flow->client, 10000 * flow_scale());
}

void flow_close(struct flow *flow)
{
    flow_stop_all(flow);
    ates_client_free(&flow->client);
    ates_arena_free(&flow->arena);
    temp_folder_remove(flow->folder);
}

static const struct ates_command *find_command(const struct ates_service *service, const char *name)
{
    const struct ates_command *command = ates_service_command(service, name, strlen(name));

    cr_assert_not_null(command, "%s has no command %s", service->name, name);
    return command;
}

int flow_call(struct flow *flow, uint64_t caller, const struct ates_service *service,
              const char *command, const char *request_id, const void *body, void *result)
{
    const struct ates_command *found = find_command(service, command);

    if (body == NULL) {
        body = ates_arena_alloc(flow->arena, found->body->size);
    }
    ates_client_set_token(flow->client, caller != FLOW_NOBODY ? flow->tokens[caller] : NULL);
    return ates_client_invoke(flow->client, service, found, request_id, body, flow->arena, result,
                              &flow->reply);
}

void flow_do(struct flow *flow, uint64_t caller, const struct ates_service *service,
             const char *command, const void *body, void *result)
{
    const int r = flow_call(flow, caller, service, command, NULL, body, result);

    cr_assert_geq(r, 0, "%s.%s: %s", service->name, command, strerror(-r));
    cr_assert_eq(r, 0, "%s.%s: %s: %s", service->name, command,
                 ates_status_name(flow->reply.status), flow->reply.refusal.message);
}

void flow_refused(struct flow *flow, uint64_t caller, const struct ates_service *service,
                  const char *command, const void *body, enum ates_status status,
                  const char *reason)
{
    const int r = flow_call(flow, caller, service, command, NULL, body, NULL);

    cr_assert_geq(r, 0, "%s.%s: %s", service->name, command, strerror(-r));
    cr_assert_eq(r, (int)status, "%s.%s: %s instead of %s", service->name, command,
                 ates_status_name((enum ates_status)r), ates_status_name(status));
    cr_assert_str_eq(flow->reply.refusal.reason, reason);
}

void flow_sign_in(struct flow *flow, uint64_t user)
{
    const struct auth_auth_user body = {
        .login = ates_text_from(flow_login(user)),
        .password = ates_text_from(flow_password(user)),
    };
    struct auth_auth_user_result result;

    flow_do(flow, FLOW_NOBODY, &auth_service, "auth_user", &body, &result);
    cr_assert_eq(result.user.id, user);
    cr_assert_leq(result.token.size, ATES_TOKEN_MAX);
    memcpy(flow->tokens[user], result.token.data, result.token.size);
    flow->tokens[user][result.token.size] = '\0';
}

/* A common command's result, in an arena of its own, so that asking often costs no memory. */
static void ask(struct flow *flow, const char *service, const char *command,
                struct ates_arena *arena, void *result)
{
    const struct ates_service named = {.name = service};
    struct ates_arena *kept = flow->arena;

    ates_client_set_token(flow->client, flow->tokens[FLOW_SERVICE]);
    flow->arena = arena;
    const int r =
        ates_client_invoke(flow->client, &named, find_command(&ates_common_service, command), NULL,
                           &(struct ates_empty){0}, arena, result, &flow->reply);
    flow->arena = kept;
    cr_assert_eq(r, 0, "%s.%s: %s", service, command,
                 r < 0 ? strerror(-r) : flow->reply.refusal.message);
}

int64_t flow_metric(struct flow *flow, const char *service, const char *name, const char *labels)
{
    struct ates_arena *arena = ates_arena_new();
    struct ates_metrics_result metrics;
    int64_t value = -1;

    ask(flow, service, "metrics", arena, &metrics);
    for (size_t i = 0; i < metrics.items.count; i++) {
        const struct ates_metric *metric = &((const struct ates_metric *)metrics.items.items)[i];

        if (ates_text_equal(metric->name, ates_text_from(name)) &&
            (labels == NULL ||
             memmem(metric->labels.data, metric->labels.size, labels, strlen(labels)) != NULL)) {
            value = metric->value;
        }
    }
    ates_arena_free(&arena);
    return value;
}

uint64_t flow_head(struct flow *flow, const char *service)
{
    struct ates_arena *arena = ates_arena_new();
    struct ates_health_result health;

    ask(flow, service, "health", arena, &health);
    ates_arena_free(&arena);
    return health.seq;
}

bool flow_has_followed(struct flow *flow, const char *follower, const char *producer)
{
    char labels[64];

    snprintf(labels, sizeof labels, "producer=\"%s\"", producer);
    cr_assert_eq(flow_metric(flow, follower, "ates_follower_stopped", labels), 0,
                 "%s has stopped following %s", follower, producer);
    const uint64_t head = flow_head(flow, producer);
    return flow_metric(flow, follower, "ates_follower_position", labels) >= (int64_t)head;
}

/* tasks still draws for users who stopped being eligible. */
static bool is_settled(struct flow *flow)
{
    return flow_has_followed(flow, "tasks", "auth") &&
           flow_metric(flow, "tasks", "ates_jobs_under_way", NULL) == 0 &&
           flow_has_followed(flow, "accounting", "auth") &&
           flow_has_followed(flow, "accounting", "tasks") &&
           flow_has_followed(flow, "analytics", "auth") &&
           flow_has_followed(flow, "analytics", "tasks") &&
           flow_has_followed(flow, "analytics", "accounting") &&
           flow_has_followed(flow, "payment", "auth") &&
           flow_has_followed(flow, "payment", "accounting");
}

void flow_catch_up(struct flow *flow)
{
    flow_until(is_settled(flow));
}

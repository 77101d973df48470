/* Services over tcp: who gets in, who is cut off, and that everything works for those who may. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <zmq.h>

#include <ates/accounting.h>
#include <ates/auth.h>
#include <ates/tasks.h>

#include "core/claims.h"
#include "support/doors.h"
#include "support/knock.h"

static struct flow flow;
static struct doors doors;
static struct ates_cert own, stranger;

static const char *const names[] = {"auth",    "tasks",  "accounting", "analytics",
                                    "payment", "events", "publish"};
#define NAMES (sizeof names / sizeof names[0])

static void setup(void)
{
    flow_open(&flow);
    doors_open(&doors, &flow);
    cr_assert(ates_cert_draw(&own) == 0 && ates_cert_draw(&stranger) == 0);
    doors_save(&doors, "own.cert_secret", &own, true);
    doors_save(&doors, "allow/commands/own.cert", &own, false);
}

static void teardown(void)
{
    flow_close(&flow);
}

TestSuite(tcp, .init = setup, .fini = teardown, .timeout = 300);

static const char *address_of(const char *name)
{
    static char address[NAMES][ATES_ADDRESS_SIZE];
    size_t i = 0;

    while (strcmp(names[i], name) != 0) {
        i++;
    }
    doors_address(flow.run_dir, name, address[i]);
    return address[i];
}

static struct knock with(const struct ates_cert *cert)
{
    return (struct knock){KNOCK_CURVE, cert, doors.server.public_key};
}

/* The flow's calls go over tcp from now on, with this key. */
static void call_over_tcp(const struct ates_cert *cert)
{
    static const char *const called[] = {"auth", "tasks"};

    ates_client_free(&flow.client);
    flow.client = ates_client_new("/nowhere");
    ates_client_set_timeout(flow.client, 10000 * flow_scale());
    for (size_t i = 0; i < 2; i++) {
        cr_assert_eq(ates_client_set_address(flow.client, called[i], address_of(called[i])), 0);
    }
    cr_assert_eq(ates_client_set_curve(flow.client, doors.server.public_key, cert->public_key,
                                       cert->secret_key),
                 0);
}

static int create_task(uint64_t caller)
{
    const struct tasks_create_task body = {.name = ates_text_from("Over tcp")};
    struct tasks_task result;

    return flow_call(&flow, caller, &tasks_service, "create_task", NULL, &body, &result);
}

Test(tcp, a_socket_without_keys_is_not_bound)
{
    const char *const argv[] = {flow_atesd(),  "auth",  "-c",         flow.config, "--data",
                                flow.data_dir, "--run", flow.run_dir, NULL};
    struct flow_output output;

    unlink(doors_path(&doors, "server.cert_secret"));
    flow_run(&flow, argv, NULL, &output);
    cr_expect_eq(output.code, 2, "%d", output.code);
    cr_expect_not_null(strstr(output.err, "listen/auth"), "%s", output.err);
    flow_configure(&flow, "listen\n    auth = tcp://0.0.0.0:0\ncurve\n    insecure_tcp = 1\n");
    flow_run(&flow, argv, NULL, &output);
    cr_expect_eq(output.code, 2, "%d", output.code);
    cr_expect_not_null(strstr(output.err, "listen/auth"), "%s", output.err);
}

Test(tcp, who_is_not_allowed_is_refused)
{
    const struct knock as_own = with(&own), as_stranger = with(&stranger);
    const struct knock as_nobody = {.mechanism = KNOCK_NULL}, by_password = {KNOCK_PLAIN, 0, 0};
    const struct knock at_wrong = {KNOCK_CURVE, &own, stranger.public_key};
    static const struct {
        const char *name;
        int type;
    } sockets[] = {{"auth", ZMQ_REQ}, {"events", ZMQ_SUB}, {"publish", ZMQ_PUB}};

    flow_spawn(&flow, "broker");
    flow_start(&flow, "auth");
    for (size_t i = 0; i < 3; i++) {
        const char *address = address_of(sockets[i].name);

        cr_expect_not(knock(sockets[i].type, &as_stranger, address), "%s", sockets[i].name);
        cr_expect_not(knock(sockets[i].type, &as_nobody, address), "%s", sockets[i].name);
        cr_expect_not(knock(sockets[i].type, &by_password, address), "%s", sockets[i].name);
        cr_expect_not(knock(sockets[i].type, &at_wrong, address), "%s", sockets[i].name);
        /* A key opens what it was allowed for, and nothing else. */
        cr_expect_eq(knock(sockets[i].type, &as_own, address), i == 0, "%s", sockets[i].name);
    }
    doors_save(&doors, "allow/events/own.cert", &own, false);
    cr_expect(knock(ZMQ_SUB, &as_own, address_of("events")), "at once");
    cr_expect_not(knock(ZMQ_PUB, &as_own, address_of("publish")));
}

Test(tcp, a_key_is_no_token)
{
    const struct ates_source source = ates_source_system();
    struct ates_secret_key key;
    struct ates_claims claims = {.user_id = 1, .role = ATES_ADMINISTRATOR, .login = "ada"};
    char dir[128], message[1024], footer[128], error[1024];
    size_t size;

    flow_spawn(&flow, "broker");
    flow_start(&flow, "auth");
    flow_start(&flow, "tasks");
    call_over_tcp(&own);
    cr_expect_eq(create_task(FLOW_NOBODY), ATES_UNAUTHENTICATED);
    cr_expect_str_eq(flow.reply.refusal.reason, "TOKEN_MISSING");
    /* A service's own token is no user's either... */
    cr_expect_eq(create_task(FLOW_SERVICE), ATES_PERMISSION_DENIED, "%s",
                 flow.reply.refusal.reason);
    /* ...nor will its key make one. */
    snprintf(dir, sizeof dir, "%s/keys", flow.data_dir);
    cr_assert_eq(ates_keys_load_secret(dir, ATES_KEY_SERVICES, &key, error, sizeof error), 0);
    strcpy(claims.sid, "x");
    strcpy(claims.jti, "01890a5d-ac96-774b-bcce-b302099a8057");
    claims.issued_at = claims.not_before = ates_now_ms(&source);
    claims.expires_at = claims.issued_at + 60000;
    cr_assert_eq(ates_claims_encode(&claims, message, sizeof message, &size), 0);
    snprintf(footer, sizeof footer, "{\"kid\":\"%s\"}", key.kid);
    cr_assert_eq(ates_paseto_sign(key.secret, message, size, footer, strlen(footer), NULL, 0,
                                  flow.tokens[FLOW_ADMINISTRATOR], ATES_TOKEN_MAX + 1),
                 0);
    cr_expect_eq(create_task(FLOW_ADMINISTRATOR), ATES_UNAUTHENTICATED);
    cr_expect_str_eq(flow.reply.refusal.reason, "TOKEN_INVALID");
}

/* A subscriber's next message, if one comes in time. */
static bool hears(void *socket, long wait_ms)
{
    zmq_pollitem_t item = {socket, 0, ZMQ_POLLIN, 0};
    char frame[4096];

    if (zmq_poll(&item, 1, wait_ms) != 1) {
        return false;
    }
    int more = 1;
    size_t size = sizeof more;
    while (more) {
        zmq_recv(socket, frame, sizeof frame, 0);
        zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size);
    }
    return true;
}

Test(tcp, who_is_connected_is_cut_off_when_the_key_is_revoked)
{
    const struct knock as_own = with(&own), as_other = with(&stranger);
    void *context = zmq_ctx_new();

    doors_save(&doors, "allow/events/own.cert", &own, false);
    doors_save(&doors, "allow/events/other.cert", &stranger, false);
    flow_spawn(&flow, "broker");
    flow_start(&flow, "auth");
    flow_start(&flow, "tasks");
    call_over_tcp(&own);
    flow_until(create_task(FLOW_DEVELOPER) == ATES_OK); /* once tasks knows whom to draw */
    void *sub = knock_open(context, ZMQ_SUB, &as_own);
    void *other = knock_open(context, ZMQ_SUB, &as_other);
    zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "", 0);
    zmq_setsockopt(other, ZMQ_SUBSCRIBE, "", 0);
    cr_assert(knock_connect(context, sub, address_of("events")));
    cr_assert(knock_connect(context, other, address_of("events")));
    cr_assert(hears(sub, 30000), "heads are announced each second");
    cr_assert(hears(other, 30000));

    unlink(doors_path(&doors, "allow/commands/own.cert"));
    cr_expect_eq(create_task(FLOW_DEVELOPER), ATES_UNAUTHENTICATED, "at once, though connected");
    cr_expect_str_eq(flow.reply.refusal.reason, "KEY_REVOKED");
    unlink(doors_path(&doors, "allow/events/own.cert"));
    /* The other one is cut off with it, and is back: two announcements later the first would have
     * heard something. */
    while (hears(sub, 0)) {
    }
    for (unsigned n = 0; n < 12; n++) {
        cr_assert(hears(other, 30000), "message %u", n);
    }
    unsigned late = 0;
    while (hears(sub, 0)) {
        late++;
    }
    cr_expect_leq(late, 4, "%u: what was under way when it was cut off", late);
    cr_expect_not(hears(sub, 0));
    zmq_close(sub);
    zmq_close(other);
    zmq_ctx_term(context);
}

/* A service on another machine: all it reaches, it reaches over tcp. */
Test(tcp, a_service_elsewhere_follows_and_publishes)
{
    char config[160], run_dir[128];
    const struct tasks_create_task body = {.name = ates_text_from("Over tcp")};
    struct tasks_task created;
    struct accounting_show_balance_result balance;

    doors_save(&doors, "allow/events/own.cert", &own, false);
    doors_save(&doors, "allow/publish/own.cert", &own, false);
    flow_spawn(&flow, "broker");
    flow_start(&flow, "auth");
    flow_start(&flow, "tasks");
    const char *auth = address_of("auth"), *tasks = address_of("tasks");
    const char *events = address_of("events"), *publish = address_of("publish");
    snprintf(config, sizeof config, "%s/far.conf", flow.folder);
    snprintf(run_dir, sizeof run_dir, "%s/far", flow.folder);
    FILE *file = fopen(config, "w");
    fprintf(file,
            "listen\n    accounting = tcp://127.0.0.1:0\n"
            "connect\n    auth = %s\n    tasks = %s\n    events = %s\n    publish = %s\n"
            "curve\n    server_file = %s/server.cert\n    client_file = %s/own.cert_secret\n",
            auth, tasks, events, publish, doors.folder, doors.folder);
    fclose(file);
    const char *const argv[] = {flow_atesd(),  "accounting",  "-c",    config,
                                "--data",      flow.data_dir, "--run", run_dir,
                                "--log-level", "notice",      NULL};
    flow_spawn_program(&flow, "accounting", argv);
    char address[ATES_ADDRESS_SIZE];
    doors_address(run_dir, "accounting", address);
    cr_assert_eq(ates_client_set_address(flow.client, "accounting", address), 0);
    cr_assert_eq(
        ates_client_set_curve(flow.client, doors.server.public_key, own.public_key, own.secret_key),
        0);

    flow_until(flow_has_followed(&flow, "tasks", "auth"));
    flow_do(&flow, FLOW_ADMINISTRATOR, &tasks_service, "create_task", &body, &created);
    flow_until(flow_has_followed(&flow, "accounting", "tasks"));
    flow_do(&flow, created.assigned_to, &accounting_service, "show_balance", NULL, &balance);
    cr_expect_lt(balance.balance_cents, 0, "the fee was drawn where it is");

    /* What it publishes over tcp, analytics here hears. */
    cr_expect_gt(flow_head(&flow, "accounting"), 0);
    void *context = zmq_ctx_new();
    struct knock as_own = with(&own);
    void *sub = knock_open(context, ZMQ_SUB, &as_own);
    zmq_setsockopt(sub, ZMQ_SUBSCRIBE, "accounting.", 11);
    cr_assert(knock_connect(context, sub, events));
    cr_expect(hears(sub, 30000));
    /* A producer whose key is revoked is heard no longer. */
    unlink(doors_path(&doors, "allow/publish/own.cert"));
    void *others = knock_open(context, ZMQ_SUB, &as_own);
    zmq_setsockopt(others, ZMQ_SUBSCRIBE, "tasks.", 6);
    cr_assert(knock_connect(context, others, events));
    cr_assert(hears(others, 30000));
    while (hears(sub, 0)) {
    }
    for (unsigned n = 0; n < 4; n++) {
        cr_assert(hears(others, 30000));
    }
    cr_expect_not(hears(sub, 0));
    zmq_close(sub);
    zmq_close(others);
    zmq_ctx_term(context);
}

/* atesctl from another machine: with a context and nothing else. */
Test(tcp, atesctl_works_from_elsewhere)
{
    char connect[1024], mine[128], password[160], made[160];
    struct flow_output output;
    const char *const environment[] = {"ATES_OUTPUT=json", NULL};

    flow_spawn(&flow, "broker");
    flow_start(&flow, "auth");
    flow_start(&flow, "tasks");
    snprintf(mine, sizeof mine, "%s/mine", flow.folder);
    snprintf(made, sizeof made, "%s/ann.cert", mine);
    snprintf(password, sizeof password, "%s/password", flow.folder);
    FILE *file = fopen(password, "w");
    fprintf(file, "%s\n", flow_password(FLOW_ADMINISTRATOR));
    fclose(file);
    chmod(password, 0600);
    snprintf(connect, sizeof connect, "auth=%s,tasks=%s,events=%s", address_of("auth"),
             address_of("tasks"), address_of("events"));
#define CTL(...)                                                                                   \
    flow_run(&flow, (const char *const[]){ATESCTL_PATH, __VA_ARGS__, NULL}, environment, &output)
    char server_file[160], secret[170];
    snprintf(server_file, sizeof server_file, "%s/server.cert", doors.folder);
    snprintf(secret, sizeof secret, "%s_secret", made);
    CTL("admin", "keys", "new", "ann", "--folder", mine);
    cr_assert_eq(output.code, 0, "%s", output.err);
    CTL("context", "add", "far", "--connect", connect, "--server-file", server_file,
        "--client-file", secret, "--use");
    cr_assert_eq(output.code, 0, "%s", output.err);
    CTL("login", flow_login(FLOW_ADMINISTRATOR), "--password-file", password, "--timeout", "2");
    cr_expect_eq(output.code, 7, "nobody allowed the key yet: %s", output.err);
    cr_expect_not_null(strstr(output.err, "admin keys allow"), "%s", output.err);
    for (size_t i = 0; i < 2; i++) {
        CTL("admin", "keys", "allow", made, "--data", flow.data_dir, "--socket",
            i == 0 ? "commands" : "events");
        cr_assert_eq(output.code, 0, "%s", output.err);
    }
    CTL("login", flow_login(FLOW_ADMINISTRATOR), "--password-file", password);
    cr_assert_eq(output.code, 0, "%s", output.err);
    CTL("user", "ls", "-o", "json");
    cr_assert_eq(output.code, 0, "%s", output.err);
    cr_expect_not_null(strstr(output.out, "dev5"), "%s", output.out);
    CTL("events", "wait", "--timeout", "20");
    CTL("admin", "keys", "revoke", "ann", "--data", flow.data_dir);
    cr_assert_eq(output.code, 0, "%s", output.err);
    CTL("user", "ls", "--timeout", "2");
    cr_expect_eq(output.code, 7, "%s", output.err);
}

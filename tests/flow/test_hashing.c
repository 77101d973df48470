/* Hashing passwords takes a tenth of a second each: it delays nobody else, tells nothing of logins,
 * and cannot be had as often as one likes. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include <ates/auth.h>

#include "core/random.h"
#include "support/flow.h"

#define SIGN_INS 8u /* at once */
#define CALLS 2000u /* at least */
#define CALLS_MAX 50000u
#define SIGN_INS_SEEN 3u /* that ended during these calls */
#define P99_LIMIT_US 20000
#define ATTEMPTS 10u /* at one login, before it is throttled */
#define LOGINS 2u    /* of each kind, for the times */
#define TIMES 7u     /* each; all together fewer than one client may fail */
#define MEDIAN_TOLERANCE 0.25

TestSuite(hashing, .timeout = 300);

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static void open_with_auth(struct flow *flow)
{
    flow_open(flow);
    flow_start(flow, "auth");
}

/* Keeps so many sign-ins under way, in a process of its own, until it is killed; each that is done
 * is told by a byte. */
static pid_t sign_in_for_ever(struct flow *flow, int told)
{
    const pid_t pid = flow_fork();

    if (pid != 0) {
        return pid;
    }
    struct ates_client *client = ates_client_new(flow->run_dir);
    struct ates_pipeline *pipeline = ates_pipeline_new(client, "auth");
    struct ates_buffer body = {0};
    struct ates_reply reply;
    unsigned under_way = 0;

    for (uint64_t i = 0;; i++) {
        const uint64_t user = 1 + i % FLOW_USERS;
        const struct auth_auth_user command = {
            .login = ates_text_from(flow_login(user)),
            .password = ates_text_from(flow_password(user)),
        };

        body.size = 0;
        ates_message_encode(&auth_auth_user_message, &command, &body);
        if (ates_pipeline_send(pipeline, "auth_user", NULL, body.data, body.size, i) != 0) {
            _exit(1);
        }
        if (++under_way == SIGN_INS) {
            if (ates_pipeline_receive(pipeline, -1, &reply) != 0 || reply.status != ATES_OK ||
                write(told, "", 1) != 1) {
                _exit(1);
            }
            under_way--;
        }
    }
}

Test(hashing, others_do_not_wait_for_it)
{
    static int64_t latency_us[CALLS_MAX];
    struct auth_user user;
    struct flow flow;
    char done[256];
    int told[2];
    size_t calls = 0, sign_ins = 0;

    open_with_auth(&flow);
    cr_assert_eq(pipe2(told, O_CLOEXEC | O_NONBLOCK), 0);
    const pid_t others = sign_in_for_ever(&flow, told[1]);
    flow_until(read(told[0], done, 1) == 1);
    while (calls < CALLS_MAX && (calls < CALLS || sign_ins < SIGN_INS_SEEN)) {
        const int64_t start_us = ates_monotonic_us();

        flow_do(&flow, FLOW_DEVELOPER, &auth_service, "show_user", NULL, &user);
        latency_us[calls++] = ates_monotonic_us() - start_us;
        ates_arena_reset(flow.arena);
        const ssize_t told_now = read(told[0], done, sizeof done);
        sign_ins += told_now > 0 ? (size_t)told_now : 0;
    }
    cr_assert_geq(sign_ins, SIGN_INS_SEEN, "%zu sign-ins in %zu calls", sign_ins, calls);
    cr_assert_eq(waitpid(others, NULL, WNOHANG), 0, "they sign in still");
    kill(others, SIGKILL);
    waitpid(others, NULL, 0);
    qsort(latency_us, calls, sizeof latency_us[0], compare);
    const int64_t p99_us = latency_us[calls * 99 / 100];
    fprintf(stderr, "%zu show_user beside %u sign-ins: p50 %ld us, p99 %ld us, max %ld us\n", calls,
            SIGN_INS, (long)latency_us[calls / 2], (long)p99_us, (long)latency_us[calls - 1]);
    cr_assert_lt(p99_us, P99_LIMIT_US * flow_scale());
    flow_close(&flow);
}

/* One attempt; its time in us. */
static int64_t attempt(struct flow *flow, const char *login, const char *password,
                       enum ates_status status, const char *reason)
{
    const struct auth_auth_user body = {.login = ates_text_from(login),
                                        .password = ates_text_from(password)};
    const int64_t start_us = ates_monotonic_us();

    flow_refused(flow, FLOW_NOBODY, &auth_service, "auth_user", &body, status, reason);
    return ates_monotonic_us() - start_us;
}

/* Whether a process of its own can sign in as this user: it counts as another client. */
static int sign_in_elsewhere(struct flow *flow, uint64_t user)
{
    const struct auth_auth_user body = {
        .login = ates_text_from(flow_login(user)),
        .password = ates_text_from(flow_password(user)),
    };
    const pid_t pid = flow_fork();

    if (pid == 0) {
        flow->client = ates_client_new(flow->run_dir);
        _exit(flow_call(flow, FLOW_NOBODY, &auth_service, "auth_user", NULL, &body, NULL) & 0xff);
    }
    const int status = flow_wait_for_end(pid, FLOW_PATIENCE_MS * flow_scale());
    cr_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

Test(hashing, a_wrong_login_looks_like_a_wrong_password)
{
    struct ates_refusal of_login;
    struct flow flow;

    open_with_auth(&flow);
    attempt(&flow, "nobody", "wrong password", ATES_UNAUTHENTICATED, "BAD_CREDENTIALS");
    of_login = flow.reply.refusal;
    attempt(&flow, flow_login(FLOW_DEVELOPER), "wrong password", ATES_UNAUTHENTICATED,
            "BAD_CREDENTIALS");
    const struct ates_refusal of_password = flow.reply.refusal;
    cr_assert_eq(of_login.status, of_password.status);
    cr_assert_str_eq(of_login.reason, of_password.reason);
    cr_assert_str_eq(of_login.message, of_password.message);
    cr_assert_str_eq(of_login.field, of_password.field);
    cr_assert_eq(of_login.retry_after_ms, of_password.retry_after_ms);
    flow_close(&flow);
}

Test(hashing, a_wrong_login_takes_as_long_as_a_wrong_password)
{
    static const char *const unknown[LOGINS] = {"nobody", "noone"};
    int64_t login_us[LOGINS * TIMES], password_us[LOGINS * TIMES];
    struct flow flow;

    open_with_auth(&flow);
    for (size_t i = 0; i < LOGINS; i++) {
        for (size_t j = 0; j < TIMES; j++) {
            login_us[i * TIMES + j] = attempt(&flow, unknown[i], "wrong password",
                                              ATES_UNAUTHENTICATED, "BAD_CREDENTIALS");
            password_us[i * TIMES + j] =
                attempt(&flow, flow_login(FLOW_DEVELOPER + i), "wrong password",
                        ATES_UNAUTHENTICATED, "BAD_CREDENTIALS");
        }
    }
    qsort(login_us, LOGINS * TIMES, sizeof login_us[0], compare);
    qsort(password_us, LOGINS * TIMES, sizeof password_us[0], compare);
    const double ratio =
        (double)login_us[LOGINS * TIMES / 2] / (double)password_us[LOGINS * TIMES / 2];
    fprintf(stderr, "a wrong login takes %.3f of a wrong password's time\n", ratio);
    cr_assert(ratio > 1 - MEDIAN_TOLERANCE && ratio < 1 + MEDIAN_TOLERANCE);
    flow_close(&flow);
}

Test(hashing, repeated_failures_are_throttled)
{
    struct flow flow;

    open_with_auth(&flow);
    for (size_t i = 0; i < ATTEMPTS; i++) {
        attempt(&flow, flow_login(FLOW_DEVELOPER), "wrong password", ATES_UNAUTHENTICATED,
                "BAD_CREDENTIALS");
    }
    int64_t quickest_us = INT64_MAX;
    for (size_t i = 0; i < ATTEMPTS; i++) {
        const int64_t refused_us = attempt(&flow, flow_login(FLOW_DEVELOPER), "wrong password",
                                           ATES_RESOURCE_EXHAUSTED, "TOO_MANY_ATTEMPTS");

        quickest_us = refused_us < quickest_us ? refused_us : quickest_us;
        cr_assert_gt(flow.reply.refusal.retry_after_ms, 0);
    }
    cr_assert_lt(quickest_us, P99_LIMIT_US, "nothing is hashed for it");
    /* The right password and another client change nothing for this login; another login is free.
     */
    cr_assert_eq(sign_in_elsewhere(&flow, FLOW_DEVELOPER), ATES_RESOURCE_EXHAUSTED);
    flow_sign_in(&flow, FLOW_DEVELOPER + 1);
    flow_close(&flow);
}

/* A client that tries many logins is throttled as well, on whatever connection; others are not. */
Test(hashing, a_guessing_client_is_throttled)
{
    struct auth_auth_user body = {.password = ates_text_from("wrong password")};
    char login[24];
    struct flow flow;
    int status = ATES_UNAUTHENTICATED;
    size_t tries = 0;
    int64_t asked_ms = 0;
    bool too_late;

    open_with_auth(&flow);
    /* A refusal tells how long it holds: an answer that came later than that proves nothing. */
    do {
        for (; status == ATES_UNAUTHENTICATED && tries < 100; tries++) {
            body.login =
                (struct ates_text){login, (size_t)snprintf(login, sizeof login, "guess%zu", tries)};
            asked_ms = flow_now_ms();
            status = flow_call(&flow, FLOW_NOBODY, &auth_service, "auth_user", NULL, &body, NULL);
        }
        cr_assert_eq(status, ATES_RESOURCE_EXHAUSTED);
        cr_assert_str_eq(flow.reply.refusal.reason, "TOO_MANY_ATTEMPTS");
        cr_assert_gt(flow.reply.refusal.retry_after_ms, 0);
        cr_assert_gt(tries, ATTEMPTS);
        const int64_t refused_until_ms = asked_ms + flow.reply.refusal.retry_after_ms;
        ates_client_free(&flow.client);
        flow.client = ates_client_new(flow.run_dir);
        status = flow_call(&flow, FLOW_NOBODY, &auth_service, "auth_user", NULL, &body, NULL);
        too_late = flow_now_ms() >= refused_until_ms;
    } while (status == ATES_UNAUTHENTICATED && too_late);
    cr_assert_eq(status, ATES_RESOURCE_EXHAUSTED);
    cr_assert_str_eq(flow.reply.refusal.reason, "TOO_MANY_ATTEMPTS");
    cr_assert_eq(sign_in_elsewhere(&flow, FLOW_DEVELOPER), ATES_OK);
    flow_close(&flow);
}

/* Registers a login that is taken, on the pipeline's one connection, for this client (NULL: none);
 * returns the status. Nothing is hashed for it. */
static enum ates_status register_for(struct ates_pipeline *pipeline, const char *client)
{
    const struct auth_register_user body = {
        .login = ates_text_from(flow_login(FLOW_DEVELOPER)),
        .email = ates_text_from("popug@uberpopug.example"),
        .password = ates_text_from("long enough"),
        .role = ATES_OTHER,
    };
    struct ates_buffer bytes = {0};
    struct ates_reply reply;

    ates_message_encode(&auth_register_user_message, &body, &bytes);
    const struct ates_pipeline_command command = {
        .command = "register_user", .client = client, .body = bytes.data, .body_size = bytes.size};
    cr_assert_eq(ates_pipeline_send_command(pipeline, &command), 0);
    cr_assert_eq(ates_pipeline_receive(pipeline, 60000, &reply), 0);
    ates_buffer_release(&bytes);
    return reply.status;
}

/* A sender that speaks for many is not throttled as one: each of them is, for itself. */
Test(hashing, clients_of_one_connection_are_throttled_apart)
{
    struct flow flow;
    size_t tries = 0;

    open_with_auth(&flow);
    struct ates_client *client = ates_client_new(flow.run_dir);
    struct ates_pipeline *pipeline = ates_pipeline_new(client, "auth");
    while (register_for(pipeline, "192.0.2.1") == ATES_ALREADY_EXISTS) {
        cr_assert_lt(++tries, 1000);
    }
    cr_assert_eq(register_for(pipeline, "192.0.2.1"), ATES_RESOURCE_EXHAUSTED);
    cr_assert_eq(register_for(pipeline, "192.0.2.2"), ATES_ALREADY_EXISTS);
    cr_assert_eq(register_for(pipeline, NULL), ATES_ALREADY_EXISTS);
    ates_pipeline_free(&pipeline);
    pipeline = ates_pipeline_new(client, "auth"); /* connecting anew makes no new client */
    cr_assert_eq(register_for(pipeline, "192.0.2.1"), ATES_RESOURCE_EXHAUSTED);
    ates_pipeline_free(&pipeline);
    ates_client_free(&client);
    flow_close(&flow);
}

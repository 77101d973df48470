/* Keys are rotated while everybody works: no command is refused, no reply lost, nothing restarted;
 * a service that was away for it comes back and follows the others. */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include <ates/accounting.h>
#include <ates/analytics.h>
#include <ates/auth.h>
#include <ates/payment.h>
#include <ates/tasks.h>

#include "support/flow.h"
#include "support/honest.h"
#include "support/model.h"

#define ROTATIONS 3u
#define RATE 400u /* messages a second: what counts is that they never stop */
#define NEWCOMER (FLOW_DEVELOPER + HONEST_CLIENTS - 1u)

static struct flow flow;
static struct flow_output output;

static void start(void)
{
    flow_open(&flow);
    flow_start_all(&flow);
}

static void stop(void)
{
    flow_close(&flow);
}

TestSuite(rotation, .init = start, .fini = stop, .timeout = 300);

static int keys(const char *word, const char *purpose, const char *option)
{
    const char *given = getenv("ATESCTL");
    const char *const argv[] = {given != NULL ? given : ATESCTL_PATH,
                                "--no-input",
                                "admin",
                                "keys",
                                word,
                                purpose,
                                "--data",
                                flow.data_dir,
                                option,
                                NULL};

    flow_run(&flow, argv, NULL, &output);
    return output.code;
}

/* The key by which a token was signed: its footer names it. */
static const char *key_of(const char *token)
{
    return strrchr(token, '.');
}

/* Any service takes the user's token: who may not ask hears that of their role, which only a good
 * token is told. */
static void expect_served(uint64_t user)
{
    static const struct tasks_show_my_assigned_tasks tasks;
    static const struct accounting_show_balance balance;
    static const struct auth_show_user self;
    static const struct ates_empty nothing;

    flow_do(&flow, user, &auth_service, "show_user", &self, NULL);
    flow_do(&flow, user, &tasks_service, "show_my_assigned_tasks", &tasks, NULL);
    flow_do(&flow, user, &accounting_service, "show_balance", &balance, NULL);
    flow_refused(&flow, user, &analytics_service, "today_income", &nothing, ATES_PERMISSION_DENIED,
                 "ROLE_NOT_ALLOWED");
    flow_refused(&flow, user, &payment_service, "show_schedule", &nothing, ATES_PERMISSION_DENIED,
                 "ROLE_NOT_ALLOWED");
}

static bool signs_with_another_key(uint64_t user, const char *token)
{
    flow_sign_in(&flow, user);
    return strcmp(key_of(flow.tokens[user]), key_of(token)) != 0;
}

Test(rotation, nobody_notices)
{
    char before[ATES_TOKEN_MAX + 1], first[ATES_TOKEN_MAX + 1];
    struct honest honest;

    flow_sign_in(&flow, NEWCOMER);
    strcpy(first, flow.tokens[NEWCOMER]);
    honest_start(&honest, &flow);
    honest_set_rate(&honest, RATE);
    for (unsigned i = 0; i < ROTATIONS; i++) {
        strcpy(before, flow.tokens[NEWCOMER]);
        cr_assert_eq(keys("rotate", "users", NULL), 0, "%s", output.err);
        flow_until(signs_with_another_key(NEWCOMER, before));
        expect_served(NEWCOMER);
        cr_assert_eq(keys("rotate", "services", NULL), 0, "%s", output.err);
        /* What it missed it asks of the others, as a service. */
        flow_kill(&flow, "analytics");
        const size_t answered = honest_count(&honest).answered;
        flow_until(honest_count(&honest).answered > answered + RATE / 2);
        flow_start(&flow, "analytics");
        flow_until(flow_has_followed(&flow, "analytics", "tasks"));
    }
    strcpy(flow.tokens[NEWCOMER], first);
    expect_served(NEWCOMER); /* the first token is as good as ever... */
    cr_expect_neq(keys("rotate", "users", "--finish"), 0, "...and keeps its key");
    cr_expect_not_null(strstr(output.err, "may still be in use"), "%s", output.err);
    const struct honest_counts counts = honest_stop(&honest);
    cr_expect_eq(counts.refused, 0);
    honest_check(&counts, &flow);
    flow_catch_up(&flow);
    model_verify(&flow);
}

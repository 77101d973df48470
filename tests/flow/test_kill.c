/* kill -9 of each process, and of all at once, at drawn moments under load: what was acknowledged
 * stays, nothing is done twice, and whoever starts again catches up by itself. ATES_KILLS: how many
 * kills (1,000 where ATES_LONG asks for long counts). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/mix.h"
#include "support/model.h"
#include "support/temp_folder.h"

#define KILLS 100u
#define KILLS_LONG 1000u
#define BURST 60u     /* commands at least between two kills */
#define IN_FLIGHT 16u /* at a time */
#define AFTER_MS 4    /* at most, between the drawn reply and the kill */
#define VERIFY_EACH 250u
#define AWAY_COMMANDS 500u
#define VICTIMS_MAX 8u

TestSuite(kill, .timeout = 3600);

/* Every process of these at once; they start again without waiting for each other. */
static void kill_and_restart(struct flow *flow, const char *const *victims, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        flow_kill(flow, victims[i]);
    }
    for (size_t i = 0; i < count; i++) {
        flow_spawn(flow, victims[i]);
    }
}

static size_t service_count(void)
{
    size_t count = 0;

    while (flow_services[count] != NULL) {
        count++;
    }
    cr_assert_lt(count, VICTIMS_MAX);
    return count;
}

/* Services alone and all together are drawn equally often. */
static void strike(struct flow *flow, size_t counts[VICTIMS_MAX])
{
    const size_t all = service_count();
    const size_t victim = (size_t)flow_draw(flow, all + 1);

    counts[victim]++;
    if (victim == all) {
        kill_and_restart(flow, flow_services, all);
    } else {
        kill_and_restart(flow, &flow_services[victim], 1);
    }
}

static void run_burst(struct flow *flow, struct mix *mix, size_t counts[VICTIMS_MAX])
{
    const size_t end = mix->load.count + BURST;
    size_t until_kill = (size_t)flow_draw(flow, BURST);
    bool killed = false;

    while (mix->load.count < end || !killed) {
        mix_fill(mix, IN_FLIGHT);
        if (!killed && until_kill-- == 0) {
            const int64_t moment_ms = flow_now_ms() + (int64_t)flow_draw(flow, AFTER_MS);

            while (flow_now_ms() < moment_ms && mix_receive(mix, moment_ms - flow_now_ms())) {
                mix_fill(mix, IN_FLIGHT);
            }
            strike(flow, counts);
            killed = true;
        }
        cr_assert(mix_receive(mix, FLOW_PATIENCE_MS * flow_scale()), "no reply comes any more");
    }
}

static void await_all(struct flow *flow)
{
    for (size_t i = 1; flow_services[i] != NULL; i++) {
        flow_await(flow, flow_services[i]);
    }
}

Test(kill, nothing_acknowledged_is_lost_and_nothing_is_done_twice)
{
    const uint64_t kills = flow_setting("ATES_KILLS", flow_is_long() ? KILLS_LONG : KILLS);
    size_t counts[VICTIMS_MAX] = {0};
    struct flow flow;
    struct mix mix;

    flow_open(&flow);
    flow_start_all(&flow);
    flow_until(flow_has_followed(&flow, "tasks", "auth"));
    mix_open(&mix, &flow);
    for (uint64_t i = 1; i <= kills; i++) {
        run_burst(&flow, &mix, counts);
        if (i % VERIFY_EACH == 0) {
            mix_drain(&mix);
            await_all(&flow);
            model_verify(&flow);
        }
    }
    mix_drain(&mix);
    await_all(&flow);
    model_verify(&flow);
    mix_check(&mix);
    fprintf(stderr, "%" PRIu64 " kills: ", kills);
    for (size_t i = 0; flow_services[i] != NULL; i++) {
        fprintf(stderr, "%s %zu, ", flow_services[i], counts[i]);
    }
    fprintf(stderr,
            "all %zu; %zu commands accepted, %zu refused, sent %" PRIu64 " times, %" PRIu64
            " stored replies\n",
            counts[service_count()], mix.accepted, mix.refused, mix.load.sent, mix.load.replayed);
    mix_close(&mix);
    flow_stop_all(&flow);
    model_check_rebuild(&flow);
    flow_close(&flow);
}

/* Each follower in turn, while the others go on without it; then all that follow at once. */
Test(kill, who_was_away_catches_up)
{
    struct flow flow;
    struct mix mix;

    flow_open(&flow);
    flow_start_all(&flow);
    flow_until(flow_has_followed(&flow, "tasks", "auth"));
    mix_open(&mix, &flow);
    flow_kill(&flow, "accounting");
    mix_run(&mix, AWAY_COMMANDS, IN_FLIGHT);
    flow_start(&flow, "accounting");
    model_verify(&flow);

    flow_kill(&flow, "auth"); /* those who know its users already need it no more */
    flow_kill(&flow, "broker");
    flow_kill(&flow, "accounting");
    for (size_t i = 0; i < AWAY_COMMANDS; i++) {
        const struct tasks_create_task body = {.name = ates_text_from("unheard of"),
                                               .description = ates_text_from("")};

        flow_do(&flow, FLOW_DEVELOPER, &tasks_service, "create_task", &body, NULL);
    }
    flow_start(&flow, "accounting");
    flow_until(flow_has_followed(&flow, "accounting", "tasks")); /* without any broker */
    flow_start(&flow, "auth");
    flow_start(&flow, "broker");
    model_verify(&flow);
    mix_close(&mix);
    flow_close(&flow);
}

/* Its log and state gone, analytics reads all from the others' logs, while they go on. */
Test(kill, analytics_begins_anew_from_nothing)
{
    struct flow flow;
    struct mix mix;
    char folder[128];

    flow_open(&flow);
    flow_start_all(&flow);
    flow_until(flow_has_followed(&flow, "tasks", "auth"));
    mix_open(&mix, &flow);
    mix_run(&mix, AWAY_COMMANDS, IN_FLIGHT);
    mix_drain(&mix);
    model_verify(&flow);
    flow_kill(&flow, "analytics");
    snprintf(folder, sizeof folder, "%s/analytics", flow.data_dir);
    temp_folder_remove(folder);
    flow_spawn(&flow, "analytics");
    mix_run(&mix, AWAY_COMMANDS, IN_FLIGHT);
    mix_drain(&mix);
    flow_await(&flow, "analytics");
    model_verify(&flow);
    mix_close(&mix);
    flow_stop_all(&flow);
    model_check_rebuild(&flow);
    flow_close(&flow);
}

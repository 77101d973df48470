/* What analytics says is what the model says, whatever PUB loses, whenever days are closed, and
 * though it has to begin anew from nothing; and what it said of a closed day it says for ever. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include <ates/analytics.h>

#include "support/lossy.h"
#include "support/mix.h"
#include "support/model.h"
#include "support/payday.h"
#include "support/temp_folder.h"

#define DAYS 3 /* before today */
#define COMMANDS 1000u
#define COMMANDS_LONG 10000u
#define IN_FLIGHT 16u

TestSuite(analytics, .timeout = 1800);

/* A broker that brings everything; or one in five messages lost, repeated and reordered each. */
enum broker { HONEST, LOSSY };

struct office {
    struct flow flow;
    struct mix mix;
    struct ates_buffer told; /* of the days before today, once they are closed */
};

static void open_office(struct office *office, enum broker broker)
{
    struct flow *flow = &office->flow;

    office->told = (struct ates_buffer){0};
    flow_open(flow);
    for (ates_day day = payday_today() - DAYS; day < payday_today(); day++) {
        payday_work(flow, 0, payday_noon(day));
    }
    if (broker == LOSSY) {
        lossy_start(flow, 200, 200, 200);
    } else {
        flow_start(flow, "broker");
    }
    for (size_t i = 1; flow_services[i] != NULL; i++) {
        flow_start(flow, flow_services[i]);
    }
    flow_catch_up(flow);
    mix_open(&office->mix, flow);
}

static void work(struct office *office)
{
    mix_run(&office->mix, flow_is_long() ? COMMANDS_LONG : COMMANDS, IN_FLIGHT);
}

/* Closes a day while commands are under way. */
static void pay(struct office *office, ates_day day)
{
    char date[ATES_DATE_SIZE];

    ates_day_format(day, date);
    mix_fill(&office->mix, IN_FLIGHT);
    cr_assert_not(payday_pay(&office->flow, date, NULL).already_closed);
}

static void add_answer(struct office *office, const char *command, const void *body,
                       struct ates_buffer *out)
{
    struct flow *flow = &office->flow;
    const struct ates_command *found =
        ates_service_command(&analytics_service, command, strlen(command));
    void *result = ates_arena_alloc(flow->arena, found->result->size);

    flow_do(flow, FLOW_ADMINISTRATOR, &analytics_service, command, body, result);
    ates_message_encode(found->result, result, out);
}

/* All that analytics says of the days before today must be what it said at first. */
static void expect_same_past(struct office *office)
{
    struct flow *flow = &office->flow;
    const struct ates_text from = payday_date(flow, payday_today() - DAYS);
    const struct ates_text to = payday_date(flow, payday_today() - 1);
    const struct analytics_show_income days = {.from_date = from, .to_date = to};
    const struct analytics_show_the_most_expensive_task tops = {
        .has_from_date = true, .from_date = from, .has_to_date = true, .to_date = to};
    struct ates_buffer now = {0};

    flow_catch_up(flow);
    add_answer(office, "show_income", &days, &now);
    add_answer(office, "show_the_most_expensive_task", &tops, &now);
    if (office->told.size == 0) {
        office->told = now;
        return;
    }
    cr_assert(now.size == office->told.size && memcmp(now.data, office->told.data, now.size) == 0,
              "a past day has changed");
    ates_buffer_release(&now);
}

static void verify(struct office *office)
{
    mix_drain(&office->mix);
    mix_check(&office->mix);
    flow_until(payday_is_mailed(&office->flow));
    model_verify(&office->flow);
    expect_same_past(office);
}

static void close_office(struct office *office, enum broker broker)
{
    mix_close(&office->mix);
    ates_buffer_release(&office->told);
    if (broker == LOSSY) {
        flow_kill(&office->flow, "broker"); /* it knows no orderly end */
    }
    flow_stop_all(&office->flow);
    model_check_rebuild(&office->flow);
    flow_close(&office->flow);
}

/* Days are closed one after the other, the last of them today, after which work goes on. */
static void work_and_pay(enum broker broker)
{
    static struct office office;

    open_office(&office, broker);
    for (ates_day day = payday_today() - DAYS; day < payday_today(); day++) {
        work(&office);
        pay(&office, day);
    }
    verify(&office);
    work(&office);
    pay(&office, payday_today());
    work(&office);
    verify(&office);
    close_office(&office, broker);
}

Test(analytics, agrees_with_the_model)
{
    work_and_pay(HONEST);
}

Test(analytics, agrees_though_messages_are_lost)
{
    work_and_pay(LOSSY);
}

static void remove_analytics(struct flow *flow)
{
    char folder[128];

    snprintf(folder, sizeof folder, "%s/analytics", flow->data_dir);
    temp_folder_remove(folder);
}

/* Its log and state gone, while the others work and close days. */
static void begin_anew(enum broker broker)
{
    static struct office office;

    open_office(&office, broker);
    for (ates_day day = payday_today() - DAYS; day < payday_today(); day++) {
        pay(&office, day);
    }
    verify(&office);
    flow_stop(&office.flow, "analytics");
    remove_analytics(&office.flow);
    work(&office);
    flow_spawn(&office.flow, "analytics");
    pay(&office, payday_today());
    work(&office);
    flow_await(&office.flow, "analytics");
    verify(&office);
    flow_kill(&office.flow, "analytics"); /* once more, in the middle of it */
    remove_analytics(&office.flow);
    flow_spawn(&office.flow, "analytics");
    work(&office);
    flow_await(&office.flow, "analytics");
    verify(&office);
    close_office(&office, broker);
}

Test(analytics, begins_anew_from_nothing)
{
    begin_anew(HONEST);
}

Test(analytics, begins_anew_though_messages_are_lost)
{
    begin_anew(LOSSY);
}

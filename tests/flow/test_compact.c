/* Logs of years ago, compacted by atesctl, under the services themselves: they go on as if nothing had
 * been cut, who starts empty begins with snapshots, and where money would have to be made up, the
 * stream stops. The history is a story of two weeks in 2024. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include "support/flow.h"
#include "support/seed.h"
#include "support/story_life.h"

#define DAYS 14
#define DAY_MS INT64_C(86400000)
#define HASH_SIZE 32u

static struct story story;
static struct flow flow;
static struct flow_output output;

/* Every service but payment, which would close each date since then first. */
static const char *const started[] = {"broker", "auth", "tasks", "accounting", "analytics", NULL};

static void live(void)
{
    story_open(&story, seed_start(), &story_zones[0]);
    story_people(&story, 20);
    for (int day = 0; day < DAYS; day++) {
        story_pass(&story, DAY_MS, 40);
    }
    story.is_quiet = true;
    story.payment_is_down = false;
    story_settle(&story);
    for (enum story_service i = 0; i < STORY_SERVICES; i++) {
        ates_engine_close(&story.services[i].engine);
    }
}

/* The story's logs and states in the place of the flow's own, under its keys. */
static void move_in(void)
{
    for (enum story_service i = 0; i < STORY_SERVICES; i++) {
        const char *service = story.services[i].domain->service->name;
        char from[128];

        snprintf(from, sizeof from, "%s/%s", flow.data_dir, service);
        const char *const remove[] = {"/bin/rm", "-rf", from, NULL};
        flow_run(&flow, remove, NULL, &output);
        snprintf(from, sizeof from, "%s/%s", story.folder, service);
        const char *const copy[] = {"/bin/cp", "-a", from, flow.data_dir, NULL};
        flow_run(&flow, copy, NULL, &output);
        cr_assert_eq(output.code, 0, "%s", output.err);
    }
}

static void open_history(void)
{
    cr_assert_eq(setenv("ATES_TIME_ZONE", story_zones[0].name, 1), 0);
    live();
    flow_open(&flow);
    move_in();
}

static void close_history(void)
{
    flow_close(&flow);
    story_close(&story);
}

TestSuite(compact, .init = open_history, .fini = close_history, .timeout = 300);

static void start_all(void)
{
    for (size_t i = 0; started[i] != NULL; i++) {
        flow_start(&flow, started[i]);
    }
    flow_until(flow_has_followed(&flow, "tasks", "auth") &&
               flow_has_followed(&flow, "accounting", "auth") &&
               flow_has_followed(&flow, "accounting", "tasks") &&
               flow_has_followed(&flow, "analytics", "auth") &&
               flow_has_followed(&flow, "analytics", "tasks") &&
               flow_has_followed(&flow, "analytics", "accounting"));
}

static int run(const char *const *words)
{
    const char *given = getenv("ATESCTL");
    const char *argv[16] = {given != NULL ? given : ATESCTL_PATH, "--no-input", "admin"};
    size_t count = 3;

    while (*words != NULL && count < 13) {
        argv[count++] = *words++;
    }
    argv[count++] = "--data";
    argv[count] = flow.data_dir;
    flow_run(&flow, argv, NULL, &output);
    return output.code;
}
#define ADMIN(...) run((const char *const[]){__VA_ARGS__, NULL})

static void assert_said(const char *said, const char *words)
{
    cr_assert_not_null(strstr(said, words), "'%s' is not in: %s", words, said);
}

static void compact(void)
{
    cr_assert_eq(ADMIN("compact", "-o", "csv"), 0, "%s", output.err);
}

static void lose(const char *service)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", flow.data_dir, service);
    const char *const remove[] = {"/bin/rm", "-r", path, NULL};
    flow_run(&flow, remove, NULL, &output);
    cr_assert_eq(output.code, 0, "%s", output.err);
}

static void add_reply(crypto_generichash_state *digest)
{
    crypto_generichash_update(digest, flow.reply.body.data, flow.reply.body.size);
}

/* The story may have left the flow's manager disabled. */
static void enable_the_manager(void)
{
    const struct auth_enable_user body = {.user_id = FLOW_MANAGER};

    flow_do(&flow, FLOW_ADMINISTRATOR, &auth_service, "enable_user", &body, NULL);
    flow_until(flow_has_followed(&flow, "tasks", "auth"));
}

/* What administrators are told of the story's days. */
static void read_figures(uint8_t out[HASH_SIZE])
{
    char first[STORY_DATE_SIZE], last[STORY_DATE_SIZE];
    crypto_generichash_state digest;

    story_format(story.first_day - 1, first);
    story_format(story.first_day + DAYS + 1, last);
    const struct analytics_show_income days = {ates_text_from(first), ates_text_from(last)};
    const struct analytics_negative_balances all = {.has_limit = true, .limit = 1000};
    const struct analytics_show_the_most_expensive_task period = {
        .has_from_date = true,
        .from_date = ates_text_from(first),
        .has_to_date = true,
        .to_date = ates_text_from(last),
    };
    struct analytics_show_income_result income;
    int64_t cents = 0;

    crypto_generichash_init(&digest, NULL, 0, HASH_SIZE);
    flow_do(&flow, FLOW_ADMINISTRATOR, &analytics_service, "show_income", &days, &income);
    add_reply(&digest);
    for (size_t i = 0; i < income.items.count; i++) {
        cents += llabs(((const struct analytics_income *)income.items.items)[i].income_cents);
    }
    cr_assert_gt(cents, 0, "nothing happened in these days");
    flow_do(&flow, FLOW_ADMINISTRATOR, &analytics_service, "negative_balances", &all, NULL);
    add_reply(&digest);
    flow_do(&flow, FLOW_ADMINISTRATOR, &analytics_service, "show_the_most_expensive_task", &period,
            NULL);
    add_reply(&digest);
    crypto_generichash_final(&digest, out, HASH_SIZE);
}

static void create_tasks(unsigned count)
{
    const struct tasks_create_task body = {.name = ates_text_from("Look back"),
                                           .description = ates_text_from("at what was cut")};

    while (count-- > 0) {
        flow_do(&flow, FLOW_ADMINISTRATOR, &tasks_service, "create_task", &body, NULL);
    }
}

Test(compact, everything_goes_on_as_if_nothing_had_been_cut)
{
    const struct ates_read_events from_start = {.after_seq = 0};
    uint8_t before[HASH_SIZE], after[HASH_SIZE];

    start_all();
    read_figures(before);
    cr_expect_eq(ADMIN("compact"), 5, "in use");
    assert_said(output.err, "in use by another process");
    flow_stop_all(&flow);

    cr_assert_eq(ADMIN("compact", "--dry-run"), 0, "%s", output.err);
    assert_said(output.err, "records would be cut");
    compact();
    assert_said(output.err, "tasks: ");
    cr_assert_eq(ADMIN("check"), 0, "%s", output.err);
    cr_assert_eq(ADMIN("rebuild"), 0, "%s", output.err);

    start_all();
    read_figures(after);
    cr_expect_arr_eq(before, after, HASH_SIZE, "other figures than before");
    flow_refused(&flow, FLOW_SERVICE, &tasks_service, "read_events", &from_start,
                 ATES_FAILED_PRECONDITION, "EVENTS_COMPACTED");
    enable_the_manager();
    flow_refused(&flow, FLOW_MANAGER, &tasks_service, "read_snapshot", NULL, ATES_PERMISSION_DENIED,
                 "ROLE_NOT_ALLOWED");
    create_tasks(5);
    flow_until(flow_has_followed(&flow, "accounting", "tasks") &&
               flow_has_followed(&flow, "analytics", "accounting"));
    flow_stop_all(&flow);
    cr_expect_eq(ADMIN("check"), 0, "%s", output.err);
    cr_expect_eq(ADMIN("rebuild"), 0, "%s", output.err);
}

Test(compact, analytics_begins_with_the_others_snapshots)
{
    uint8_t before[HASH_SIZE], after[HASH_SIZE];

    compact();
    start_all();
    create_tasks(3);
    flow_until(flow_has_followed(&flow, "accounting", "tasks") &&
               flow_has_followed(&flow, "analytics", "accounting"));
    read_figures(before);
    flow_stop_all(&flow);
    lose("analytics");
    start_all();
    read_figures(after);
    cr_expect_arr_eq(before, after, HASH_SIZE, "other figures than before");
    flow_stop_all(&flow);
    cr_expect_eq(ADMIN("check"), 0, "%s", output.err);
    cr_expect_eq(ADMIN("rebuild"), 0, "%s", output.err);
}

Test(compact, tasks_begins_with_the_users_of_auths_snapshot)
{
    compact();
    lose("tasks");
    flow_start(&flow, "broker");
    flow_start(&flow, "auth");
    flow_start(&flow, "tasks");
    flow_until(flow_has_followed(&flow, "tasks", "auth"));
    create_tasks(5); /* somebody is there to be drawn */
}

Test(compact, accounting_is_not_begun_with_a_snapshot_of_tasks)
{
    compact();
    lose("accounting");
    flow_start(&flow, "broker");
    flow_start(&flow, "auth");
    flow_start(&flow, "tasks");
    flow_start(&flow, "accounting");
    flow_until(flow_metric(&flow, "accounting", "ates_follower_stopped", "producer=\"tasks\"") ==
               1);
    flow_until(flow_has_followed(&flow, "accounting", "auth"));
    cr_expect_eq(flow_metric(&flow, "accounting", "ates_follower_position", "producer=\"tasks\""),
                 0);
}

/* Two weeks' records and their base, as a data folder of its own. */
Test(compact, a_backup_brings_the_base_along)
{
    uint8_t before[HASH_SIZE], after[HASH_SIZE];
    char backup[128], version[160], line[8] = "";

    compact();
    start_all();
    read_figures(before);
    snprintf(backup, sizeof backup, "%s/backup", flow.folder);
    cr_assert_eq(ADMIN("backup", backup), 0, "%s", output.err);
    flow_stop_all(&flow);
    snprintf(flow.data_dir, sizeof flow.data_dir, "%s/restored", flow.folder);
    cr_expect_eq(ADMIN("restore", backup, "--until", "2024-02-20T12:00:00Z"), 1);
    assert_said(output.err, "compacted");
    cr_assert_eq(ADMIN("restore", backup), 0, "%s", output.err);
    snprintf(version, sizeof version, "%s/version", flow.data_dir);
    FILE *file = fopen(version, "r");
    cr_assert_not_null(file);
    cr_assert_not_null(fgets(line, sizeof line, file));
    fclose(file);
    cr_expect_str_eq(line, "2\n", "an older program would take it for whole");
    cr_expect_eq(ADMIN("check"), 0, "%s", output.err);
    start_all();
    read_figures(after);
    cr_expect_arr_eq(before, after, HASH_SIZE, "other figures than before");
}

Test(compact, options_that_make_no_sense_are_refused)
{
    cr_expect_eq(ADMIN("compact", "--before", "2024-02-30"), 2);
    assert_said(output.err, "--before");
    cr_expect_eq(ADMIN("compact", "--keep-days", "0"), 2);
    cr_expect_eq(ADMIN("compact", "--keep-days", "9", "--before", "2024-02-20"), 2);
    assert_said(output.err, "give one of them");
    cr_assert_eq(ADMIN("compact", "--before", "2024-01-01", "-o", "csv"), 0, "%s", output.err);
    assert_said(output.out, "\ntasks,0,");
    assert_said(output.err, "tasks: nothing to cut");
}

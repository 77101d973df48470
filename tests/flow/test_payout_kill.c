/* kill -9 of accounting, of payment and of both at drawn moments of a payout that the schedule
 * began, and of the sending of its mails: each employee is paid once and has one mail, and every
 * mail arrives. ATES_KILLS: how many kills; 20 in each run, with users and money of its own. */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include <ates/accounting.h>
#include <ates/payment.h>

#include "core/log.h"
#include "support/event_log.h"
#include "support/model.h"
#include "support/payday.h"

#define EMPLOYEES 1000u
#define PAID_SURE (EMPLOYEES - 3)   /* a fee may be as high as the reward, once in two million */
#define EVENTS_SURE (2 * PAID_SURE) /* transfers and mails */
#define KILLS_A_RUN 20u
#define KILLS_LONG 200u
#define SOON_US 30000u /* after a start, at most, for one kill in SOON_SHARE */
#define SOON_SHARE 4u
#define AFTER_US 2000u /* at most, after the drawn event: a chunk of payments takes as long */

TestSuite(payout_kill, .timeout = 3600);

static struct smtp_server server;

/* Now and then it fails as well: what is to be tried again is kept across the kills. */
static const char behaviours[] =
    "90 accept | 4 reply RCPT 451 4.3.2 later | 3 drop DATA | 3 lose drop";

struct run {
    struct flow flow;
    struct ates_log *log;                  /* accounting's, as a reader beside it sees it */
    uint64_t first_seq;                    /* of it, before the payout */
    size_t accounting, payment, both;      /* kills */
    size_t before, paying, mailing, after; /* what accounting was killed at */
};

/* A moment is drawn; nothing is waited for. */
static void wait_us(uint64_t us)
{
    const struct timespec time = {.tv_sec = 0, .tv_nsec = (long)us * 1000};

    ppoll(NULL, 0, &time, NULL);
}

/* Events of accounting since before the payout, whether it runs or not. */
static uint64_t count_events(struct run *run)
{
    struct ates_arena *arena = ates_arena_new();
    struct ates_log_reader reader;
    struct ates_record record;
    MDB_val key, value;

    /* Its seek would go by the head that this process opened the log with. */
    cr_assert_eq(ates_log_read_open(&reader, run->log), 0);
    cr_assert_eq(mdb_cursor_get(reader.cursor, &key, &value, MDB_LAST), 0);
    cr_assert_eq(ates_record_decode(value.mv_data, value.mv_size, arena, &record), 0);
    const uint64_t count = ates_record_last_seq(&record) - run->first_seq;
    ates_log_read_close(&reader);
    ates_arena_free(&arena);
    return count;
}

static void open_log(struct run *run)
{
    static struct ates_source source;
    char path[128], error[256] = "";

    source = ates_source_system();
    snprintf(path, sizeof path, "%s/accounting/log", run->flow.data_dir);
    cr_assert_eq(ates_log_open(&run->log, path, (size_t)flow_load_config(&run->flow)->map_size,
                               &source, error, sizeof error),
                 0, "%s", error);
    run->first_seq = ates_log_head(run->log)->seq;
}

/* The moment of the kill of this number. Half of them are for the payments, a chunk of which each
 * survives the other, and half for the mails: as soon as the log has so many events, and a little
 * later. Some come soon after a start, wherever that is. */
static void await_moment(struct run *run, uint64_t number)
{
    const uint64_t half = KILLS_A_RUN / 2, share = EMPLOYEES / half;
    const int64_t deadline_ms = flow_now_ms() + FLOW_PATIENCE_MS * flow_scale();

    if (flow_draw(&run->flow, SOON_SHARE) == 0) {
        wait_us(flow_draw(&run->flow, SOON_US));
        return;
    }
    uint64_t wanted = number < half
                          ? share * number + 1
                          : EMPLOYEES + share * (number - half) + flow_draw(&run->flow, share);
    wanted = wanted < EVENTS_SURE ? wanted : EVENTS_SURE;
    while (count_events(run) < wanted) {
        cr_assert_lt(flow_now_ms(), deadline_ms, "the payout does not go on");
    }
    wait_us(flow_draw(&run->flow, AFTER_US));
}

/* What accounting, which was killed, was at. */
static void note_progress(struct run *run)
{
    const uint64_t done = count_events(run);

    run->before += done == 0;
    run->paying += done > 0 && done < PAID_SURE;
    run->mailing += done >= PAID_SURE && done < EVENTS_SURE;
    run->after += done >= EVENTS_SURE;
}

static void strike(struct run *run)
{
    struct flow *flow = &run->flow;
    const uint64_t draw = flow_draw(flow, 4);
    const bool accounting = draw != 0, payment = draw < 2;

    if (accounting) {
        flow_kill(flow, "accounting");
    }
    if (payment) {
        flow_kill(flow, "payment");
    }
    if (accounting) {
        note_progress(run);
        flow_spawn(flow, "accounting");
    }
    if (payment) {
        flow_spawn(flow, "payment");
    }
    run->accounting += accounting && !payment;
    run->payment += payment && !accounting;
    run->both += payment && accounting;
}

/* Whether the schedule has gone on to today. */
static bool is_closed(struct flow *flow)
{
    struct payment_show_schedule_result schedule;

    flow_do(flow, FLOW_ACCOUNTANT, &payment_service, "show_schedule", NULL, &schedule);
    const bool closed =
        ates_text_equal(schedule.next_business_date, payday_date(flow, payday_today()));
    ates_arena_reset(flow->arena);
    return closed;
}

static void check_runs(struct flow *flow)
{
    struct payment_payment_run told;
    struct event_log log;
    size_t paid = 0;

    event_log_read(&log, flow, "payment");
    for (size_t i = 0; i < log.count; i++) {
        if (event_log_is(&log, i, &payment_payment_run_message, &told)) {
            paid += told.status == PAYMENT_PAID;
            cr_assert_neq(told.status, PAYMENT_NOTHING);
        }
    }
    event_log_free(&log);
    cr_assert_leq(paid, 1, "the date was paid in %zu runs", paid);
}

static void check_admin(struct flow *flow)
{
    static struct flow_output output;
    const char *const argv[] = {ATESCTL_PATH, "admin", "check", "--data", flow->data_dir, NULL};

    flow_run(flow, argv, NULL, &output);
    cr_assert_eq(output.code, 0, "%s%s", output.out, output.err);
}

static void check_run(struct run *run)
{
    struct flow *flow = &run->flow;
    struct model model;

    flow_catch_up(flow);
    model_fold(&model, flow);
    model_check(&model, flow);
    cr_assert_geq(model.paid_count, PAID_SURE, "all but those whose fee was their reward");
    cr_assert_eq(model.day_count, 1);
    cr_assert(model.days[0].is_closed && model.days[0].day == payday_today() - 1);
    const struct payday_mails mails = payday_check_mails(flow, &server, true);
    cr_assert_eq(mails.sent, model.paid_count);
    cr_assert_eq(mails.dead, 0);
    check_runs(flow);
    model_free(&model);
    fprintf(
        stderr,
        "killed: accounting %zu, payment %zu, both %zu; before the payout %zu, while it paid %zu, "
        "mailed %zu, after %zu; %zu mails came twice\n",
        run->accounting, run->payment, run->both, run->before, run->paying, run->mailing,
        run->after, mails.duplicates);
    flow_stop_all(flow);
    check_admin(flow);
    model_check_rebuild(flow);
}

static void pay_under_fire(uint64_t kills)
{
    static struct run run;
    struct flow *flow = &run.flow;

    run = (struct run){.first_seq = 0};
    smtp_server_start(&server, NULL);
    flow_open(flow);
    flow_configure(flow, "smtp\n    url = \"%s\"\nmail\n    retry_seconds = \"1\"\n", server.url);
    smtp_server_tell(&server, "mix %" PRIu64 " %s", flow_draw(flow, 1u << 30), behaviours);
    payday_hire(flow, EMPLOYEES);
    payday_work(flow, EMPLOYEES, payday_noon(payday_today() - 1));
    payday_schedule(flow, payday_noon(payday_today() - 1));
    for (size_t i = 0; flow_services[i] != NULL; i++) {
        if (strcmp(flow_services[i], "payment") != 0) {
            flow_start(flow, flow_services[i]);
        }
    }
    flow_until(flow_has_followed(flow, "accounting", "tasks"));
    open_log(&run);
    flow_spawn(flow, "payment");
    for (uint64_t i = 0; i < kills; i++) {
        await_moment(&run, i * KILLS_A_RUN / kills);
        strike(&run);
    }
    ates_log_close(&run.log);
    flow_await(flow, "accounting");
    flow_await(flow, "payment");
    flow_until(is_closed(flow));
    smtp_server_tell(&server, "all accept");
    flow_until(payday_is_mailed(flow));
    check_run(&run);
    flow_close(flow);
    smtp_server_stop(&server);
}

Test(payout_kill, each_is_paid_once_and_mailed)
{
    uint64_t kills = flow_setting("ATES_KILLS", flow_is_long() ? KILLS_LONG : KILLS_A_RUN);

    while (kills > 0) {
        const uint64_t now = kills < KILLS_A_RUN ? kills : KILLS_A_RUN;

        pay_under_fire(now);
        kills -= now;
    }
}

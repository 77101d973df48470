/* A business date is closed through real processes: who gets how much, what the mails say, what is
 * refused, and that others are answered while thousands are paid. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include <ates/accounting.h>
#include <ates/tasks.h>

#include "support/event_log.h"
#include "support/meter.h"
#include "support/model.h"
#include "support/payday.h"

#define TASKS 40u
#define EMPLOYEES 3000u
#define EMPLOYEES_LONG 100000u
#define QUERIES 2000u
#define P99_LIMIT_US 50000 /* a checkpoint holds up the loop for some 15 ms */

TestSuite(payout, .timeout = 1800);

static void create_and_complete(struct flow *flow, const char *name, bool complete)
{
    const struct tasks_create_task body = {.name = ates_text_from(name),
                                           .description = ates_text_from("")};
    struct tasks_task_result result;

    flow_do(flow, FLOW_DEVELOPER, &tasks_service, "create_task", &body, &result);
    if (complete) {
        const struct tasks_complete_task done = {.task_id = result.task.id};

        flow_do(flow, result.task.assigned_to, &tasks_service, "complete_task", &done, NULL);
    }
}

/* A day's work of the flow's own users; some tasks stay open, so that some may end in debt. */
static void work(struct flow *flow)
{
    static const char *const names[] = {"Mend the <b>coffee</b> machine & \"more\"",
                                        "Починить кофеварку", "100 % = . a line", "."};

    for (size_t i = 0; i < TASKS; i++) {
        create_and_complete(flow, names[i % 4], flow_draw(flow, 3) > 0);
    }
    flow_catch_up(flow);
}

static struct accounting_pay_to_workers_result dry_run(struct flow *flow)
{
    const struct accounting_pay_to_workers body = {.has_dry_run = true, .dry_run = true};
    struct accounting_pay_to_workers_result result;
    const uint64_t head = flow_head(flow, "accounting");

    flow_do(flow, FLOW_ACCOUNTANT, &accounting_service, "pay_to_workers", &body, &result);
    cr_assert_eq(flow_head(flow, "accounting"), head, "a dry run moves nothing");
    return result;
}

static void expect_same(struct accounting_pay_to_workers_result got,
                        struct accounting_pay_to_workers_result wanted)
{
    cr_assert(ates_text_equal(got.business_date, wanted.business_date));
    cr_assert_eq(got.paid_count, wanted.paid_count);
    cr_assert_eq(got.total_cents, wanted.total_cents);
}

/* Under its request id it is answered by the stored reply, under another by what was done. */
static void pay_again(struct flow *flow, struct accounting_pay_to_workers_result paid)
{
    const struct accounting_pay_to_workers body = {.has_business_date = false};
    struct accounting_pay_to_workers_result again;

    cr_assert_eq(flow_call(flow, FLOW_ACCOUNTANT, &accounting_service, "pay_to_workers", "first",
                           &body, &again),
                 0);
    cr_assert(flow->reply.replayed);
    cr_assert_not(again.has_already_closed && again.already_closed);
    expect_same(again, paid);
    const uint64_t head = flow_head(flow, "accounting");
    again = payday_pay(flow, NULL, NULL);
    cr_assert(again.has_already_closed && again.already_closed);
    expect_same(again, paid);
    cr_assert_eq(flow_head(flow, "accounting"), head);
}

static json_t *text(struct ates_text value)
{
    return json_stringn(value.data, value.size);
}

/* Of one mail: what its transfers are, for the checker. */
static json_t *transfers_of(struct flow *flow, uint64_t user)
{
    const struct accounting_show_account_transfers body = {
        .has_user_id = true, .user_id = user, .has_limit = true, .limit = 1000};
    struct accounting_show_account_transfers_result page;
    json_t *list = json_array();

    flow_do(flow, FLOW_ACCOUNTANT, &accounting_service, "show_account_transfers", &body, &page);
    for (size_t i = 0; i < page.items.count; i++) {
        const struct accounting_transfer *transfer =
            &((const struct accounting_transfer *)page.items.items)[i];
        const struct tasks_show_task of = {.task_id = transfer->task_id};
        struct tasks_task_result shown = {.task = {.id = 0}};

        if (transfer->has_task_id) {
            flow_do(flow, FLOW_ADMINISTRATOR, &tasks_service, "show_task", &of, &shown);
        }
        json_array_append_new(
            list, json_pack("{s:s, s:I, s:I, s:o}", "kind", accounting_kind_names[transfer->kind],
                            "cents", (json_int_t)transfer->delta_cents, "task_id",
                            (json_int_t)transfer->task_id, "name",
                            transfer->has_task_id ? text(shown.task.name) : json_string("")));
    }
    return list;
}

/* What the mails must say, from what accounting shows, into FOLDER/expected.json. */
static void write_expected(struct flow *flow, const char *language, const char *path)
{
    struct accounting_show_mails body = {.has_limit = true, .limit = 1000};
    struct accounting_show_mails_result page;
    json_t *mails = json_array();

    flow_do(flow, FLOW_ACCOUNTANT, &accounting_service, "show_mails", &body, &page);
    cr_assert_not(page.has_next);
    for (uint64_t user = 1, i = 0; user <= FLOW_USERS; user++) {
        json_t *transfers = transfers_of(flow, user);
        const json_t *last = json_array_get(transfers, json_array_size(transfers) - 1);
        struct accounting_show_mail_result shown;

        if (last == NULL ||
            strcmp(json_string_value(json_object_get(last, "kind")), "payout") != 0) {
            json_decref(transfers);
            continue;
        }
        cr_assert_lt(i, page.items.count, "user %lu has no mail", (unsigned long)user);
        const struct accounting_mail *mail =
            &((const struct accounting_mail *)page.items.items)[i++];
        const struct accounting_show_mail of = {.mail_id = mail->id};
        flow_do(flow, FLOW_ACCOUNTANT, &accounting_service, "show_mail", &of, &shown);
        cr_assert_eq(mail->state, ACCOUNTING_MAIL_SENT);
        cr_assert_eq(mail->attempts, 1);
        json_array_append_new(mails, json_pack("{s:I, s:s, s:s, s:o, s:o, s:o, s:o}", "user",
                                               (json_int_t)user, "login", flow_login(user),
                                               "language", language, "to", text(mail->to),
                                               "subject", text(shown.mail.subject), "text",
                                               text(shown.text), "transfers", transfers));
    }
    cr_assert_eq(json_array_size(mails), page.items.count);
    cr_assert_eq(json_dump_file(mails, path, 0), 0);
    json_decref(mails);
}

static void check_files(struct flow *flow, const char *language, struct ates_text date)
{
    static struct flow_output output;
    char expected[128], folder[128], day[16] = "";
    const char *const argv[] = {"/usr/bin/python3",
                                ATES_SOURCE_ROOT "/tests/support/check_payout_mails.py",
                                folder,
                                expected,
                                day,
                                NULL};

    memcpy(day, date.data, date.size);
    snprintf(expected, sizeof expected, "%s/expected.json", flow->folder);
    snprintf(folder, sizeof folder, "%s/accounting/mails", flow->data_dir);
    write_expected(flow, language, expected);
    flow_run(flow, argv, NULL, &output);
    cr_assert_eq(output.code, 0, "%s%s", output.out, output.err);
}

static size_t count_events(struct flow *flow, const char *service,
                           const struct ates_message *message)
{
    struct event_log log;
    size_t count = 0;

    event_log_read(&log, flow, service);
    for (size_t i = 0; i < log.count; i++) {
        count += ates_text_equal(log.events[i].event_name, ates_text_from(message->name));
    }
    event_log_free(&log);
    return count;
}

static void expect_retries_refused(struct flow *flow)
{
    struct accounting_retry_mail body = {.mail_id = 1};

    flow_refused(flow, FLOW_ACCOUNTANT, &accounting_service, "retry_mail", &body,
                 ATES_FAILED_PRECONDITION, "MAIL_SENT");
    body.mail_id = 1000000;
    flow_refused(flow, FLOW_ACCOUNTANT, &accounting_service, "retry_mail", &body, ATES_NOT_FOUND,
                 "MAIL_UNKNOWN");
    flow_refused(flow, FLOW_DEVELOPER, &accounting_service, "retry_mail", &body,
                 ATES_PERMISSION_DENIED, "ROLE_NOT_ALLOWED");
}

static void pay_in(const char *language)
{
    struct flow flow;

    flow_open(&flow);
    flow_configure(&flow, "mail\n    language = \"%s\"\n", language);
    flow_start_all(&flow);
    work(&flow);
    const struct accounting_pay_to_workers_result due = dry_run(&flow);
    const struct accounting_pay_to_workers_result paid = payday_pay(&flow, NULL, "first");
    cr_assert(ates_text_equal(paid.business_date, payday_date(&flow, payday_today())));
    cr_assert_gt(paid.paid_count, 0);
    expect_same(paid, due);
    flow_until(payday_is_mailed(&flow));
    pay_again(&flow, paid);
    cr_assert_eq(count_events(&flow, "accounting", &accounting_payout_closed_message), 1);
    cr_assert_eq(count_events(&flow, "accounting", &accounting_mail_sent_message), paid.paid_count);
    check_files(&flow, language, paid.business_date);
    expect_retries_refused(&flow);
    flow_catch_up(&flow);
    struct model model;
    model_fold(&model, &flow);
    cr_assert_eq(model.paid_count, paid.paid_count);
    cr_assert_eq(model.paid_cents, paid.total_cents);
    model_check(&model, &flow);
    model_free(&model);
    flow_stop_all(&flow);
    model_check_rebuild(&flow);
    flow_close(&flow);
}

Test(payout, is_booked_and_mailed_in_english)
{
    pay_in("en");
}

Test(payout, is_booked_and_mailed_in_russian)
{
    pay_in("ru");
}

static void refuse(struct flow *flow, uint64_t caller, const char *date, enum ates_status status,
                   const char *reason)
{
    const struct accounting_pay_to_workers body = {.has_business_date = date != NULL,
                                                   .business_date =
                                                       ates_text_from(date != NULL ? date : "")};

    flow_refused(flow, caller, &accounting_service, "pay_to_workers", &body, status, reason);
}

Test(payout, is_refused)
{
    struct flow flow;
    char date[ATES_DATE_SIZE];

    flow_open(&flow);
    flow_start_all(&flow);
    refuse(&flow, FLOW_ACCOUNTANT, NULL, ATES_FAILED_PRECONDITION, "NO_TRANSFERS");
    create_and_complete(&flow, "a task", true);
    refuse(&flow, FLOW_ADMINISTRATOR, NULL, ATES_PERMISSION_DENIED, "ROLE_NOT_ALLOWED");
    refuse(&flow, FLOW_DEVELOPER, NULL, ATES_PERMISSION_DENIED, "ROLE_NOT_ALLOWED");
    refuse(&flow, FLOW_NOBODY, NULL, ATES_UNAUTHENTICATED, "TOKEN_MISSING");
    ates_day_format(payday_today() + 1, date);
    refuse(&flow, FLOW_ACCOUNTANT, date, ATES_INVALID_ARGUMENT, "DATE_IN_FUTURE");
    ates_day_format(payday_today() - 1, date);
    flow_catch_up(&flow);
    refuse(&flow, FLOW_ACCOUNTANT, date, ATES_FAILED_PRECONDITION, "NO_TRANSFERS");
    refuse(&flow, FLOW_ACCOUNTANT, "2026-02-30", ATES_INVALID_ARGUMENT, "FIELD_INVALID");
    flow_kill(&flow, "tasks");
    const uint64_t head = flow_head(&flow, "accounting");
    refuse(&flow, FLOW_ACCOUNTANT, NULL, ATES_UNAVAILABLE, "TASKS_UNREACHABLE");
    cr_assert_gt(flow.reply.refusal.retry_after_ms, 0);
    cr_assert_eq(flow_head(&flow, "accounting"), head);
    flow_start(&flow, "tasks");
    cr_assert_eq(payday_pay(&flow, NULL, NULL).paid_count, 1);
    flow_until(payday_is_mailed(&flow));
    model_verify(&flow);
    flow_close(&flow);
}

/* What tasks has said before it was asked is booked first, however long accounting hears nothing of
 * it: the broker is away. */
Test(payout, waits_for_what_tasks_has_said)
{
    struct flow flow;

    flow_open(&flow);
    flow_start_all(&flow);
    create_and_complete(&flow, "heard of", true);
    flow_catch_up(&flow);
    flow_kill(&flow, "broker");
    for (size_t i = 0; i < TASKS; i++) {
        create_and_complete(&flow, "unheard of", true);
    }
    const uint64_t said = flow_head(&flow, "tasks");
    payday_pay(&flow, NULL, NULL);
    cr_assert_geq(flow_metric(&flow, "accounting", "ates_follower_position", "producer=\"tasks\""),
                  (int64_t)said);
    flow_start(&flow, "broker");
    model_verify(&flow); /* nobody is left with money of the day */
    flow_close(&flow);
}

static void tell(const char *when, const struct meter_result *result)
{
    fprintf(stderr, "%s: %zu queries, p50 %ld us, p99 %ld us, max %ld us\n", when, result->count,
            (long)result->p50_us, (long)result->p99_us, (long)result->max_us);
}

/* Patient by their number. */
static void await_mails(struct flow *flow, size_t count)
{
    const int64_t deadline_ms =
        flow_now_ms() + (FLOW_PATIENCE_MS + (int64_t)count * 10) * flow_scale();

    while (!payday_is_mailed(flow)) {
        cr_assert_lt(flow_now_ms(), deadline_ms, "mails are queued still");
    }
}

Test(payout, thousands_are_paid_while_others_are_answered)
{
    const size_t employees =
        (size_t)flow_setting("ATES_EMPLOYEES", flow_is_long() ? EMPLOYEES_LONG : EMPLOYEES);
    struct meter_result before, during, mailing;
    struct meter meter;
    struct flow flow;

    flow_open(&flow);
    payday_hire(&flow, employees);
    payday_work(&flow, employees, payday_noon(payday_today() - 1));
    flow_start_all(&flow);
    meter_start(&meter, &flow);
    before = meter_stop(&meter, QUERIES);
    char date[ATES_DATE_SIZE];
    ates_day_format(payday_today() - 1, date);
    meter_start(&meter, &flow);
    const int64_t start_ms = flow_now_ms();
    const struct accounting_pay_to_workers_result paid = payday_pay(&flow, date, NULL);
    const int64_t paid_ms = flow_now_ms();
    during = meter_stop(&meter, 1);
    cr_assert_geq(paid.paid_count, employees - employees / 1000,
                  "all but those whose fee was their reward");
    meter_start(&meter, &flow);
    await_mails(&flow, employees);
    const int64_t mailed_ms = flow_now_ms();
    mailing = meter_stop(&meter, 1);
    fprintf(stderr, "%lu paid in %.2f s, mailed in %.1f s\n", (unsigned long)paid.paid_count,
            (double)(paid_ms - start_ms) / 1000, (double)(mailed_ms - paid_ms) / 1000);
    tell("before", &before);
    tell("while they were paid", &during);
    tell("while their mails were written", &mailing);
    cr_assert_lt(during.p99_us, P99_LIMIT_US * flow_scale());
    cr_assert_lt(mailing.p99_us, P99_LIMIT_US * flow_scale());
    model_verify(&flow);
    flow_stop_all(&flow);
    model_check_rebuild(&flow);
    flow_close(&flow);
}

/* The work that closes a date: a real call to a service in accounting's place. */
#include "support/payment_fixture.h"

#include <pthread.h>
#include <stdlib.h>

#include "support/fake_service.h"

/* Long enough to be reached by no test that gets an answer. */
#define LONG_MS 60000

static struct fake_service accounting = {.name = "accounting"};
static const atomic_bool never = false;

static void open_fixture(void)
{
    open_at("Europe/Moscow", 0, "2024-02-29T12:00:00");
    strcpy(accounting.run_dir, fixture.folder);
}

static void close_plainly(void)
{
    fixture_close(&fixture);
}

TestSuite(payment_run, .init = open_fixture, .fini = close_plainly, .timeout = 120);

/* The input as the domain makes it for 2024-02-29. */
static struct payment_pay_input *make_input(int64_t timeout_ms)
{
    struct payment_pay_input *input = ates_arena_alloc(fixture.arena, sizeof *input);

    cr_assert_null(advance());
    fixture.now_ms = utc("2024-02-29T21:00:00");
    *input = *(const struct payment_pay_input *)expect_begun("2024-02-29")->input;
    cr_assert_eq(input->timeout_ms, PAYMENT_ANSWER_TIMEOUT_MS);
    input->timeout_ms = timeout_ms;
    return input;
}

static struct payment_pay_output run(const struct payment_pay_input *input,
                                     const atomic_bool *stopping)
{
    struct payment_pay_output output = {.status = 12345};

    payment_pay_work.run(input, &output, stopping);
    cr_assert_eq(output.day, day_of("2024-02-29"));
    return output;
}

static void reply_paid(struct fake_service *self, const struct fake_request *request,
                       uint64_t paid_count, int64_t total_cents)
{
    const struct accounting_pay_to_workers_result result = {.business_date =
                                                                ates_text_from("2024-02-29"),
                                                            .paid_count = paid_count,
                                                            .total_cents = total_cents};
    struct ates_buffer body = {0};

    ates_message_encode(&accounting_pay_to_workers_result_message, &result, &body);
    fake_send_reply(self, request, "OK", body.data, body.size);
    ates_buffer_release(&body);
}

/* What came, whole: read after the service's end. */
static struct fake_request last_request;

static void pay(struct fake_service *self, const struct fake_request *request)
{
    last_request = *request;
    reply_paid(self, request, 17, 123456);
}

static void check_token(struct ates_text token)
{
    char keys[96], error[256] = "";
    struct ates_claims claims;
    struct ates_refusal refusal;

    snprintf(keys, sizeof keys, "%s/keys", fixture.folder);
    struct ates_keyring *keyring = ates_keyring_load(keys, error, sizeof error);
    cr_assert_not_null(keyring, "%s", error);
    cr_assert_eq(ates_token_verify(keyring, token.data, token.size, fixture.now_ms, false, &claims,
                                   &refusal),
                 0, "%s", refusal.message);
    cr_assert_eq(claims.user_id, 0);
    cr_assert_eq(claims.role, ATES_INTERNALSERVICE);
    cr_assert_str_eq(claims.login, "payment");
    cr_assert_eq(claims.issued_at, fixture.now_ms / 1000 * 1000);
    cr_assert_eq(claims.expires_at, fixture.now_ms + fixture.config.access_ms);
    ates_keyring_free(&keyring);
}

Test(payment_run, calls_with_the_dates_request_id_and_the_services_own_token)
{
    struct payment_pay_input *input = make_input(LONG_MS);
    struct ates_request_meta meta;
    struct accounting_pay_to_workers command;

    fake_service_start(&accounting, pay);
    const struct payment_pay_output output = run(input, &never);
    fake_service_stop(&accounting);
    cr_assert_eq(output.status, ATES_OK);
    cr_assert(output.paid_count == 17 && output.total_cents == 123456);
    cr_assert_eq(accounting.request_count, 1);
    cr_assert_str_eq(accounting.seen[0].command, "accounting.pay_to_workers");
    cr_assert_str_eq(accounting.seen[0].request_id, "payout-2024-02-29");

    const uint8_t *const meta_bytes = last_request.data[last_request.first + 2],
                         *const body = last_request.data[last_request.first + 3];
    cr_assert_eq(ates_message_decode(&ates_request_meta_message, meta_bytes,
                                     last_request.size[last_request.first + 2],
                                     ATES_UNKNOWN_REFUSED, fixture.arena, &meta, NULL),
                 0);
    check_token(meta.token);
    cr_assert_eq(ates_message_decode(&accounting_pay_to_workers_message, body,
                                     last_request.size[last_request.first + 3],
                                     ATES_UNKNOWN_REFUSED, fixture.arena, &command, NULL),
                 0);
    cr_assert(command.has_business_date && !command.has_dry_run);
    text_is(command.business_date, "2024-02-29");
}

Test(payment_run, a_run_of_the_schedule_from_its_begin_to_its_event)
{
    cr_assert_null(advance());
    fixture.now_ms = utc("2024-02-29T21:00:00");
    fake_service_start(&accounting, pay);
    fixture_run_begun(&fixture, expect_begun("2024-02-29"));
    fake_service_stop(&accounting);
    const struct payment_payment_run event = expect_run("2024-02-29", PAYMENT_PAID);
    cr_assert(event.paid_count == 17 && event.total_cents == 123456);
    cr_assert_not(event.has_error || event.has_retry_at);
    expect_next("2024-03-01");
}

Test(payment_run, a_refusal_comes_back_whole)
{
    struct payment_pay_input *input = make_input(LONG_MS);

    fake_service_start(&accounting, fake_refuse);
    const struct payment_pay_output output = run(input, &never);
    fake_service_stop(&accounting);
    cr_assert_eq(output.status, ATES_PERMISSION_DENIED);
    cr_assert_eq(output.refusal.status, ATES_PERMISSION_DENIED);
    cr_assert_str_eq(output.refusal.reason, "NOT_ASSIGNEE");
    cr_assert_str_eq(output.refusal.message, "the task is somebody else's");
    cr_assert_eq(output.refusal.retry_after_ms, 250);
    cr_assert_eq(accounting.request_count, 1);
}

static void garble(struct fake_service *self, const struct fake_request *request)
{
    fake_send_reply(self, request, "OK", "\x81\xa1x\x01", 4);
}

Test(payment_run, an_answer_that_is_none_is_a_fault)
{
    struct payment_pay_input *input = make_input(LONG_MS);

    fake_service_start(&accounting, garble);
    cr_assert_eq(run(input, &never).status, -EPROTO);
    fake_service_stop(&accounting);
}

Test(payment_run, silence_is_asked_again_and_then_given_up)
{
    struct payment_pay_input *input = make_input(900);
    const int64_t begun_ms = fake_now_ms();

    fake_service_start(&accounting, fake_silence);
    cr_assert_eq(run(input, &never).status, -ETIMEDOUT);
    cr_assert_geq(fake_now_ms() - begun_ms, 900);
    fake_service_stop(&accounting);
    cr_assert(accounting.request_count >= 2 && accounting.request_count <= 3, "%zu requests",
              accounting.request_count);
    for (size_t i = 0; i < accounting.request_count; i++) {
        cr_assert_str_eq(accounting.seen[i].request_id, "payout-2024-02-29");
    }
}

Test(payment_run, nobody_there_is_no_answer)
{
    struct payment_pay_input *input = make_input(300);

    cr_assert_eq(run(input, &never).status, -ETIMEDOUT);
}

/* As one does that was started again, and knows nothing of the first request. */
static void answer_the_second(struct fake_service *self, const struct fake_request *request)
{
    if (self->request_count == 2) {
        reply_paid(self, request, 2, 2);
    }
}

Test(payment_run, what_a_restarted_accounting_lost_is_sent_again)
{
    struct payment_pay_input *input = make_input(3000);

    fake_service_start(&accounting, answer_the_second);
    const struct payment_pay_output output = run(input, &never);
    fake_service_stop(&accounting);
    cr_assert(output.status == ATES_OK && output.paid_count == 2);
}

static atomic_bool stopping;

static void stop(struct fake_service *self, const struct fake_request *request)
{
    (void)self, (void)request;
    atomic_store(&stopping, true);
}

Test(payment_run, ends_soon_when_the_service_is_to_end)
{
    struct payment_pay_input *input = make_input(LONG_MS);
    const int64_t begun_ms = fake_now_ms();

    fake_service_start(&accounting, stop);
    cr_assert_eq(run(input, &stopping).status, -ECANCELED);
    fake_service_stop(&accounting);
    cr_assert_lt(fake_now_ms() - begun_ms, LONG_MS / 4);
}

static void *run_beside(void *input)
{
    static struct payment_pay_output output;

    output = run(input, &never);
    return &output;
}

Test(payment_run, waits_for_an_accounting_that_starts_later)
{
    struct payment_pay_input *input = make_input(LONG_MS);
    pthread_t thread;
    void *output;

    cr_assert_eq(pthread_create(&thread, NULL, run_beside, input), 0);
    fake_service_start(&accounting, pay);
    cr_assert_eq(pthread_join(thread, &output), 0);
    fake_service_stop(&accounting);
    cr_assert_eq(((const struct payment_pay_output *)output)->status, ATES_OK);
}

Test(payment_run, a_folder_too_long_for_a_socket_is_told)
{
    struct payment_pay_input *input = make_input(LONG_MS);

    memset(input->reach.run_dir, 'x', sizeof input->reach.run_dir - 1);
    input->reach.run_dir[0] = '/';
    cr_assert_eq(run(input, &never).status, -ENAMETOOLONG);
}

Test(payment_run, without_its_key_the_service_does_not_start)
{
    char keys[96], error[256] = "";
    void *memory = NULL;

    snprintf(keys, sizeof keys, "%s/nowhere", fixture.folder);
    cr_assert_lt(payment_memory_open(&fixture.config, keys, &memory, error, sizeof error), 0);
    cr_assert_not_null(strstr(error, keys), "%s", error);
    cr_assert_null(memory);
    payment_memory_close(&memory);
}

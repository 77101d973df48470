/* The call to accounting; see payment_run.h. */
#include "payment/payment_run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ates/accounting.h>
#include <ates/client.h>
#include <ates/payment.h>

#include "core/client_private.h"

#define SLICE_MS 100 /* how soon the work ends when the service is to */
#define SENDS 3      /* in the time for which an answer is waited for */

/* One call under way. */
struct call {
    const struct payment_pay_input *input;
    struct payment_pay_output *output;
    struct ates_pipeline *pipeline;
    struct ates_arena *arena;
};

static int send_command(const struct call *self)
{
    char date[ATES_DATE_SIZE], request_id[PAYMENT_REQUEST_ID_SIZE];
    struct ates_buffer body = {0};

    ates_day_format(self->input->day, date);
    snprintf(request_id, sizeof request_id, "payout-%s", date);
    const struct accounting_pay_to_workers command = {.has_business_date = true,
                                                      .business_date = {date, sizeof date - 1},
                                                      .has_dry_run = self->input->is_dry,
                                                      .dry_run = self->input->is_dry};
    ates_message_encode(&accounting_pay_to_workers_message, &command, &body);
    const struct ates_pipeline_command sent = {
        .command = "pay_to_workers",
        .request_id = self->input->is_dry ? NULL : request_id,
        .traceparent = self->input->traceparent[0] != '\0' ? self->input->traceparent : NULL,
        .body = body.data,
        .body_size = body.size,
    };
    int r = ates_pipeline_send_command(self->pipeline, &sent);
    ates_buffer_release(&body);
    return r;
}

static int take_reply(const struct call *self, const struct ates_reply *reply)
{
    struct accounting_pay_to_workers_result result;

    if (reply->status != ATES_OK) {
        self->output->refusal = reply->refusal;
        return (int)reply->status;
    }
    if (ates_message_decode(&accounting_pay_to_workers_result_message, reply->body.data,
                            reply->body.size, ATES_UNKNOWN_IGNORED, self->arena, &result,
                            NULL) != 0) {
        return -EPROTO;
    }
    self->output->paid_count = result.paid_count;
    self->output->total_cents = result.total_cents;
    self->output->already_closed = result.has_already_closed && result.already_closed;
    return ATES_OK;
}

/* Sends, and waits for the reply. An accounting that is started again meanwhile has lost what it was
 * sent, so it is sent again now and then: under its request id it is done once. */
static int exchange(const struct call *self, const atomic_bool *stopping)
{
    const int64_t begun_us = ates_monotonic_us();
    const int64_t until_us = begun_us + self->input->timeout_ms * 1000;
    int64_t next_send_us = begun_us;
    struct ates_reply reply;

    for (int64_t now_us = begun_us; now_us < until_us; now_us = ates_monotonic_us()) {
        int r = now_us >= next_send_us ? send_command(self) : 0;
        if (r != 0 && r != -EAGAIN) {
            return r;
        }
        if (r == 0 && now_us >= next_send_us) {
            next_send_us = now_us + (until_us - begun_us) / SENDS;
        }
        r = ates_pipeline_receive(self->pipeline, SLICE_MS, &reply);
        if (r != -EAGAIN) {
            return r != 0 ? r : take_reply(self, &reply);
        }
        if (atomic_load(stopping)) {
            return -ECANCELED;
        }
    }
    return -ETIMEDOUT;
}

static void pay(const void *work_input, void *work_output, const atomic_bool *stopping)
{
    struct call self = {.input = work_input, .output = work_output};
    struct ates_client *client = ates_client_new_at(&self.input->reach);

    self.output->day = self.input->day;
    self.output->status = -ENOMEM;
    if (client != NULL) {
        ates_client_set_token(client, self.input->token);
        self.pipeline = ates_pipeline_new(client, accounting_service.name);
        self.output->status = self.pipeline != NULL ? 0 : -errno;
    }
    if (self.pipeline != NULL) {
        self.arena = ates_arena_new();
        self.output->status = exchange(&self, stopping);
        ates_arena_free(&self.arena);
    }
    ates_pipeline_free(&self.pipeline);
    ates_client_free(&client);
}

const struct ates_work payment_pay_work = {
    .name = "pay",
    .run = pay,
    .input_size = sizeof(struct payment_pay_input),
    .output_size = sizeof(struct payment_pay_output),
};

/* The token's times are the clock's, not the log's, as accounting holds them against its clock. */
static int make_input(const struct ates_call *call, ates_day day, bool is_dry,
                      struct payment_pay_input *input)
{
    const struct payment_memory *memory = call->domain;

    *input = (struct payment_pay_input){
        .day = day, .is_dry = is_dry, .timeout_ms = PAYMENT_ANSWER_TIMEOUT_MS};
    ates_config_reach(call->config, &input->reach);
    if (call->cause.has_traceparent) {
        memcpy(input->traceparent, call->cause.traceparent.data, call->cause.traceparent.size);
    }
    return ates_token_sign_service(&memory->key, call->source, payment_service.name,
                                   call->config->access_ms, input->token);
}

int payment_pay_begin(struct ates_call *call, ates_day day)
{
    struct payment_pay_input input;
    int r = make_input(call, day, false, &input);

    if (r == 0) {
        ates_begin(call, &payment_pay_work, (uint64_t)day, &input, sizeof input);
    }
    explicit_bzero(&input, sizeof input);
    return r;
}

int payment_pay_defer(struct ates_call *call, ates_day day, bool is_dry)
{
    struct payment_pay_input input;
    int r = make_input(call, day, is_dry, &input);

    if (r == 0) {
        r = ates_defer(call, &payment_pay_work, &input);
    }
    explicit_bzero(&input, sizeof input);
    return r;
}

int payment_memory_open(const struct ates_config *config, const char *keys_dir, void **memory,
                        char *error, size_t error_size)
{
    struct payment_memory *self = calloc(1, sizeof *self);

    (void)config;
    if (self == NULL) {
        snprintf(error, error_size, "out of memory");
        return -ENOMEM;
    }
    int r = keys_dir != NULL
                ? ates_keys_load_secret(keys_dir, ATES_KEY_SERVICES, &self->key, error, error_size)
                : 0;
    if (r != 0) {
        free(self);
        return r;
    }
    *memory = self;
    return 0;
}

void payment_memory_close(void **memory)
{
    struct payment_memory *self = *memory;

    if (self != NULL) {
        explicit_bzero(self, sizeof *self);
        free(self);
        *memory = NULL;
    }
}

/* A million tasks through real processes: each is one task and one fee, the whole book balances, and every state is
 * what its log says. Long: it runs by tools/test --long. ATES_TASKS asks for another number. */
#include <criterion/criterion.h>
#include <stdio.h>

#include <ates/accounting.h>
#include <ates/tasks.h>

#include "support/flow.h"
#include "support/model.h"

#define TASKS 1000000u
#define WINDOW 512u

static void create_all(struct flow *flow, uint64_t count)
{
    struct ates_pipeline *pipeline = ates_pipeline_new(flow->client, "tasks");
    struct ates_buffer body = {0};
    struct ates_reply reply;
    uint64_t sent = 0;

    cr_assert_not_null(pipeline);
    ates_client_set_token(flow->client, flow->tokens[FLOW_ADMINISTRATOR]);
    for (uint64_t received = 0; received < count; received++) {
        for (; sent < count && sent - received < WINDOW; sent++) {
            char name[64], request_id[64];
            const struct tasks_create_task task = {
                .name = {name, (size_t)snprintf(name, sizeof name, "Popug errand %lu",
                                                (unsigned long)sent)},
                .description = ates_text_from(""),
            };

            snprintf(request_id, sizeof request_id, "million-%lu", (unsigned long)sent);
            body.size = 0;
            ates_message_encode(&tasks_create_task_message, &task, &body);
            cr_assert_eq(
                ates_pipeline_send(pipeline, "create_task", request_id, body.data, body.size, sent),
                0);
        }
        cr_assert_eq(ates_pipeline_receive(pipeline, FLOW_PATIENCE_MS, &reply), 0);
        cr_assert_eq(reply.status, ATES_OK, "%s", reply.refusal.reason);
    }
    ates_pipeline_free(&pipeline);
    ates_buffer_release(&body);
}

Test(million, tasks_are_created_priced_and_rebuilt, .timeout = 1800)
{
    const uint64_t count = flow_setting("ATES_TASKS", TASKS);
    struct flow flow;

    flow_open(&flow);
    flow_start_all(&flow);
    const int64_t start_ms = flow_now_ms();
    create_all(&flow, count);
    const int64_t created_ms = flow_now_ms();
    flow_catch_up(&flow);
    fprintf(stderr, "%lu tasks in %.1f s, followed %.1f s later\n", (unsigned long)count,
            (double)(created_ms - start_ms) / 1000, (double)(flow_now_ms() - created_ms) / 1000);
    cr_assert_eq(flow_head(&flow, "tasks"), count);
    cr_assert_eq(flow_head(&flow, "accounting"), 2 * count, "a price and a fee each");
    flow_stop_all(&flow);
    model_check_rebuild(&flow); /* chains, ledgers, and the same state from the log */
    flow_close(&flow);
}

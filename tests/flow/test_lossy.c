/* PUB/SUB may lose, repeat and reorder what it likes, or be away: followers end where they would
 * have. */
#include <criterion/criterion.h>
#include <zmq.h>

#include "core/endpoint.h"
#include "core/socket.h"
#include "support/lossy.h"
#include "support/mix.h"
#include "support/model.h"

#define COMMANDS 3000u
#define IN_FLIGHT 16u

TestSuite(lossy, .timeout = 600);

/* A subscriber of the test's own, which tells whether the broker does what it is there for. */
struct witness {
    void *context, *socket;
    size_t seen, gaps, repeats, backwards;
};

static void witness_open(struct witness *witness, const struct flow *flow)
{
    char endpoint[256];

    *witness = (struct witness){.context = zmq_ctx_new()};
    witness->socket = ates_socket_open(witness->context, ZMQ_SUB);
    cr_assert_eq(ates_endpoint(flow->run_dir, "events", endpoint, sizeof endpoint), 0);
    cr_assert_eq(zmq_connect(witness->socket, endpoint), 0);
    cr_assert_eq(zmq_setsockopt(witness->socket, ZMQ_SUBSCRIBE, "tasks.task_", 11), 0);
}

static void witness_close(struct witness *witness)
{
    struct ates_arena *arena = ates_arena_new();
    static uint8_t bytes[ATES_FRAME_MAX];
    uint64_t last = 0;
    int size;

    while (zmq_recv(witness->socket, bytes, sizeof bytes, ZMQ_DONTWAIT) >= 0 &&
           (size = zmq_recv(witness->socket, bytes, sizeof bytes, 0)) >= 0) {
        struct ates_envelope envelope;

        ates_arena_reset(arena);
        cr_assert_eq(ates_message_decode(&ates_envelope_message, bytes, (size_t)size,
                                         ATES_UNKNOWN_IGNORED, arena, &envelope, NULL),
                     0);
        witness->seen++;
        witness->gaps += envelope.seq > last + 1;
        witness->repeats += envelope.seq == last;
        witness->backwards += envelope.seq < last;
        last = envelope.seq;
    }
    ates_arena_free(&arena);
    zmq_close(witness->socket);
    zmq_ctx_term(witness->context);
}

static void verify_and_close(struct flow *flow, struct mix *mix)
{
    mix_drain(mix);
    mix_check(mix);
    model_verify(flow);
    mix_close(mix);
    flow_kill(flow, "broker");
    flow_stop_all(flow);
    model_check_rebuild(flow);
    flow_close(flow);
}

/* Shares in permille. */
static struct witness run_with(unsigned drop, unsigned repeat, unsigned reorder)
{
    struct witness witness;
    struct flow flow;
    struct mix mix;

    flow_open(&flow);
    lossy_start(&flow, drop, repeat, reorder);
    witness_open(&witness, &flow);
    for (size_t i = 1; flow_services[i] != NULL; i++) {
        flow_start(&flow, flow_services[i]);
    }
    flow_until(flow_has_followed(&flow, "tasks", "auth"));
    mix_open(&mix, &flow);
    mix_run(&mix, COMMANDS, IN_FLIGHT);
    verify_and_close(&flow, &mix);
    witness_close(&witness);
    return witness;
}

Test(lossy, one_in_five_of_each_kind)
{
    const struct witness witness = run_with(200, 200, 200);

    cr_assert(witness.gaps > 0 && witness.repeats > 0 && witness.backwards > 0);
}

Test(lossy, nothing_arrives)
{
    const struct witness witness = run_with(1000, 0, 0);

    cr_assert_eq(witness.seen, 0);
}

Test(lossy, everything_comes_twice)
{
    const struct witness witness = run_with(0, 1000, 0);

    cr_assert(witness.seen > 0 && witness.repeats >= witness.seen / 2);
}

Test(lossy, nothing_comes_in_order)
{
    const struct witness witness = run_with(0, 0, 1000);

    cr_assert(witness.backwards > witness.seen / 3);
}

/* The broker is away for a while under load, then another takes its place. */
Test(lossy, the_broker_is_away)
{
    const int64_t away_ms = flow_is_long() ? 10000 : 2000;
    struct flow flow;
    struct mix mix;

    flow_open(&flow);
    flow_start_all(&flow);
    flow_until(flow_has_followed(&flow, "tasks", "auth"));
    mix_open(&mix, &flow);
    mix_run(&mix, COMMANDS / 4, IN_FLIGHT);
    flow_kill(&flow, "broker");
    const int64_t back_ms = flow_now_ms() + away_ms;
    while (flow_now_ms() < back_ms) {
        mix_fill(&mix, 2);
        mix_receive(&mix, back_ms - flow_now_ms());
    }
    flow_spawn(&flow, "broker");
    mix_run(&mix, COMMANDS / 4, IN_FLIGHT);
    verify_and_close(&flow, &mix);
}

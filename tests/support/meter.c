/* The meter; see meter.h. */
#include "support/meter.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <criterion/criterion.h>

#include <ates/accounting.h>

#define CALLS_MAX 1000000u

struct meter_shared {
    atomic_size_t count;
    atomic_size_t wanted; /* it ends there; 0: not yet */
    int64_t latency_us[CALLS_MAX];
};

static void ask(struct flow *flow, struct meter_shared *shared)
{
    const struct accounting_show_balance body = {.has_user_id = true, .user_id = FLOW_DEVELOPER};
    struct accounting_show_balance_result balance;

    flow->client = ates_client_new(flow->run_dir);
    for (size_t i = 0; i < CALLS_MAX; i++) {
        const size_t wanted = atomic_load(&shared->wanted);

        if (wanted != 0 && i >= wanted) {
            break;
        }
        const int64_t start_us = ates_monotonic_us();
        if (flow_call(flow, FLOW_ACCOUNTANT, &accounting_service, "show_balance", NULL, &body,
                      &balance) != ATES_OK) {
            _exit(1);
        }
        shared->latency_us[i] = ates_monotonic_us() - start_us;
        atomic_store(&shared->count, i + 1);
        ates_arena_reset(flow->arena);
    }
    _exit(0);
}

void meter_start(struct meter *meter, struct flow *flow)
{
    meter->shared = mmap(NULL, sizeof *meter->shared, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(meter->shared, MAP_FAILED);
    meter->pid = flow_fork();
    if (meter->pid == 0) {
        ask(flow, meter->shared);
    }
}

static int compare(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

struct meter_result meter_stop(struct meter *meter, size_t at_least)
{
    struct meter_shared *shared = meter->shared;

    atomic_store(&shared->wanted, at_least > 0 ? at_least : 1);
    const int status = flow_wait_for_end(meter->pid, FLOW_PATIENCE_MS * flow_scale());
    cr_assert(status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0,
              "accounting did not answer after %zu queries", atomic_load(&shared->count));
    const size_t count = atomic_load(&shared->count);
    qsort(shared->latency_us, count, sizeof shared->latency_us[0], compare);
    const struct meter_result result = {
        .count = count,
        .p50_us = shared->latency_us[count / 2],
        .p99_us = shared->latency_us[count * 99 / 100],
        .max_us = shared->latency_us[count - 1],
    };
    munmap(shared, sizeof *shared);
    *meter = (struct meter){0};
    return result;
}

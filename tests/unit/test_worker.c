/* Work done aside: results, limits, and an end that forgets nothing. */
#include <criterion/criterion.h>
#include <errno.h>
#include <semaphore.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "core/worker.h"

static void *context;
static struct ates_workers *workers;
static sem_t begun, let_go;

static void setup(void)
{
    context = zmq_ctx_new();
    workers = ates_workers_new(context, 0);
    cr_assert_not_null(workers);
    sem_init(&begun, 0, 0);
    sem_init(&let_go, 0, 0);
}

static void teardown(void)
{
    ates_workers_free(&workers);
    cr_assert_null(workers);
    ates_workers_free(&workers);
    zmq_ctx_term(context);
}

TestSuite(worker, .init = setup, .fini = teardown, .timeout = 60);

static void square(const void *input, void *output, const atomic_bool *stopping)
{
    (void)stopping;
    const int64_t number = *(const int64_t *)input;

    *(int64_t *)output = number * number;
}

static const struct ates_work square_work = {
    .name = "square", .run = square, .input_size = 8, .output_size = 8};

/* Holds its thread until the test lets it go. */
static void hold(const void *input, void *output, const atomic_bool *stopping)
{
    (void)stopping;
    memcpy(output, input, 8);
    sem_post(&begun);
    while (sem_wait(&let_go) != 0) {
    }
}

static const struct ates_work hold_work = {
    .name = "hold", .run = hold, .input_size = 8, .output_size = 8};

static int submit(const struct ates_work *work, int64_t input, int64_t expires_us, void *owner)
{
    return ates_workers_submit(workers, work, &input, sizeof input, expires_us, owner);
}

/* The next result, waited for. */
static const int64_t *next(void **owner)
{
    zmq_pollitem_t item = {ates_workers_socket(workers), 0, ZMQ_POLLIN, 0};
    const void *output = NULL;

    while (!ates_workers_receive(workers, owner, &output)) {
        cr_assert_gt(zmq_poll(&item, 1, 30000), 0, "no result came");
    }
    return output;
}

/* Fills every thread; returns how many there are. */
static size_t occupy(void)
{
    const long half = sysconf(_SC_NPROCESSORS_ONLN) / 2;
    const size_t threads = half < 1 ? 1 : half > 4 ? 4 : (size_t)half;

    for (size_t i = 0; i < threads; i++) {
        cr_assert_eq(submit(&hold_work, 0, 0, &begun), 0);
    }
    for (size_t i = 0; i < threads; i++) {
        while (sem_wait(&begun) != 0) {
        }
    }
    return threads;
}

static void let_all_go(size_t threads)
{
    for (size_t i = 0; i < threads; i++) {
        sem_post(&let_go);
    }
}

Test(worker, results_come_back_with_their_owners)
{
    int64_t inputs[40];
    bool seen[40] = {false};
    void *owner;
    const void *output;

    cr_assert_not(ates_workers_receive(workers, &owner, &output));
    for (int i = 0; i < 40; i++) {
        inputs[i] = i;
        cr_assert_eq(
            submit(&square_work, i, i % 2 ? 0 : ates_monotonic_us() + 60000000, &inputs[i]), 0);
        inputs[i] = i + 1000; /* it is a copy that is worked on */
    }
    cr_assert_eq(ates_workers_pending(workers), 40);
    for (int i = 0; i < 40; i++) {
        const int64_t *result = next(&owner);
        const size_t index = (size_t)((int64_t *)owner - inputs);

        cr_assert_lt(index, 40);
        cr_assert_not(seen[index]);
        seen[index] = true;
        cr_assert_eq(*result, (int64_t)(index * index));
    }
    cr_assert_eq(ates_workers_pending(workers), 0);
    cr_assert_not(ates_workers_receive(workers, &owner, &output));
}

Test(worker, a_full_queue_takes_no_more)
{
    void *owner;
    size_t threads = occupy(), ran = 0;

    while (ates_workers_pending(workers) < ATES_WORKER_QUEUE_MAX) {
        cr_assert_eq(submit(&square_work, 3, 0, NULL), 0);
    }
    cr_assert_eq(submit(&square_work, 3, 0, NULL), -EAGAIN);
    let_all_go(threads);
    next(&owner);
    cr_assert_eq(submit(&square_work, 3, 0, NULL), 0);
    while (ates_workers_pending(workers) > 0) {
        ran += next(&owner) != NULL;
    }
    cr_assert_eq(ran, ATES_WORKER_QUEUE_MAX);
}

Test(worker, work_that_expired_comes_back_unrun)
{
    void *owner;
    int kept, late;

    const size_t threads = occupy();
    cr_assert_eq(submit(&square_work, 3, ates_monotonic_us() - 1, &late), 0);
    cr_assert_eq(submit(&square_work, 3, ates_monotonic_us() + 60000000, &kept), 0);
    let_all_go(threads);
    while (ates_workers_pending(workers) > 0) {
        const int64_t *output = next(&owner);

        cr_assert_eq(output == NULL, owner == &late);
        cr_assert(owner != &kept || *output == 9);
    }
}

Test(worker, stop_finishes_what_is_in_hand_and_gives_the_rest_back)
{
    const size_t threads = occupy();
    size_t unrun = 0, run = 0;
    const void *output;
    void *owner;

    for (int i = 0; i < 20; i++) {
        cr_assert_eq(submit(&square_work, 3, 0, &unrun), 0);
    }
    let_all_go(threads);
    ates_workers_stop(workers);
    while (ates_workers_receive(workers, &owner, &output)) {
        run += output != NULL;
        unrun += output == NULL;
    }
    cr_assert_eq(run + unrun, threads + 20);
    cr_assert_geq(run, threads);
    cr_assert_eq(ates_workers_pending(workers), 0);
    ates_workers_stop(workers);
}

/* What nobody received is freed all the same (the sanitizer's leak check tells). */
Test(worker, free_drops_the_queue)
{
    const size_t threads = occupy();

    for (int i = 0; i < 20; i++) {
        cr_assert_eq(submit(&square_work, 3, 0, NULL), 0);
    }
    let_all_go(threads);
}

/* An end that comes before the threads have begun. */
Test(worker, stop_may_come_at_once)
{
    for (int i = 0; i < 50; i++) {
        struct ates_workers *brief = ates_workers_new(context, 0);

        cr_assert_not_null(brief);
        if (i % 2) {
            cr_assert_eq(ates_workers_submit(brief, &square_work, &(int64_t){4}, 8, 0, NULL), 0);
        }
        ates_workers_free(&brief);
    }
}

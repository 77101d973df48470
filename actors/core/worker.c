/* Workers; see worker.h. A job is owned by one side at a time: a queue under a mutex takes it to
 * whichever thread is free, an inproc socket brings it back, so that a loop can poll for it. */
#include "core/worker.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zmq.h>

#include "core/socket.h"

#define HASHING_THREADS_MAX 4u
#define THREAD_NICENESS 10

struct job {
    const struct ates_work *work;
    void *input, *output; /* output is NULL until it was run */
    size_t input_size;
    int64_t expires_us;
    void *owner;
};

struct ates_workers {
    void *context, *results;
    char endpoint[64]; /* of results */
    pthread_t threads[ATES_WORKER_THREADS_MAX];
    size_t thread_count;
    size_t pending; /* submitted and not yet received */
    struct job *received;

    /* What the threads share. */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct job *queue[ATES_WORKER_QUEUE_MAX]; /* a ring */
    size_t first, queued;
    atomic_bool stopping; /* read without the mutex by the work in hand */
};

static void free_job(struct job *job)
{
    if (job != NULL) {
        if (job->input != NULL) {
            explicit_bzero(job->input, job->input_size);
        }
        if (job->output != NULL) {
            explicit_bzero(job->output, job->work->output_size);
        }
        free(job->input);
        free(job->output);
        free(job);
    }
}

static struct job *pop(struct ates_workers *self)
{
    struct job *job = self->queue[self->first];

    self->first = (self->first + 1) % ATES_WORKER_QUEUE_MAX;
    self->queued--;
    return job;
}

/* The next job, waited for; NULL when it is time to end. */
static struct job *take(struct ates_workers *self)
{
    struct job *job = NULL;

    pthread_mutex_lock(&self->mutex);
    while (self->queued == 0 && !self->stopping) {
        pthread_cond_wait(&self->changed, &self->mutex);
    }
    if (!self->stopping) {
        job = pop(self);
    }
    pthread_mutex_unlock(&self->mutex);
    return job;
}

static void *work(void *argument)
{
    struct ates_workers *self = argument;
    void *results = ates_socket_open(self->context, ZMQ_PUSH);
    struct job *job;

    /* Linux gives threads their own niceness; the loops come first. */
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), THREAD_NICENESS);
    if (results == NULL || zmq_connect(results, self->endpoint) != 0) {
        abort();
    }
    while ((job = take(self)) != NULL) {
        if (job->expires_us == 0 || ates_monotonic_us() < job->expires_us) {
            job->output = calloc(1, job->work->output_size);
            if (job->output == NULL) {
                abort();
            }
            job->work->run(job->input, job->output, &self->stopping);
        }
        zmq_send(results, &job, sizeof job, 0);
    }
    zmq_close(results);
    return NULL;
}

/* For work that keeps a core busy. */
static size_t default_threads(void)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t half = cores / 2 < 1 ? 1 : (size_t)cores / 2;

    return half > HASHING_THREADS_MAX ? HASHING_THREADS_MAX : half;
}

static int start_threads(struct ates_workers *self, size_t wanted)
{
    sigset_t all, before;
    int r = 0;

    /* Signals are main's. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (r == 0 && self->thread_count < wanted) {
        r = pthread_create(&self->threads[self->thread_count], NULL, work, self);
        self->thread_count += r == 0;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

struct ates_workers *ates_workers_new(void *context, unsigned threads)
{
    static atomic_uint serial;
    struct ates_workers *self = calloc(1, sizeof *self);

    assert(threads <= ATES_WORKER_THREADS_MAX);
    if (self == NULL) {
        return NULL;
    }
    self->context = context;
    pthread_mutex_init(&self->mutex, NULL);
    pthread_cond_init(&self->changed, NULL);
    /* Not its address: ZeroMQ frees an endpoint some time after its socket's close. */
    snprintf(self->endpoint, sizeof self->endpoint, "inproc://results-%u",
             atomic_fetch_add(&serial, 1));
    self->results = ates_socket_open(context, ZMQ_PULL);
    if (self->results == NULL || zmq_bind(self->results, self->endpoint) != 0 ||
        start_threads(self, threads != 0 ? threads : default_threads()) != 0) {
        ates_workers_free(&self);
    }
    return self;
}

void ates_workers_stop(struct ates_workers *self)
{
    pthread_mutex_lock(&self->mutex);
    self->stopping = true;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->mutex);
    for (size_t i = 0; i < self->thread_count; i++) {
        pthread_join(self->threads[i], NULL);
    }
    self->thread_count = 0;
}

void ates_workers_free(struct ates_workers **workers)
{
    struct ates_workers *self = *workers;
    const void *output;
    void *owner;

    if (self == NULL) {
        return;
    }
    ates_workers_stop(self);
    while (ates_workers_receive(self, &owner, &output)) {
    }
    if (self->results != NULL) {
        zmq_close(self->results);
    }
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->mutex);
    free(self);
    *workers = NULL;
}

void *ates_workers_socket(struct ates_workers *self)
{
    return self->results;
}

int ates_workers_submit(struct ates_workers *self, const struct ates_work *work_type,
                        const void *input, size_t input_size, int64_t expires_us, void *owner)
{
    struct job *job;

    if (self->pending >= ATES_WORKER_QUEUE_MAX) {
        return -EAGAIN;
    }
    job = calloc(1, sizeof *job);
    if (job == NULL) {
        return -ENOMEM;
    }
    *job = (struct job){
        .work = work_type, .input_size = input_size, .expires_us = expires_us, .owner = owner};
    job->input = malloc(input_size);
    if (job->input == NULL) {
        free(job);
        return -ENOMEM;
    }
    memcpy(job->input, input, input_size);
    pthread_mutex_lock(&self->mutex);
    assert(!self->stopping && self->queued <= self->pending);
    self->queue[(self->first + self->queued++) % ATES_WORKER_QUEUE_MAX] = job;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->mutex);
    self->pending++;
    return 0;
}

bool ates_workers_receive(struct ates_workers *self, void **owner, const void **output)
{
    struct job *job = NULL;

    free_job(self->received);
    self->received = NULL;
    if (self->results == NULL ||
        zmq_recv(self->results, &job, sizeof job, ZMQ_DONTWAIT) != sizeof job) {
        /* After the stop nobody else takes what is still queued. */
        job = self->thread_count == 0 && self->queued > 0 ? pop(self) : NULL;
    }
    if (job == NULL) {
        return false;
    }
    self->pending--;
    self->received = job;
    *owner = job->owner;
    *output = job->output;
    return true;
}

size_t ates_workers_pending(const struct ates_workers *self)
{
    return self->pending;
}

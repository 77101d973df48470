/* An actor's life; see actor.h. The loop is loop.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/actor_private.h"
#include "core/client_private.h"
#include "core/curve.h"
#include "core/datadir.h"
#include "core/endpoint.h"
#include "core/follower.h"
#include "core/socket.h"
#include "core/warden.h"

#define COMMANDS (ates_curve_kinds[0])

static int load_keys(struct ates_actor *self, char *error, size_t error_size)
{
    char dir[sizeof self->config.data_dir + 8];

    ates_keys_folder(self->config.data_dir, dir, sizeof dir);
    int r = ates_keys_load_fingerprint(dir, self->fingerprint_key, error, error_size);
    if (r == 0) {
        r = ates_keys_load_secret(dir, ATES_KEY_SERVICES, &self->service_key, error, error_size);
    }
    if (r == 0) {
        self->keyring = ates_keyring_load(dir, error, error_size);
        r = self->keyring != NULL ? 0 : -EINVAL;
    }
    return r;
}

/* Another daemon with other data but the same folder for sockets would take them over unnoticed. */
static int lock_run_dir(struct ates_actor *self, char *error, size_t error_size)
{
    char path[sizeof self->config.run_dir + 80];
    char what[sizeof self->config.run_dir + 80];

    if (mkdir(self->config.run_dir, 0750) != 0 && errno != EEXIST) {
        const int r = -errno;

        snprintf(error, error_size, "%s: %s", self->config.run_dir, strerror(-r));
        return r;
    }
    snprintf(path, sizeof path, "%s/%s.lock", self->config.run_dir, self->name);
    snprintf(what, sizeof what, "%s/%s.sock", self->config.run_dir, self->name);
    return ates_lock_file(path, what, &self->run_lock, error, error_size);
}

static int endpoint(const struct ates_actor *self, const char *name, char *out, size_t size,
                    char *error, size_t error_size)
{
    int r = ates_endpoint(self->config.run_dir, name, out, size);

    if (r != 0) {
        snprintf(error, error_size, "%s: the path is too long for a socket", self->config.run_dir);
    }
    return r;
}

static int open_router(struct ates_actor *self, void *context, char *error, size_t error_size)
{
    char name[256], address[ATES_ADDRESS_SIZE];
    int r = endpoint(self, self->name, name, sizeof name, error, error_size);

    if (r != 0) {
        return r;
    }
    self->router = ates_socket_open(context, ZMQ_ROUTER);
    r = self->router != NULL ? ates_socket_bind(self->router, name) : -errno;
    r = r == 0 ? ates_warden_watch(name) : r;
    if (r != 0) {
        snprintf(error, error_size, "%s: %s", name, zmq_strerror(-r));
        return r;
    }
    return ates_curve_bind(&self->config, self->name, COMMANDS, self->router, address, error,
                           error_size);
}

/* Who may send commands over tcp: asked about each, so that a key that is revoked is worth nothing at
 * once. */
static int open_allowed(struct ates_actor *self)
{
    char folder[sizeof self->config.curve_folder + 16];

    ates_curve_folder(&self->config, folder, sizeof folder);
    strncat(folder, "/allow", sizeof folder - strlen(folder) - 1);
    self->allowed = ates_allow_new(folder, COMMANDS);
    return self->allowed != NULL ? 0 : -ENOMEM;
}

static void close_socket(void **socket)
{
    if (*socket != NULL) {
        zmq_close(*socket);
        *socket = NULL;
    }
}

static int open_publisher(struct ates_actor *self, void *context, char *error, size_t error_size)
{
    struct ates_reach reach;

    ates_config_reach(&self->config, &reach);
    self->publisher = ates_socket_open(context, ZMQ_PUB);
    const int r =
        self->publisher != NULL ? ates_reach_connect(&reach, self->publisher, "publish") : -errno;
    if (r != 0) {
        snprintf(error, error_size, "the broker's publish socket: %s", zmq_strerror(-r));
    }
    return r;
}

static int subscribe(struct ates_actor *self, void *subscriber)
{
    struct ates_reach reach;
    int r = 0;

    ates_config_reach(&self->config, &reach);
    for (size_t i = 0; r == 0 && i < self->follower_count; i++) {
        char prefix[96];
        const int size =
            snprintf(prefix, sizeof prefix, "%s.", ates_follower_producer(self->followers[i]));

        r = zmq_setsockopt(subscriber, ZMQ_SUBSCRIBE, prefix, (size_t)size) == 0 ? 0 : -errno;
    }
    return r == 0 ? ates_reach_connect(&reach, subscriber, "events") : r;
}

int actor_open_subscriber(struct ates_actor *self)
{
    void *subscriber = ates_socket_open(zsys_init(), ZMQ_SUB);
    int r = subscriber != NULL ? subscribe(self, subscriber) : -errno;

    if (r != 0) {
        close_socket(&subscriber);
        return r;
    }
    close_socket(&self->subscriber);
    self->subscriber = subscriber;
    self->heard_us = ates_monotonic_us();
    return 0;
}

static bool is_followed(const struct ates_actor *self, const char *producer)
{
    for (size_t i = 0; i < self->follower_count; i++) {
        if (strcmp(ates_follower_producer(self->followers[i]), producer) == 0) {
            return true;
        }
    }
    return false;
}

static int open_followers(struct ates_actor *self, void *context)
{
    const struct ates_domain *domain = self->domain;

    if (domain->follow_count == 0) {
        return 0;
    }
    const struct ates_follower_sink sink = ates_engine_sink(self->engine);
    struct ates_reach reach;

    ates_config_reach(&self->config, &reach);
    self->client = ates_client_new_in(context, &reach);
    if (self->client == NULL) {
        return -errno;
    }
    for (size_t i = 0; i < domain->follow_count; i++) {
        const char *producer = domain->follows[i].producer;

        if (is_followed(self, producer)) {
            continue;
        }
        struct ates_follower *follower = ates_follower_new(&sink, self->client, producer);
        if (follower == NULL) {
            return -errno;
        }
        self->followers[self->follower_count++] = follower;
    }
    return 0;
}

static int open_sockets(struct ates_actor *self, char *error, size_t error_size)
{
    void *context = zsys_init();
    int r = lock_run_dir(self, error, error_size);

    if (r == 0) {
        r = open_allowed(self);
    }
    if (r == 0) {
        r = open_router(self, context, error, error_size);
    }
    if (r == 0) {
        r = open_publisher(self, context, error, error_size);
    }
    if (r != 0) {
        return r;
    }
    r = open_followers(self, context);
    if (r == 0) {
        r = actor_open_subscriber(self);
    }
    if (r == 0) {
        self->workers = ates_workers_new(context, self->domain->worker_threads);
        r = self->workers != NULL ? 0 : -ENOMEM;
    }
    if (r != 0) {
        snprintf(error, error_size, "%s: %s", self->name, strerror(-r));
    }
    return r;
}

int ates_actor_open(struct ates_actor **actor, const struct ates_domain *domain,
                    const struct ates_config *config, char *error, size_t error_size)
{
    struct ates_actor *self = calloc(1, sizeof *self);

    if (self == NULL) {
        return -ENOMEM;
    }
    self->config = *config;
    self->source = ates_source_system();
    self->domain = domain;
    self->name = domain->service->name;
    self->run_lock = -1;
    self->warned_us = INT64_MIN / 2;
    self->arena = ates_arena_new();
    self->intake = ates_intake_new();
    int r = self->intake == NULL
                ? -ENOMEM
                : ates_engine_open(&self->engine, domain, config, &self->source, error, error_size);
    if (r == 0) {
        r = load_keys(self, error, error_size);
    }
    if (r == 0) {
        r = open_sockets(self, error, error_size);
    }
    if (r != 0) {
        ates_actor_close(&self);
        return r;
    }
    actor_index_routes(self);
    *actor = self;
    return 0;
}

int ates_actor_start(struct ates_actor *self)
{
    self->thread = zactor_new(actor_run, self);
    return self->thread != NULL ? 0 : -ENOMEM;
}

zactor_t *ates_actor_pipe(struct ates_actor *self)
{
    return self->thread;
}

bool ates_actor_hears_stop(zsock_t *pipe)
{
    char *word = zstr_recv(pipe);
    const bool is_stop = word == NULL || strcmp(word, "$TERM") == 0;

    if (!is_stop && strcmp(word, "PING") == 0) {
        zstr_send(pipe, "PONG");
    }
    zstr_free(&word);
    return is_stop;
}

const char *ates_actor_name(const struct ates_actor *self)
{
    return self->name;
}

void ates_actor_close(struct ates_actor **actor)
{
    struct ates_actor *self = *actor;

    if (self == NULL) {
        return;
    }
    zactor_destroy(&self->thread); /* sends $TERM and waits for the thread's end */
    ates_workers_free(&self->workers);
    for (size_t i = 0; i < self->follower_count; i++) {
        ates_follower_free(&self->followers[i]);
    }
    ates_client_free(&self->client);
    ates_intake_free(&self->intake);
    close_socket(&self->router);
    close_socket(&self->publisher);
    close_socket(&self->subscriber);
    ates_engine_close(&self->engine);
    ates_keyring_free(&self->keyring);
    actor_description_free(&self->description);
    ates_allow_free(&self->allowed);
    sodium_memzero(&self->config.curve_keys, sizeof self->config.curve_keys);
    ates_arena_free(&self->arena);
    ates_buffer_release(&self->reply_bytes);
    ates_buffer_release(&self->scratch);
    free(self->replies);
    free(self->waiters);
    if (self->run_lock >= 0) {
        close(self->run_lock);
    }
    explicit_bzero(&self->service_key, sizeof self->service_key);
    explicit_bzero(&self->token, sizeof self->token);
    free(self);
    *actor = NULL;
}

/* The web service's life and loop: one thread turns from HTTP to the services and back.
 *
 * Invariant: nothing here waits but the poll at the top of a turn, which ends at the first thing
 * that is due. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/actor.h"
#include "core/catalogue.h"
#include "core/datadir.h"
#include "core/endpoint.h"
#include "core/file.h"
#include "core/journal.h"
#include "web/web_backend.h"
#include "web/web_health.h"
#include "web/web_hub.h"
#include "web/web_openapi.h"
#include "web/web_private.h"
#include "web/web_server.h"
#include "web/web_session.h"

#define ITEMS_MAX 32
#define WAIT_MAX_MS 1000
/* What a stop waits for answers that are under way; what takes longer is cut. */
#define DRAIN_US 5000000
#define ADDRESS_SIZE 160

static int load_metrics_token(struct ates_web *self, char *error, size_t size)
{
    const char *path = self->config.web_metrics_token_file;

    if (path[0] == '\0') {
        return 0;
    }
    const int descriptor = ates_file_open_setting("web/metrics_token_file", path, error, size);
    if (descriptor < 0) {
        return descriptor;
    }
    const ssize_t length = read(descriptor, self->metrics_token, sizeof self->metrics_token - 1);
    close(descriptor);
    if (length < 0) {
        const int r = -errno;

        snprintf(error, size, "web/metrics_token_file: %s: %s", path, strerror(-r));
        return r;
    }
    self->metrics_token[length] = '\0';
    self->metrics_token[strcspn(self->metrics_token, "\r\n")] = '\0';
    if (strlen(self->metrics_token) < 16) {
        snprintf(error, size, "web/metrics_token_file: %s: at least 16 characters are needed",
                 path);
        return -EINVAL;
    }
    return 0;
}

static int renew_token(struct ates_web *self)
{
    const int r = ates_own_token_keep(&self->token, &self->service_key, &self->source, "web",
                                      self->config.access_ms);

    if (r > 0) {
        web_hub_set_token(self->hub, self->token.text);
    }
    return r < 0 ? r : 0;
}

static int open_keys(struct ates_web *self, char *error, size_t size)
{
    char dir[sizeof self->config.data_dir + 8];

    int r = ates_datadir_check(self->config.data_dir, error, size);
    if (r != 0) {
        return r;
    }
    ates_keys_folder(self->config.data_dir, dir, sizeof dir);
    return ates_keys_load_secret(dir, ATES_KEY_SERVICES, &self->service_key, error, size);
}

static int open_parts(struct ates_web *self, char *error, size_t size)
{
    void *context = zsys_init();
    struct ates_reach reach;
    char address[ADDRESS_SIZE];

    int r = web_sessions_open(&self->sessions, self, error, size);
    if (r != 0) {
        return r;
    }
    ates_config_reach(&self->config, &reach);
    self->backend = web_backend_new(context, &reach);
    self->hub = self->backend != NULL ? web_hub_new(self, context) : NULL;
    r = self->hub != NULL ? renew_token(self) : -errno;
    if (r != 0) {
        snprintf(error, size, "web: %s", strerror(-r));
        return r;
    }
    web_openapi_write(&self->openapi);
    if (mkdir(self->config.run_dir, 0750) != 0 && errno != EEXIST) {
        r = -errno;
        snprintf(error, size, "%s: %s", self->config.run_dir, strerror(-r));
        return r;
    }
    r = web_server_open(&self->server, self, address, sizeof address, error, size);
    if (r == 0) {
        r = ates_endpoint_tell(self->config.run_dir, "web", address, error, size);
    }
    if (r == 0) {
        ates_journal(ATES_NOTICE, "web", NULL, "listening on %s", address);
    }
    return r;
}

int ates_web_open(struct ates_web **web, const struct ates_config *config, char *error, size_t size)
{
    struct ates_web *self = calloc(1, sizeof *self);

    if (self == NULL) {
        snprintf(error, size, "web: out of memory");
        return -ENOMEM;
    }
    self->config = *config;
    self->source = ates_source_system();
    int r = open_keys(self, error, size);
    if (r == 0) {
        r = load_metrics_token(self, error, size);
    }
    if (r == 0) {
        r = open_parts(self, error, size);
    }
    if (r != 0) {
        ates_web_close(&self);
        return r;
    }
    *web = self;
    return 0;
}

static void take_pipe(struct ates_web *self)
{
    self->stopping |= ates_actor_hears_stop(self->pipe);
}

static int64_t earliest(const struct ates_web *self)
{
    const int64_t times[] = {web_server_due(self->server), web_backend_due(self->backend),
                             web_hub_due(self->hub)};
    int64_t due_us = INT64_MAX;

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        due_us = times[i] < due_us ? times[i] : due_us;
    }
    return due_us;
}

/* How long the next poll may wait. */
static long wait_ms(const struct ates_web *self, bool busy)
{
    const int64_t due_us = earliest(self);
    const int64_t now_us = ates_monotonic_us();

    if (busy || due_us <= now_us) {
        return 0;
    }
    const int64_t left_ms = (due_us - now_us) / 1000 + 1;
    return left_ms < WAIT_MAX_MS ? (long)left_ms : WAIT_MAX_MS;
}

/* One turn: polls, then does what is there. Answers that came from the services go out in the same
 * turn, as the server is advanced after the backend. */
static int turn(struct ates_web *self, bool *busy)
{
    zmq_pollitem_t items[ITEMS_MAX] = {
        {.socket = zsock_resolve(self->pipe), .events = ZMQ_POLLIN},
        {.fd = web_server_descriptor(self->server), .events = ZMQ_POLLIN},
    };
    size_t count = 2;

    count += web_backend_items(self->backend, items + count, ITEMS_MAX - count);
    count += web_hub_items(self->hub, items + count, ITEMS_MAX - count);
    if (zmq_poll(items, (int)count, wait_ms(self, *busy)) < 0 && errno != EINTR) {
        return -errno;
    }
    if (items[0].revents & ZMQ_POLLIN) {
        take_pipe(self);
    }
    const int64_t now_us = ates_monotonic_us();
    *busy = web_backend_advance(self->backend, now_us);
    *busy |= web_hub_advance(self->hub, now_us);
    web_sessions_advance(self->sessions, now_us);
    web_server_advance(self->server, now_us);
    return renew_token(self);
}

static bool has_calls(const struct ates_web *self)
{
    for (size_t i = 0; web_services[i] != NULL; i++) {
        if (web_backend_in_flight(self->backend, i) > 0) {
            return true;
        }
    }
    return false;
}

/* Takes no more connections, and turns on until what was asked is answered. */
static int drain(struct ates_web *self)
{
    const int64_t until_us = ates_monotonic_us() + DRAIN_US;
    bool busy = true;
    int r = 0;

    web_server_quiesce(self->server);
    while (r == 0 && has_calls(self) && ates_monotonic_us() < until_us) {
        r = turn(self, &busy);
    }
    web_server_advance(self->server, ates_monotonic_us());
    return r;
}

static void run(zsock_t *pipe, void *argument)
{
    struct ates_web *self = argument;
    bool busy = true;
    int r = 0;

    self->pipe = pipe;
    zsock_signal(pipe, 0);
    zstr_send(pipe, "READY");
    while (r == 0 && !self->stopping) {
        r = turn(self, &busy);
    }
    if (r == 0) {
        r = drain(self);
    }
    if (r != 0) {
        const struct ates_log_field fields[] = {{"error", strerror(-r), 0}, {NULL, NULL, 0}};

        ates_say(ATES_SAY_CANNOT_GO_ON, "web", fields, "stopped by a fault: %s", strerror(-r));
        zstr_send(pipe, "FAILED");
    }
    while (!self->stopping) {
        take_pipe(self); /* a zactor's thread ends only when it is told to */
    }
}

int ates_web_start(struct ates_web *self)
{
    self->thread = zactor_new(run, self);
    return self->thread != NULL ? 0 : -ENOMEM;
}

zactor_t *ates_web_pipe(struct ates_web *self)
{
    return self->thread;
}

void ates_web_close(struct ates_web **web)
{
    struct ates_web *self = *web;

    if (self == NULL) {
        return;
    }
    zactor_destroy(&self->thread); /* sends $TERM and waits for the thread's end */
    if (self->server != NULL) {
        ates_endpoint_forget(self->config.run_dir, "web");
    }
    web_server_close(&self->server); /* first: its requests cancel what the others have */
    web_health_free(&self->health);
    web_hub_free(&self->hub);
    web_backend_free(&self->backend);
    web_sessions_close(&self->sessions);
    ates_buffer_release(&self->openapi);
    explicit_bzero(&self->service_key, sizeof self->service_key);
    explicit_bzero(&self->token, sizeof self->token);
    explicit_bzero(self->metrics_token, sizeof self->metrics_token);
    free(self);
    *web = NULL;
}

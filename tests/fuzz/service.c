/* Services without sockets; see service.h. */
#include "service.h"

#include <errno.h>
#include <unistd.h>

#include "auth/auth_memory.h"
#include "core/catalogue.h"
#include "core/datadir.h"
#include "domains.h"
#include "support/seed.h"

#define SERVICES_MAX 16u
#define SEED UINT64_C(20261123)
#define OUTPUT_MAX 65536u /* bytes of what a worker gives back */
#define STEPS_MAX 16u
#define LIFE_MS (INT64_C(3600) * 1000)

static struct fuzz_service services[SERVICES_MAX];
static size_t service_count;
static char tokens[FUZZ_CALLER_COUNT][ATES_TOKEN_MAX + 1];
static char data_folder[128];

/* In the place of worker.c: work is not run, and its end is told when the request was dealt with. */

static struct {
    const struct ates_work *work;
    void *owner;
    struct auth_password_input input;
} queue[ATES_WORKER_QUEUE_MAX];
static size_t queued;

struct ates_workers *ates_workers_new(void *context, unsigned threads)
{
    (void)context, (void)threads;
    return NULL;
}

void ates_workers_stop(struct ates_workers *self)
{
    (void)self;
}

void ates_workers_free(struct ates_workers **self)
{
    (void)self;
}

void *ates_workers_socket(struct ates_workers *self)
{
    (void)self;
    return NULL;
}

int ates_workers_submit(struct ates_workers *self, const struct ates_work *work, const void *input,
                        size_t input_size, int64_t expires_us, void *owner)
{
    (void)self, (void)expires_us;
    if (queued == ATES_WORKER_QUEUE_MAX) {
        return -EAGAIN;
    }
    queue[queued].work = work;
    queue[queued].owner = owner;
    if (work == &auth_password_work) {
        fuzz_require(input_size == sizeof queue[queued].input);
        memcpy(&queue[queued].input, input, input_size);
    }
    queued++;
    return 0;
}

bool ates_workers_receive(struct ates_workers *self, void **owner, const void **output)
{
    (void)self, (void)owner, (void)output;
    return false;
}

size_t ates_workers_pending(const struct ates_workers *self)
{
    (void)self;
    return queued;
}

/* In the place of catalogue.c: a fault of the service is a finding; the rest is for operators. */
void ates_say(enum ates_entry entry, const char *service, const struct ates_log_field *fields,
              const char *format, ...)
{
    (void)service, (void)fields, (void)format;
    fuzz_require(entry != ATES_SAY_COMMAND_FAILED && entry != ATES_SAY_JOB_FAILED &&
                 entry != ATES_SAY_EVENT_FAILED && entry != ATES_SAY_CHECKPOINT_FAILED);
}

/* Where time and randomness come from. */

static int64_t now_ms(void *context)
{
    (void)context;
    return FUZZ_TIME;
}

static void draw(void *context, void *out, size_t size)
{
    struct fuzz_service *service = context;

    for (size_t done = 0; done < size; done += sizeof(uint64_t)) {
        const uint64_t value = seed_next(&service->seed);
        const size_t left = size - done;

        memcpy((uint8_t *)out + done, &value, left < sizeof value ? left : sizeof value);
    }
}

/* Opening. */

static void make_tokens(const char *keys)
{
    struct fuzz_service drawing = {.seed = SEED};
    const struct ates_source source = {now_ms, draw, &drawing};
    struct ates_secret_key key;
    char error[256];

    fuzz_require(ates_keys_load_secret(keys, ATES_KEY_USERS, &key, error, sizeof error) == 0);
    for (uint64_t id = 1; id < FUZZ_USERS_END; id++) {
        struct ates_claims claims = {.user_id = id,
                                     .role = fuzz_users[id].role,
                                     .issued_at = FUZZ_TIME,
                                     .not_before = FUZZ_TIME,
                                     .expires_at = FUZZ_TIME + LIFE_MS};

        strcpy(claims.login, fuzz_users[id].login);
        strcpy(claims.sid, "018bcfe5-6800-7000-8000-000000000001");
        fuzz_require(ates_token_sign(&key, &source, &claims, tokens[id]) == 0);
    }
    fuzz_require(ates_keys_load_secret(keys, ATES_KEY_SERVICES, &key, error, sizeof error) == 0);
    fuzz_require(ates_token_sign_service(&key, &source, "payment", LIFE_MS, tokens[FUZZ_SERVICE]) ==
                 0);
}

static void start(void)
{
    char error[512], keys[160];

    fuzz_require(sodium_init() >= 0 && ates_journal_open("error") == 0);
    snprintf(data_folder, sizeof data_folder, "%s/data", fuzz_folder());
    snprintf(keys, sizeof keys, "%s/keys", data_folder);
    fuzz_require(ates_datadir_create(data_folder, error, sizeof error) == 0);
    fuzz_require(ates_keys_create(keys, error, sizeof error) == 0);
    make_tokens(keys);
    while (ates_domains[service_count] != NULL) {
        fuzz_require(service_count < SERVICES_MAX);
        services[service_count].domain = ates_domains[service_count];
        service_count++;
    }
}

static void open_service(struct fuzz_service *self)
{
    const struct ates_source source = {now_ms, draw, self};
    const struct ates_setting flags[] = {
        {"data", data_folder}, {"run", data_folder}, {"store/map_gigabytes", "1"}};
    struct ates_actor *actor = &self->actor;
    char error[512], keys[160];

    self->seed = SEED;
    fuzz_require(ates_config_load(&actor->config, "/dev/null", flags,
                                  sizeof flags / sizeof flags[0], error, sizeof error) == 0);
    fuzz_require(ates_engine_open(&self->engine, self->domain, &actor->config, &source, error,
                                  sizeof error) == 0);
    fuzz_require(ates_engine_start(self->engine) == 0);
    snprintf(keys, sizeof keys, "%s/keys", data_folder);
    fuzz_require(ates_keys_load_fingerprint(keys, actor->fingerprint_key, error, sizeof error) ==
                 0);
    actor->keyring = ates_keyring_load(keys, error, sizeof error);
    fuzz_require(actor->keyring != NULL);
    actor->engine = self->engine;
    actor->domain = self->domain;
    actor->name = self->domain->service->name;
    actor->source = source;
    actor->arena = ates_arena_new();
    actor_index_routes(actor);
}

size_t fuzz_service_count(void)
{
    if (service_count == 0) {
        start();
    }
    return service_count;
}

struct fuzz_service *fuzz_service(size_t index)
{
    struct fuzz_service *self = &services[index % fuzz_service_count()];

    if (self->engine == NULL) {
        open_service(self);
        fuzz_service_fill(self);
    }
    self->seed = SEED;
    return self;
}

const char *fuzz_token(enum fuzz_user caller)
{
    return tokens[caller];
}

/* Requests. */

static void check_body(const struct actor_reply *reply, struct ates_bytes body)
{
    static struct ates_arena *arena;
    struct ates_refusal_body refusal;
    void *value;

    if (arena == NULL) {
        arena = ates_arena_new();
    }
    ates_arena_reset(arena);
    fuzz_require(body.size <= ATES_FRAME_MAX);
    if (reply->status == ATES_OK && reply->job != 0) {
        return; /* it comes with the job's end */
    }
    if (reply->status == ATES_OK) {
        const struct ates_message *message = reply->command->command->result;

        value = ates_arena_alloc(arena, message->size);
        fuzz_require(ates_message_decode(message, body.data, body.size, ATES_UNKNOWN_REFUSED, arena,
                                         value, NULL) == 0);
        return;
    }
    fuzz_require(reply->status != ATES_INTERNAL);
    fuzz_require(ates_message_decode(&ates_refusal_body_message, body.data, body.size,
                                     ATES_UNKNOWN_REFUSED, arena, &refusal, NULL) == 0);
    struct ates_refusal named = {.status = reply->status};
    fuzz_require(refusal.reason.size < sizeof named.reason &&
                 refusal.message.size < sizeof named.message &&
                 refusal.field.size < sizeof named.field);
    memcpy(named.reason, refusal.reason.data, refusal.reason.size);
    memcpy(named.message, refusal.message.data, refusal.message.size);
    if (refusal.has_field) {
        memcpy(named.field, refusal.field.data, refusal.field.size);
    }
    fuzz_check_refusal(&named, (int)reply->status);
}

static void check_reply(const struct fuzz_service *self, const struct actor_reply *reply)
{
    const uint8_t *bytes = self->actor.reply_bytes.data;
    struct ates_reply_meta meta;
    struct ates_arena *const no_arena = self->actor.arena; /* a meta takes nothing from it */

    fuzz_require((int)reply->status >= 0 && reply->status < ATES_STATUS_COUNT);
    fuzz_require(ates_message_decode(&ates_reply_meta_message, bytes + reply->meta_offset,
                                     reply->meta_size, ATES_UNKNOWN_REFUSED, no_arena, &meta,
                                     NULL) == 0);
    fuzz_require(meta.seq <= ates_engine_head(self->engine)->seq);
    check_body(reply, (struct ates_bytes){bytes + reply->body_offset, reply->body_size});
}

/* Tells the ends of the work that requests were deferred to. */
static void end_work(struct fuzz_service *self)
{
    static union {
        uint8_t bytes[OUTPUT_MAX];
        struct auth_password_output password;
    } output;

    while (queued > 0) {
        const size_t last = --queued;

        memset(&output, 0, queue[last].work->output_size);
        if (queue[last].work == &auth_password_work) {
            output.password.matches = self->passwords_match;
            strcpy(output.password.checked, queue[last].input.hash);
            if (queue[last].input.wanted_size > 0) {
                auth_password_unknown(output.password.made);
            }
        }
        fuzz_require(queue[last].work->output_size <= sizeof output);
        actor_deferred_done(&self->actor, queue[last].owner, &output);
    }
}

static void put_frame(struct ates_request_message *request, const void *data, size_t size)
{
    zmq_msg_t *frame = &request->frames[request->count++];

    fuzz_require(zmq_msg_init_size(frame, size) == 0);
    if (size > 0) {
        memcpy(zmq_msg_data(frame), data, size);
    }
}

void fuzz_service_take(struct fuzz_service *self, const struct ates_bytes *frames, size_t count)
{
    static uint64_t identity; /* throttles count by it: each request is another client's */
    struct ates_request_message request = {.received_us = ates_monotonic_us()};
    const size_t first = self->actor.reply_count;

    identity++;
    put_frame(&request, &identity, sizeof identity);
    put_frame(&request, NULL, 0);
    request.route = request.count;
    for (size_t i = 0; i < count && request.count < ATES_REQUEST_FRAMES_MAX; i++) {
        put_frame(&request, frames[i].data, frames[i].size);
    }
    request.cut = count > ATES_REQUEST_FRAMES_MAX - 2;

    const struct ates_log_head before = *ates_engine_head(self->engine);
    const size_t records = self->engine->committed ? 0 : self->engine->record_count;
    const unsigned long writes = self->engine->txn.writes;
    actor_dispatch(&self->actor, &request, NULL);
    end_work(self);

    fuzz_require(self->actor.deferred == NULL);
    fuzz_require(self->actor.reply_count == first + 1);
    const struct actor_reply *reply = &self->actor.replies[first];
    check_reply(self, reply);
    const bool may_change =
        reply->status == ATES_OK && reply->command != NULL && !reply->command->command->is_query;
    if (!may_change) {
        fuzz_require(ates_log_head_equal(&before, ates_engine_head(self->engine)));
        fuzz_require(self->engine->committed || self->engine->record_count == records);
        fuzz_require(self->engine->txn.writes == writes);
    }
}

void fuzz_service_call(struct fuzz_service *self, enum fuzz_user caller, struct ates_text name,
                       struct ates_text request_id, struct ates_bytes body)
{
    static struct ates_buffer meta;
    const struct ates_request_meta value = {
        .has_token = caller != FUZZ_NOBODY,
        .token = ates_text_from(tokens[caller]),
        .has_request_id = request_id.size > 0,
        .request_id = request_id,
    };

    meta.size = 0;
    ates_message_encode(&ates_request_meta_message, &value, &meta);
    const struct ates_bytes frames[] = {
        {(const uint8_t *)ATES_PROTOCOL, strlen(ATES_PROTOCOL)},
        {(const uint8_t *)name.data, name.size},
        {meta.data, meta.size},
        body,
    };
    fuzz_service_take(self, frames, 4);
}

/* What it would publish: events of its table, each the one after the one before. */
static void check_events(const struct fuzz_service *self)
{
    const struct ates_engine *engine = self->engine;
    uint8_t hash[ATES_HASH_SIZE];
    uint64_t seq = self->base.seq;
    struct ates_arena *arena = self->actor.arena;

    memcpy(hash, self->base.hash, sizeof hash);
    for (size_t i = 0; i < engine->event_count; i++) {
        const struct batch_event *event = &engine->batch_events[i];
        const uint8_t *bytes = engine->envelopes.data + event->bytes.offset;
        const struct ates_message *message = event->type->data;
        struct ates_envelope envelope;

        ates_arena_reset(arena);
        fuzz_require(ates_message_decode(&ates_envelope_message, bytes, event->bytes.size,
                                         ATES_UNKNOWN_REFUSED, arena, &envelope, NULL) == 0);
        fuzz_require(envelope.seq == ++seq && memcmp(envelope.prev.data, hash, sizeof hash) == 0);
        fuzz_require(ates_text_equal(envelope.event_name, ates_text_from(message->name)));
        fuzz_require(ates_message_decode(message, envelope.data.data, envelope.data.size,
                                         ATES_UNKNOWN_REFUSED, arena,
                                         ates_arena_alloc(arena, message->size), NULL) == 0);
        ates_envelope_hash(bytes, event->bytes.size, hash);
    }
    fuzz_require(ates_engine_head(engine)->seq == seq);
}

/* A login that was guessed at too often is as before. */
static void forget_guesses(struct fuzz_service *self)
{
    struct auth_memory *memory = self->engine->domain_memory;

    for (uint64_t id = 1; id < FUZZ_USERS_END; id++) {
        auth_throttle_reset(memory->logins, fuzz_users[id].login, strlen(fuzz_users[id].login));
    }
}

void fuzz_service_end(struct fuzz_service *self)
{
    struct ates_engine *engine = self->engine;
    char error[256] = "";
    bool more;

    for (unsigned i = 0; i < STEPS_MAX && ates_engine_has_steps(engine); i++) {
        fuzz_require(ates_engine_step(engine, &more) == 0);
    }
    if (!engine->committed && engine->record_count > 0) {
        check_events(self);
        fuzz_require(self->domain->check == NULL ||
                     self->domain->check(&engine->txn, error, sizeof error) == 0);
        engine->lost = -ENOSPC;
        fuzz_require(ates_engine_commit(engine) == -ENOSPC);
    } else {
        fuzz_require(ates_engine_commit(engine) == 0);
    }
    fuzz_require(ates_log_head_equal(ates_engine_head(engine), &self->base));
    if (strcmp(self->actor.name, "auth") == 0) {
        forget_guesses(self);
    }
    actor_release_replies(&self->actor);
    self->actor.reply_bytes.size = 0;
}

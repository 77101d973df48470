/* One domain's engine for tests; see engine_fixture.h. */
#include "support/engine_fixture.h"

#include <ftw.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "core/datadir.h"
#include "core/token.h"
#include "support/event_type.h"
#include "support/seed.h"

#define BODY_SIZE_MAX 256 /* of a command whose body a test leaves out */

const struct ates_caller fixture_nobody = {.signed_in = false};

static int64_t fixture_now_ms(void *context)
{
    return ((struct fixture *)context)->now_ms;
}

static void fixture_random(void *context, void *out, size_t size)
{
    for (size_t done = 0; done < size; done += sizeof(uint64_t)) {
        const uint64_t value = seed_next(&((struct fixture *)context)->seed);
        const size_t left = size - done;

        memcpy((uint8_t *)out + done, &value, left < sizeof value ? left : sizeof value);
    }
}

static struct ates_source source_of(struct fixture *fixture)
{
    return (struct ates_source){
        .now_ms = fixture_now_ms, .random = fixture_random, .context = fixture};
}

uint64_t fixture_draw(struct fixture *fixture, uint64_t bound)
{
    const struct ates_source source = source_of(fixture);

    return ates_random_uniform(&source, bound);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *place)
{
    (void)status, (void)type, (void)place;
    return remove(path);
}

static void remove_folder(const char *path)
{
    cr_assert_eq(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0, "%s stays", path);
}

static void start(struct fixture *fixture)
{
    char error[512] = "";
    const struct ates_source source = source_of(fixture);

    cr_assert_eq(ates_engine_open(&fixture->engine, fixture->domain, &fixture->config, &source,
                                  error, sizeof error),
                 0, "%s", error);
    const int r = ates_engine_start(fixture->engine);
    cr_assert_eq(r, 0, "the engine does not start: %s", strerror(-r));
}

void fixture_open(struct fixture *fixture, const struct ates_domain *domain)
{
    char error[512] = "", keys[80];

    cr_assert_geq(sodium_init(), 0);
    memset(fixture, 0, sizeof *fixture);
    fixture->domain = domain;
    fixture->now_ms = FIXTURE_TIME;
    fixture->seed = seed_start();
    fixture->arena = ates_arena_new();

    strcpy(fixture->folder, "/tmp/ates-test-XXXXXX");
    cr_assert_not_null(mkdtemp(fixture->folder));
    const struct ates_setting flags[] = {
        {"data", fixture->folder}, {"run", fixture->folder}, {"store/map_gigabytes", "1"}};
    cr_assert_eq(ates_config_load(&fixture->config, "/dev/null", flags,
                                  sizeof flags / sizeof flags[0], error, sizeof error),
                 0, "%s", error);
    cr_assert_eq(ates_datadir_create(fixture->folder, error, sizeof error), 0, "%s", error);
    snprintf(keys, sizeof keys, "%s/keys", fixture->folder);
    cr_assert_eq(ates_keys_create(keys, error, sizeof error), 0, "%s", error);
    start(fixture);
}

void fixture_reopen(struct fixture *fixture)
{
    ates_engine_close(&fixture->engine);
    start(fixture);
}

void fixture_rebuild(struct fixture *fixture)
{
    char state[128];

    ates_engine_close(&fixture->engine);
    snprintf(state, sizeof state, "%s/%s/state", fixture->folder, fixture->domain->service->name);
    remove_folder(state);
    start(fixture);
}

void fixture_close(struct fixture *fixture)
{
    ates_engine_close(&fixture->engine);
    ates_arena_free(&fixture->arena);
    remove_folder(fixture->folder);
}

struct ates_caller fixture_caller(uint64_t user_id, enum ates_role role)
{
    return (struct ates_caller){.signed_in = true, .id = user_id, .role = role};
}

int fixture_invoke(struct fixture *fixture, struct ates_caller caller, const char *command,
                   const void *body, void *result)
{
    const uint8_t nothing[BODY_SIZE_MAX] = {0}; /* whose fields, if it has any, are optional */

    fixture->refusal = (struct ates_refusal){.status = ATES_OK};
    const int r =
        ates_engine_invoke(fixture->engine, &caller, command, body != NULL ? body : nothing,
                           fixture->arena, result, &fixture->refusal);
    cr_assert_geq(r, 0, "%s: %s", command, strerror(-r));
    return r;
}

void fixture_do(struct fixture *fixture, struct ates_caller caller, const char *command,
                const void *body, void *result)
{
    const int r = fixture_invoke(fixture, caller, command, body, result);

    cr_assert_eq(r, ATES_OK, "%s: %s %s %s", command, ates_status_name((enum ates_status)r),
                 fixture->refusal.reason, fixture->refusal.message);
}

void fixture_refused(struct fixture *fixture, struct ates_caller caller, const char *command,
                     const void *body, enum ates_status status, const char *reason)
{
    const int r = fixture_invoke(fixture, caller, command, body, NULL);

    cr_assert(r == (int)status && strcmp(fixture->refusal.reason, reason) == 0,
              "%s: %s %s, not %s %s", command, ates_status_name((enum ates_status)r),
              fixture->refusal.reason, ates_status_name(status), reason);
}

struct ates_outcome fixture_execute(struct fixture *fixture, struct ates_caller caller,
                                    const char *command, const void *body, const char *request_id)
{
    const struct ates_service *service = fixture->domain->service;
    const uint8_t nothing[BODY_SIZE_MAX] = {0}; /* whose fields, if it has any, are optional */
    uint8_t fingerprint[ATES_FINGERPRINT_SIZE];
    struct ates_buffer encoded = {0};
    struct ates_outcome outcome;
    struct ates_execution execution = {
        .command = ates_service_command(service, command, strlen(command)),
        .body = body != NULL ? body : nothing,
        .caller = caller,
        .request_id = ates_text_from(request_id != NULL ? request_id : ""),
        .fingerprint = fingerprint,
    };

    for (size_t i = 0; i < fixture->domain->handler_count; i++) {
        if (strcmp(fixture->domain->handlers[i].command, command) == 0) {
            execution.handler = &fixture->domain->handlers[i];
        }
    }
    cr_assert(execution.handler != NULL && execution.command != NULL, "%s", command);
    ates_buffer_append(&encoded, command, strlen(command) + 1);
    ates_message_encode(execution.command->body, execution.body, &encoded);
    crypto_generichash(fingerprint, sizeof fingerprint, encoded.data, encoded.size, NULL, 0);
    ates_buffer_release(&encoded);
    ates_engine_execute(fixture->engine, &execution, &outcome);
    return outcome;
}

void fixture_commit(struct fixture *fixture)
{
    cr_assert_eq(ates_engine_commit(fixture->engine), 0);
    cr_assert_gt(ates_engine_checkpoint(fixture->engine, false), 0);
}

bool fixture_step(struct fixture *fixture)
{
    bool more;
    const int r = ates_engine_step(fixture->engine, &more);

    cr_assert_eq(r, 0, "step: %s", strerror(-r));
    fixture_commit(fixture);
    return more;
}

struct ates_begun *fixture_take_begun(struct fixture *fixture)
{
    return ates_engine_take_begun(fixture->engine);
}

void fixture_end_begun(struct fixture *fixture, struct ates_begun *begun, const void *output)
{
    ates_engine_end_begun(fixture->engine, begun, output);
    fixture_step(fixture);
    cr_assert_not(ates_engine_has_ended(fixture->engine));
}

void fixture_run_begun(struct fixture *fixture, struct ates_begun *begun)
{
    static const atomic_bool never = false;
    void *output = calloc(1, begun->work->output_size);

    cr_assert_not_null(output);
    begun->work->run(begun->input, output, &never);
    fixture_end_begun(fixture, begun, output);
    free(output);
}

int fixture_follow(struct fixture *fixture, const char *producer,
                   const struct ates_message *message, uint64_t version, int64_t event_time,
                   const void *data)
{
    static const char log_id[] = "018bcfe5-6800-7000-8000-000000000001";
    struct ates_buffer encoded = {0}, bytes = {0};
    struct ates_position position;
    char event_id[ATES_UUID_SIZE];

    cr_assert_eq(ates_engine_position(fixture->engine, producer, &position), 0);
    const struct ates_source source = source_of(fixture);
    ates_uuid7(&source, event_time, event_id);
    ates_message_encode(message, data, &encoded);
    struct ates_position next = {.known = true, .seq = position.seq + 1};
    strcpy(next.log_id, position.known ? position.log_id : log_id);
    const struct ates_envelope envelope = {
        .event_id = ates_text_from(event_id),
        .event_name = ates_text_from(message->name),
        .event_version = version,
        .event_time = event_time,
        .producer = ates_text_from(producer),
        .log_id = ates_text_from(next.log_id),
        .seq = next.seq,
        .prev = {position.hash, sizeof position.hash},
        .data = {encoded.data, encoded.size},
    };
    ates_message_encode(&ates_envelope_message, &envelope, &bytes);
    ates_envelope_hash(bytes.data, bytes.size, next.hash);
    fixture->refusal = (struct ates_refusal){.status = ATES_OK};
    const int r =
        ates_engine_follow(fixture->engine, &envelope, (struct ates_bytes){bytes.data, bytes.size},
                           &next, &fixture->refusal);
    fixture_commit(fixture);
    ates_buffer_release(&encoded);
    ates_buffer_release(&bytes);
    return r;
}

void fixture_register_user(struct fixture *fixture, uint64_t user_id, enum ates_role role)
{
    char login[32], email[64];

    snprintf(login, sizeof login, "user%" PRIu64, user_id);
    snprintf(email, sizeof email, "%s@uberpopug.example", login);
    const struct ates_user_registered data = {
        .user_id = user_id,
        .login = ates_text_from(login),
        .email = ates_text_from(email),
        .role = (int)role,
    };
    cr_assert_eq(
        fixture_follow(fixture, "auth", &ates_user_registered_message, 1, fixture->now_ms, &data),
        0);
}

void fixture_change_user(struct fixture *fixture, uint64_t user_id, enum ates_role role,
                         bool disabled)
{
    char login[32], email[64];

    snprintf(login, sizeof login, "user%" PRIu64, user_id);
    snprintf(email, sizeof email, "%s@uberpopug.example", login);
    const struct ates_user_changed data = {
        .user_id = user_id,
        .login = ates_text_from(login),
        .email = ates_text_from(email),
        .role = (int)role,
        .disabled = disabled,
        .tokens_valid_after = fixture->now_ms,
    };
    cr_assert_eq(
        fixture_follow(fixture, "auth", &ates_user_changed_message, 1, fixture->now_ms, &data), 0);
}

uint64_t fixture_head(const struct fixture *fixture)
{
    return ates_engine_head(fixture->engine)->seq;
}

struct ates_envelope fixture_envelope(struct fixture *fixture, uint64_t seq)
{
    struct ates_log_reader reader;
    struct ates_stored_record stored;
    struct ates_record record;
    struct ates_envelope envelope;

    cr_assert_eq(ates_log_read_open(&reader, ates_engine_log(fixture->engine)), 0);
    cr_assert_eq(ates_log_read_seek(&reader, seq), 0);
    do { /* records of private events only lie in between */
        cr_assert_eq(ates_log_read_next(&reader, &stored), 0, "no event %" PRIu64, seq);
        const void *bytes = ates_arena_copy(fixture->arena, stored.bytes.data, stored.bytes.size);

        cr_assert_eq(ates_record_decode(bytes, stored.bytes.size, fixture->arena, &record), 0);
    } while (ates_record_last_seq(&record) < seq);
    ates_log_read_close(&reader);
    cr_assert_leq(record.first_seq, seq);
    const struct ates_bytes *event =
        (const struct ates_bytes *)record.events.items + (seq - record.first_seq);
    cr_assert_eq(ates_message_decode(&ates_envelope_message, event->data, event->size,
                                     ATES_UNKNOWN_REFUSED, fixture->arena, &envelope, NULL),
                 0);
    return envelope;
}

void fixture_event(struct fixture *fixture, uint64_t seq, const struct ates_message *message,
                   void *data)
{
    const struct ates_envelope envelope = fixture_envelope(fixture, seq);

    cr_assert(event_is(&envelope, message), "event %" PRIu64 " is %.*s.v%" PRIu64 ", not %s.v%u",
              seq, (int)envelope.event_name.size, envelope.event_name.data, envelope.event_version,
              message->name, event_version(message));
    cr_assert_eq(ates_message_decode(message, envelope.data.data, envelope.data.size,
                                     ATES_UNKNOWN_REFUSED, fixture->arena, data, NULL),
                 0);
}

static void digest_part(crypto_generichash_state *state, struct ates_bytes part)
{
    crypto_generichash_update(state, (const uint8_t *)&part.size, sizeof part.size);
    crypto_generichash_update(state, part.data, part.size);
}

void fixture_state_digest(struct fixture *fixture, uint8_t digest[ATES_HASH_SIZE])
{
    const char *tables[ATES_TABLES_MAX];
    const size_t table_count = ates_domain_tables(fixture->domain, tables);
    crypto_generichash_state state;

    crypto_generichash_init(&state, NULL, 0, ATES_HASH_SIZE);
    for (unsigned table = ATES_TABLE_META + 1; table < table_count; table++) {
        struct ates_scan scan;
        struct ates_bytes key, value;

        cr_assert_eq(ates_scan_open(&scan, ates_engine_txn(fixture->engine), table, NULL, NULL), 0);
        while (ates_scan_next(&scan, &key, &value) == 0) {
            crypto_generichash_update(&state, (const uint8_t *)&table, sizeof table);
            digest_part(&state, key);
            digest_part(&state, value);
        }
        ates_scan_close(&scan);
    }
    crypto_generichash_final(&state, digest, ATES_HASH_SIZE);
}

static void check_rows(struct fixture *fixture)
{
    char error[256] = "";

    if (fixture->domain->check != NULL) {
        cr_assert_eq(fixture->domain->check(ates_engine_txn(fixture->engine), error, sizeof error),
                     0, "%s", error);
    }
}

void fixture_check_rebuild(struct fixture *fixture)
{
    uint8_t kept[ATES_HASH_SIZE], rebuilt[ATES_HASH_SIZE];

    check_rows(fixture);
    fixture_state_digest(fixture, kept);
    fixture_rebuild(fixture);
    fixture_state_digest(fixture, rebuilt);
    cr_assert_arr_eq(kept, rebuilt, sizeof kept, "a rebuild gives another state");
}

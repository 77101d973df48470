/* The vectors of commands, and of their meta, by the services' own actors. */
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "accounting/accounting.h"
#include "auth/auth.h"
#include "core/actor.h"
#include "core/client_private.h"
#include "core/endpoint.h"
#include "core/socket.h"
#include "support/engine_fixture.h"
#include "support/vector_file.h"
#include "tasks/tasks.h"

#define FOLDER ATES_SOURCE_ROOT "/tests/vectors/"
#define PATIENCE_MS 60000

static const struct ates_domain *const domains[] = {&accounting_domain, &auth_domain,
                                                    &tasks_domain};
#define SERVICES (sizeof domains / sizeof domains[0])

static struct service {
    struct fixture fixture;
    struct ates_actor *actor;
    void *dealer;
} services[SERVICES];
static void *context;
static struct ates_inbox *inbox;
static struct ates_arena *arena;

static void start(struct service *self, const struct ates_domain *domain)
{
    char error[512] = "", endpoint[256];

    fixture_open(&self->fixture, domain);
    ates_engine_close(&self->fixture.engine);
    cr_assert_eq(ates_actor_open(&self->actor, domain, &self->fixture.config, error, sizeof error),
                 0, "%s", error);
    cr_assert_eq(ates_actor_start(self->actor), 0);
    char *word = zstr_recv(ates_actor_pipe(self->actor));
    cr_assert_str_eq(word, "READY");
    zstr_free(&word);
    self->dealer = ates_socket_open(context, ZMQ_DEALER);
    cr_assert_eq(ates_endpoint(self->fixture.config.run_dir, domain->service->name, endpoint,
                               sizeof endpoint),
                 0);
    cr_assert_eq(zmq_connect(self->dealer, endpoint), 0);
}

static void set_up(void)
{
    zsys_handler_set(NULL);
    context = zmq_ctx_new();
    inbox = ates_inbox_new();
    arena = ates_arena_new();
    for (size_t i = 0; i < SERVICES; i++) {
        start(&services[i], domains[i]);
    }
}

static void tear_down(void)
{
    for (size_t i = 0; i < SERVICES; i++) {
        zmq_close(services[i].dealer);
        ates_actor_close(&services[i].actor);
        fixture_close(&services[i].fixture);
    }
    ates_inbox_free(&inbox);
    ates_arena_free(&arena);
    zmq_ctx_term(context);
}

TestSuite(vectors_service, .init = set_up, .fini = tear_down, .timeout = 300);

static void *dealer_of(const json_t *vector)
{
    const char *name = vector_text(vector, "service");

    for (size_t i = 0; i < SERVICES; i++) {
        if (strcmp(domains[i]->service->name, name) == 0) {
            return services[i].dealer;
        }
    }
    cr_assert_fail("%s: %s is not started here", vector_name(vector), name);
    return NULL;
}

static bool is_same(const char *found, const char *expected)
{
    return expected == NULL ? found[0] == '\0' : strcmp(found, expected) == 0;
}

static void look_at_result(const json_t *vector, const struct ates_reply *reply)
{
    json_t *result = vector_value(reply->body);
    const char *key;
    json_t *expected;

    cr_assert(json_is_object(result), "%s", vector_name(vector));
    json_object_foreach(json_object_get(vector, "result"), key, expected)
    {
        cr_expect(json_equal(json_object_get(result, key), expected), "%s: %s", vector_name(vector),
                  key);
    }
    json_decref(result);
}

/* Sends the delimiter and the frames, and holds the answer against the vector. */
static void ask(const json_t *vector, const struct ates_bytes *frames, size_t count)
{
    void *dealer = dealer_of(vector);
    zmq_pollitem_t item = {dealer, 0, ZMQ_POLLIN, 0};
    struct ates_reply reply;
    struct ates_reply_meta meta;

    cr_assert_eq(zmq_send(dealer, "", 0, count > 0 ? ZMQ_SNDMORE : 0), 0);
    for (size_t i = 0; i < count; i++) {
        cr_assert_geq(
            zmq_send(dealer, frames[i].data, frames[i].size, i + 1 < count ? ZMQ_SNDMORE : 0), 0);
    }
    cr_assert_gt(zmq_poll(&item, 1, PATIENCE_MS), 0, "%s: no reply", vector_name(vector));
    cr_assert_eq(ates_inbox_receive(inbox, dealer), 0);
    cr_assert_eq(zmq_msg_size(&inbox->frames[0]), 0);
    cr_assert_eq(ates_inbox_reply(inbox, 1, &reply), 0, "%s: no reply of ATES/1",
                 vector_name(vector));
    cr_expect_str_eq(ates_status_name(reply.status), vector_text(vector, "status"), "%s: %s",
                     vector_name(vector), reply.refusal.message);
    if (reply.status == ATES_OK) {
        look_at_result(vector, &reply);
    } else {
        cr_expect(is_same(reply.refusal.reason, vector_text(vector, "reason")), "%s: %s",
                  vector_name(vector), reply.refusal.reason);
        cr_expect(is_same(reply.refusal.field, vector_text(vector, "field")), "%s: %s",
                  vector_name(vector), reply.refusal.field);
        cr_expect(reply.refusal.message[0] != '\0', "%s", vector_name(vector));
    }
    const bool is_refused =
        reply.status == ATES_INVALID_ARGUMENT || reply.status == ATES_UNIMPLEMENTED;
    cr_expect_eq(is_refused, !vector_is_valid(vector), "%s", vector_name(vector));
    cr_assert_eq(ates_message_decode(&ates_reply_meta_message, zmq_msg_data(&inbox->frames[3]),
                                     zmq_msg_size(&inbox->frames[3]), ATES_UNKNOWN_REFUSED, arena,
                                     &meta, NULL),
                 0);
    const char *request_id = vector_text(vector, "request_id");
    cr_expect_eq(meta.has_request_id, request_id != NULL, "%s", vector_name(vector));
    cr_expect(request_id == NULL || ates_text_equal(meta.request_id, ates_text_from(request_id)),
              "%s", vector_name(vector));
}

static void expect_value(const json_t *vector, struct ates_bytes frame, const json_t *expected)
{
    json_t *value = vector_value(frame);

    cr_expect(json_equal(value, expected), "%s", vector_name(vector));
    json_decref(value);
}

Test(vectors_service, requests)
{
    json_t *vectors = vector_file_load(FOLDER "requests.json",
                                       (const char *const[]){"service", "hex", "status", "reason",
                                                             "field", "result", "meaning", NULL});
    size_t i, j;
    json_t *vector, *digits;

    json_array_foreach(vectors, i, vector)
    {
        struct ates_bytes frames[8];
        json_t *hex = json_object_get(vector, "hex");
        const json_t *meaning = json_object_get(vector, "meaning");

        cr_assert_leq(json_array_size(hex), sizeof frames / sizeof frames[0]);
        json_array_foreach(hex, j, digits)
        {
            frames[j] = vector_bytes(digits, arena);
        }
        ask(vector, frames, json_array_size(hex));
        if (meaning != NULL) {
            const struct ates_text command = {(const char *)frames[1].data, frames[1].size};

            cr_expect(ates_text_equal(command, ates_text_from(vector_text(meaning, "command"))),
                      "%s", vector_name(vector));
            expect_value(vector, frames[2], json_object_get(meaning, "meta"));
            expect_value(vector, frames[3], json_object_get(meaning, "body"));
        }
    }
    json_decref(vectors);
}

Test(vectors_service, meta)
{
    json_t *vectors = vector_file_load(
        FOLDER "meta.json", (const char *const[]){"service", "hex", "status", "reason", "field",
                                                  "request_id", "meaning", NULL});
    size_t i;
    json_t *vector;

    json_array_foreach(vectors, i, vector)
    {
        char command[64];
        const int size =
            snprintf(command, sizeof command, "%s.health", vector_text(vector, "service"));
        const struct ates_bytes frames[] = {{(const uint8_t *)ATES_PROTOCOL, strlen(ATES_PROTOCOL)},
                                            {(const uint8_t *)command, (size_t)size},
                                            vector_bytes(json_object_get(vector, "hex"), arena),
                                            {(const uint8_t *)"\x80", 1}};

        ask(vector, frames, 4);
        if (json_object_get(vector, "meaning") != NULL) {
            expect_value(vector, frames[2], json_object_get(vector, "meaning"));
        }
    }
    json_decref(vectors);
}

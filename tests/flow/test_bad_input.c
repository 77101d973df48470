/* Every malformed request of the tables gets the refusal it should, leaves the service serving, and
 * leaves nothing behind in its memory. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include <ates/auth.h>
#include <ates/tasks.h>

#include "core/random.h"
#include "flow/bad_input.h"
#include "flow/wire.h"
#include "support/flow.h"

#define REPETITIONS 50
#define WARM_UP 10
#ifdef __SANITIZE_ADDRESS__
#define GROWTH_MAX_KIB (8 * 1024) /* it keeps what is freed for a while */
#else
#define GROWTH_MAX_KIB 1024
#endif
#define FRAMES_MAX 24u

static struct flow flow;
static struct bad_token_keys keys;

static const struct {
    const char *name;
    unsigned bit;
} services[] = {
    {"auth", AUTH},           {"tasks", TASKS},     {"accounting", ACCOUNTING},
    {"analytics", ANALYTICS}, {"payment", PAYMENT},
};

static const struct bad_table *const tables[] = {
    &bad_frames,         &bad_meta,
    &bad_msgpack,        &bad_auth_fields,
    &bad_tasks_fields,   &bad_accounting_fields,
    &bad_payout_fields,  &bad_analytics_fields,
    &bad_payment_fields, &bad_tokens,
};

#define REVOKED (FLOW_DEVELOPER + 1u)
#define DISABLED (FLOW_DEVELOPER + 2u)

static void load_key(enum ates_key_purpose purpose, struct ates_secret_key *key)
{
    char dir[128], error[512] = "";

    snprintf(dir, sizeof dir, "%s/keys", flow.data_dir);
    cr_assert_eq(ates_keys_load_secret(dir, purpose, key, error, sizeof error), 0, "%s", error);
}

/* What is freed goes back at once, so that what stays is a leak: a sanitizer's quarantine would
 * hide it. */
static void make_memory_tell(void)
{
    const char *given = getenv("ASAN_OPTIONS");
    char options[512];

    snprintf(options, sizeof options, "%s%squarantine_size_mb=1:thread_local_quarantine_size_kb=64",
             given != NULL ? given : "", given != NULL ? ":" : "");
    setenv("ASAN_OPTIONS", options, 1);
}

static void start(void)
{
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES];

    make_memory_tell();
    flow_open(&flow);
    flow_start_all(&flow);
    load_key(ATES_KEY_USERS, &keys.users);
    load_key(ATES_KEY_SERVICES, &keys.services);
    crypto_sign_keypair(public_key, keys.nobody.secret);
    ates_key_id(public_key, keys.nobody.kid);

    const struct auth_revoke_sessions revoked = {.has_user_id = true, .user_id = REVOKED};
    const struct auth_disable_user disabled = {.user_id = DISABLED};
    const struct tasks_create_task task = {.name = ates_text_from("a task")};
    flow_do(&flow, FLOW_ADMINISTRATOR, &auth_service, "revoke_sessions", &revoked, NULL);
    flow_do(&flow, FLOW_ADMINISTRATOR, &auth_service, "disable_user", &disabled, NULL);
    flow_do(&flow, FLOW_ADMINISTRATOR, &tasks_service, "create_task", &task, NULL);
    flow_catch_up(&flow);
}

static void stop(void)
{
    flow_close(&flow);
}

TestSuite(bad_input, .init = start, .fini = stop, .timeout = 900);

/* A row made ready for one service. */
struct request {
    const struct bad_input *row;
    char what[160];
    struct ates_bytes frames[FRAMES_MAX];
    size_t count;
    size_t route_count; /* frames that must come back before the reply; 0: none may */
};

struct requests {
    struct request *items;
    size_t count;
};

static struct ates_bytes join(const char *head, size_t head_size, const struct bad_bytes *bytes)
{
    const size_t size =
        head_size + bytes->head_size + bytes->unit_size * bytes->times + bytes->tail_size;
    uint8_t *data = malloc(size + 1);
    uint8_t *at = data;

    cr_assert_not_null(data);
    at = mempcpy(at, head, head_size);
    if (bytes->head_size > 0) {
        at = mempcpy(at, bytes->head, bytes->head_size);
    }
    for (size_t i = 0; i < bytes->times; i++) {
        at = mempcpy(at, bytes->unit, bytes->unit_size);
    }
    if (bytes->tail_size > 0) {
        memcpy(at, bytes->tail, bytes->tail_size);
    }
    return (struct ates_bytes){data, size};
}

static struct ates_bytes write_frame(const struct bad_bytes *bytes, const char *otherwise)
{
    const struct bad_bytes given = {.head = otherwise, .head_size = strlen(otherwise)};

    return join("", 0, bytes->head != NULL ? bytes : &given);
}

static struct ates_bytes write_name(const struct bad_bytes *bytes, const char *service)
{
    if (bytes->head == NULL || bytes->head[0] != SERVICE_MARK[0]) {
        return join("", 0, bytes);
    }
    struct bad_bytes rest = *bytes;
    rest.head++;
    rest.head_size--;
    return join(service, strlen(service), &rest);
}

static struct ates_bytes write_meta(const struct bad_input *row)
{
    const struct ates_source source = ates_source_system();
    char made[ATES_TOKEN_MAX + 1], head[16];
    const char *token = made;

    switch (row->token) {
    case TOKEN_NONE:
        return write_frame(&row->meta, "\x80");
    case TOKEN_OF_ADMINISTRATOR:
        token = flow.tokens[FLOW_ADMINISTRATOR];
        break;
    case TOKEN_REVOKED:
        token = flow.tokens[REVOKED];
        break;
    case TOKEN_OF_DISABLED:
        token = flow.tokens[DISABLED];
        break;
    case TOKEN_MADE:
        bad_token_write(&row->made, &keys, ates_now_ms(&source), made);
        break;
    }
    const size_t size = strlen(token);
    const struct bad_bytes text = {.head = token, .head_size = size};
    const int head_size =
        snprintf(head, sizeof head, "\x81\xa5token\xda%c%c", (int)(size >> 8), (int)(size & 0xff));
    return join(head, (size_t)head_size, &text);
}

static void add(struct request *request, struct ates_bytes frame)
{
    cr_assert_lt(request->count, FRAMES_MAX);
    request->frames[request->count++] = frame;
    if (frame.size == 0 && request->route_count == 0) {
        request->route_count = request->count;
    }
}

static void prepare(struct request *request, const char *kind, const struct bad_input *row,
                    const char *service)
{
    static const struct bad_bytes nothing;
    char word[128];

    *request = (struct request){.row = row};
    snprintf(request->what, sizeof request->what, "%s, %s, %s: %s", service, kind,
             row->command != NULL ? row->command : "no command", row->what);
    for (size_t i = 0; i < row->frame_count; i++) {
        add(request, write_name(&row->frames[i], service));
    }
    if (row->frame_count == 0) {
        snprintf(word, sizeof word, "%s.%s", service, row->command != NULL ? row->command : "");
        add(request, join("tag", 3, &nothing));
        add(request, join("", 0, &nothing));
        add(request, write_frame(&row->version, "ATES/1"));
        add(request,
            row->name.head != NULL ? write_name(&row->name, service) : write_frame(&nothing, word));
        add(request, write_meta(row));
        add(request, write_frame(&row->body, "\x80"));
    }
    if (row->status == ATES_OK) {
        request->route_count = 0;
    }
}

static void prepare_all(struct requests *requests, const char *service, unsigned bit)
{
    requests->count = 0;
    requests->items = NULL;
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        for (size_t j = 0; j < tables[i]->count; j++) {
            const struct bad_input *row = &tables[i]->rows[j];

            if ((row->services & bit) != 0) {
                requests->items =
                    reallocarray(requests->items, requests->count + 1, sizeof *requests->items);
                cr_assert_not_null(requests->items);
                prepare(&requests->items[requests->count++], tables[i]->kind, row, service);
            }
        }
    }
}

static void release(struct requests *requests)
{
    for (size_t i = 0; i < requests->count; i++) {
        for (size_t j = 0; j < requests->items[i].count; j++) {
            free((void *)requests->items[i].frames[j].data);
        }
    }
    free(requests->items);
}

static bool is_text(struct ates_text text, const char *expected)
{
    return ates_text_equal(text, ates_text_from(expected));
}

static void check_reply(struct wire *wire, const struct request *request,
                        const struct wire_reply *reply)
{
    const struct bad_input *row = request->row;
    const struct ates_refusal_body *refusal = &reply->refusal;
    const char *field = row->field != NULL ? row->field : "";

    cr_assert_eq(reply->route_count, request->route_count, "%s: the way back has %zu frames",
                 request->what, reply->route_count);
    for (size_t i = 0; i < reply->route_count; i++) {
        const struct ates_bytes frame = wire_frame(wire, i);

        cr_assert(
            frame.size == request->frames[i].size &&
                (frame.size == 0 || memcmp(frame.data, request->frames[i].data, frame.size) == 0),
            "%s: frame %zu of the way back", request->what, i);
    }
    cr_expect(reply->status == row->status && is_text(refusal->reason, row->reason) &&
                  is_text(refusal->field, field),
              "%s: expected %s / %s / '%s', got %s / %.*s / '%.*s': %.*s", request->what,
              ates_status_name(row->status), row->reason, field, ates_status_name(reply->status),
              (int)refusal->reason.size, refusal->reason.data, (int)refusal->field.size,
              refusal->field.data, (int)refusal->message.size, refusal->message.data);
    cr_expect_gt(refusal->message.size, 0, "%s: no message", request->what);
    /* What the tables have for passwords. */
    cr_assert(memmem(reply->body.data, reply->body.size, "longword", 8) == NULL &&
                  memmem(reply->body.data, reply->body.size, "shortpw", 7) == NULL,
              "%s: the reply tells a secret", request->what);
}

static void send_request(struct wire *wire, const struct request *request)
{
    wire_send(wire, request->frames, request->count, request->row->empty_frames);
}

/* The service answers in order, so health's answer is the next where the request gets none. */
static void check_serving(struct wire *wire, const char *service, const char *what)
{
    static const uint8_t map = 0x80;
    char name[64];
    struct wire_reply reply;
    const int size = snprintf(name, sizeof name, "%s.health", service);
    const struct ates_bytes frames[] = {
        {(const uint8_t *)"ok?", 3},           {NULL, 0}, {(const uint8_t *)"ATES/1", 6},
        {(const uint8_t *)name, (size_t)size}, {&map, 1}, {&map, 1}};

    wire_send(wire, frames, 6, 0);
    wire_receive(wire, &reply, what);
    cr_assert(reply.route_count == 2 && memcmp(wire_frame(wire, 0).data, "ok?", 3) == 0,
              "%s: an answer too much", what);
    cr_assert_eq(reply.status, ATES_OK, "%s: health answers %s", what,
                 ates_status_name(reply.status));
}

static void send_all(struct wire *wire, const struct requests *requests, const char *service,
                     bool each)
{
    struct wire_reply reply;

    for (size_t i = 0; i < requests->count; i++) {
        const struct request *request = &requests->items[i];

        send_request(wire, request);
        if (request->route_count > 0) {
            wire_receive(wire, &reply, request->what);
            check_reply(wire, request, &reply);
        }
        if (each) {
            check_serving(wire, service, request->what);
        }
    }
    check_serving(wire, service, "after all");
}

Test(bad_input, each_is_refused_as_it_should_and_leaves_the_service_as_it_was)
{
    size_t rows = 0;

    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        rows += tables[i]->count;
    }
    cr_assert_geq(rows, 200);
    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        const char *service = services[i].name;
        struct requests requests;
        struct wire wire;

        prepare_all(&requests, service, services[i].bit);
        wire_open(&wire, flow.run_dir, service);
        const uint64_t head = flow_head(&flow, service);
        send_all(&wire, &requests, service, true);
        for (int n = 0; n < WARM_UP; n++) {
            send_all(&wire, &requests, service, false);
        }
        const long before_kib = flow_resident_kib(&flow, service);
        for (int n = 0; n < REPETITIONS; n++) {
            send_all(&wire, &requests, service, false);
        }
        const long after_kib = flow_resident_kib(&flow, service);
        fprintf(stderr, "%s: %zu of %zu malformed requests, %d times; resident %ld KiB, then %ld\n",
                service, requests.count, rows, 1 + WARM_UP + REPETITIONS, before_kib, after_kib);
        cr_expect_leq(after_kib - before_kib, GROWTH_MAX_KIB, "%s has grown from %ld to %ld KiB",
                      service, before_kib, after_kib);
        cr_expect_eq(flow_head(&flow, service), head, "%s has done something", service);
        wire_close(&wire);
        release(&requests);
    }
}

/* What ZeroMQ itself refuses gets no reply: it drops the connection, and its client connects anew.
 */
static void await_disconnect(void *monitor, const char *what)
{
    zmq_msg_t event, endpoint;

    zmq_msg_init(&event);
    zmq_msg_init(&endpoint);
    cr_assert_geq(zmq_msg_recv(&event, monitor, 0), 0, "%s: the connection stays", what);
    cr_assert_geq(zmq_msg_recv(&endpoint, monitor, 0), 0);
    zmq_msg_close(&event);
    zmq_msg_close(&endpoint);
}

Test(bad_input, frame_above_the_limit_costs_its_connection_and_nobody_else)
{
    static const uint8_t large[ATES_FRAME_MAX + 1];
    static const char *const places[] = {"tag", "version", "name", "meta", "body"};
    const int patience_ms = (int)(FLOW_PATIENCE_MS * flow_scale());
    const uint8_t map = 0x80;

    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        const char *service = services[i].name;
        struct wire wire, other;

        wire_open(&wire, flow.run_dir, service);
        wire_open(&other, flow.run_dir, service);
        check_serving(&wire, service, "before");
        check_serving(&other, service, "before");
        cr_assert_eq(zmq_socket_monitor(wire.socket, "inproc://monitor", ZMQ_EVENT_DISCONNECTED),
                     0);
        void *monitor = zmq_socket(wire.context, ZMQ_PAIR);
        cr_assert_eq(zmq_setsockopt(monitor, ZMQ_RCVTIMEO, &patience_ms, sizeof patience_ms), 0);
        cr_assert_eq(zmq_connect(monitor, "inproc://monitor"), 0);
        for (size_t place = 0; place < sizeof places / sizeof places[0]; place++) {
            struct ates_bytes frames[] = {
                {(const uint8_t *)"tag", 3},           {NULL, 0}, {(const uint8_t *)"ATES/1", 6},
                {(const uint8_t *)"tasks.health", 12}, {&map, 1}, {&map, 1}};

            frames[place == 0 ? 0 : place + 1] = (struct ates_bytes){large, sizeof large};
            wire_send(&wire, frames, 6, 0);
            await_disconnect(monitor, places[place]);
            check_serving(&other, service, places[place]);
            check_serving(&wire, service, places[place]);
        }
        cr_assert_eq(zmq_socket_monitor(wire.socket, NULL, 0), 0);
        zmq_close(monitor);
        wire_close(&wire);
        wire_close(&other);
    }
}

static int connect_bare(const char *service)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int bare = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    cr_assert_geq(bare, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/%s.sock", flow.run_dir, service);
    cr_assert_eq(connect(bare, (const struct sockaddr *)&address, sizeof address), 0);
    return bare;
}

/* A peer that is none may be cut off at any byte, or left alone: others are served meanwhile. */
Test(bad_input, bytes_that_are_no_zeromq_harm_nobody)
{
    static const struct bad_bytes openings[] = {
        BYTES("GET / HTTP/1.1\r\nHost: ates\r\n\r\n"),
        BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
        BYTES("\xff\x00\x00\x00\x00\x00\x00\x00\x01"),
        BYTES("\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03"),
        BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        REPEATED("\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x00NULL", "\x00", 48,
                 "\x04\x29\x05READY\x0bSocket-Type\xff\xff\xff\xff"),
        REPEATED("\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x00NULL", "\x00", 48,
                 "\x06\xff\xff\xff\xff\xff\xff\xff\xff"),
        REPEATED("\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\000CURVE", "\x00", 47, "\x04\xc8"),
        REPEATED("", "\x00", 65536, ""),
    };
    int bare[sizeof openings / sizeof openings[0] + 1];

    for (size_t i = 0; i < sizeof services / sizeof services[0]; i++) {
        struct wire wire;

        wire_open(&wire, flow.run_dir, services[i].name);
        for (size_t j = 0; j < sizeof openings / sizeof openings[0]; j++) {
            const struct ates_bytes bytes = join("", 0, &openings[j]);

            bare[j] = connect_bare(services[i].name);
            (void)!send(bare[j], bytes.data, bytes.size, MSG_NOSIGNAL);
            free((void *)bytes.data);
            check_serving(&wire, services[i].name, "beside bytes that are no ZeroMQ");
        }
        uint8_t noise[4096];
        bare[sizeof openings / sizeof openings[0]] = connect_bare(services[i].name);
        for (size_t j = 0; j < sizeof noise; j++) {
            noise[j] = (uint8_t)flow_draw(&flow, 256);
        }
        (void)!send(bare[sizeof openings / sizeof openings[0]], noise, sizeof noise, MSG_NOSIGNAL);
        check_serving(&wire, services[i].name, "beside noise");
        for (size_t j = 0; j < sizeof bare / sizeof bare[0]; j++) {
            close(bare[j]);
        }
        check_serving(&wire, services[i].name, "after bytes that are no ZeroMQ");
        wire_close(&wire);
    }
}

/* A command that is refused for its caller's role reads what is known of the caller, and no more. */
Test(bad_input, refusals_of_a_role_leave_no_memory)
{
    const struct auth_show_user body = {.has_user_id = true, .user_id = FLOW_ADMINISTRATOR};
    long before_kib = 0;

    for (int i = 0; i < 40000; i++) {
        if (i == 10000) {
            before_kib = flow_resident_kib(&flow, "auth");
        }
        flow_refused(&flow, FLOW_DEVELOPER, &auth_service, "show_user", &body,
                     ATES_PERMISSION_DENIED, "ROLE_NOT_ALLOWED");
    }
    const long after_kib = flow_resident_kib(&flow, "auth");
    cr_assert_lt(after_kib - before_kib, 1024, "%ld KiB, then %ld", before_kib, after_kib);
}

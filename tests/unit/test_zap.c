/* The ZAP handler: asked by hand, as libzmq may never ask, and by libzmq about real clients. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/journal.h"
#include "core/socket.h"
#include "core/zap.h"
#include "support/knock.h"
#include "support/temp_folder.h"

static char folder[TEMP_FOLDER_SIZE], error[512];
static zactor_t *zap;
static struct ates_cert server, ann, bob;

static const char *path_of(const char *kind, const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/allow/%s%s%s", folder, kind, name[0] != '\0' ? "/" : "", name);
    return path;
}

static void setup(void)
{
    static const char *const kinds[] = {"", "commands", "events", "publish"};

    zsys_init();
    zsys_handler_set(NULL);
    ates_journal_open("error");
    temp_folder_make(folder);
    for (size_t i = 0; i < 4; i++) {
        cr_assert_eq(mkdir(path_of(kinds[i], ""), 0755), 0);
        chmod(path_of(kinds[i], ""), 0755);
    }
    cr_assert(ates_cert_draw(&server) == 0 && ates_cert_draw(&ann) == 0 &&
              ates_cert_draw(&bob) == 0);
    cr_assert_eq(
        ates_cert_save(path_of("commands", "ann.cert"), "ann", &ann, false, error, sizeof error), 0,
        "%s", error);
    cr_assert_eq(ates_zap_start(folder, &zap, error, sizeof error), 0, "%s", error);
}

static void teardown(void)
{
    zactor_destroy(&zap);
    temp_folder_remove(folder);
}

TestSuite(zap, .init = setup, .fini = teardown, .timeout = 120);

/* A question's frames, and the code that it is answered by, with the user id. */
static void expect_answer(const char *code, const char *user_id, const char *const *frames,
                          const size_t *sizes, size_t count)
{
    void *asker = ates_socket_open(zsys_init(), ZMQ_REQ);
    char got[6][512];
    int more = 1;
    size_t size = sizeof more;

    cr_assert_eq(zmq_connect(asker, ATES_ZAP_ENDPOINT), 0);
    for (size_t i = 0; i < count; i++) {
        cr_assert_geq(zmq_send(asker, frames[i], sizes[i], i + 1 < count ? ZMQ_SNDMORE : 0), 0);
    }
    for (size_t i = 0; i < 6; i++) {
        const int length = zmq_recv(asker, got[i], sizeof got[i] - 1, 0);

        cr_assert(length >= 0 && length < (int)sizeof got[i]);
        got[i][length] = '\0';
        zmq_getsockopt(asker, ZMQ_RCVMORE, &more, &size);
        cr_assert_eq(more, i < 5);
    }
    cr_expect_str_eq(got[0], "1.0");
    cr_expect_str_eq(got[2], code, "%s: %s", got[2], got[3]);
    cr_expect_str_eq(got[4], user_id);
    zmq_close(asker);
}

Test(zap, answers_by_rfc_27)
{
    uint8_t key[32], other[32];
    char big[300];

    zmq_z85_decode(key, ann.public_key);
    zmq_z85_decode(other, bob.public_key);
    memset(big, 'x', sizeof big);
    const char *good[] = {"1.0", "7", "commands", "127.0.0.1", "", "CURVE", (const char *)key, "x"};
    const size_t sizes[] = {3, 1, 8, 9, 0, 5, 32, 1};
    expect_answer("200", ann.public_key, good, sizes, 7);
    const struct {
        const char *code;
        size_t count, frame;
        const char *text;
        size_t size;
    } cases[] = {
        {"400", 7, 6, (const char *)other, 32}, /* a key that is not allowed */
        {"400", 7, 2, "events", 6},             /* nor for this */
        {"400", 7, 2, "", 0},
        {"400", 7, 2, "commands\0", 9},
        {"400", 7, 2, "../commands", 11},
        {"400", 6, 5, "NULL", 4},
        {"400", 8, 5, "PLAIN", 5},
        {"400", 7, 5, "GSSAPI", 6},
        {"500", 7, 0, "2.0", 3},
        {"500", 7, 6, (const char *)key, 31},
        {"500", 8, 6, (const char *)key, 32},
        {"500", 6, 5, "CURVE", 5},
        {"500", 7, 1, big, sizeof big},
        {"500", 1, 0, "", 0},
        {"500", 3, 0, "1.0", 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *frames[8];
        size_t its_sizes[8];

        memcpy(frames, good, sizeof frames);
        memcpy(its_sizes, sizes, sizeof its_sizes);
        frames[cases[i].frame] = cases[i].text;
        its_sizes[cases[i].frame] = cases[i].size;
        expect_answer(cases[i].code, "", frames, its_sizes, cases[i].count);
    }
    const char *many[64];
    size_t many_sizes[64];
    for (size_t i = 0; i < 64; i++) {
        many[i] = i < 7 ? good[i] : "x";
        many_sizes[i] = i < 7 ? sizes[i] : 1;
    }
    expect_answer("500", "", many, many_sizes, 64);
    expect_answer("200", ann.public_key, good, sizes, 7);
}

/* A socket that listens as a service's does. */
static void *listen_as(const char *domain, char address[ATES_ADDRESS_SIZE])
{
    void *socket = ates_socket_open(zsys_init(), ZMQ_ROUTER);

    cr_assert_eq(ates_socket_serve(socket, server.secret_key, domain), 0);
    cr_assert_eq(ates_socket_listen(socket, "tcp://127.0.0.1:0", address), 0);
    return socket;
}

Test(zap, lets_in_whom_the_folder_of_the_domain_has)
{
    char commands[ATES_ADDRESS_SIZE], events[ATES_ADDRESS_SIZE];
    void *sockets[] = {listen_as("commands", commands), listen_as("events", events)};
    struct ates_cert wrong_server;
    const struct knock as_ann = {KNOCK_CURVE, &ann, server.public_key};
    const struct knock as_bob = {KNOCK_CURVE, &bob, server.public_key};
    const struct knock as_nobody = {.mechanism = KNOCK_NULL};
    const struct knock by_password = {.mechanism = KNOCK_PLAIN};

    cr_assert_eq(ates_cert_draw(&wrong_server), 0);
    const struct knock at_wrong = {KNOCK_CURVE, &ann, wrong_server.public_key};
    cr_expect(knock(ZMQ_DEALER, &as_ann, commands));
    cr_expect_not(knock(ZMQ_DEALER, &as_ann, events));
    cr_expect_not(knock(ZMQ_DEALER, &as_bob, commands));
    cr_expect_not(knock(ZMQ_DEALER, &as_nobody, commands));
    cr_expect_not(knock(ZMQ_DEALER, &by_password, commands));
    cr_expect_not(knock(ZMQ_DEALER, &at_wrong, commands));
    cr_assert_eq(
        ates_cert_save(path_of("commands", "bob.cert"), "bob", &bob, false, error, sizeof error),
        0);
    cr_expect(knock(ZMQ_DEALER, &as_bob, commands), "without a restart");
    unlink(path_of("commands", "ann.cert"));
    cr_expect_not(knock(ZMQ_DEALER, &as_ann, commands), "at once");
    zmq_close(sockets[0]);
    zmq_close(sockets[1]);
}

Test(zap, nobody_gets_in_while_it_is_gone)
{
    char address[ATES_ADDRESS_SIZE];
    void *socket = listen_as("commands", address);
    const struct knock as_ann = {KNOCK_CURVE, &ann, server.public_key};

    cr_assert(knock(ZMQ_DEALER, &as_ann, address));
    zactor_destroy(&zap);
    cr_expect_not(knock(ZMQ_DEALER, &as_ann, address));
    cr_assert_eq(ates_zap_start(folder, &zap, error, sizeof error), 0, "%s", error);
    cr_expect(knock(ZMQ_DEALER, &as_ann, address));
    zmq_close(socket);
}

Test(zap, nobody_gets_in_while_it_does_not_answer)
{
    char address[ATES_ADDRESS_SIZE];
    const struct knock as_ann = {KNOCK_CURVE, &ann, server.public_key};

    zactor_destroy(&zap);
    void *mute = ates_socket_open(zsys_init(), ZMQ_REP); /* takes questions, and that is all */
    cr_assert_eq(zmq_bind(mute, ATES_ZAP_ENDPOINT), 0);
    void *socket = listen_as("commands", address);
    cr_expect_not(knock(ZMQ_DEALER, &as_ann, address), "the time for handshakes ends it");
    zmq_close(socket);
    zmq_close(mute);
}

Test(zap, there_is_one_in_a_process_and_it_answers_pings)
{
    zactor_t *second = NULL;

    cr_expect_lt(ates_zap_start(folder, &second, error, sizeof error), 0);
    cr_expect_null(second);
    zstr_send(zap, "PING");
    char *word = zstr_recv(zap);
    cr_expect_str_eq(word, "PONG");
    zstr_free(&word);
}

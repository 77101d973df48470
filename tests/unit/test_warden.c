/* Connections are ended where there are too many or memory grows, of those who are to blame. */
#include <criterion/criterion.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/domain.h"
#include "core/warden.h"
#include "support/temp_folder.h"

#define PATIENCE_MS 20000
#define CROWD 40
#define BLOCK (8u << 20)

static char folder[TEMP_FOLDER_SIZE];
static int listening, other; /* one that is watched, one that is not */

static int listen_at(const char *name, char *endpoint, size_t size)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(endpoint, size, "ipc://%s/%s", folder, name);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", endpoint + 6);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    cr_assert_eq(listen(fd, CROWD), 0);
    return fd;
}

static void setup(void)
{
    char endpoint[256];

    temp_folder_make(folder);
    listening = listen_at("watched", endpoint, sizeof endpoint);
    cr_assert_eq(ates_warden_watch(endpoint), 0);
    other = listen_at("other", endpoint, sizeof endpoint);
}

static void teardown(void)
{
    ates_warden_stop();
    ates_warden_stop();
    temp_folder_remove(folder);
}

TestSuite(warden, .init = setup, .fini = teardown, .timeout = 60);

struct pair {
    int ours, theirs; /* the accepted end, and the one that connected */
};

static struct pair connect_to(int listener)
{
    struct sockaddr_un address;
    socklen_t size = sizeof address;
    struct pair pair = {.theirs = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};

    cr_assert_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    cr_assert_eq(connect(pair.theirs, (struct sockaddr *)&address, size), 0);
    pair.ours = accept(listener, NULL, NULL);
    cr_assert_geq(pair.ours, 0);
    return pair;
}

static bool is_ended(const struct pair *pair, int timeout_ms)
{
    struct pollfd item = {.fd = pair->theirs, .events = POLLIN};
    char byte;

    return poll(&item, 1, timeout_ms) == 1 &&
           recv(pair->theirs, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void start(int descriptors, size_t growth_bytes)
{
    const struct ates_warden_limits limits = {descriptors, growth_bytes};

    cr_assert_eq(ates_warden_start("test", &limits), 0);
}

Test(warden, whoever_has_most_is_ended_first)
{
    struct ates_warden_connection all[] = {
        {.descriptor = 5, .peer = 1, .heard_ms = 0},  {.descriptor = 6, .peer = 2, .heard_ms = 90},
        {.descriptor = 7, .peer = 2, .heard_ms = 10}, {.descriptor = 8, .peer = 2, .heard_ms = 0},
        {.descriptor = 9, .peer = 3, .heard_ms = 50}, {.descriptor = 10, .peer = 3, .heard_ms = 40},
    };
    static const int expected[] = {8, 7, 10, 5, 9, 6};

    ates_warden_order(all, 6);
    for (size_t i = 0; i < 6; i++) {
        cr_expect_eq(all[i].descriptor, expected[i], "%zu: %d", i, all[i].descriptor);
    }
}

Test(warden, too_many_connections_are_ended)
{
    struct pair crowd[CROWD], elsewhere = connect_to(other);
    size_t ended = 0;

    for (size_t i = 0; i < CROWD; i++) {
        crowd[i] = connect_to(listening);
    }
    ates_warden_heard(crowd[CROWD - 1].ours, ates_monotonic_us());
    start(CROWD / 2, SIZE_MAX / 2);
    cr_assert(is_ended(&crowd[CROWD - 2], PATIENCE_MS), "the newest that was never heard");
    ates_warden_stop(); /* the look that ended it is over */
    for (size_t i = 0; i < CROWD; i++) {
        ended += is_ended(&crowd[i], 0);
    }
    cr_expect_geq(ended, CROWD / 2);
    cr_expect_lt(ended, CROWD);
    cr_expect(!is_ended(&crowd[CROWD - 1], 0), "the one that was heard is kept");
    cr_expect(!is_ended(&elsewhere, 0), "what is not watched is left alone");
}

Test(warden, few_connections_are_left_alone)
{
    struct pair pair = connect_to(listening);

    start(1000, SIZE_MAX / 2);
    cr_expect(!is_ended(&pair, 200), "it was ended");
}

/* Holds more memory of its own than was allowed to come. */
static void *grow(void)
{
    uint8_t *block = malloc(BLOCK);

    cr_assert_not_null(block);
    for (size_t i = 0; i < BLOCK; i += 4096) {
        ((volatile uint8_t *)block)[i] = 1;
    }
    return block;
}

Test(warden, grown_memory_ends_those_that_send_and_never_finish)
{
    struct pair sending = connect_to(listening), idle = connect_to(listening);

    cr_assert_eq(send(sending.theirs, "half", 4, MSG_NOSIGNAL), 4);
    start(1000, BLOCK / 2);
    void *block = grow();
    cr_assert(is_ended(&sending, PATIENCE_MS));
    cr_expect(!is_ended(&idle, 0), "one that did nothing was ended");
    free(block);
}

Test(warden, grown_memory_ends_those_that_do_not_read)
{
    struct pair deaf = connect_to(listening), idle = connect_to(listening);
    static char bytes[4096];

    while (send(deaf.ours, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
    start(1000, BLOCK / 2);
    void *block = grow();
    struct pollfd item = {.fd = deaf.theirs, .events = POLLRDHUP};
    cr_assert_eq(poll(&item, 1, PATIENCE_MS), 1);
    cr_expect(!is_ended(&idle, 0), "one that did nothing was ended");
    free(block);
}

Test(warden, where_nobody_is_seen_to_do_it_the_silent_are_ended)
{
    struct pair idle = connect_to(listening);

    start(1000, BLOCK / 2);
    void *block = grow();
    cr_assert(is_ended(&idle, PATIENCE_MS));
    free(block);
}

static atomic_bool over;

/* A thread that listens, always a little later than the warden has looked at its clock. */
static void *listen_ahead(void *unused)
{
    (void)unused;
    while (!atomic_load(&over)) {
        ates_warden_listens(ates_monotonic_us() + 200000);
    }
    ates_warden_listens(0);
    return NULL;
}

Test(warden, one_that_listens_just_now_does_not_hide_one_that_is_busy)
{
    struct pair sending = connect_to(listening);
    pthread_t ahead;

    cr_assert_eq(pthread_create(&ahead, NULL, listen_ahead, NULL), 0);
    cr_assert_eq(send(sending.theirs, "half", 4, MSG_NOSIGNAL), 4);
    ates_warden_heard(sending.ours, ates_monotonic_us());
    ates_warden_listens(ates_monotonic_us()); /* and then is busy */
    start(1000, BLOCK / 2);
    void *block = grow();
    cr_expect(!is_ended(&sending, 1000));
    ates_warden_listens(0);
    atomic_store(&over, true);
    pthread_join(ahead, NULL);
    free(block);
}

Test(warden, nobody_is_silent_while_nobody_listens)
{
    struct pair sending = connect_to(listening);

    cr_assert_eq(send(sending.theirs, "half", 4, MSG_NOSIGNAL), 4);
    ates_warden_heard(sending.ours, ates_monotonic_us());
    ates_warden_listens(ates_monotonic_us()); /* and then is busy */
    start(1000, BLOCK / 2);
    void *first = grow();
    cr_expect(!is_ended(&sending, 1000), "for more than a trial it was to blame for being unheard");
    ates_warden_listens(0);
    void *second = grow();
    cr_assert(is_ended(&sending, PATIENCE_MS));
    free(first);
    free(second);
}

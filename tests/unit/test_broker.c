/* The broker between real PUB and SUB sockets. A subscription takes effect some time after
 * connecting, so publishers repeat a probe until it has come through. */
#include <criterion/criterion.h>
#include <czmq.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "broker/broker.h"
#include "core/endpoint.h"
#include "core/socket.h"

#define PATIENCE_MS 10000

struct setting {
    char run_dir[64];
    char error[256];
    zactor_t *broker;
    void *context;
};

static int start_below(const char *run_dir, zactor_t **broker, char *error, size_t size)
{
    static struct ates_config config;

    snprintf(config.run_dir, sizeof config.run_dir, "%s", run_dir);
    snprintf(config.data_dir, sizeof config.data_dir, "%s", run_dir);
    return ates_broker_start(&config, broker, error, size);
}

static void set_up(struct setting *self)
{
    zsys_init();
    zsys_handler_set(NULL);
    *self = (struct setting){.run_dir = "/tmp/ates-broker-XXXXXX"};
    cr_assert_not_null(mkdtemp(self->run_dir));
    self->context = zmq_ctx_new();
}

static void start(struct setting *self)
{
    int r = start_below(self->run_dir, &self->broker, self->error, sizeof self->error);
    cr_assert_eq(r, 0, "%s", self->error);
}

static void tear_down(struct setting *self)
{
    static const char *const names[] = {"events.sock", "private/publish.sock", "private", ""};
    char path[128];

    zactor_destroy(&self->broker);
    zmq_ctx_term(self->context);
    for (size_t i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", self->run_dir, names[i]);
        remove(path);
    }
    cr_assert_neq(access(self->run_dir, F_OK), 0, "nothing is left behind");
}

static void *connect_to(struct setting *self, int type, const char *name)
{
    char endpoint[256];

    void *socket = ates_socket_open(self->context, type);
    cr_assert_not_null(socket);
    cr_assert_eq(ates_endpoint(self->run_dir, name, endpoint, sizeof endpoint), 0);
    cr_assert_eq(zmq_connect(socket, endpoint), 0);
    return socket;
}

static void *subscribe(struct setting *self, const char *topic)
{
    void *socket = connect_to(self, ZMQ_SUB, "events");
    cr_assert_eq(zmq_setsockopt(socket, ZMQ_SUBSCRIBE, topic, strlen(topic)), 0);
    return socket;
}

static void publish(void *publisher, const char *topic, const char *data)
{
    cr_assert_eq(zmq_send(publisher, topic, strlen(topic), ZMQ_SNDMORE), (int)strlen(topic));
    cr_assert_eq(zmq_send(publisher, data, strlen(data), 0), (int)strlen(data));
}

/* Takes one event of two frames within wait_ms; whether there was one. */
static bool take(void *subscriber, long wait_ms, char *topic, char *data, size_t size)
{
    zmq_pollitem_t item = {.socket = subscriber, .events = ZMQ_POLLIN};
    int more = 0;
    size_t more_size = sizeof more;

    if (zmq_poll(&item, 1, wait_ms) <= 0) {
        return false;
    }
    int length = zmq_recv(subscriber, topic, size - 1, 0);
    cr_assert(length >= 0 && (size_t)length < size);
    topic[length] = '\0';
    zmq_getsockopt(subscriber, ZMQ_RCVMORE, &more, &more_size);
    cr_assert(more);
    length = zmq_recv(subscriber, data, size - 1, 0);
    cr_assert(length >= 0 && (size_t)length < size);
    data[length] = '\0';
    zmq_getsockopt(subscriber, ZMQ_RCVMORE, &more, &more_size);
    cr_assert_not(more);
    return true;
}

/* Until publisher's events reach subscriber: repeats topic "join", and swallows it. */
static void join(void *publisher, void *subscriber, const char *topic)
{
    char got_topic[64];
    char data[64];
    int64_t deadline_ms = zclock_mono() + PATIENCE_MS;
    bool joined = false;

    while (!joined) {
        cr_assert_lt(zclock_mono(), deadline_ms, "never joined");
        publish(publisher, topic, "join");
        joined =
            take(subscriber, 10, got_topic, data, sizeof data) && strcmp(got_topic, topic) == 0;
    }
    publish(publisher, topic, "joined");
    do {
        cr_assert(take(subscriber, PATIENCE_MS, got_topic, data, sizeof data));
    } while (strcmp(got_topic, topic) != 0 || strcmp(data, "joined") != 0);
}

static void expect(void *subscriber, const char *topic, const char *data)
{
    char got_topic[64];
    char got_data[64];

    cr_assert(take(subscriber, PATIENCE_MS, got_topic, got_data, sizeof got_data));
    cr_assert_str_eq(got_topic, topic);
    cr_assert_str_eq(got_data, data);
}

static mode_t mode_of(struct setting *self, const char *name)
{
    char path[128];
    struct stat status;

    snprintf(path, sizeof path, "%s%s", self->run_dir, name);
    cr_assert_eq(stat(path, &status), 0);
    return status.st_mode & 07777;
}

static void ping(struct setting *self)
{
    zstr_send(self->broker, "PING");
    char *answer = zstr_recv(self->broker);
    cr_assert_str_eq(answer, "PONG");
    zstr_free(&answer);
}

Test(broker, forwards_events_in_order_to_their_subscribers)
{
    struct setting setting;
    char data[16];

    set_up(&setting);
    start(&setting);
    void *publisher = connect_to(&setting, ZMQ_PUB, "private/publish");
    void *tasks = subscribe(&setting, "tasks.");
    void *every = subscribe(&setting, "");
    join(publisher, tasks, "tasks.head.v1");
    join(publisher, every, "auth.head.v1");
    for (int i = 0; i < 1000; i++) {
        snprintf(data, sizeof data, "%d", i);
        publish(publisher, i % 2 ? "tasks.task_created.v1" : "auth.user_changed.v1", data);
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(data, sizeof data, "%d", i);
        expect(every, i % 2 ? "tasks.task_created.v1" : "auth.user_changed.v1", data);
    }
    for (int i = 1; i < 1000; i += 2) {
        snprintf(data, sizeof data, "%d", i);
        expect(tasks, "tasks.task_created.v1", data);
    }
    zmq_close(publisher);
    zmq_close(tasks);
    zmq_close(every);
    tear_down(&setting);
}

Test(broker, a_late_subscriber_gets_what_comes_after_it)
{
    struct setting setting;

    set_up(&setting);
    start(&setting);
    void *publisher = connect_to(&setting, ZMQ_PUB, "private/publish");
    void *first = subscribe(&setting, "tasks.");
    join(publisher, first, "tasks.head.v1");
    publish(publisher, "tasks.task_created.v1", "early");
    expect(first, "tasks.task_created.v1", "early");
    void *late = subscribe(&setting, "tasks.");
    join(publisher, late, "tasks.head.v1");
    publish(publisher, "tasks.task_created.v1", "after");
    expect(late, "tasks.task_created.v1", "after");
    zmq_close(publisher);
    zmq_close(first);
    zmq_close(late);
    tear_down(&setting);
}

Test(broker, forwards_from_several_publishers)
{
    struct setting setting;
    char topic[64];
    char data[64];
    int from_auth = 0;
    int from_tasks = 0;

    set_up(&setting);
    start(&setting);
    void *auth = connect_to(&setting, ZMQ_PUB, "private/publish");
    void *tasks = connect_to(&setting, ZMQ_PUB, "private/publish");
    void *subscriber = subscribe(&setting, "");
    join(auth, subscriber, "auth.head.v1");
    join(tasks, subscriber, "tasks.head.v1");
    for (int i = 0; i < 100; i++) {
        snprintf(data, sizeof data, "%d", i);
        publish(auth, "auth.user_changed.v1", data);
        publish(tasks, "tasks.task_created.v1", data);
    }
    for (int i = 0; i < 200; i++) {
        cr_assert(take(subscriber, PATIENCE_MS, topic, data, sizeof data));
        int *next = topic[0] == 'a' ? &from_auth : &from_tasks;
        cr_assert_eq(atoi(data), *next, "each publisher's order is kept");
        (*next)++;
    }
    zmq_close(auth);
    zmq_close(tasks);
    zmq_close(subscriber);
    tear_down(&setting);
}

Test(broker, makes_the_folders)
{
    struct setting setting;

    set_up(&setting);
    cr_assert_eq(rmdir(setting.run_dir), 0);
    umask(0077);
    start(&setting);
    cr_assert_eq(mode_of(&setting, ""), 0750);
    cr_assert_eq(mode_of(&setting, "/private"), 0700);
    cr_assert_eq(mode_of(&setting, "/events.sock"), 0660, "the group may connect");
    tear_down(&setting);
}

Test(broker, corrects_the_folders_modes)
{
    struct setting setting;
    char path[128];

    set_up(&setting);
    umask(0);
    cr_assert_eq(chmod(setting.run_dir, 0777), 0);
    snprintf(path, sizeof path, "%s/private", setting.run_dir);
    cr_assert_eq(mkdir(path, 0777), 0);
    start(&setting);
    cr_assert_eq(mode_of(&setting, ""), 0750);
    cr_assert_eq(mode_of(&setting, "/private"), 0700);
    tear_down(&setting);
}

/* zactor_destroy sends $TERM and waits for the actor's end. */
Test(broker, ends_on_term_and_starts_again_over_its_own_sockets)
{
    struct setting setting;

    set_up(&setting);
    start(&setting);
    zactor_destroy(&setting.broker);
    cr_assert_eq(mode_of(&setting, "/events.sock"), 0660, "libzmq leaves the file");
    start(&setting);
    ping(&setting);
    tear_down(&setting);
}

Test(broker, only_one_serves_a_folder)
{
    struct setting setting;
    zactor_t *second = NULL;

    set_up(&setting);
    start(&setting);
    cr_assert_eq(start_below(setting.run_dir, &second, setting.error, sizeof setting.error),
                 -EADDRINUSE);
    cr_assert_null(second);
    cr_assert_not_null(strstr(setting.error, setting.run_dir));
    ping(&setting);
    tear_down(&setting);
}

static void expect_fault(const char *run_dir, int fault, const char *named)
{
    char error[512] = "";
    zactor_t *broker = NULL;

    cr_assert_eq(start_below(run_dir, &broker, error, sizeof error), fault, "%s", error);
    cr_assert_null(broker);
    cr_assert_not_null(strstr(error, named), "%s", error);
    cr_assert_null(strchr(error, '\n'));
}

Test(broker, refuses_a_path_that_is_too_long)
{
    char run_dir[120];

    snprintf(run_dir, sizeof run_dir, "/tmp/%0100d", 0);
    expect_fault(run_dir, -ENAMETOOLONG, run_dir);
    cr_assert_neq(access(run_dir, F_OK), 0, "nothing was made");
}

Test(broker, refuses_folders_that_cannot_be)
{
    struct setting setting;
    char path[128];

    set_up(&setting);
    snprintf(path, sizeof path, "%s/absent/run", setting.run_dir);
    expect_fault(path, -ENOENT, path);
    snprintf(path, sizeof path, "%s/private", setting.run_dir);
    cr_assert_eq(symlink("/tmp", path), 0);
    expect_fault(setting.run_dir, -ENOTDIR, path);
    cr_assert_eq(unlink(path), 0);
    tear_down(&setting);
}

Test(broker, reports_a_socket_that_cannot_be_bound)
{
    struct setting setting;
    char path[128];

    set_up(&setting);
    snprintf(path, sizeof path, "%s/events.sock", setting.run_dir);
    cr_assert_eq(mkdir(path, 0700), 0);
    expect_fault(setting.run_dir, -EADDRINUSE, path);
    cr_assert_eq(rmdir(path), 0);
    start(&setting);
    tear_down(&setting);
}

Test(broker, answers_pings_between_events)
{
    struct setting setting;

    set_up(&setting);
    start(&setting);
    void *publisher = connect_to(&setting, ZMQ_PUB, "private/publish");
    void *subscriber = subscribe(&setting, "");
    join(publisher, subscriber, "tasks.head.v1");
    for (int i = 0; i < 10; i++) {
        zstr_send(setting.broker, "PING");
    }
    for (int i = 0; i < 10; i++) {
        char *answer = zstr_recv(setting.broker);
        cr_assert_str_eq(answer, "PONG");
        zstr_free(&answer);
        publish(publisher, "tasks.task_created.v1", "between");
        expect(subscriber, "tasks.task_created.v1", "between");
    }
    zmq_close(publisher);
    zmq_close(subscriber);
    tear_down(&setting);
}

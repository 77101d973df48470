/* Hostile peers; see hostile.h. */
#include "flow/hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <sodium.h>
#include <zmq.h>

#define GREETING_SIZE 64u
#define FRAME_MORE 1u
#define FRAME_LONG 2u
#define FRAME_COMMAND 4u
#define HELLO_PADDING 72u
#define HELLO_SIGNED 64u /* zeros */
#define ID_DIGITS 12
#define BURN_PERIOD_US 5000
#define PAUSE_MS 20 /* before a connection that was ended is made again */

struct hostile_shared {
    atomic_bool is_there; /* all connections were tried */
    atomic_size_t cut;
};

struct peer {
    int fd; /* -1: to be made */
    size_t sent;
    size_t heard; /* beyond a greeting's size: it may speak, libzmq takes nothing before */
};

struct crowd {
    const struct hostile *kind;
    struct hostile_shared *shared;
    union {
        struct sockaddr any;
        struct sockaddr_un near;
        struct sockaddr_in far;
    } address;
    socklen_t address_size;
    struct ates_buffer hello, words;
    struct peer *peers;
    struct pollfd *items;
    uint64_t next_id;
};

void hostile_frame(struct ates_buffer *out, struct ates_bytes frame, bool more)
{
    const bool is_long = frame.size > 255;
    uint8_t head[9] = {(uint8_t)((more ? FRAME_MORE : 0) | (is_long ? FRAME_LONG : 0))};

    for (unsigned i = 0; i < 8; i++) {
        head[1 + i] = (uint8_t)(frame.size >> (8 * (7 - i)));
    }
    if (!is_long) {
        head[1] = (uint8_t)frame.size;
    }
    ates_buffer_append(out, head, is_long ? 9 : 2);
    ates_buffer_append(out, frame.data, frame.size);
}

void hostile_command(struct ates_buffer *out, const char *token, const char *name,
                     const char *request_id, const struct ates_message *message, const void *body)
{
    const struct ates_request_meta meta = {
        .has_token = true,
        .token = ates_text_from(token),
        .has_request_id = request_id != NULL,
        .request_id = ates_text_from(request_id != NULL ? request_id : ""),
    };
    struct ates_buffer bytes = {.size = 0};

    hostile_frame(out, (struct ates_bytes){(const uint8_t *)"tag", 3}, true);
    hostile_frame(out, (struct ates_bytes){NULL, 0}, true);
    hostile_frame(out, (struct ates_bytes){(const uint8_t *)"ATES/1", 6}, true);
    hostile_frame(out, (struct ates_bytes){(const uint8_t *)name, strlen(name)}, true);
    ates_message_encode(&ates_request_meta_message, &meta, &bytes);
    hostile_frame(out, (struct ates_bytes){bytes.data, bytes.size}, true);
    bytes.size = 0;
    ates_message_encode(message, body, &bytes);
    hostile_frame(out, (struct ates_bytes){bytes.data, bytes.size}, false);
    ates_buffer_release(&bytes);
}

static void say_greeting(struct ates_buffer *out, const char *mechanism, size_t size)
{
    uint8_t greeting[GREETING_SIZE] = {0xff, [9] = 0x7f, [10] = 3, [11] = 1};

    memcpy(greeting + 12, mechanism, strlen(mechanism));
    ates_buffer_append(out, greeting, size);
}

/* The READY of mechanism NULL. */
static void say_ready(struct ates_buffer *out, const struct hostile *kind)
{
    static const char names[] = "\x05READY\x0bSocket-Type";
    const char *type = strcmp(kind->socket, "events") == 0 ? "SUB" : "DEALER";
    const uint8_t type_size[4] = {0, 0, 0, (uint8_t)strlen(type)};
    const uint8_t head[2] = {FRAME_COMMAND, (uint8_t)(sizeof names - 1 + 4 + strlen(type))};

    ates_buffer_append(out, head, sizeof head);
    ates_buffer_append(out, names, sizeof names - 1);
    ates_buffer_append(out, type_size, sizeof type_size);
    ates_buffer_append(out, type, strlen(type));
}

/* The HELLO of CURVE, of a client that holds no certificate: so far the server has not asked. */
static void say_curve_hello(struct ates_buffer *out, const struct ates_cert *server)
{
    static const uint8_t zeros[HELLO_PADDING > HELLO_SIGNED ? HELLO_PADDING : HELLO_SIGNED];
    static const uint8_t version[2] = {1, 0};
    uint8_t nonce[crypto_box_NONCEBYTES] = "CurveZMQHELLO---";
    uint8_t server_key[crypto_box_PUBLICKEYBYTES], public_key[crypto_box_PUBLICKEYBYTES];
    uint8_t secret_key[crypto_box_SECRETKEYBYTES], box[HELLO_SIGNED + crypto_box_MACBYTES];
    struct ates_buffer hello = {.size = 0};

    if (zmq_z85_decode(server_key, server->public_key) == NULL ||
        crypto_box_keypair(public_key, secret_key) != 0 ||
        crypto_box_easy(box, zeros, HELLO_SIGNED, nonce, server_key, secret_key) != 0) {
        _exit(1);
    }
    ates_buffer_append(&hello, "\x05HELLO", 6);
    ates_buffer_append(&hello, version, sizeof version);
    ates_buffer_append(&hello, zeros, HELLO_PADDING);
    ates_buffer_append(&hello, public_key, sizeof public_key);
    ates_buffer_append(&hello, nonce + 16, 8);
    ates_buffer_append(&hello, box, sizeof box);
    const uint8_t head[2] = {FRAME_COMMAND, (uint8_t)hello.size};
    ates_buffer_append(out, head, sizeof head);
    ates_buffer_append(out, hello.data, hello.size);
    ates_buffer_release(&hello);
}

static void say_hello(struct ates_buffer *out, const struct hostile *kind,
                      const struct doors *doors)
{
    switch (kind->greeting) {
    case HOSTILE_HALF:
        say_greeting(out, "", GREETING_SIZE / 2);
        return;
    case HOSTILE_HELLO:
        say_greeting(out, "CURVE", GREETING_SIZE);
        say_curve_hello(out, &doors->server);
        return;
    case HOSTILE_WHOLE:
        say_greeting(out, "NULL", GREETING_SIZE);
        say_ready(out, kind);
    }
}

/* Whether there is a place to connect to. */
static bool find(struct crowd *self, const struct flow *flow)
{
    char text[ATES_ADDRESS_SIZE];
    unsigned port;

    if (!self->kind->is_far) {
        self->address.near.sun_family = AF_UNIX;
        self->address_size = sizeof self->address.near;
        return snprintf(self->address.near.sun_path, sizeof self->address.near.sun_path,
                        "%s/%s.sock", flow->run_dir,
                        self->kind->socket) < (int)sizeof self->address.near.sun_path;
    }
    doors_address(flow->run_dir, self->kind->socket, text);
    self->address.far =
        (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    self->address_size = sizeof self->address.far;
    if (sscanf(text, "tcp://127.0.0.1:%u", &port) != 1) {
        return false;
    }
    self->address.far.sin_port = htons((uint16_t)port);
    return true;
}

static bool make(struct crowd *self, struct peer *peer)
{
    peer->fd = socket(self->address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    peer->sent = peer->heard = 0;
    if (peer->fd >= 0 && connect(peer->fd, &self->address.any, self->address_size) == 0 &&
        send(peer->fd, self->hello.data, self->hello.size, MSG_NOSIGNAL) > 0) {
        fcntl(peer->fd, F_SETFL, O_NONBLOCK);
        return true;
    }
    if (peer->fd >= 0) {
        close(peer->fd);
    }
    peer->fd = -1;
    return false;
}

static void lose(struct crowd *self, struct peer *peer)
{
    atomic_fetch_add(&self->shared->cut, 1);
    close(peer->fd);
    peer->fd = -1;
}

static void renumber(struct crowd *self)
{
    char digits[ID_DIGITS + 1];

    if (self->kind->id_offset > 0) {
        snprintf(digits, sizeof digits, "%0*llu", ID_DIGITS, (unsigned long long)self->next_id++);
        memcpy(self->words.data + self->kind->id_offset, digits, ID_DIGITS);
    }
}

/* As much as the socket takes. Where a message was cut within its id and another connection has
 * drawn the next, the rest tells of that one: an id all the same. */
static void say(struct crowd *self, struct peer *peer)
{
    const struct ates_buffer *words = &self->words;
    ssize_t sent = 1;

    for (unsigned i = 0; i < 64 && sent > 0 && peer->sent < words->size; i++) {
        if (peer->sent == 0) {
            renumber(self);
        }
        sent = send(peer->fd, words->data + peer->sent, words->size - peer->sent, MSG_NOSIGNAL);
        if (sent > 0) {
            peer->sent += (size_t)sent;
            if (peer->sent == words->size && !self->kind->once) {
                peer->sent = 0;
            }
        } else if (sent < 0 && errno != EAGAIN) {
            lose(self, peer);
        }
    }
}

static void hear(struct crowd *self, struct peer *peer)
{
    static uint8_t bytes[1 << 16];
    const size_t sip = self->kind->sip_bytes;
    const ssize_t got =
        recv(peer->fd, bytes, sip > 0 && sip < sizeof bytes ? sip : sizeof bytes, 0);

    if (got == 0 || (got < 0 && errno != EAGAIN)) {
        lose(self, peer);
    } else {
        peer->heard += got > 0 ? (size_t)got : 0;
    }
}

static bool has_words(const struct crowd *self, const struct peer *peer)
{
    return peer->heard > GREETING_SIZE && peer->sent < self->words.size;
}

static void turn(struct crowd *self)
{
    const struct hostile *kind = self->kind;
    bool lost = false;

    for (unsigned i = 0; i < kind->connections; i++) {
        struct peer *peer = &self->peers[i];
        const short out = peer->fd >= 0 && has_words(self, peer) ? POLLOUT : 0;
        const short in = kind->is_deaf && peer->heard > GREETING_SIZE ? 0 : POLLIN;

        lost |= peer->fd < 0;
        self->items[i] = (struct pollfd){peer->fd, (short)(in | out), 0};
    }
    if (lost || kind->sip_bytes > 0) {
        usleep(lost ? PAUSE_MS * 1000 : 1000); /* the peer's own pace, nothing waits for it */
    }
    poll(self->items, kind->connections, lost ? 0 : 1000);
    for (unsigned i = 0; i < kind->connections; i++) {
        struct peer *peer = &self->peers[i];
        const short events = self->items[i].revents;

        if (peer->fd < 0) {
            make(self, peer);
            continue;
        }
        if ((events & POLLIN) != 0) {
            hear(self, peer);
        } else if ((events & (POLLHUP | POLLERR)) != 0) {
            lose(self, peer);
        }
        if (peer->fd >= 0 && (events & POLLOUT) != 0) {
            say(self, peer);
        }
        if (peer->fd >= 0 && kind->storms) {
            close(peer->fd);
            make(self, peer);
        }
    }
}

static void raise_file_limit(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static void attack(struct crowd *self, const struct flow *flow, const struct doors *doors)
{
    const struct hostile *kind = self->kind;

    raise_file_limit();
    say_hello(&self->hello, kind, doors);
    if (kind->say != NULL) {
        kind->say(&self->words, flow);
    }
    if (!find(self, flow)) {
        _exit(1);
    }
    self->peers = calloc(kind->connections, sizeof *self->peers);
    self->items = calloc(kind->connections, sizeof *self->items);
    self->next_id = (uint64_t)getpid() * 1000000; /* other than those of an earlier one */
    for (unsigned i = 0; i < kind->connections; i++) {
        make(self, &self->peers[i]);
    }
    atomic_store(&self->shared->is_there, true);
    for (;;) {
        turn(self);
    }
}

static int64_t cpu_us(clockid_t clock)
{
    struct timespec time;

    return clock_gettime(clock, &time) == 0 ? (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000
                                            : 0;
}

static void burn(unsigned permille)
{
    const int64_t share_us = (int64_t)BURN_PERIOD_US * permille / 1000;

    for (;;) {
        const int64_t until_us = cpu_us(CLOCK_PROCESS_CPUTIME_ID) + share_us;

        while (cpu_us(CLOCK_PROCESS_CPUTIME_ID) < until_us) {
        }
        usleep((useconds_t)(BURN_PERIOD_US - share_us));
    }
}

static void share(struct hostile_process *process)
{
    process->shared = mmap(NULL, sizeof *process->shared, PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(process->shared, MAP_FAILED);
}

void hostile_start(struct hostile_process *process, const struct hostile *hostile,
                   const struct flow *flow, const struct doors *doors)
{
    const int64_t deadline_ms = flow_now_ms() + FLOW_PATIENCE_MS * flow_scale();

    share(process);
    process->pid = flow_fork();
    if (process->pid == 0) {
        struct crowd self = {.kind = hostile, .shared = process->shared};

        attack(&self, flow, doors);
    }
    while (!atomic_load(&process->shared->is_there)) {
        cr_assert_lt(flow_now_ms(), deadline_ms, "%s: cannot begin", hostile->what);
        usleep(1000); /* the condition decides */
    }
}

void hostile_burn(struct hostile_process *process, unsigned permille)
{
    share(process);
    process->pid = flow_fork();
    if (process->pid == 0) {
        burn(permille < 1000 ? permille : 1000);
    }
}

size_t hostile_cut(const struct hostile_process *process)
{
    return atomic_load(&process->shared->cut);
}

int64_t hostile_stop(struct hostile_process *process)
{
    struct rusage usage;
    int status;

    kill(process->pid, SIGKILL);
    cr_assert_eq(wait4(process->pid, &status, 0, &usage), process->pid);
    cr_assert(WIFSIGNALED(status), "a hostile process ended by itself: wait status %#x", status);
    munmap(process->shared, sizeof *process->shared);
    return (int64_t)usage.ru_utime.tv_sec * 1000000 + usage.ru_utime.tv_usec +
           (int64_t)usage.ru_stime.tv_sec * 1000000 + usage.ru_stime.tv_usec;
}

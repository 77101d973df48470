/* The warden; see warden.h. */
#include "core/warden.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/catalogue.h"
#include "core/domain.h"

#define LOOK_MS 25
/* While so many descriptors more are in use than at the look before, it looks more often. */
#define RUSH 64
#define RUSH_LOOK_MS 1
#define WATCHED_MAX 32u
#define GAP_MAX 4096          /* numbers without a connection, behind which there is none */
#define DESCRIPTORS_MAX 65536 /* beyond it nothing is looked at */
#define LISTENERS_MAX 16u
#define CONNECTIONS_DEFAULT 8192
#define GROWTH_DEFAULT (UINT64_C(256) << 20)
/* With the memory grown, who is to blame is found in so many looks, one after the other. */
#define TRIAL_LOOKS 60u
#define TRIAL_LOOK_MS 5
/* libzmq frees what an ended connection held in its own time: only then is it measured anew. */
#define CALM_LOOKS 4u
#define SENDER_LOOKS 4u /* those who send without an end are ended from here on: they are quick */
/* For how long no whole message came: of one that sends, and of one that does nothing. */
#define ENDLESS_MS 250u
#define SILENT_MS 1000u

/* What a trial has seen of a connection. */
struct suspicion {
    unsigned sends; /* looks at which something had come that was not read yet */
    unsigned stuck; /* looks at which its peer had left unread what fills half of the buffer, and
                     * had taken nothing since the look before */
    int unsent;
};

static struct {
    pthread_t thread;
    char name[32];
    struct ates_warden_limits limits;
    int stop;  /* an eventfd */
    int statm; /* /proc/self/statm, open: to open it may be too late */
    size_t calm_bytes;
    int lowest;              /* free descriptor, at the last look */
    bool has_grown;          /* of itself: the last trial found nobody */
    bool rushes;             /* many connections came since the one before */
    unsigned trial, calm_in; /* looks: of the trial so far; until memory is measured anew */
    struct suspicion suspicions[DESCRIPTORS_MAX];
    struct ates_warden_connection connections[DESCRIPTORS_MAX];
} warden;

/* What all threads share: written before the thread starts, or atomic. */
static struct sockaddr_storage watched[WATCHED_MAX];
static size_t watched_count;
static _Atomic uint32_t heard_ms[DESCRIPTORS_MAX];
/* Of each thread that listens: up to when it did; 0: it does. */
static _Atomic uint32_t listened_ms[LISTENERS_MAX];
static atomic_uint listener_count;

int ates_warden_watch(const char *endpoint)
{
    struct sockaddr_un *local = (struct sockaddr_un *)&watched[watched_count];
    const char *port = strrchr(endpoint, ':');

    if (watched_count == WATCHED_MAX) {
        return -ENOSPC;
    }
    if (strncmp(endpoint, "ipc://", 6) == 0) {
        local->sun_family = AF_UNIX;
        snprintf(local->sun_path, sizeof local->sun_path, "%s", endpoint + 6);
        watched_count++;
    } else if (strncmp(endpoint, "tcp://", 6) == 0) {
        ((struct sockaddr_in *)local)->sin_family = AF_INET;
        ((struct sockaddr_in *)local)->sin_port = htons((uint16_t)atoi(port + 1));
        watched_count++;
    }
    return 0;
}

void ates_warden_heard(int descriptor, int64_t now_us)
{
    if (descriptor >= 0 && descriptor < DESCRIPTORS_MAX) {
        atomic_store_explicit(&heard_ms[descriptor], (uint32_t)(now_us / 1000),
                              memory_order_relaxed);
    }
}

void ates_warden_listens(int64_t since_us)
{
    static _Thread_local unsigned place = LISTENERS_MAX;

    if (place == LISTENERS_MAX) {
        place = atomic_fetch_add(&listener_count, 1);
        assert(place < LISTENERS_MAX);
    }
    atomic_store_explicit(&listened_ms[place], (uint32_t)(since_us / 1000), memory_order_relaxed);
}

struct ates_warden_limits ates_warden_default_limits(void)
{
    struct ates_warden_limits limits = {CONNECTIONS_DEFAULT, GROWTH_DEFAULT};
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur / 2 < CONNECTIONS_DEFAULT) {
        limits.descriptors = (int)(files.rlim_cur / 2);
    }
    return limits;
}

static bool is_watched(const struct sockaddr_storage *name)
{
    const uint16_t port = ((const struct sockaddr_in *)name)->sin_port; /* where IPv6 has it */
    const bool is_tcp = name->ss_family == AF_INET || name->ss_family == AF_INET6;

    for (size_t i = 0; i < watched_count; i++) {
        const struct sockaddr_storage *one = &watched[i];

        if (name->ss_family == AF_UNIX && one->ss_family == AF_UNIX &&
            strcmp(((const struct sockaddr_un *)name)->sun_path,
                   ((const struct sockaddr_un *)one)->sun_path) == 0) {
            return true;
        }
        if (is_tcp && one->ss_family == AF_INET &&
            ((const struct sockaddr_in *)one)->sin_port == port) {
            return true;
        }
    }
    return false;
}

/* Whether a watched endpoint accepted it: what an accepted socket is named by is its listener's
 * address, and one that connects has another or none. */
static bool is_accepted(int descriptor)
{
    struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof name - 1; /* a path keeps its end */
    int listens = 0;
    socklen_t listens_size = sizeof listens;

    return getsockname(descriptor, (struct sockaddr *)&name, &size) == 0 && is_watched(&name) &&
           getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_size) == 0 &&
           listens == 0;
}

/* Who has it: the process on ipc; else the address, of IPv6 the network of 64 bits. */
static uint64_t peer_of(int descriptor)
{
    struct sockaddr_storage name = {.ss_family = AF_UNSPEC};
    socklen_t size = sizeof name;
    struct ucred who;
    socklen_t who_size = sizeof who;
    uint64_t peer = 0;

    if (getpeername(descriptor, (struct sockaddr *)&name, &size) != 0) {
        return 0; /* it is gone already */
    }
    if (name.ss_family == AF_INET) {
        return ntohl(((struct sockaddr_in *)&name)->sin_addr.s_addr);
    }
    if (name.ss_family == AF_INET6) {
        memcpy(&peer, &((struct sockaddr_in6 *)&name)->sin6_addr, sizeof peer);
        return peer;
    }
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &who, &who_size) == 0) {
        peer = (uint64_t)(uint32_t)who.pid;
    }
    return peer;
}

/* All connections that were accepted, in the order of their descriptors. */
static size_t find_connections(void)
{
    struct rlimit files = {0};
    size_t count = 0;

    getrlimit(RLIMIT_NOFILE, &files);
    for (int i = 0, last = 0;
         i < DESCRIPTORS_MAX && (rlim_t)i < files.rlim_cur && i <= last + GAP_MAX; i++) {
        if (is_accepted(i)) {
            last = i;
            warden.connections[count++] = (struct ates_warden_connection){
                .descriptor = i,
                .peer = peer_of(i),
                .heard_ms = atomic_load_explicit(&heard_ms[i], memory_order_relaxed)};
        }
    }
    return count;
}

/* Looked at again at the last moment: libzmq may have closed it since, and its number be another's. */
static bool end_connection(int descriptor)
{
    atomic_store_explicit(&heard_ms[descriptor], 0, memory_order_relaxed);
    return is_accepted(descriptor) && shutdown(descriptor, SHUT_RDWR) == 0;
}

static int by_peer(const void *a, const void *b)
{
    const struct ates_warden_connection *x = a, *y = b;

    if (x->peer != y->peer) {
        return x->peer < y->peer ? -1 : 1;
    }
    if (x->heard_ms != y->heard_ms) {
        return x->heard_ms > y->heard_ms ? -1 : 1;
    }
    return x->descriptor - y->descriptor;
}

static int by_rank(const void *a, const void *b)
{
    const struct ates_warden_connection *x = a, *y = b;

    if (x->rank != y->rank) {
        return x->rank > y->rank ? -1 : 1;
    }
    if (x->heard_ms != y->heard_ms) {
        return x->heard_ms < y->heard_ms ? -1 : 1;
    }
    return y->descriptor - x->descriptor;
}

void ates_warden_order(struct ates_warden_connection *connections, size_t count)
{
    qsort(connections, count, sizeof *connections, by_peer);
    for (size_t i = 0; i < count; i++) {
        connections[i].rank = i > 0 && connections[i].peer == connections[i - 1].peer
                                  ? connections[i - 1].rank + 1
                                  : 0;
    }
    qsort(connections, count, sizeof *connections, by_rank);
}

static void tell(const char *why, size_t ended)
{
    const struct ates_log_field fields[] = {
        {"reason", why, 0}, {"ended", NULL, (int64_t)ended}, {NULL, NULL, 0}};

    ates_say(ATES_SAY_CONNECTIONS_ENDED, warden.name, fields, "%s: %zu connections were ended", why,
             ended);
}

/* A new descriptor gets the lowest number that is free: as long as there is one below the limit,
 * so many are not in use, or they are no danger yet. */
static bool has_descriptors(void)
{
    const int lowest = fcntl(warden.stop, F_DUPFD_CLOEXEC, 0);

    if (lowest >= 0) {
        close(lowest);
    }
    warden.rushes = lowest < 0 || lowest - warden.lowest >= RUSH;
    warden.lowest = lowest;
    return lowest >= 0 && lowest < warden.limits.descriptors;
}

/* An eighth more than are too many, so that the next look does not find one too many again. */
static void thin_out(void)
{
    const size_t count = find_connections();
    const size_t kept = (size_t)warden.limits.descriptors * 7 / 8;
    size_t ended = 0;

    ates_warden_order(warden.connections, count);
    for (size_t i = 0; i + kept < count; i++) {
        ended += end_connection(warden.connections[i].descriptor);
    }
    if (ended > 0) {
        tell("too many connections", ended);
    }
}

/* What is the process's own, without what files are mapped; 0 where that is not told. */
static size_t own_bytes(void)
{
    char text[128] = "";
    long long size, resident, shared;

    if (pread(warden.statm, text, sizeof text - 1, 0) <= 0 ||
        sscanf(text, "%lld %lld %lld", &size, &resident, &shared) != 3) {
        return 0;
    }
    return (size_t)(resident - shared) * (size_t)sysconf(_SC_PAGESIZE);
}

/* How long ago the last one of those who listen did. One may have since now_ms was looked at. */
static uint32_t unheard_ms(uint32_t now_ms)
{
    int32_t longest = 0;

    for (unsigned i = 0; i < LISTENERS_MAX; i++) {
        const uint32_t listened = atomic_load_explicit(&listened_ms[i], memory_order_relaxed);
        const int32_t unheard = (int32_t)(now_ms - listened);

        if (listened != 0 && unheard > longest) {
            longest = unheard;
        }
    }
    return (uint32_t)longest;
}

static bool is_silent(const struct ates_warden_connection *connection, uint32_t for_ms)
{
    const uint32_t now_ms = (uint32_t)(ates_monotonic_us() / 1000);

    return now_ms - connection->heard_ms > for_ms + unheard_ms(now_ms);
}

static void suspect(const struct ates_warden_connection *connection)
{
    struct suspicion *suspicion = &warden.suspicions[connection->descriptor];
    int unread = 0, unsent = 0, room = 0;
    socklen_t room_size = sizeof room;

    ioctl(connection->descriptor, FIONREAD, &unread);
    ioctl(connection->descriptor, SIOCOUTQ, &unsent);
    getsockopt(connection->descriptor, SOL_SOCKET, SO_SNDBUF, &room, &room_size);
    suspicion->sends += unread > 0;
    suspicion->stuck += room > 0 && unsent >= room / 2 && unsent >= suspicion->unsent;
    suspicion->unsent = unsent;
}

static bool is_guilty(const struct ates_warden_connection *connection)
{
    const struct suspicion *suspicion = &warden.suspicions[connection->descriptor];

    return suspicion->stuck == TRIAL_LOOKS ||
           (suspicion->sends >= SENDER_LOOKS && is_silent(connection, ENDLESS_MS));
}

/* Those who send and end no message, and those who do not read. Returns how many were ended. */
static size_t end_guilty(size_t count)
{
    size_t ended = 0;

    for (size_t i = 0; i < count; i++) {
        if (is_guilty(&warden.connections[i])) {
            ended += end_connection(warden.connections[i].descriptor);
        }
    }
    return ended;
}

/* Where nobody was seen to do it: they may have stopped half-way. */
static size_t end_silent(size_t count)
{
    size_t ended = 0;

    for (size_t i = 0; i < count; i++) {
        if (is_silent(&warden.connections[i], SILENT_MS)) {
            ended += end_connection(warden.connections[i].descriptor);
        }
    }
    return ended;
}

static void try_peers(void)
{
    const size_t count = find_connections();

    if (warden.trial == 0) {
        memset(warden.suspicions, 0, sizeof warden.suspicions);
    }
    for (size_t i = 0; i < count; i++) {
        suspect(&warden.connections[i]);
    }
    const bool is_last = ++warden.trial == TRIAL_LOOKS;
    const size_t guilty = warden.trial >= SENDER_LOOKS ? end_guilty(count) : 0;
    const size_t ended = is_last && guilty == 0 ? end_silent(count) : guilty;
    if (ended > 0) {
        tell("memory grew", ended);
    }
    if (is_last || guilty > 0) {
        warden.has_grown = guilty == 0;
        warden.trial = 0;
        warden.calm_in = CALM_LOOKS;
    }
}

static void look(void)
{
    if (!has_descriptors()) {
        thin_out();
    }
    if (warden.calm_in > 0) {
        if (--warden.calm_in == 0) {
            malloc_trim(0);
            warden.calm_bytes = warden.has_grown ? own_bytes() : warden.calm_bytes;
        }
        return;
    }
    const size_t bytes = own_bytes();
    if (bytes < warden.calm_bytes) {
        warden.calm_bytes = bytes;
    }
    if (warden.trial > 0 || bytes > warden.calm_bytes + warden.limits.growth_bytes) {
        try_peers();
    }
}

static int pause_ms(void)
{
    if (warden.rushes) {
        return RUSH_LOOK_MS;
    }
    return warden.trial > 0 ? TRIAL_LOOK_MS : LOOK_MS;
}

static void *run(void *unused)
{
    struct pollfd stop = {.fd = warden.stop, .events = POLLIN};

    (void)unused;
    while (poll(&stop, 1, pause_ms()) <= 0) {
        look();
    }
    return NULL;
}

int ates_warden_start(const char *name, const struct ates_warden_limits *limits)
{
    sigset_t all, before;

    snprintf(warden.name, sizeof warden.name, "%s", name);
    warden.limits = *limits;
    warden.trial = warden.calm_in = 0;
    warden.lowest = DESCRIPTORS_MAX;
    warden.rushes = false;
    warden.stop = eventfd(0, EFD_CLOEXEC);
    warden.statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    warden.calm_bytes = own_bytes();
    if (warden.stop < 0) {
        return -errno;
    }
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int r = pthread_create(&warden.thread, NULL, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return -r;
}

void ates_warden_stop(void)
{
    const uint64_t one = 1;

    if (warden.thread == 0) {
        return;
    }
    const ssize_t written = write(warden.stop, &one, sizeof one);
    assert(written == sizeof one);
    pthread_join(warden.thread, NULL);
    close(warden.stop);
    close(warden.statm);
    warden.thread = 0;
    watched_count = 0;
}

/* The warden looks after what libzmq leaves without a bound: how many connections the sockets that
 * listen accept (on ipc it ends the process when no descriptor is left for one), and how much memory
 * the process holds for peers that never end a message or never read their replies. One thread a
 * process: it looks at the process's own descriptors, so that it serves sockets inside of zproxy as
 * well as our own. It ends a connection by shutdown(2); to libzmq the peer has hung up, and who
 * still wants something connects anew and asks again. Invariant: only connections that a watched
 * endpoint accepted are ended. */
#ifndef ATES_WARDEN_H
#define ATES_WARDEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ates_warden_limits {
    int descriptors;     /* in use, of the process: above it connections are ended */
    size_t growth_bytes; /* of the process's own memory since it was last calm: the same */
};
/* 8,192, or half of what the process may open: the rest is for what comes between two looks. An idle
 * connection costs some 20 KiB, and one that is ended comes again, which costs more: so no fewer
 * than that. 256 MiB. */
struct ates_warden_limits ates_warden_default_limits(void);

/* Has the connections of endpoint (ipc://PATH, tcp://ADDRESS:PORT) looked after; other transports
 * have none. To be called for each endpoint that strangers reach, before the warden is started;
 * -ENOSPC where there are too many. */
int ates_warden_watch(const char *endpoint);

/* The connection with this descriptor has just sent a whole message, at now_us (monotonic). Any
 * thread; it costs one store. */
void ates_warden_heard(int descriptor, int64_t now_us);

/* The calling thread, which hears connections, has taken all whole messages that were there at since_us, or
 * waits for them now (0). A connection's silence counts up to there: while nobody listens, as during a
 * slow commit, nobody is silent. Any thread that hears, at most 16 of them; it costs one store. */
void ates_warden_listens(int64_t since_us);

/* Starts and ends the thread. name is the service in the journal's lines. 0 or -errno. */
int ates_warden_start(const char *name, const struct ates_warden_limits *limits);
void ates_warden_stop(void);

/* One connection as a look finds it, and the order in which connections are ended where there are
 * too many: of whoever has the most first, of these the one that was not heard for longest. */
struct ates_warden_connection {
    int descriptor;
    uint64_t peer;     /* the process, or the address */
    uint32_t heard_ms; /* 0: never */
    unsigned rank;     /* how many its peer has that come before it; set by ates_warden_order */
};
/* Those to be ended first come first. */
void ates_warden_order(struct ates_warden_connection *connections, size_t count);

#endif

/* How sockets of aTES are reached: over ipc below the run folder, or over tcp with CURVE where an
 * address is told for a name. Part of the client library. */
#ifndef ATES_REACH_H
#define ATES_REACH_H

#include <stdbool.h>
#include <stddef.h>

#define ATES_REACH_PLACES 16u
#define ATES_REACH_NAME_SIZE 32u
#define ATES_ADDRESS_SIZE 128u   /* of tcp://HOST:PORT with its NUL */
#define ATES_CURVE_KEY_SIZE 41u  /* of a key in Z85 (rfc.zeromq.org/spec/32) with its NUL */
#define ATES_REACH_RUN_SIZE 128u /* what fits a socket's address is shorter */

/* Plain data, so that work which is done elsewhere takes a copy along. {0} reaches nothing. */
struct ates_reach {
    char run_dir[ATES_REACH_RUN_SIZE];
    struct {
        char name[ATES_REACH_NAME_SIZE]; /* a service's, "events" or "publish" */
        char address[ATES_ADDRESS_SIZE];
    } places[ATES_REACH_PLACES];
    size_t place_count;
    bool is_open; /* tcp without CURVE */
    char server_key[ATES_CURVE_KEY_SIZE];
    char public_key[ATES_CURVE_KEY_SIZE], secret_key[ATES_CURVE_KEY_SIZE];
};

/* Begins with ipc alone. */
void ates_reach_init(struct ates_reach *reach, const char *run_dir);

/* From now on name is reached at this address. Returns 0, -ENAMETOOLONG, or -EMFILE where there are
 * too many. */
int ates_reach_add(struct ates_reach *reach, const char *name, const char *address);

/* The tcp address of name; NULL: it is reached over ipc. */
const char *ates_reach_address(const struct ates_reach *reach, const char *name);

/* The keys (Z85) for tcp. Returns 0, or -EINVAL where one is no key. */
int ates_reach_set_keys(struct ates_reach *reach, const char *server_key, const char *public_key,
                        const char *secret_key);

/* Whether it is the machine itself that an address (tcp://ADDR:PORT in numbers) leads to. */
bool ates_reach_is_loopback(const char *address);

/* Connects a socket whose options are set. Returns 0 or -errno: -ENAMETOOLONG (the run folder),
 * -ENOKEY where keys are missing for a tcp address, -EPERM for one without CURVE that leaves the
 * machine. */
int ates_reach_connect(const struct ates_reach *reach, void *socket, const char *name);

#endif

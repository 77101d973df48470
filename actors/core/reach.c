/* Reaching sockets; see reach.h. Invariant: nothing is sent over tcp but through CURVE, to the server
 * whose key is known, unless the address is this machine's and that was asked for. */
#include "core/reach.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <zmq.h>

#include "core/endpoint.h"

/* Where the publish socket is among those of the run folder. */
#define PUBLISH "publish"
#define PUBLISH_FILE "private/publish"

void ates_reach_init(struct ates_reach *reach, const char *run_dir)
{
    *reach = (struct ates_reach){.place_count = 0};
    /* One that is cut short here is too long for a socket's address as well. */
    strncpy(reach->run_dir, run_dir, sizeof reach->run_dir - 1);
}

int ates_reach_add(struct ates_reach *reach, const char *name, const char *address)
{
    if (strlen(name) >= ATES_REACH_NAME_SIZE || strlen(address) >= ATES_ADDRESS_SIZE) {
        return -ENAMETOOLONG;
    }
    size_t i = 0;
    while (i < reach->place_count && strcmp(reach->places[i].name, name) != 0) {
        i++;
    }
    if (i == ATES_REACH_PLACES) {
        return -EMFILE;
    }
    reach->place_count += i == reach->place_count;
    strcpy(reach->places[i].name, name);
    strcpy(reach->places[i].address, address);
    return 0;
}

const char *ates_reach_address(const struct ates_reach *reach, const char *name)
{
    for (size_t i = 0; i < reach->place_count; i++) {
        if (strcmp(reach->places[i].name, name) == 0) {
            return reach->places[i].address;
        }
    }
    return NULL;
}

static bool is_key(const char *text)
{
    uint8_t bytes[(ATES_CURVE_KEY_SIZE - 1) * 4 / 5];

    return strlen(text) == ATES_CURVE_KEY_SIZE - 1 && zmq_z85_decode(bytes, text) != NULL;
}

int ates_reach_set_keys(struct ates_reach *reach, const char *server_key, const char *public_key,
                        const char *secret_key)
{
    if (!is_key(server_key) || !is_key(public_key) || !is_key(secret_key)) {
        return -EINVAL;
    }
    strcpy(reach->server_key, server_key);
    strcpy(reach->public_key, public_key);
    strcpy(reach->secret_key, secret_key);
    return 0;
}

bool ates_reach_is_loopback(const char *address)
{
    return strncmp(address, "tcp://127.", 10) == 0 || strncmp(address, "tcp://[::1]:", 12) == 0;
}

static int set_keys(const struct ates_reach *reach, void *socket)
{
    const struct {
        int option;
        const char *key;
    } keys[] = {{ZMQ_CURVE_SERVERKEY, reach->server_key},
                {ZMQ_CURVE_PUBLICKEY, reach->public_key},
                {ZMQ_CURVE_SECRETKEY, reach->secret_key}};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (strlen(keys[i].key) != ATES_CURVE_KEY_SIZE - 1 ||
            zmq_setsockopt(socket, keys[i].option, keys[i].key, ATES_CURVE_KEY_SIZE) != 0) {
            return -ENOKEY;
        }
    }
    return 0;
}

int ates_reach_connect(const struct ates_reach *reach, void *socket, const char *name)
{
    const char *address = ates_reach_address(reach, name);
    char endpoint[256];
    int r = 0;

    if (address == NULL) {
        const char *file = strcmp(name, PUBLISH) == 0 ? PUBLISH_FILE : name;

        r = ates_endpoint(reach->run_dir, file, endpoint, sizeof endpoint);
        address = endpoint;
    } else if (!reach->is_open) {
        r = set_keys(reach, socket);
    } else if (!ates_reach_is_loopback(address)) {
        r = -EPERM;
    }
    if (r == 0 && strncmp(address, "tcp://[", 7) == 0) {
        const int yes = 1;

        r = zmq_setsockopt(socket, ZMQ_IPV6, &yes, sizeof yes) == 0 ? 0 : -errno;
    }
    if (r == 0 && zmq_connect(socket, address) != 0) {
        r = -errno;
    }
    return r;
}

/* CURVE (rfc.zeromq.org/spec/26) on this machine: its key pair, who may connect, and binding to tcp.
 *
 * Below the folder: server.cert and server.cert_secret, the pair of what listens here; other
 * NAME.cert and NAME.cert_secret; allow/commands, allow/events and allow/publish with the public
 * certificates of those who may connect to a socket of that kind. */
#ifndef ATES_CURVE_H
#define ATES_CURVE_H

#include "core/cert.h"
#include "core/config.h"

#define ATES_CURVE_SERVER "server" /* the name of the server's certificate */

/* The kinds of sockets that listen: the ZAP domains, and the folders of who is allowed. NULL at the
 * end. */
extern const char *const ates_curve_kinds[];

/* Where the keys are, into out. */
void ates_curve_folder(const struct ates_config *config, char *out, size_t size);

/* Where the configuration has name listen on tcp (name: "auth", "events", ...; "" where nothing). */
const char *ates_curve_listen(const struct ates_config *config, const char *name);

/* Whether any socket of this configuration listens on tcp with CURVE, so that a ZAP handler is
 * needed. */
bool ates_curve_is_used(const struct ates_config *config);

/* Reads the keys by which other machines are reached, where one is (connect/ settings), into the configuration.
 * Returns 0 or -EINVAL, -EPERM, -ENOENT with the setting in error. */
int ates_curve_load(struct ates_config *config, char *error, size_t size);

/* Binds socket (which may have been bound to ipc before) where listen/NAME says, if it says
 * anything: with the server's keys, as kind. RUN/NAME.address then tells where that is. Returns 0,
 * or -errno with the setting in error. bound: the endpoint, empty where none is. */
int ates_curve_bind(const struct ates_config *config, const char *name, const char *kind,
                    void *socket, char bound[ATES_ADDRESS_SIZE], char *error, size_t size);

#endif

/* The flow's services on tcp too, each at any free port of loopback, with CURVE: a folder of keys
 * of which the server's are made, and nobody is allowed yet. */
#ifndef ATES_TEST_DOORS_H
#define ATES_TEST_DOORS_H

#include "core/cert.h"
#include "support/flow.h"

struct doors {
    char folder[128]; /* of the keys */
    struct ates_cert server;
};

/* Makes the folder, and has the services that start from now on listen. */
void doors_open(struct doors *doors, struct flow *flow);
/* A path below the folder; good until the call after the next. */
const char *doors_path(const struct doors *doors, const char *below);
/* Saves a certificate below the folder, as allow/commands/NAME.cert. */
void doors_save(const struct doors *doors, const char *below, const struct ates_cert *cert,
                bool with_secret);
/* Where a service, "events" or "publish" listens, as its process tells in its run folder: waits for
 * that. */
void doors_address(const char *run_dir, const char *name, char address[ATES_ADDRESS_SIZE]);

#endif

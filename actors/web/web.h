/* The web service: HTTP for browsers and REST clients, in front of the other services. It owns no
 * domain and no log: what it answers comes from the services, asked with the caller's own token. */
#ifndef ATES_WEB_H
#define ATES_WEB_H

#include <czmq.h>

#include "core/config.h"

struct ates_web;

/* Listens on config->web_listen and opens keys, sockets and sessions. Everything that can fail for
 * the operator's reasons fails here: 0, or -errno with one line in error (size bytes). */
int ates_web_open(struct ates_web **web, const struct ates_config *config, char *error,
                  size_t size);

/* Starts the thread, which behaves as an actor's (core/actor.h): READY, PING and PONG, FAILED. */
int ates_web_start(struct ates_web *web);

/* The pipe to the thread, for polling. */
zactor_t *ates_web_pipe(struct ates_web *web);

/* Answers what is under way, ends streams and the thread; frees all. */
void ates_web_close(struct ates_web **web);

#endif

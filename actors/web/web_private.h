/* What the parts of the web service share. One thread owns all of it. */
#ifndef WEB_PRIVATE_H
#define WEB_PRIVATE_H

#include <czmq.h>

#include <ates/client.h>

#include "core/config.h"
#include "core/random.h"
#include "core/token.h"
#include "web/web.h"

struct web_server;
struct web_backend;
struct web_sessions;
struct web_hub;
struct web_health;

struct ates_web {
    struct ates_config config;
    struct ates_source source; /* of time and randomness */
    struct ates_secret_key service_key;
    struct ates_own_token token;   /* of this service itself */
    char metrics_token[257];       /* of config.web_metrics_token_file; empty: none */
    struct web_server *server;     /* HTTP connections: web_server.h */
    struct web_backend *backend;   /* commands to the services: web_backend.h */
    struct web_sessions *sessions; /* cookies and their tokens: web_session.h */
    struct web_hub *hub;           /* events to streams: web_hub.h */
    struct web_health *health;     /* what services said of theirs; NULL: not asked yet */
    struct ates_buffer openapi;    /* the document, made at the start */
    zactor_t *thread;
    zsock_t *pipe;
    bool stopping;
};

#endif

/* Commands to the services, many in flight: one DEALER each, deadlines, and repeats of what can be
 * repeated while no reply comes (queries, and whatever has a request id). */
#ifndef WEB_BACKEND_H
#define WEB_BACKEND_H

#include <zmq.h>

#include <ates/client.h>

#include "core/reach.h"

struct web_backend;
struct web_pending;

/* NULL with errno. */
struct web_backend *web_backend_new(void *zmq_context, const struct ates_reach *reach);
void web_backend_free(struct web_backend **self);

struct web_command {
    const struct ates_service *service;
    const struct ates_command *command;
    struct ates_text token; /* size 0: none */
    const char *request_id; /* NULL: none */
    const char *client; /* the address that it is asked for, for auth's throttles; may be NULL */
    const char *traceparent; /* may be NULL */
    struct ates_bytes body;  /* encoded */
    int64_t timeout_ms;      /* until it is given up */
};

/* What came: reply is NULL where nothing did in time. Called once, from web_backend_advance; the
 * reply's bytes stay only during the call. */
typedef void web_replied(void *owner, const struct ates_reply *reply);

/* Sends the command (its bytes are copied). NULL where too many are in flight: refuse with
 * RESOURCE_EXHAUSTED. */
struct web_pending *web_backend_call(struct web_backend *self, const struct web_command *command,
                                     web_replied *replied, void *owner, int64_t now_us);
/* Forgets it: replied is not called any more. */
void web_backend_cancel(struct web_backend *self, struct web_pending *pending);

/* Takes replies, repeats and gives up; whether there may be more at once. */
bool web_backend_advance(struct web_backend *self, int64_t now_us);
int64_t web_backend_due(const struct web_backend *self); /* ates_monotonic_us; INT64_MAX: never */

/* Fills items (at most max) with the sockets to poll; returns how many. */
size_t web_backend_items(struct web_backend *self, zmq_pollitem_t *items, size_t max);

/* For metrics: in flight now, and given up so far, by service (index in web_services). */
uint64_t web_backend_in_flight(const struct web_backend *self, size_t service);
uint64_t web_backend_given_up(const struct web_backend *self, size_t service);

/* The services that the web speaks for; NULL at the end. */
extern const struct ates_service *const web_services[];

#endif

/* Live events: one gap-free follower of each producer, a bounded ring of the latest events, and the
 * streams of those who listen (web_stream.c), each of which is sent only what its user may see. */
#ifndef WEB_HUB_H
#define WEB_HUB_H

#include <zmq.h>

#include "web/web_request.h"

struct web_route;
struct web_hub;

/* NULL with errno. */
struct web_hub *web_hub_new(struct ates_web *web, void *zmq_context);
void web_hub_free(struct web_hub **self);

/* Takes events in and wakes the streams that have some to send; whether there may be more at once. */
bool web_hub_advance(struct web_hub *self, int64_t now_us);
int64_t web_hub_due(const struct web_hub *self);
size_t web_hub_items(struct web_hub *self, zmq_pollitem_t *items, size_t max);

/* The service's own token changed. */
void web_hub_set_token(struct web_hub *self, const char *token);

/* GET /events. */
void web_handle_events(struct web_request *request, const struct web_route *route);

/* Ends the streams of a session that is over. */
struct web_session;
void web_hub_end_session(struct web_hub *self, const struct web_session *session);

/* For metrics. */
uint64_t web_hub_streams(const struct web_hub *self);
uint64_t web_hub_events(const struct web_hub *self);

#endif

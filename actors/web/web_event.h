/* An event as streams send it: decoded once, rendered once, shared by all who hold it. */
#ifndef WEB_EVENT_H
#define WEB_EVENT_H

#include <ates/service.h>

#include "web/web_visible.h"

struct web_event {
    unsigned references;
    unsigned producer; /* index among the feed's */
    uint64_t seq;
    struct web_audience audience;
    uint64_t changed_user; /* whose role or state it changed; 0: nobody's */
    size_t size;           /* of text; 0 where nobody may see it */
    char text[];           /* "data: {...}\n\n": all but the id */
};

/* The envelope's event, owned by the caller; of a type that the service's table does not have, or
 * that cannot be decoded by it, one that nobody may see. scratch is used and not reset. */
struct web_event *web_event_new(const struct ates_service *service, unsigned producer,
                                const struct ates_envelope *envelope, struct ates_arena *scratch);
/* The same where this user (role as in web_audience_has) may see it, else NULL, unrendered. */
struct web_event *web_event_new_for(const struct ates_service *service, unsigned producer,
                                    const struct ates_envelope *envelope,
                                    struct ates_arena *scratch, uint64_t user_id, unsigned role);

struct web_event *web_event_hold(struct web_event *event);
/* Lets it go, which frees it after the last. NULL-safe, sets *event to NULL. */
void web_event_drop(struct web_event **event);

#endif

/* Who may see which event: one table. What is not in the table nobody sees. */
#ifndef WEB_VISIBLE_H
#define WEB_VISIBLE_H

#include <ates/service.h>

#define WEB_AUDIENCE_USERS 2u

/* Who may see one event: all of these roles, and these users (0: nobody). */
struct web_audience {
    uint64_t users[WEB_AUDIENCE_USERS];
    unsigned roles;
};

/* The audience of an event of this service and type; data is decoded by the type's table. */
struct web_audience web_audience_of(const struct ates_service *service,
                                    const struct ates_event_type *type, const void *data);

static inline bool web_audience_is_empty(const struct web_audience *audience)
{
    return audience->roles == 0 && audience->users[0] == 0 && audience->users[1] == 0;
}

/* role is a set of the one role that the user has. Asked for every event and stream. */
static inline bool web_audience_has(const struct web_audience *audience, uint64_t user_id,
                                    unsigned role)
{
    return (audience->roles & role) != 0 ||
           (user_id != 0 && (audience->users[0] == user_id || audience->users[1] == user_id));
}

#endif

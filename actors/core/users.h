/* The users that a service knows: the fold of auth's user events, which every service follows, so
 * that a role change, a disabled user or revoked sessions take effect at once everywhere. */
#ifndef ATES_USERS_H
#define ATES_USERS_H

#include "core/domain.h"

/* The private event that carries what a followed one said; its data is struct ates_user_changed. */
extern const struct ates_event_type ates_user_known_event;

/* What a service's log may hold: an event of its table, or user_known. NULL: no such thing. */
const struct ates_event_type *ates_event_type(const struct ates_service *service,
                                              struct ates_text name, uint64_t version);

/* ATES_NOT_FOUND where the user is not known (yet). */
int ates_users_get(struct ates_txn *txn, uint64_t user_id, struct ates_user_changed *user);
int ates_users_put(struct ates_txn *txn, const struct ates_user_changed *user);

/* Follow handlers for auth.user_registered and auth.user_changed: emit user_known. */
int ates_users_follow_registered(struct ates_call *call, const struct ates_event *event,
                                 const void *data);
int ates_users_follow_changed(struct ates_call *call, const struct ates_event *event,
                              const void *data);
int ates_users_apply_known(struct ates_txn *txn, const struct ates_event *event, const void *data);

/* A user_registered as the user_changed that says the same. */
struct ates_user_changed ates_user_from_registered(const struct ates_user_registered *registered);

#endif

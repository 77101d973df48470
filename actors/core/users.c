/* The users that a service knows; see users.h. */
#include "core/users.h"

const struct ates_event_type ates_user_known_event = {
    .data = &ates_user_known_message,
    .version = 1,
    .is_private = true,
    .summary = "What a followed event said of a user.",
};

const struct ates_event_type *ates_event_type(const struct ates_service *service,
                                              struct ates_text name, uint64_t version)
{
    for (size_t i = 0; i < service->event_count; i++) {
        const struct ates_event_type *type = &service->events[i];

        if (type->version == version && ates_text_equal(ates_text_from(type->data->name), name)) {
            return type;
        }
    }
    const struct ates_event_type *known = &ates_user_known_event;
    return known->version == version && ates_text_equal(ates_text_from(known->data->name), name)
               ? known
               : NULL;
}

int ates_users_get(struct ates_txn *txn, uint64_t user_id, struct ates_user_changed *user)
{
    const struct ates_key key = ates_key_u64(user_id);

    return ates_get_message(txn, ATES_TABLE_USERS, &key, &ates_user_changed_message, user);
}

int ates_users_put(struct ates_txn *txn, const struct ates_user_changed *user)
{
    const struct ates_key key = ates_key_u64(user->user_id);

    return ates_put_message(txn, ATES_TABLE_USERS, &key, &ates_user_changed_message, user);
}

struct ates_user_changed ates_user_from_registered(const struct ates_user_registered *registered)
{
    return (struct ates_user_changed){
        .user_id = registered->user_id,
        .login = registered->login,
        .email = registered->email,
        .role = registered->role,
    };
}

int ates_users_follow_registered(struct ates_call *call, const struct ates_event *event,
                                 const void *data)
{
    const struct ates_user_changed user = ates_user_from_registered(data);

    (void)event;
    return ates_emit(call, &ates_user_known_message, &user);
}

int ates_users_follow_changed(struct ates_call *call, const struct ates_event *event,
                              const void *data)
{
    (void)event;
    return ates_emit(call, &ates_user_known_message, data);
}

int ates_users_apply_known(struct ates_txn *txn, const struct ates_event *event, const void *data)
{
    (void)event;
    return ates_users_put(txn, data);
}

/* Finding and showing users: the queries that auth.c's table names. */
#ifndef AUTH_LIST_H
#define AUTH_LIST_H

#include "core/domain.h"

ates_answer_fn auth_answer_show_user, auth_answer_show_all_users, auth_answer_show_logins,
    auth_answer_find_logins;

/* The user with this id. Refuses: NOT_FOUND / USER_UNKNOWN. */
int auth_get_user(struct ates_call *call, uint64_t user_id, struct ates_user_changed *user);

#endif

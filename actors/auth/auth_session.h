/* Signing in, sessions and tokens: the handlers that auth.c's table names. */
#ifndef AUTH_SESSION_H
#define AUTH_SESSION_H

#include "core/domain.h"

ates_decide_fn auth_handle_auth_user, auth_handle_revoke_sessions, auth_handle_change_password;
ates_answer_fn auth_answer_auth_user, auth_answer_renew_token;

/* Emits user_changed for what the user becomes, with every token so far refused, and ends the
 * sessions that could renew them. */
int auth_end_sessions(struct ates_call *call, struct ates_user_changed *user);

#endif

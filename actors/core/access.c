/* Who may do what; see access.h. */
#include "core/access.h"

#include <string.h>

#include "core/users.h"

/* The user's row follows auth's events, so that a token outlives no change that auth made. A token
 * of a user who is not known here yet was signed after this service's last news: it is believed. */
static int check_user(struct ates_txn *txn, const struct ates_claims *claims,
                      struct ates_refusal *refusal)
{
    struct ates_user_changed user;
    int r = claims->user_id != 0 ? ates_users_get(txn, claims->user_id, &user) : ATES_NOT_FOUND;

    if (r == ATES_NOT_FOUND) {
        return 0;
    }
    if (r != 0) {
        return r;
    }
    if (user.disabled) {
        return ates_refusal_set(refusal, ATES_UNAUTHENTICATED, "USER_DISABLED", NULL,
                                "this user is disabled");
    }
    if (claims->issued_at < user.tokens_valid_after) {
        return ates_refusal_set(refusal, ATES_UNAUTHENTICATED, "TOKEN_REVOKED", NULL,
                                "this token was revoked: sign in again");
    }
    return 0;
}

int ates_access_authenticate(struct ates_keyring *keyring, struct ates_txn *txn,
                             const struct ates_request_meta *meta,
                             const struct ates_command *command, int64_t now_ms,
                             struct ates_claims *claims, struct ates_caller *caller,
                             struct ates_refusal *refusal)
{
    if (!meta->has_token) {
        *caller = (struct ates_caller){.signed_in = false};
        return 0;
    }
    int r = ates_token_verify(keyring, meta->token.data, meta->token.size, now_ms,
                              command->takes_expired, claims, refusal);
    if (r == 0) {
        r = check_user(txn, claims, refusal);
    }
    if (r == 0) {
        *caller = (struct ates_caller){
            .signed_in = true, .id = claims->user_id, .role = claims->role, .claims = claims};
    }
    return r;
}

static int refuse(const struct ates_caller *caller, struct ates_refusal *refusal, const char *field)
{
    if (!caller->signed_in) {
        return ates_refusal_set(refusal, ATES_UNAUTHENTICATED, "TOKEN_MISSING", NULL,
                                "sign in first");
    }
    return ates_refusal_set(refusal, ATES_PERMISSION_DENIED, "ROLE_NOT_ALLOWED", field,
                            "the role %s may not do this", ates_role_names[caller->role]);
}

int ates_access_authorise(const struct ates_command *command, const void *body,
                          const struct ates_caller *caller, struct ates_refusal *refusal)
{
    const unsigned self = caller->signed_in ? ATES_ROLE(caller->role) : ATES_NO_TOKEN;

    if (!(command->callers & self)) {
        return refuse(caller, refusal, NULL);
    }
    const struct ates_field *field = ates_message_field(command->body, "user_id", 7);
    if (field == NULL || (field->optional && !*((const bool *)body + field->present))) {
        return 0;
    }
    const uint64_t user_id = *(const uint64_t *)((const char *)body + field->offset);
    if (user_id != caller->id && !(command->others & self)) {
        return refuse(caller, refusal, "user_id");
    }
    return 0;
}

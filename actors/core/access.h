/* Who may do what: a token made into a caller, and the caller checked against the command's table
 * entry. Default deny. Ownership beyond a user_id field is the handler's to decide. */
#ifndef ATES_ACCESS_H
#define ATES_ACCESS_H

#include "core/domain.h"

/* Verifies the token (absent: not signed in) and what is known of its user, for this command.
 * Returns 0 with caller and claims filled, or ATES_UNAUTHENTICATED with reason TOKEN_INVALID,
 * TOKEN_EXPIRED, TOKEN_REVOKED or USER_DISABLED. claims must outlive caller. */
int ates_access_authenticate(struct ates_keyring *keyring, struct ates_txn *txn,
                             const struct ates_request_meta *meta,
                             const struct ates_command *command, int64_t now_ms,
                             struct ates_claims *claims, struct ates_caller *caller,
                             struct ates_refusal *refusal);

/* Checks the caller against command->callers, and a user_id in body against command->others.
 * Refuses: UNAUTHENTICATED / TOKEN_MISSING; PERMISSION_DENIED / ROLE_NOT_ALLOWED. */
int ates_access_authorise(const struct ates_command *command, const void *body,
                          const struct ates_caller *caller, struct ates_refusal *refusal);

#endif

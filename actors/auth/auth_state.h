/* The auth service's tables. Integers in keys are big-endian; a role is one byte.
 *
 *   users (core's)  user id                  what every service knows of the user
 *   accounts        user id                  when registered, and the password's hash
 *   logins          lower-cased login        user id
 *   roles           role, user id            -
 *   words           as in core/search.h      - (of login and e-mail address)
 *   sessions        sid                      struct auth_session
 *   user_sessions   user id, session number  sid
 *   session_ages    expires at, number       sid
 *   counters        name                     number
 *
 * Invariants: each user has one row in users, accounts, logins and roles; each session has one row
 * in sessions, user_sessions and session_ages; a user has at most AUTH_SESSIONS_MAX sessions. */
#ifndef AUTH_STATE_H
#define AUTH_STATE_H

#include <ates/auth.h>

#include "core/users.h"
#include "core/words.h"

enum auth_table {
    AUTH_TABLE_ACCOUNTS = ATES_TABLE_DOMAIN,
    AUTH_TABLE_LOGINS,
    AUTH_TABLE_ROLES,
    AUTH_TABLE_WORDS,
    AUTH_TABLE_SESSIONS,
    AUTH_TABLE_USER_SESSIONS,
    AUTH_TABLE_SESSION_AGES,
    AUTH_TABLE_COUNTERS
};
extern const char *const auth_tables[];

/* One session more ends the user's oldest, so that ending all of them is bounded work. */
#define AUTH_SESSIONS_MAX 100u

struct auth_account {
    int64_t created_at;
    bool has_hash; /* false only between the two events of a registration */
    struct ates_text hash;
};

struct auth_session {
    uint64_t number; /* 1, 2, 3 ... in the order of opening */
    uint64_t user_id;
    int64_t expires_at;
};

/* Users. Gets return ATES_NOT_FOUND where there is none. */
int auth_state_last_user_id(struct ates_txn *txn, uint64_t *user_id); /* 0 before the first */
int auth_state_enabled_administrators(struct ates_txn *txn, int64_t *count);
int auth_state_find_login(struct ates_txn *txn, struct ates_text login, uint64_t *user_id);
int auth_state_get_account(struct ates_txn *txn, uint64_t user_id, struct auth_account *account);
int auth_state_add_user(struct ates_txn *txn, const struct ates_user_changed *user,
                        int64_t created_at);
/* login and email must be those that the user has. */
int auth_state_change_user(struct ates_txn *txn, const struct ates_user_changed *user);
int auth_state_set_hash(struct ates_txn *txn, uint64_t user_id, struct ates_text hash);
/* The words by which a user is found. */
void auth_state_words(const struct ates_user_changed *user, struct ates_arena *arena,
                      struct ates_words *words);

/* Sessions. A row may outlive its expires_at: whoever reads one compares. */
int auth_state_get_session(struct ates_txn *txn, struct ates_text sid,
                           struct auth_session *session);
/* The session that the user opened last. */
int auth_state_newest_session(struct ates_txn *txn, uint64_t user_id, char sid[AUTH_SID_SIZE + 1],
                              struct auth_session *session);
int auth_state_add_session(struct ates_txn *txn, struct ates_text sid, uint64_t user_id,
                           int64_t expires_at);
int auth_state_delete_sessions(struct ates_txn *txn, uint64_t user_id);
/* Deletes up to count sessions that ended at or before now, oldest end first. */
int auth_state_expire_sessions(struct ates_txn *txn, int64_t now, unsigned count);

/* Keys, for scans. */
struct ates_key auth_key_login(struct ates_text login); /* folds its case */
struct ates_key auth_key_role(int role);                /* the prefix of a role's rows */
struct ates_key auth_key_role_user(int role, uint64_t user_id);
struct ates_key auth_key_pair(uint64_t first, uint64_t second);

#endif

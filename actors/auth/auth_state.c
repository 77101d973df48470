/* The auth service's tables: keys, rows, and the indexes that follow them; see auth_state.h. */
#include "auth/auth_state.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "core/fields.h"
#include "core/search.h"

const char *const auth_tables[] = {
    "accounts",      "logins",       "roles",    "words", "sessions",
    "user_sessions", "session_ages", "counters", NULL,
};
_Static_assert(sizeof auth_tables / sizeof auth_tables[0] ==
                   AUTH_TABLE_COUNTERS - ATES_TABLE_DOMAIN + 2,
               "every table has a name");

static const struct ates_field auth_account_fields[] = {
    {ATES_FIELD(auth_account, created_at), ATES_IS_TIME},
    {ATES_OPTIONAL(auth_account, hash), .type = ATES_TEXT, .rule = ATES_RULE_ASCII, .secret = true,
     .min = 1, .max = AUTH_HASH_MAX},
};
static ATES_MESSAGE(auth_account, "account");

static const struct ates_field auth_session_fields[] = {
    {ATES_FIELD(auth_session, number), ATES_IS_ID},
    {ATES_FIELD(auth_session, user_id), ATES_IS_ID},
    {ATES_FIELD(auth_session, expires_at), ATES_IS_TIME},
};
static ATES_MESSAGE(auth_session, "session");

static const struct ates_key last_user_id = {.size = 12, .data = "last_user_id"};
static const struct ates_key last_session = {.size = 12, .data = "last_session"};
static const struct ates_key administrators = {.size = 22, .data = "enabled_administrators"};

struct ates_key auth_key_login(struct ates_text login)
{
    struct ates_key key = {.size = 0};

    for (size_t i = 0; i < login.size; i++) {
        const char c = login.data[i];

        ates_key_add_u8(&key, (uint8_t)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c));
    }
    return key;
}

struct ates_key auth_key_role(int role)
{
    struct ates_key key = {.size = 0};

    ates_key_add_u8(&key, (uint8_t)role);
    return key;
}

struct ates_key auth_key_role_user(int role, uint64_t user_id)
{
    struct ates_key key = auth_key_role(role);

    ates_key_add_u64(&key, user_id);
    return key;
}

struct ates_key auth_key_pair(uint64_t first, uint64_t second)
{
    struct ates_key key = ates_key_u64(first);

    ates_key_add_u64(&key, second);
    return key;
}

static struct ates_key key_text(struct ates_text text)
{
    struct ates_key key = {.size = 0};

    ates_key_add_bytes(&key, text.data, text.size);
    return key;
}

int auth_state_last_user_id(struct ates_txn *txn, uint64_t *user_id)
{
    int64_t number;
    int r = ates_get_number(txn, AUTH_TABLE_COUNTERS, &last_user_id, &number);

    if (r == 0) {
        *user_id = (uint64_t)number;
    }
    return r;
}

int auth_state_enabled_administrators(struct ates_txn *txn, int64_t *count)
{
    return ates_get_number(txn, AUTH_TABLE_COUNTERS, &administrators, count);
}

int auth_state_find_login(struct ates_txn *txn, struct ates_text login, uint64_t *user_id)
{
    const struct ates_key key = auth_key_login(login);
    struct ates_bytes row;
    int r = ates_get(txn, AUTH_TABLE_LOGINS, &key, &row);

    if (r != 0) {
        return r;
    }
    if (row.size != sizeof *user_id) {
        return -EBADMSG;
    }
    *user_id = ates_u64_from(row.data);
    return 0;
}

int auth_state_get_account(struct ates_txn *txn, uint64_t user_id, struct auth_account *account)
{
    const struct ates_key key = ates_key_u64(user_id);

    return ates_get_message(txn, AUTH_TABLE_ACCOUNTS, &key, &auth_account_message, account);
}

static int put_account(struct ates_txn *txn, uint64_t user_id, const struct auth_account *account)
{
    const struct ates_key key = ates_key_u64(user_id);

    return ates_put_message(txn, AUTH_TABLE_ACCOUNTS, &key, &auth_account_message, account);
}

void auth_state_words(const struct ates_user_changed *user, struct ates_arena *arena,
                      struct ates_words *words)
{
    const struct ates_text texts[] = {user->login, user->email};

    ates_words_split(texts, 2, arena, words);
}

static int64_t counts_as_administrator(const struct ates_user_changed *user)
{
    return user->role == ATES_ADMINISTRATOR && !user->disabled ? 1 : 0;
}

/* Moves the count of enabled administrators by what became of one user. */
static int count_administrators(struct ates_txn *txn, int64_t before, int64_t after)
{
    int64_t count;

    if (before == after) {
        return 0;
    }
    int r = auth_state_enabled_administrators(txn, &count);
    return r != 0
               ? r
               : ates_put_number(txn, AUTH_TABLE_COUNTERS, &administrators, count + after - before);
}

int auth_state_add_user(struct ates_txn *txn, const struct ates_user_changed *user,
                        int64_t created_at)
{
    const struct auth_account account = {.created_at = created_at};
    const struct ates_key login = auth_key_login(user->login);
    const struct ates_key role = auth_key_role_user(user->role, user->user_id);
    struct ates_words words;

    int r = ates_users_put(txn, user);
    if (r == 0) {
        r = put_account(txn, user->user_id, &account);
    }
    if (r == 0) {
        r = ates_put_number(txn, AUTH_TABLE_LOGINS, &login, (int64_t)user->user_id);
    }
    if (r == 0) {
        r = ates_put(txn, AUTH_TABLE_ROLES, &role, "", 0);
    }
    if (r == 0) {
        auth_state_words(user, txn->arena, &words);
        r = ates_search_put(txn, AUTH_TABLE_WORDS, &words, user->user_id);
    }
    if (r == 0) {
        r = ates_put_number(txn, AUTH_TABLE_COUNTERS, &last_user_id, (int64_t)user->user_id);
    }
    return r == 0 ? count_administrators(txn, 0, counts_as_administrator(user)) : r;
}

int auth_state_change_user(struct ates_txn *txn, const struct ates_user_changed *user)
{
    struct ates_user_changed old;
    int r = ates_users_get(txn, user->user_id, &old);

    if (r != 0) {
        return r;
    }
    assert(ates_text_equal(old.login, user->login) && ates_text_equal(old.email, user->email));
    if (old.role != user->role) {
        const struct ates_key from = auth_key_role_user(old.role, user->user_id);
        const struct ates_key to = auth_key_role_user(user->role, user->user_id);

        r = ates_delete(txn, AUTH_TABLE_ROLES, &from);
        if (r == 0) {
            r = ates_put(txn, AUTH_TABLE_ROLES, &to, "", 0);
        }
    }
    if (r == 0) {
        r = ates_users_put(txn, user);
    }
    return r == 0 ? count_administrators(txn, counts_as_administrator(&old),
                                         counts_as_administrator(user))
                  : r;
}

int auth_state_set_hash(struct ates_txn *txn, uint64_t user_id, struct ates_text hash)
{
    struct auth_account account;
    int r = auth_state_get_account(txn, user_id, &account);

    if (r != 0) {
        return r;
    }
    account.has_hash = true;
    account.hash = hash;
    return put_account(txn, user_id, &account);
}

int auth_state_get_session(struct ates_txn *txn, struct ates_text sid, struct auth_session *session)
{
    const struct ates_key key = key_text(sid);

    return ates_get_message(txn, AUTH_TABLE_SESSIONS, &key, &auth_session_message, session);
}

/* The sid in the first or the last row of an index of sessions below prefix, and that row's key. */
static int find_sid(struct ates_txn *txn, unsigned table, const struct ates_key *prefix, bool last,
                    struct ates_key *found, char sid[AUTH_SID_SIZE + 1])
{
    struct ates_scan scan;
    struct ates_bytes key, value;
    int r = ates_scan_open_ordered(&scan, txn, table, prefix, NULL, last);

    if (r != 0) {
        return r;
    }
    r = ates_scan_next(&scan, &key, &value);
    if (r == 0 && value.size != AUTH_SID_SIZE) {
        r = -EBADMSG;
    }
    if (r == 0) {
        *found = (struct ates_key){.size = 0};
        ates_key_add_bytes(found, key.data, key.size);
        memcpy(sid, value.data, AUTH_SID_SIZE);
        sid[AUTH_SID_SIZE] = '\0';
    }
    ates_scan_close(&scan);
    return r;
}

int auth_state_newest_session(struct ates_txn *txn, uint64_t user_id, char sid[AUTH_SID_SIZE + 1],
                              struct auth_session *session)
{
    const struct ates_key prefix = ates_key_u64(user_id);
    struct ates_key found;
    int r = find_sid(txn, AUTH_TABLE_USER_SESSIONS, &prefix, true, &found, sid);

    return r == 0 ? auth_state_get_session(txn, ates_text_from(sid), session) : r;
}

/* Deletes a session that an index named. Its rows must be there: a missing one is a fault. */
static int delete_session(struct ates_txn *txn, struct ates_text sid)
{
    const struct ates_key key = key_text(sid);
    struct auth_session session;
    int r = auth_state_get_session(txn, sid, &session);

    if (r != 0) {
        return r < 0 ? r : -EUCLEAN;
    }
    const struct ates_key user = auth_key_pair(session.user_id, session.number);
    const struct ates_key age = auth_key_pair((uint64_t)session.expires_at, session.number);
    r = ates_delete(txn, AUTH_TABLE_SESSIONS, &key);
    if (r == 0) {
        r = ates_delete(txn, AUTH_TABLE_USER_SESSIONS, &user);
    }
    if (r == 0) {
        r = ates_delete(txn, AUTH_TABLE_SESSION_AGES, &age);
    }
    return r > 0 ? -EUCLEAN : r;
}

static int delete_oldest_session(struct ates_txn *txn, uint64_t user_id)
{
    const struct ates_key prefix = ates_key_u64(user_id);
    struct ates_key found;
    char sid[AUTH_SID_SIZE + 1];
    int r = find_sid(txn, AUTH_TABLE_USER_SESSIONS, &prefix, false, &found, sid);

    return r == 0 ? delete_session(txn, ates_text_from(sid)) : r;
}

static int count_sessions(struct ates_txn *txn, uint64_t user_id, unsigned *count)
{
    const struct ates_key prefix = ates_key_u64(user_id);
    struct ates_scan scan;
    struct ates_bytes key, value;
    unsigned counted = 0;
    int r = ates_scan_open(&scan, txn, AUTH_TABLE_USER_SESSIONS, &prefix, NULL);

    if (r != 0) {
        return r;
    }
    while ((r = ates_scan_next(&scan, &key, &value)) == 0) {
        counted++;
    }
    ates_scan_close(&scan);
    if (r != ATES_NOT_FOUND) {
        return r;
    }
    *count = counted;
    return 0;
}

int auth_state_add_session(struct ates_txn *txn, struct ates_text sid, uint64_t user_id,
                           int64_t expires_at)
{
    const struct ates_key key = key_text(sid);
    unsigned count;
    int64_t number;
    int r = count_sessions(txn, user_id, &count);

    if (r == 0 && count >= AUTH_SESSIONS_MAX) {
        r = delete_oldest_session(txn, user_id);
    }
    if (r == 0) {
        r = ates_get_number(txn, AUTH_TABLE_COUNTERS, &last_session, &number);
    }
    if (r != 0) {
        return r;
    }
    const struct auth_session session = {
        .number = (uint64_t)number + 1, .user_id = user_id, .expires_at = expires_at};
    const struct ates_key user = auth_key_pair(user_id, session.number);
    const struct ates_key age = auth_key_pair((uint64_t)expires_at, session.number);
    r = ates_put_message(txn, AUTH_TABLE_SESSIONS, &key, &auth_session_message, &session);
    if (r == 0) {
        r = ates_put(txn, AUTH_TABLE_USER_SESSIONS, &user, sid.data, sid.size);
    }
    if (r == 0) {
        r = ates_put(txn, AUTH_TABLE_SESSION_AGES, &age, sid.data, sid.size);
    }
    return r == 0 ? ates_put_number(txn, AUTH_TABLE_COUNTERS, &last_session, number + 1) : r;
}

int auth_state_delete_sessions(struct ates_txn *txn, uint64_t user_id)
{
    int r;

    do {
        r = delete_oldest_session(txn, user_id);
    } while (r == 0);
    return r == ATES_NOT_FOUND ? 0 : r;
}

int auth_state_expire_sessions(struct ates_txn *txn, int64_t now, unsigned count)
{
    struct ates_key found;
    char sid[AUTH_SID_SIZE + 1];
    int r = 0;

    for (unsigned i = 0; r == 0 && i < count; i++) {
        r = find_sid(txn, AUTH_TABLE_SESSION_AGES, NULL, false, &found, sid);
        if (r == 0 && (int64_t)ates_u64_from(found.data) > now) {
            break;
        }
        if (r == 0) {
            r = delete_session(txn, ates_text_from(sid));
        }
    }
    return r == ATES_NOT_FOUND ? 0 : r;
}

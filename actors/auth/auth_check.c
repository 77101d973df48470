/* Looks for rows of auth's tables that contradict each other; see auth_state.h for what must hold.
 */
#include "auth/auth_check.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "auth/auth_state.h"
#include "core/search.h"

struct check {
    struct ates_txn *txn;
    uint64_t *words; /* rows that the users seen so far have in the index of words */
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 2, 3))) static int fail(const struct check *self, const char *format,
                                                      ...)
{
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(self->error, self->error_size, format, arguments);
    va_end(arguments);
    return -EBADMSG;
}

/* Calls one for each of table's rows, and counts them. */
static int each(const struct check *self, unsigned table,
                int (*one)(const struct check *, struct ates_bytes key, struct ates_bytes value),
                uint64_t *count)
{
    struct ates_scan scan;
    struct ates_bytes key, value;
    int r = ates_scan_open(&scan, self->txn, table, NULL, NULL);

    if (r != 0) {
        return r;
    }
    *count = 0;
    while ((r = ates_scan_next(&scan, &key, &value)) == 0 && (r = one(self, key, value)) == 0) {
        ates_arena_reset(self->txn->arena);
        ++*count;
    }
    ates_scan_close(&scan);
    return r == ATES_NOT_FOUND ? 0 : r > 0 ? -EBADMSG : r;
}

static int any(const struct check *self, struct ates_bytes key, struct ates_bytes value)
{
    (void)self;
    (void)key;
    (void)value;
    return 0;
}

static int check_words(const struct check *self, const struct ates_user_changed *user)
{
    struct ates_words words;

    auth_state_words(user, self->txn->arena, &words);
    int r = ates_search_has(self->txn, AUTH_TABLE_WORDS, &words, user->user_id);
    if (r != 0) {
        return r < 0 ? r : fail(self, "user %" PRIu64 " is not found by a word", user->user_id);
    }
    *self->words += words.count;
    return 0;
}

static int check_user(const struct check *self, struct ates_bytes key, struct ates_bytes value)
{
    const uint64_t user_id = ates_u64_from(key.data);
    struct ates_user_changed user;
    struct auth_account account;
    struct ates_bytes row;
    uint64_t holder = 0;

    (void)value;
    int r = ates_users_get(self->txn, user_id, &user);
    if (r == 0) {
        r = auth_state_get_account(self->txn, user_id, &account);
    }
    if (r < 0) {
        return r;
    }
    if (r != 0 || user.user_id != user_id || !account.has_hash) {
        return fail(self, "user %" PRIu64 " has no account with a password", user_id);
    }
    r = auth_state_find_login(self->txn, user.login, &holder);
    if (r < 0 || r == ATES_NOT_FOUND || holder != user_id) {
        return r < 0 ? r : fail(self, "user %" PRIu64 " does not hold their login", user_id);
    }
    const struct ates_key role = auth_key_role_user(user.role, user_id);
    r = ates_get(self->txn, AUTH_TABLE_ROLES, &role, &row);
    if (r != 0) {
        return r < 0 ? r : fail(self, "user %" PRIu64 " is not listed by role", user_id);
    }
    return check_words(self, &user);
}

static int check_session(const struct check *self, struct ates_bytes key, struct ates_bytes value)
{
    const struct ates_text sid = {(const char *)key.data, key.size};
    struct ates_user_changed user;
    struct auth_session session;
    struct ates_bytes row;

    (void)value;
    int r = auth_state_get_session(self->txn, sid, &session);
    if (r == 0) {
        r = ates_users_get(self->txn, session.user_id, &user);
    }
    if (r == 0) {
        const struct ates_key of_user = auth_key_pair(session.user_id, session.number);

        r = ates_get(self->txn, AUTH_TABLE_USER_SESSIONS, &of_user, &row);
    }
    if (r == 0) {
        const struct ates_key age = auth_key_pair((uint64_t)session.expires_at, session.number);

        r = ates_get(self->txn, AUTH_TABLE_SESSION_AGES, &age, &row);
    }
    return r <= 0 ? r : fail(self, "session %.*s is not indexed", (int)sid.size, sid.data);
}

/* An index has as many rows as what it indexes, all of whose rows were found in it: so it has no
 * others. */
static int check_count(const struct check *self, unsigned table, uint64_t expected)
{
    uint64_t count = 0;
    int r = each(self, table, any, &count);

    if (r == 0 && count != expected) {
        r = fail(self, "table %s has %" PRIu64 " rows for %" PRIu64,
                 auth_tables[table - ATES_TABLE_DOMAIN], count, expected);
    }
    return r;
}

static int count_administrators(const struct check *self, int64_t *count)
{
    const struct ates_key prefix = auth_key_role(ATES_ADMINISTRATOR);
    struct ates_user_changed user;
    struct ates_scan scan;
    struct ates_bytes key, value;
    int r = ates_scan_open(&scan, self->txn, AUTH_TABLE_ROLES, &prefix, NULL);

    if (r != 0) {
        return r;
    }
    while ((r = ates_scan_next(&scan, &key, &value)) == 0 &&
           (r = ates_users_get(self->txn, ates_u64_from(key.data + prefix.size), &user)) == 0) {
        ates_arena_reset(self->txn->arena);
        *count += !user.disabled;
    }
    ates_scan_close(&scan);
    return r == ATES_NOT_FOUND ? 0 : r;
}

static int check_counts(const struct check *self, uint64_t users, uint64_t sessions)
{
    const struct {
        unsigned table;
        uint64_t rows;
    } indexes[] = {
        {AUTH_TABLE_ACCOUNTS, users},
        {AUTH_TABLE_LOGINS, users},
        {AUTH_TABLE_ROLES, users},
        {AUTH_TABLE_WORDS, *self->words},
        {AUTH_TABLE_USER_SESSIONS, sessions},
        {AUTH_TABLE_SESSION_AGES, sessions},
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < sizeof indexes / sizeof indexes[0]; i++) {
        r = check_count(self, indexes[i].table, indexes[i].rows);
    }
    return r;
}

static int check(const struct check *self)
{
    uint64_t users, sessions;
    int64_t counted = 0, administrators;

    int r = each(self, ATES_TABLE_USERS, check_user, &users);
    if (r == 0) {
        r = each(self, AUTH_TABLE_SESSIONS, check_session, &sessions);
    }
    if (r == 0) {
        r = check_counts(self, users, sessions);
    }
    if (r == 0) {
        r = count_administrators(self, &counted);
    }
    if (r == 0) {
        r = auth_state_enabled_administrators(self->txn, &administrators);
    }
    if (r == 0 && counted != administrators) {
        r = fail(self, "%" PRId64 " enabled administrators are counted as %" PRId64, counted,
                 administrators);
    }
    return r;
}

int auth_check(struct ates_txn *txn, char *error, size_t error_size)
{
    struct ates_arena *const owned = txn->arena;
    struct ates_arena *arena = ates_arena_new();
    uint64_t words = 0;
    const struct check self = {txn, &words, error, error_size};

    if (arena == NULL) {
        return -ENOMEM;
    }
    /* What rows decode to is emptied row by row: there may be more of it than memory. */
    txn->arena = arena;
    int r = check(&self);
    txn->arena = owned;
    ates_arena_free(&arena);
    return r;
}

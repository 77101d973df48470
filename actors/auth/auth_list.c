/* Showing users.
 * Invariant: a page costs by the users it looks at, at most ATES_PAGE_EXAMINED, never by the users there
 * are. */
#include "auth/auth_list.h"

#include <errno.h>

#include "auth/auth_state.h"
#include "core/page.h"
#include "core/search.h"

/* Bytes of a user in a page beside login and e-mail address, at most. */
#define ITEM_BYTES 128u

int auth_get_user(struct ates_call *call, uint64_t user_id, struct ates_user_changed *user)
{
    int r = ates_users_get(call->txn, user_id, user);

    return r == ATES_NOT_FOUND ? ates_refuse(call, ATES_NOT_FOUND, "USER_UNKNOWN") : r;
}

static int show(struct ates_txn *txn, const struct ates_user_changed *user, struct auth_user *out)
{
    struct auth_account account;
    int r = auth_state_get_account(txn, user->user_id, &account);

    if (r == 0) {
        *out = (struct auth_user){
            .id = user->user_id,
            .login = user->login,
            .email = user->email,
            .role = user->role,
            .disabled = user->disabled,
            .created_at = account.created_at,
        };
    }
    return r;
}

/* Refuses: NOT_FOUND / USER_UNKNOWN. */
int auth_answer_show_user(struct ates_call *call, const void *body, void *out)
{
    const struct auth_show_user *command = body;
    struct ates_user_changed user;

    int r = auth_get_user(call, command->has_user_id ? command->user_id : call->user.id, &user);
    return r == 0 ? show(call->txn, &user, out) : r;
}

/* The ids to look at, in ascending order: from the index of words, of roles, or all of them. */
struct walk {
    bool searches;
    struct ates_words query;
    struct ates_search search;
    struct ates_scan scan;
};

static int walk_open(struct walk *walk, struct ates_call *call,
                     const struct auth_show_all_users *command, uint64_t after_id)
{
    const uint64_t next_id = after_id + 1;

    walk->searches = command->has_query;
    if (command->has_query) {
        ates_words_split(&command->query, 1, call->arena, &walk->query);
        return ates_search_open(&walk->search, call, AUTH_TABLE_WORDS, &walk->query, next_id,
                                false);
    }
    if (command->has_role) {
        const struct ates_key prefix = auth_key_role(command->role);
        const struct ates_key from = auth_key_role_user(command->role, next_id);

        return ates_scan_open(&walk->scan, call->txn, AUTH_TABLE_ROLES, &prefix, &from);
    }
    const struct ates_key from = ates_key_u64(next_id);
    return ates_scan_open(&walk->scan, call->txn, ATES_TABLE_USERS, NULL, &from);
}

static int walk_next(struct walk *walk, uint64_t *user_id)
{
    struct ates_bytes key, value;

    if (walk->searches) {
        return ates_search_next(&walk->search, user_id);
    }
    int r = ates_scan_next(&walk->scan, &key, &value);
    if (r == 0) {
        *user_id = ates_u64_from(key.data + key.size - sizeof *user_id);
    }
    return r;
}

static void walk_close(struct walk *walk)
{
    if (walk->searches) {
        ates_search_close(&walk->search);
    } else {
        ates_scan_close(&walk->scan);
    }
}

static bool is_wanted(const struct ates_call *call, const struct auth_show_all_users *command,
                      const struct walk *walk, const struct ates_user_changed *user)
{
    struct ates_words words;

    if (command->has_role && user->role != command->role) {
        return false;
    }
    if (!walk->searches) {
        return true;
    }
    auth_state_words(user, call->arena, &words);
    return ates_words_match(&words, &walk->query);
}

/* Fills items with the page; *last is the last id that it covers, *more whether users may follow.
 */
static int fill_page(struct ates_call *call, const struct auth_show_all_users *command,
                     struct walk *walk, struct ates_list *items, uint64_t *last, bool *more)
{
    const size_t limit = command->has_limit ? command->limit : ATES_PAGE_LIMIT;
    struct auth_user *page = ates_arena_alloc(call->arena, limit * sizeof *page);
    struct ates_user_changed user;
    size_t bytes = 0;
    uint64_t user_id;
    int r = 0;

    items->items = page;
    for (unsigned examined = 0; (r = walk_next(walk, &user_id)) == 0; examined++) {
        if (examined == ATES_PAGE_EXAMINED) {
            *more = true;
            return 0;
        }
        r = ates_users_get(call->txn, user_id, &user);
        if (r != 0) {
            return r < 0 ? r : -EUCLEAN;
        }
        if (is_wanted(call, command, walk, &user)) {
            bytes += ITEM_BYTES + user.login.size + user.email.size;
            if (items->count == limit || bytes > ATES_PAGE_BYTES) {
                *more = true;
                return 0;
            }
            r = show(call->txn, &user, &page[items->count++]);
            if (r != 0) {
                return r < 0 ? r : -EUCLEAN;
            }
        }
        *last = user_id;
    }
    return r == ATES_NOT_FOUND ? 0 : r;
}

/* Refuses: INVALID_ARGUMENT / FIELD_INVALID, field after; INVALID_ARGUMENT / QUERY_TOO_BROAD, field
 * query. */
int auth_answer_show_all_users(struct ates_call *call, const void *body, void *out)
{
    const struct auth_show_all_users *command = body;
    struct auth_show_all_users_result *result = out;
    struct walk walk = {.searches = false};
    uint64_t last;
    bool more = false;

    int r = ates_page_after(call, command->has_after, command->after, &last);
    if (r == 0) {
        r = walk_open(&walk, call, command, last);
    }
    if (r != 0) {
        return r;
    }
    r = fill_page(call, command, &walk, &result->items, &last, &more);
    walk_close(&walk);
    if (r == 0 && more) {
        result->has_next = true;
        result->next = ates_page_next(call->arena, last);
    }
    return r;
}

int auth_answer_show_logins(struct ates_call *call, const void *body, void *out)
{
    const struct auth_show_logins *command = body;
    const uint64_t *ids = command->user_ids.items;
    struct auth_show_logins_result *result = out;
    struct auth_login *items =
        ates_arena_alloc(call->arena, command->user_ids.count * sizeof *items);
    size_t count = 0;

    for (size_t i = 0; i < command->user_ids.count; i++) {
        struct ates_user_changed user;
        int r = ates_users_get(call->txn, ids[i], &user);

        if (r == 0) {
            items[count++] =
                (struct auth_login){.id = user.user_id, .login = user.login, .role = user.role};
        } else if (r != ATES_NOT_FOUND) {
            return r;
        }
    }
    result->items = (struct ates_list){items, count};
    return 0;
}

/* From the index of logins alone. */
int auth_answer_find_logins(struct ates_call *call, const void *body, void *out)
{
    const struct auth_find_logins *command = body;
    const struct ates_key prefix = auth_key_login(command->prefix);
    struct auth_found_login *items = ates_arena_alloc(call->arena, AUTH_FOUND_MAX * sizeof *items);
    struct auth_find_logins_result *result = out;
    struct ates_bytes key, value;
    struct ates_scan scan;
    size_t count = 0;

    int r = ates_scan_open(&scan, call->txn, AUTH_TABLE_LOGINS, &prefix, NULL);
    if (r != 0) {
        return r;
    }
    while (count < AUTH_FOUND_MAX && (r = ates_scan_next(&scan, &key, &value)) == 0) {
        struct ates_user_changed user;

        r = value.size == sizeof(uint64_t)
                ? ates_users_get(call->txn, ates_u64_from(value.data), &user)
                : -EBADMSG;
        if (r != 0) {
            r = r < 0 ? r : -EUCLEAN;
            break;
        }
        items[count++] = (struct auth_found_login){.id = user.user_id, .login = user.login};
    }
    ates_scan_close(&scan);
    result->items = (struct ates_list){items, count};
    return r == ATES_NOT_FOUND ? 0 : r;
}

/* Showing users: one, and lists by role, by words, in pages. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <criterion/criterion.h>

#include "auth/auth.h"
#include "core/fields.h"
#include "core/page.h"
#include "support/auth_fixture.h"

static struct fixture fixture;

static void open_fixture(void)
{
    fixture_open(&fixture, &auth_domain);
}

static void close_fixture(void)
{
    fixture_close(&fixture);
}

TestSuite(auth_list, .init = open_fixture, .fini = close_fixture);

static const struct ates_caller manager = {.signed_in = true, .id = 1, .role = ATES_MANAGER};

static struct auth_show_all_users_result list(const struct auth_show_all_users *body)
{
    struct auth_show_all_users_result result;

    fixture_do(&fixture, manager, "show_all_users", body, &result);
    return result;
}

static void assert_ids(const struct auth_show_all_users *body, const char *expected)
{
    const struct auth_show_all_users_result result = list(body);
    const struct auth_user *users = result.items.items;
    char ids[256] = "";

    for (size_t i = 0; i < result.items.count; i++) {
        snprintf(ids + strlen(ids), sizeof ids - strlen(ids), "%" PRIu64 " ", users[i].id);
    }
    cr_assert_str_eq(ids, expected);
    cr_assert(!result.has_next);
}

static struct auth_show_all_users query(const char *words)
{
    return (struct auth_show_all_users){.has_query = true, .query = ates_text_from(words)};
}

Test(auth_list, show_user_shows_the_caller_or_whom_they_name)
{
    struct auth_show_user body = {.has_user_id = false};
    struct auth_user user;

    auth_fixture_user(&fixture, "Boss", ATES_MANAGER);
    fixture.now_ms += 1000;
    const uint64_t ivan = auth_fixture_user(&fixture, "ivan", ATES_DEVELOPER);
    fixture_do(&fixture, fixture_caller(ivan, ATES_DEVELOPER), "show_user", &body, &user);
    cr_assert(user.id == ivan && user.role == ATES_DEVELOPER && !user.disabled &&
              user.created_at == FIXTURE_TIME + 1000);
    cr_assert(ates_text_equal(user.login, ates_text_from("ivan")));
    cr_assert(ates_text_equal(user.email, ates_text_from("ivan@uberpopug.example")));
    body = (struct auth_show_user){.has_user_id = true, .user_id = 1};
    fixture_do(&fixture, manager, "show_user", &body, &user);
    cr_assert(user.id == 1 && ates_text_equal(user.login, ates_text_from("Boss")));
    body.user_id = 3;
    fixture_refused(&fixture, manager, "show_user", &body, ATES_NOT_FOUND, "USER_UNKNOWN");
    body.has_user_id = false;
    fixture_refused(&fixture, auth_fixture_service, "show_user", &body, ATES_NOT_FOUND,
                    "USER_UNKNOWN");
    fixture_check_rebuild(&fixture);
}

Test(auth_list, show_logins_tells_names_to_anybody)
{
    uint64_t ids[] = {0, 9000, 0, 0};
    const struct auth_show_logins body = {.user_ids = {ids, 4}};
    struct auth_show_logins_result result;

    ids[0] = auth_fixture_user(&fixture, "ivan", ATES_DEVELOPER);
    ids[2] = auth_fixture_user(&fixture, "Boss", ATES_MANAGER);
    ids[3] = ids[0];
    fixture_do(&fixture, fixture_caller(ids[0], ATES_DEVELOPER), "show_logins", &body, &result);
    const struct auth_login *items = result.items.items;
    cr_assert_eq(result.items.count, 3, "the unknown one is left out");
    cr_assert(items[0].id == ids[0] && ates_text_equal(items[0].login, ates_text_from("ivan")));
    cr_assert(items[1].id == ids[2] && items[1].role == ATES_MANAGER);
    cr_assert_eq(items[2].id, ids[0]);
}

/* "id:login id:login " */
static void assert_found(const char *prefix, const char *expected)
{
    const struct auth_find_logins body = {.prefix = ates_text_from(prefix)};
    struct auth_find_logins_result result;
    char found[256] = "";

    fixture_do(&fixture, fixture_caller(9, ATES_ACCOUNTANT), "find_logins", &body, &result);
    const struct auth_found_login *items = result.items.items;
    for (size_t i = 0; i < result.items.count; i++) {
        snprintf(found + strlen(found), sizeof found - strlen(found), "%" PRIu64 ":%.*s ",
                 items[i].id, (int)items[i].login.size, items[i].login.data);
    }
    cr_assert_str_eq(found, expected, "%s: %s", prefix, found);
}

Test(auth_list, find_logins_finds_by_how_they_begin)
{
    const struct auth_disable_user disable = {.user_id = 2};
    char whole[ATES_LOGIN_MAX + 1], expected[ATES_LOGIN_MAX + 8];

    auth_fixture_user(&fixture, "ivan.petrov", ATES_DEVELOPER);
    auth_fixture_user(&fixture, "Ivan", ATES_BOSS);
    auth_fixture_user(&fixture, "petrov", ATES_OTHER);
    auth_fixture_user(&fixture, "IVAN-2", ATES_MANAGER);
    assert_found("ivan", "2:Ivan 4:IVAN-2 1:ivan.petrov ");
    assert_found("IVAN-", "4:IVAN-2 ");
    assert_found("ivan.petrov", "1:ivan.petrov ");
    assert_found("ivan.petrov2", "");
    assert_found("p", "3:petrov ");
    assert_found("uberpopug", ""); /* no word of an e-mail address */
    assert_found("zz", "");
    fixture_do(&fixture, fixture_caller(9, ATES_ADMINISTRATOR), "disable_user", &disable, NULL);
    assert_found("ivan", "2:Ivan 4:IVAN-2 1:ivan.petrov "); /* he may have money still */

    memset(whole, 'z', ATES_LOGIN_MAX);
    whole[ATES_LOGIN_MAX] = '\0';
    auth_fixture_user(&fixture, whole, ATES_OTHER);
    snprintf(expected, sizeof expected, "5:%s ", whole);
    assert_found(whole, expected);
}

Test(auth_list, find_logins_finds_the_first_of_many)
{
    const struct auth_find_logins body = {.prefix = ates_text_from("u")};
    struct auth_find_logins_result result;
    char login[8];

    for (int i = AUTH_FOUND_MAX; i >= 0; i--) {
        snprintf(login, sizeof login, "user%02d", i);
        auth_fixture_user(&fixture, login, ATES_OTHER);
    }
    fixture_do(&fixture, manager, "find_logins", &body, &result);
    const struct auth_found_login *items = result.items.items;
    cr_assert_eq(result.items.count, AUTH_FOUND_MAX);
    for (int i = 0; i < AUTH_FOUND_MAX; i++) {
        snprintf(login, sizeof login, "user%02d", i);
        cr_expect(ates_text_equal(items[i].login, ates_text_from(login)), "%s", login);
    }
}

Test(auth_list, show_all_users_by_role_and_words)
{
    const struct auth_change_role promote = {.user_id = 2, .role = ATES_MANAGER};
    const struct auth_disable_user disable = {.user_id = 3};
    struct auth_show_all_users body = {.has_role = false};

    auth_fixture_user(&fixture, "Anna.Petrova", ATES_MANAGER);
    auth_fixture_user(&fixture, "anton", ATES_DEVELOPER);
    auth_fixture_user(&fixture, "boris-petrov", ATES_DEVELOPER);
    auth_fixture_user(&fixture, "vera", ATES_OTHER);
    assert_ids(&body, "1 2 3 4 ");
    body = (struct auth_show_all_users){.has_role = true, .role = ATES_DEVELOPER};
    assert_ids(&body, "2 3 ");
    body.role = ATES_BOSS;
    assert_ids(&body, "");

    body = query("AN");
    assert_ids(&body, "1 2 ");
    body = query("petrov");
    assert_ids(&body, "1 3 ");
    body = query("petrov bor");
    assert_ids(&body, "3 ");
    body = query("uberpopug.example");
    assert_ids(&body, "1 2 3 4 ");
    body = query("etrov");
    assert_ids(&body, "");
    body = query("petrov");
    body.has_role = true;
    body.role = ATES_DEVELOPER;
    assert_ids(&body, "3 ");

    fixture_do(&fixture, fixture_caller(9, ATES_ADMINISTRATOR), "change_role", &promote, NULL);
    fixture_do(&fixture, fixture_caller(9, ATES_ADMINISTRATOR), "disable_user", &disable, NULL);
    body = (struct auth_show_all_users){.has_role = true, .role = ATES_MANAGER};
    assert_ids(&body, "1 2 ");
    body.role = ATES_DEVELOPER;
    assert_ids(&body, "3 ");
    cr_assert(((const struct auth_user *)list(&body).items.items)->disabled);
    fixture_check_rebuild(&fixture);
}

/* Reads all pages of limit; returns how many users there were, in strictly ascending order. */
static size_t walk_pages(struct auth_show_all_users body, uint64_t limit, size_t *pages)
{
    uint64_t last = 0;
    size_t count = 0;

    body.has_limit = true;
    body.limit = limit;
    for (*pages = 1;; ++*pages) {
        const struct auth_show_all_users_result result = list(&body);
        const struct auth_user *users = result.items.items;

        for (size_t i = 0; i < result.items.count; i++) {
            cr_assert_gt(users[i].id, last);
            last = users[i].id;
        }
        count += result.items.count;
        if (!result.has_next) {
            return count;
        }
        cr_assert(result.items.count == limit || result.items.count == 0 || limit > 100);
        body.has_after = true;
        body.after = result.next;
    }
}

Test(auth_list, show_all_users_pages)
{
    struct auth_show_all_users body = {.has_role = false};
    const struct auth_show_all_users words = query("user uber");
    const struct auth_show_all_users role = {.has_role = true, .role = ATES_BOSS};
    char login[32];
    size_t pages;

    for (int i = 0; i < 250; i++) {
        snprintf(login, sizeof login, "user.%d", i);
        auth_fixture_user(&fixture, login, i % 5 == 0 ? ATES_BOSS : ATES_OTHER);
    }
    const struct auth_show_all_users_result first = list(&body);
    cr_assert(first.items.count == 100 && first.has_next);
    cr_assert_eq(walk_pages(body, 50, &pages), 250);
    cr_assert_eq(pages, 5);
    cr_assert_eq(walk_pages(words, 49, &pages), 250);
    cr_assert_eq(pages, 6);
    cr_assert_eq(walk_pages(role, 50, &pages), 50);
    cr_assert_eq(pages, 1);
    cr_assert_eq(walk_pages(role, 1, &pages), 50);
    cr_assert_eq(pages, 50);

    static const char *const bad[] = {"x", "-1", " 1", "12345678901234567"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        body.has_after = true;
        body.after = ates_text_from(bad[i]);
        fixture_refused(&fixture, manager, "show_all_users", &body, ATES_INVALID_ARGUMENT,
                        "FIELD_INVALID");
        cr_assert_str_eq(fixture.refusal.field, "after");
    }
    body.after = ates_text_from("250");
    assert_ids(&body, "");
    fixture_check_rebuild(&fixture);
}

/* A thousand of the longest users would not fit a page. */
Test(auth_list, show_all_users_ends_a_page_by_its_bytes, .timeout = 60)
{
    const struct auth_show_all_users body = {.has_limit = true, .limit = 1000};
    struct ates_buffer encoded = {0};
    char start[60], login[80];
    size_t pages;

    memset(start, 'x', sizeof start);
    for (int i = 0; i < 1000; i++) {
        snprintf(login, sizeof login, "%.59s%05d", start, i);
        auth_fixture_user(&fixture, login, ATES_INTERNALSERVICE);
    }
    const struct auth_show_all_users_result result = list(&body);
    cr_assert(result.has_next && result.items.count > 200, "%zu", result.items.count);
    ates_message_encode(&auth_show_all_users_result_message, &result, &encoded);
    cr_assert_lt(encoded.size, ATES_PAGE_BYTES + 1024);
    ates_buffer_release(&encoded);
    cr_assert_eq(walk_pages(body, 1000, &pages), 1000);
    fixture_check_rebuild(&fixture);
}

/* What does not match is looked at for a while only: the rest is the next page's. */
Test(auth_list, show_all_users_looks_at_a_bounded_number_of_users, .timeout = 120)
{
    struct auth_show_all_users body = query("uberpopug");
    char login[32];
    size_t pages;

    for (int i = 0; i < 5100; i++) {
        snprintf(login, sizeof login, "user%d", i);
        auth_fixture_user(&fixture, login, i == 5050 ? ATES_BOSS : ATES_OTHER);
        ates_arena_reset(fixture.arena);
    }
    body.has_role = true;
    body.role = ATES_BOSS;
    const struct auth_show_all_users_result result = list(&body);
    cr_assert(result.items.count == 0 && result.has_next);
    cr_assert(ates_text_equal(result.next, ates_text_from("5000")));
    cr_assert_eq(walk_pages(body, 100, &pages), 1);
    cr_assert_eq(pages, 2);
    fixture_check_rebuild(&fixture);
}

/* The check of auth's rows finds each kind of contradiction. */
#include "auth/auth_check.h"

#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "auth/auth.h"
#include "auth/auth_state.h"
#include "core/search.h"
#include "support/auth_fixture.h"

static struct fixture fixture;

static void open_fixture(void)
{
    struct auth_auth_user_result session;

    fixture_open(&fixture, &auth_domain);
    auth_fixture_user(&fixture, "Root", ATES_ADMINISTRATOR);
    auth_fixture_user(&fixture, "ivan", ATES_OTHER);
    cr_assert_eq(auth_fixture_sign_in(&fixture, "ivan", AUTH_FIXTURE_PASSWORD, 1, &session), 0);
}

static void close_fixture(void)
{
    fixture_close(&fixture);
}

TestSuite(auth_check, .init = open_fixture, .fini = close_fixture);

static struct ates_txn *txn(void)
{
    return ates_engine_txn(fixture.engine);
}

static void assert_found(const char *expected)
{
    char error[128] = "";

    cr_assert_eq(auth_check(txn(), error, sizeof error), -EBADMSG);
    cr_assert_not_null(strstr(error, expected), "%s", error);
}

Test(auth_check, finds_nothing_in_a_sound_state)
{
    char error[128] = "";

    cr_assert_eq(auth_check(txn(), error, sizeof error), 0, "%s", error);
}

Test(auth_check, finds_a_user_without_account)
{
    const struct ates_key key = ates_key_u64(2);

    cr_assert_eq(ates_delete(txn(), AUTH_TABLE_ACCOUNTS, &key), 0);
    assert_found("user 2 has no account");
}

Test(auth_check, finds_a_login_of_another_user)
{
    const struct ates_key key = auth_key_login(ates_text_from("ROOT"));

    cr_assert_eq(ates_put_number(txn(), AUTH_TABLE_LOGINS, &key, 2), 0);
    assert_found("user 1 does not hold their login");
}

Test(auth_check, finds_a_login_of_nobody)
{
    const struct ates_key key = auth_key_login(ates_text_from("nobody"));

    cr_assert_eq(ates_put_number(txn(), AUTH_TABLE_LOGINS, &key, 2), 0);
    assert_found("table logins has 3 rows for 2");
}

Test(auth_check, finds_a_user_missing_from_their_role)
{
    const struct ates_key key = auth_key_role_user(ATES_OTHER, 2);

    cr_assert_eq(ates_delete(txn(), AUTH_TABLE_ROLES, &key), 0);
    assert_found("user 2 is not listed by role");
}

Test(auth_check, finds_a_user_missing_from_the_words)
{
    struct ates_text ivan = ates_text_from("ivan");
    const struct ates_words words = {1, &ivan};

    cr_assert_eq(ates_search_delete(txn(), AUTH_TABLE_WORDS, &words, 2), 0);
    assert_found("user 2 is not found by a word");
}

Test(auth_check, finds_a_wrong_count_of_administrators)
{
    const struct ates_key key = {.size = 22, .data = "enabled_administrators"};

    cr_assert_eq(ates_put_number(txn(), AUTH_TABLE_COUNTERS, &key, 2), 0);
    assert_found("1 enabled administrators are counted as 2");
}

Test(auth_check, finds_a_session_without_index)
{
    const struct ates_key key = auth_key_pair(2, 1);

    cr_assert_eq(ates_delete(txn(), AUTH_TABLE_USER_SESSIONS, &key), 0);
    assert_found("is not indexed");
}

Test(auth_check, finds_an_index_without_session)
{
    const struct ates_key key = auth_key_pair(1, 7);

    cr_assert_eq(ates_put(txn(), AUTH_TABLE_SESSION_AGES, &key, "x", 1), 0);
    assert_found("table session_ages has 2 rows for 1");
}

Test(auth_check, logins_are_keyed_without_regard_to_case)
{
    uint64_t user_id = 0;

    cr_assert_eq(auth_state_find_login(txn(), ates_text_from("rOOt"), &user_id), 0);
    cr_assert_eq(user_id, 1);
    cr_assert_eq(auth_state_find_login(txn(), ates_text_from("roo"), &user_id), ATES_NOT_FOUND);
}

/* What a service knows of its users is the fold of auth's events. */
#include <criterion/criterion.h>

#include "core/users.h"
#include "support/engine_fixture.h"
#include "support/toy_domain.h"

static struct fixture fixture;

static void setup(void)
{
    fixture_open(&fixture, &toy_domain);
}

static void teardown(void)
{
    fixture_close(&fixture);
}

TestSuite(users, .init = setup, .fini = teardown);

static int get(uint64_t user_id, struct ates_user_changed *user)
{
    return ates_users_get(ates_engine_txn(fixture.engine), user_id, user);
}

Test(users, follow_auths_events)
{
    struct ates_user_changed user = {.user_id = 99};

    cr_assert_eq(get(7, &user), ATES_NOT_FOUND);
    cr_assert_eq(user.user_id, 99);
    fixture_register_user(&fixture, 7, ATES_DEVELOPER);
    cr_assert_eq(get(7, &user), 0);
    cr_assert(user.user_id == 7 && user.role == ATES_DEVELOPER && !user.disabled);
    cr_assert(ates_text_equal(user.login, ates_text_from("user7")));
    cr_assert_eq(user.tokens_valid_after, 0);
    fixture.now_ms += 5;
    fixture_change_user(&fixture, 7, ATES_BOSS, true);
    cr_assert_eq(get(7, &user), 0);
    cr_assert(user.role == ATES_BOSS && user.disabled);
    cr_assert_eq(user.tokens_valid_after, fixture.now_ms);
    cr_assert_eq(get(8, &user), ATES_NOT_FOUND);
}

/* They are private: what auth says is auth's to publish. */
Test(users, are_rebuilt_from_the_log_and_not_published)
{
    struct ates_user_changed user;

    for (uint64_t id = 1; id <= 20; id++) {
        fixture_register_user(&fixture, id, ATES_OTHER);
    }
    fixture_change_user(&fixture, 3, ATES_MANAGER, false);
    cr_assert_eq(fixture_head(&fixture), 0);
    fixture_check_rebuild(&fixture);
    cr_assert_eq(get(3, &user), 0);
    cr_assert_eq(user.role, ATES_MANAGER);
}

Test(users, a_registered_one_is_as_if_changed_to_that)
{
    const struct ates_user_registered registered = {.user_id = 4,
                                                    .login = ates_text_from("ann"),
                                                    .email = ates_text_from("ann@example.org"),
                                                    .role = ATES_ACCOUNTANT};
    const struct ates_user_changed user = ates_user_from_registered(&registered);

    cr_assert(user.user_id == 4 && user.role == ATES_ACCOUNTANT && !user.disabled);
    cr_assert(ates_text_equal(user.login, registered.login));
    cr_assert(ates_text_equal(user.email, registered.email));
    cr_assert_eq(user.tokens_valid_after, 0);
}

/* A service's own token, kept alive. */
#include <string.h>

#include <criterion/criterion.h>

#include "core/token.h"
#include "support/temp_folder.h"

#define NOW_MS INT64_C(1795355580123) /* 2026-11-22T13:53:00.123Z */
#define MINUTE_MS INT64_C(60000)

static char dir[TEMP_FOLDER_SIZE], error[256];
static struct ates_secret_key users_key, services_key;
static struct ates_keyring *keyring;
static int64_t clock_ms;

static int64_t read_clock(void *context)
{
    (void)context;
    return clock_ms;
}

static void setup(void)
{
    cr_assert_geq(sodium_init(), 0);
    temp_folder_make(dir);
    cr_assert_eq(ates_keys_create(dir, error, sizeof error), 0, "%s", error);
    cr_assert_eq(ates_keys_load_secret(dir, ATES_KEY_USERS, &users_key, error, sizeof error), 0);
    cr_assert_eq(ates_keys_load_secret(dir, ATES_KEY_SERVICES, &services_key, error, sizeof error),
                 0);
    keyring = ates_keyring_load(dir, error, sizeof error);
    cr_assert_not_null(keyring, "%s", error);
}

static void teardown(void)
{
    ates_keyring_free(&keyring);
    temp_folder_remove(dir);
}

TestSuite(own_token, .init = setup, .fini = teardown);

Test(own_token, is_signed_anew_in_time)
{
    static const struct {
        int64_t time;
        int renewed;
    } moments[] = {
        {NOW_MS, 1},
        {NOW_MS + 5 * MINUTE_MS - 1, 0},
        {NOW_MS + 5 * MINUTE_MS, 1}, /* half of its life is over */
        {NOW_MS + 5 * MINUTE_MS, 0},
        {NOW_MS + 4 * MINUTE_MS, 1}, /* a clock set back makes it a token of the future */
        {NOW_MS + 90 * MINUTE_MS, 1},
    };
    struct ates_source source = ates_source_system();
    struct ates_own_token own = {.from = 0};
    struct ates_claims claims;

    source.now_ms = read_clock;
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        clock_ms = moments[i].time;
        cr_assert_eq(ates_own_token_keep(&own, &services_key, &source, "web", 10 * MINUTE_MS),
                     moments[i].renewed, "moment %zu", i);
        cr_assert_eq(ates_token_verify(keyring, own.text, strlen(own.text),
                                       clock_ms + 5 * MINUTE_MS - 1, false, &claims, NULL),
                     0, "moment %zu", i);
        cr_assert_eq(claims.role, ATES_INTERNALSERVICE);
        cr_assert_str_eq(claims.login, "web");
    }
}

Test(own_token, needs_the_services_key)
{
    const struct ates_source source = ates_source_system();
    struct ates_own_token own = {.from = 0};

    cr_assert_lt(ates_own_token_keep(&own, &users_key, &source, "web", 10 * MINUTE_MS), 0);
    cr_assert_str_eq(own.text, "");
}

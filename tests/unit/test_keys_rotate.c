/* Rotation: old tokens and new ones are good side by side, in a keyring that was loaded before. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/journal.h"
#include "core/token.h"
#include "support/temp_folder.h"

#define LIFE_MS 60000

static char folder[TEMP_FOLDER_SIZE], dir[128], error[8192];
static struct ates_secret_key key;
static struct ates_keyring *keyring;
static struct ates_source source;

static void setup(void)
{
    ates_journal_open("error");
    cr_assert_geq(sodium_init(), 0);
    temp_folder_make(folder);
    snprintf(dir, sizeof dir, "%s/keys", folder);
    cr_assert_eq(ates_keys_create(dir, error, sizeof error), 0, "%s", error);
    cr_assert_eq(ates_keys_load_secret(dir, ATES_KEY_SERVICES, &key, error, sizeof error), 0);
    keyring = ates_keyring_load(dir, error, sizeof error);
    cr_assert_not_null(keyring);
    source = ates_source_system();
}

static void teardown(void)
{
    ates_keyring_free(&keyring);
    temp_folder_remove(folder);
}

TestSuite(keys_rotate, .init = setup, .fini = teardown, .timeout = 60);

static void sign(char token[ATES_TOKEN_MAX + 1])
{
    cr_assert_eq(ates_token_sign_service(&key, &source, "tasks", LIFE_MS, token), 0);
}

static int verify(const char *token)
{
    struct ates_refusal refusal;
    struct ates_claims claims;

    return ates_token_verify(keyring, token, strlen(token), ates_now_ms(&source), false, &claims,
                             &refusal);
}

Test(keys_rotate, nobody_is_refused_and_nothing_restarts)
{
    char before[ATES_TOKEN_MAX + 1], after[ATES_TOKEN_MAX + 1];
    struct ates_secret_key users, users_then;
    struct stat status;
    char path[160];

    cr_assert_eq(ates_keys_load_secret(dir, ATES_KEY_USERS, &users, error, sizeof error), 0);
    sign(before);
    for (unsigned i = 0; i < 10; i++) {
        cr_assert_eq(ates_keys_rotate(dir, ATES_KEY_SERVICES, error, sizeof error), 0, "%s", error);
        sign(after);
        cr_assert_eq(verify(after), 0, "round %u", i);
        cr_assert_eq(verify(before), 0, "round %u", i);
    }
    cr_expect_str_neq(strrchr(before, '.'), strrchr(after, '.'), "another kid");
    snprintf(path, sizeof path, "%s/services.key", dir);
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_mode & 07777, 0600);
    cr_assert_eq(ates_keys_load_secret(dir, ATES_KEY_USERS, &users_then, error, sizeof error), 0);
    cr_expect_str_eq(users.kid, users_then.kid, "the other purpose's stays");
}

Test(keys_rotate, old_keys_go_when_their_tokens_have_ended)
{
    char before[ATES_TOKEN_MAX + 1], after[ATES_TOKEN_MAX + 1];
    const int64_t now_ms = ates_now_ms(&source);
    size_t removed = 9;
    int64_t wait_ms = 0;

    cr_assert_eq(ates_keys_finish(dir, ATES_KEY_SERVICES, now_ms, LIFE_MS, &removed, &wait_ms,
                                  error, sizeof error),
                 0, "there is nothing to wait for");
    cr_expect_eq(removed, 0);
    sign(before);
    cr_assert_eq(ates_keys_rotate(dir, ATES_KEY_SERVICES, error, sizeof error), 0);
    sign(after);
    cr_expect_eq(ates_keys_finish(dir, ATES_KEY_SERVICES, now_ms, LIFE_MS, &removed, &wait_ms,
                                  error, sizeof error),
                 -EBUSY);
    cr_expect(wait_ms > LIFE_MS && wait_ms <= LIFE_MS + 15000, "%lld", (long long)wait_ms);
    cr_assert_eq(ates_keys_finish(dir, ATES_KEY_SERVICES, now_ms + LIFE_MS + 15000, LIFE_MS,
                                  &removed, &wait_ms, error, sizeof error),
                 0, "%s", error);
    cr_expect_eq(removed, 1);
    ates_keyring_free(&keyring);
    keyring = ates_keyring_load(dir, error, sizeof error);
    cr_expect_eq(verify(after), 0);
    cr_expect_eq(verify(before), ATES_UNAUTHENTICATED);
}

Test(keys_rotate, a_full_keyring_is_told)
{
    int r = 0;

    for (unsigned i = 0; r == 0 && i <= ATES_KEYS_MAX; i++) {
        r = ates_keys_rotate(dir, ATES_KEY_USERS, error, sizeof error);
    }
    cr_expect_eq(r, -ENOSPC);
    cr_expect_not_null(strstr(error, "keyring"));
}

/* Killed anywhere, as often as there is time for: what signs now is known to the keyring. */
Test(keys_rotate, killed_anywhere_it_leaves_keys_that_fit)
{
    char token[ATES_TOKEN_MAX + 1], first[ATES_TOKEN_MAX + 1];

    sign(first);
    for (unsigned i = 0; i < 25; i++) {
        const pid_t pid = fork();

        cr_assert_geq(pid, 0);
        if (pid == 0) {
            alarm(0);
            ates_keys_rotate(dir, ATES_KEY_SERVICES, error, sizeof error);
            _exit(0);
        }
        const struct timespec pause = {0, (long)(randombytes_uniform(600) * 1000)};
        nanosleep(&pause, NULL);
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
        sign(token);
        cr_assert_eq(verify(token), 0, "round %u", i);
        cr_assert_eq(verify(first), 0, "round %u", i);
    }
}

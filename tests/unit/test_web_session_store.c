/* Sessions on the disk: put, dropped and loaded, by one process, for its owner alone. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <criterion/criterion.h>

#include "core/datadir.h"
#include "support/seed.h"
#include "support/temp_folder.h"
#include "web/web_session_store.h"

#define KEYS 64u

static char folder[TEMP_FOLDER_SIZE], error[256];
static struct web_session_store *store;

/* What the store should hold: by key, the row's user; 0: none. */
static char keys[KEYS][WEB_SESSION_KEY_SIZE];
static uint64_t users[KEYS];
static size_t taken;

static void set_up(void)
{
    temp_folder_make(folder);
    cr_assert_eq(ates_datadir_create(folder, error, sizeof error), 0, "%s", error);
    cr_assert_eq(web_session_store_open(&store, folder, error, sizeof error), 0, "%s", error);
    for (size_t i = 0; i < KEYS; i++) {
        snprintf(keys[i], sizeof keys[i], "%032zx", i * 7919);
    }
}

static void tear_down(void)
{
    web_session_store_close(&store);
    temp_folder_remove(folder);
}

TestSuite(web_session_store, .init = set_up, .fini = tear_down);

static void put(size_t i, uint64_t user_id)
{
    const struct web_session_row row = {
        .user = {.id = user_id,
                 .login = ates_text_from("ann"),
                 .email = ates_text_from("ann@example.com"),
                 .role = ATES_ACCOUNTANT},
        .token = ates_text_from("v4.public.token"),
        .token_expires_at = 1700000000000,
        .expires_at = 1700000000000 + (int64_t)user_id,
    };

    cr_assert_eq(web_session_store_put(store, keys[i], &row), 0);
    users[i] = user_id;
}

static void take(void *context, const char *key, const struct web_session_row *row)
{
    size_t i = 0;

    cr_assert_eq(context, &taken);
    while (i < KEYS && strcmp(keys[i], key) != 0) {
        i++;
    }
    cr_assert_lt(i, KEYS, "%s", key);
    cr_assert_eq(row->user.id, users[i]);
    cr_assert_eq(row->user.role, ATES_ACCOUNTANT);
    cr_assert(ates_text_equal(row->user.login, ates_text_from("ann")));
    cr_assert(ates_text_equal(row->user.email, ates_text_from("ann@example.com")));
    cr_assert(ates_text_equal(row->token, ates_text_from("v4.public.token")));
    cr_assert_eq(row->token_expires_at, 1700000000000);
    cr_assert_eq(row->expires_at, 1700000000000 + (int64_t)users[i]);
    taken++;
}

static void expect_all(void)
{
    size_t expected = 0;

    for (size_t i = 0; i < KEYS; i++) {
        expected += users[i] != 0;
    }
    taken = 0;
    cr_assert_eq(web_session_store_load(store, take, &taken), 0);
    cr_assert_eq(taken, expected);
}

static void reopen(void)
{
    web_session_store_close(&store);
    cr_assert_null(store);
    cr_assert_eq(web_session_store_open(&store, folder, error, sizeof error), 0, "%s", error);
}

Test(web_session_store, holds_what_was_put_and_not_dropped)
{
    uint64_t seed = seed_start();

    expect_all();
    for (int step = 0; step < 60; step++) {
        const size_t count = seed_draw(&seed, 8);
        const char *dropped[8];

        put(seed_draw(&seed, KEYS), 1 + seed_draw(&seed, 1000));
        for (size_t i = 0; i < count; i++) { /* also what is not there, and twice */
            const size_t at = seed_draw(&seed, KEYS);
            dropped[i] = keys[at];
            users[at] = 0;
        }
        cr_assert_eq(web_session_store_drop(store, dropped, count), 0);
        if (step % 10 == 0) {
            reopen();
        }
        expect_all();
    }
}

Test(web_session_store, is_its_owners_alone)
{
    static const char *const paths[] = {"web", "web/sessions", "web/sessions/data.mdb"};
    char path[TEMP_FOLDER_SIZE + 32];
    struct stat info;

    put(0, 1);
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, paths[i]);
        cr_assert_eq(stat(path, &info), 0, "%s: %s", path, strerror(errno));
        cr_expect_eq(info.st_mode & 077, 0, "%s: %o", path, info.st_mode);
    }
}

Test(web_session_store, is_one_processes)
{
    struct web_session_store *second = NULL;

    cr_expect_eq(web_session_store_open(&second, folder, error, sizeof error), -EBUSY);
    cr_expect_null(second);
    cr_expect_str_neq(error, "");
}

Test(web_session_store, is_below_data_of_this_version)
{
    char elsewhere[TEMP_FOLDER_SIZE + 16];
    struct web_session_store *other = NULL;

    snprintf(elsewhere, sizeof elsewhere, "%s/none", folder);
    cr_expect_lt(web_session_store_open(&other, elsewhere, error, sizeof error), 0);
    cr_expect_null(other);
    cr_expect_not_null(strstr(error, elsewhere), "%s", error);
    web_session_store_close(&other); /* as often as one likes */
}

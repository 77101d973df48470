/* Keys on disk: made once, whole, closed to others; never replaced; refused when anything is odd.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/token.h"

static const char *const files[] = {"auth.key", "services.key", "fingerprint.key", "keyring"};
#define FILE_COUNT (sizeof files / sizeof files[0])

static char parent[64], dir[80], error[256];

static const char *path_of(const char *name)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static void setup(void)
{
    cr_assert_geq(sodium_init(), 0);
    snprintf(parent, sizeof parent, "/tmp/ates-test-keys-XXXXXX");
    cr_assert_not_null(mkdtemp(parent));
    snprintf(dir, sizeof dir, "%s/keys", parent);
}

static void teardown(void)
{
    for (size_t i = 0; i < FILE_COUNT; i++) {
        unlink(path_of(files[i]));
    }
    cr_expect(rmdir(dir) == 0 || errno == ENOENT, "something is left in %s", dir);
    rmdir(parent);
}

TestSuite(keys, .init = setup, .fini = teardown);

static int create(void)
{
    return ates_keys_create(dir, error, sizeof error);
}

static size_t slurp(const char *name, char *out, size_t capacity)
{
    FILE *file = fopen(path_of(name), "rb");

    cr_assert_not_null(file, "%s", path_of(name));
    const size_t size = fread(out, 1, capacity - 1, file);
    fclose(file);
    out[size] = '\0';
    return size;
}

static void spill(const char *name, const void *data, size_t size, mode_t mode)
{
    unlink(path_of(name));
    const int fd = open(path_of(name), O_WRONLY | O_CREAT | O_EXCL, mode);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, data, size), size);
    cr_assert_eq(fchmod(fd, mode), 0);
    close(fd);
}

static int load(const char *name)
{
    struct ates_secret_key secret, secret_before;
    struct ates_public_key keys[ATES_KEYS_MAX];
    uint8_t fingerprint[ATES_FINGERPRINT_KEY_SIZE];
    size_t count = 12345;
    int r;

    error[0] = '\0';
    if (strcmp(name, "keyring") == 0) {
        struct ates_keyring *keyring = ates_keyring_load(dir, error, sizeof error);
        r = ates_keys_load_public(dir, keys, &count, error, sizeof error);
        cr_assert_eq(keyring == NULL, r != 0);
        cr_assert(r == 0 || count == 12345);
        ates_keyring_free(&keyring);
    } else if (strcmp(name, "fingerprint.key") == 0) {
        r = ates_keys_load_fingerprint(dir, fingerprint, error, sizeof error);
    } else {
        memset(&secret, 0xa5, sizeof secret);
        secret_before = secret;
        r = ates_keys_load_secret(
            dir, strcmp(name, "auth.key") == 0 ? ATES_KEY_USERS : ATES_KEY_SERVICES, &secret, error,
            sizeof error);
        cr_assert(r == 0 || memcmp(&secret, &secret_before, sizeof secret) == 0);
    }
    return r;
}

static void assert_not_loaded(const char *name, int expected)
{
    const int r = load(name);

    cr_assert_eq(r, expected, "%s: %d, %s", name, r, error);
    cr_assert_not_null(strstr(error, path_of(name)), "%s is not named in: %s", name, error);
    cr_assert_null(strchr(error, '\n'));
}

Test(keys, made_whole_and_closed_to_others)
{
    struct ates_public_key keys[ATES_KEYS_MAX];
    struct ates_secret_key secret;
    struct stat status;
    size_t count;

    umask(077); /* which would close the keyring, too */
    cr_assert_eq(create(), 0, "%s", error);
    cr_assert_eq(stat(dir, &status), 0);
    cr_assert_eq(status.st_mode & 07777, 0700);
    for (size_t i = 0; i < FILE_COUNT; i++) {
        cr_assert_eq(stat(path_of(files[i]), &status), 0);
        cr_assert_eq(status.st_mode & 07777, strcmp(files[i], "keyring") == 0 ? 0644 : 0600);
        cr_assert_eq(status.st_nlink, 1);
        cr_assert_eq(load(files[i]), 0, "%s", error);
    }
    cr_assert_eq(stat(path_of("fingerprint.key"), &status), 0);
    cr_assert_eq(status.st_size, 32);
    cr_assert_eq(ates_keys_load_public(dir, keys, &count, error, sizeof error), 0);
    cr_assert_eq(count, 2);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(ates_keys_load_secret(dir, keys[i].purpose, &secret, error, sizeof error), 0);
        cr_assert_eq(secret.purpose, keys[i].purpose);
        cr_assert_str_eq(secret.kid, keys[i].kid);
        cr_assert_eq(memcmp(secret.secret + 32, keys[i].bytes, sizeof keys[i].bytes), 0);
    }
    cr_assert_eq(keys[0].purpose, ATES_KEY_USERS);
    cr_assert_eq(keys[1].purpose, ATES_KEY_SERVICES);
    cr_assert_str_neq(keys[0].kid, keys[1].kid);
}

Test(keys, never_replaced)
{
    char before[FILE_COUNT][512], after[512];
    size_t sizes[FILE_COUNT];

    cr_assert_eq(create(), 0, "%s", error);
    for (size_t i = 0; i < FILE_COUNT; i++) {
        sizes[i] = slurp(files[i], before[i], sizeof before[i]);
    }
    cr_assert_eq(create(), -EEXIST);
    cr_assert_not_null(strstr(error, path_of("keyring")), "%s", error);
    for (size_t i = 0; i < FILE_COUNT; i++) {
        cr_assert_eq(slurp(files[i], after, sizeof after), sizes[i]);
        cr_assert_eq(memcmp(after, before[i], sizes[i]), 0);
    }
}

/* A creation cut short after any of its files, with a half-written draft lying about, is completed:
 * the keys that are there stay. */
Test(keys, interrupted_creation_is_completed)
{
    static const char *const order[] = {"fingerprint.key", "auth.key", "services.key"};
    char before[3][512], after[512];
    size_t sizes[3];

    for (size_t made = 0; made <= 3; made++) {
        cr_assert_eq(create(), 0, "%s", error);
        for (size_t i = 0; i < 3; i++) {
            sizes[i] = slurp(order[i], before[i], sizeof before[i]);
            if (i >= made) {
                unlink(path_of(order[i]));
            }
        }
        unlink(path_of("keyring"));
        spill(".keyring.new", "k4", 2, 0600);
        cr_assert_eq(create(), 0, "%s", error);
        cr_assert_neq(access(path_of(".keyring.new"), F_OK), 0);
        for (size_t i = 0; i < 3; i++) {
            cr_assert_eq(slurp(order[i], after, sizeof after), sizes[i]);
            cr_assert_eq(memcmp(after, before[i], sizes[i]) == 0, i < made);
            cr_assert_eq(load(order[i]), 0, "%s", error);
            cr_assert_eq(load("keyring"), 0, "%s", error);
        }
        for (size_t i = 0; i < FILE_COUNT; i++) {
            unlink(path_of(files[i]));
        }
    }
    cr_assert_eq(create(), 0);
    unlink(path_of("keyring"));
    spill("auth.key", "somebody's", 10, 0600);
    cr_assert_eq(create(), -EINVAL);
    cr_assert_not_null(strstr(error, path_of("auth.key")), "%s", error);
    cr_assert_eq(slurp("auth.key", after, sizeof after), 10);
}

static pthread_barrier_t barrier;

static void *create_alone(void *result)
{
    char own_error[256];

    pthread_barrier_wait(&barrier);
    *(int *)result = ates_keys_create(dir, own_error, sizeof own_error);
    return NULL;
}

Test(keys, one_of_many_creators_succeeds)
{
    pthread_t threads[8];
    int results[8], made = 0;

    pthread_barrier_init(&barrier, NULL, 8);
    for (size_t i = 0; i < 8; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, create_alone, &results[i]), 0);
    }
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        cr_assert(results[i] == 0 || results[i] == -EEXIST);
        made += results[i] == 0;
    }
    cr_assert_eq(made, 1);
    for (size_t i = 0; i < FILE_COUNT; i++) {
        cr_assert_eq(load(files[i]), 0, "%s", error);
    }
}

Test(keys, open_modes_are_refused)
{
    static const mode_t modes[] = {0640, 0620, 0610, 0604, 0602, 0601, 0644, 0666, 0777};

    cr_assert_eq(create(), 0, "%s", error);
    for (size_t i = 0; i < FILE_COUNT; i++) {
        for (size_t j = 0; j < sizeof modes / sizeof modes[0]; j++) {
            const bool is_public = strcmp(files[i], "keyring") == 0;
            cr_assert_eq(chmod(path_of(files[i]), modes[j]), 0);
            if (is_public && (modes[j] & 022) == 0) {
                cr_assert_eq(load(files[i]), 0, "%s", error);
            } else {
                assert_not_loaded(files[i], -EPERM);
                cr_assert_not_null(strstr(error, is_public ? "0644" : "0600"), "%s", error);
            }
        }
        cr_assert_eq(chmod(path_of(files[i]), 0600), 0);
        cr_assert_eq(load(files[i]), 0, "%s", error);
    }
    cr_assert_eq(chmod(dir, 0770), 0);
    for (size_t i = 0; i < FILE_COUNT; i++) {
        cr_assert_eq(load(files[i]), -EPERM);
        cr_assert_not_null(strstr(error, dir));
    }
    cr_assert_eq(create(), -EPERM);
    cr_assert_eq(chmod(dir, 0700), 0);
}

Test(keys, missing_files_are_named)
{
    cr_assert_eq(load("keyring"), -ENOENT);
    cr_assert_not_null(strstr(error, dir));
    cr_assert_eq(mkdir(dir, 0700), 0);
    for (size_t i = 0; i < FILE_COUNT; i++) {
        assert_not_loaded(files[i], -ENOENT);
        cr_assert_eq(mkfifo(path_of(files[i]), 0600), 0);
        assert_not_loaded(files[i], -EINVAL);
        unlink(path_of(files[i]));
    }
    cr_assert_eq(ates_keys_create("/dev/null/keys", error, sizeof error), -ENOTDIR);
    cr_assert_eq(ates_keys_create("/nowhere/keys", error, sizeof error), -ENOENT);
    cr_assert_not_null(strstr(error, "/nowhere/keys"));
}

/* Every damaged byte of a secret is found, and no error repeats what the file holds. */
Test(keys, damaged_secrets_are_refused_and_not_told)
{
    char text[512], damaged[512];

    cr_assert_eq(create(), 0, "%s", error);
    const size_t size = slurp("auth.key", text, sizeof text);
    cr_assert_eq(text[size - 1], '\n');
    for (size_t i = 0; i < size; i++) {
        memcpy(damaged, text, size);
        damaged[i] = text[i] == 'A' ? 'B' : 'A';
        spill("auth.key", damaged, size, 0600);
        assert_not_loaded("auth.key", -EINVAL);
        cr_assert_null(memmem(error, strlen(error), text + 10, 8));
        if (i != size - 1) {
            spill("auth.key", text, i, 0600);
            assert_not_loaded("auth.key", -EINVAL);
        }
    }
    spill("auth.key", text, size - 1, 0600);
    cr_assert_eq(load("auth.key"), 0, "a missing last newline is no damage");
    memcpy(text + size, text, size);
    spill("auth.key", text, 2 * size, 0600);
    assert_not_loaded("auth.key", -EINVAL);
    spill("fingerprint.key", text, 31, 0600);
    assert_not_loaded("fingerprint.key", -EINVAL);
    spill("fingerprint.key", text, 33, 0600);
    assert_not_loaded("fingerprint.key", -EINVAL);
}

Test(keys, damaged_keyrings_are_refused)
{
    char text[512], damaged[2 * 512];

    cr_assert_eq(create(), 0, "%s", error);
    const size_t size = slurp("keyring", text, sizeof text);
    const size_t line_size = (size_t)(strchr(text, '\n') + 1 - text);
    for (size_t i = 0; i < size - 1; i++) {
        for (const char *c = "A \n#z"; c <= "A \n#z" + 5; c++) {
            memcpy(damaged, text, size);
            damaged[i] = *c;
            if (text[i] != *c) {
                spill("keyring", damaged, size, 0644);
                assert_not_loaded("keyring", -EINVAL);
            }
        }
        if (i != line_size && i != line_size - 1) {
            spill("keyring", text, i, 0644);
            assert_not_loaded("keyring", -EINVAL);
        }
    }
    spill("keyring", text, line_size, 0644);
    cr_assert_eq(load("keyring"), 0, "%s", error);
    memcpy(damaged, text, size);
    memcpy(damaged + size, text, line_size);
    spill("keyring", damaged, size + line_size, 0644);
    assert_not_loaded("keyring", -EINVAL);
    cr_assert_not_null(strstr(error, "line 3 repeats line 1"), "%s", error);
}

Test(keys, keyring_is_bounded)
{
    static char text[ATES_KEYS_MAX * 128 + 128];
    struct ates_public_key keys[ATES_KEYS_MAX];
    size_t size = 0, count;

    cr_assert_eq(mkdir(dir, 0700), 0);
    for (size_t i = 0; i <= ATES_KEYS_MAX; i++) {
        uint8_t public_key[32], secret[64];
        char kid[ATES_KID_SIZE], base64[64];
        crypto_sign_keypair(public_key, secret);
        ates_key_id(public_key, kid);
        sodium_bin2base64(base64, sizeof base64, public_key, sizeof public_key,
                          sodium_base64_VARIANT_URLSAFE_NO_PADDING);
        const size_t before = size;
        size += (size_t)snprintf(text + size, sizeof text - size, "%s users %s\n", kid, base64);
        spill("keyring", text, i < ATES_KEYS_MAX ? size : before, 0644);
        cr_assert_eq(ates_keys_load_public(dir, keys, &count, error, sizeof error), 0, "%s", error);
        cr_assert_eq(count, i < ATES_KEYS_MAX ? i + 1 : ATES_KEYS_MAX);
    }
    spill("keyring", text, size, 0644);
    assert_not_loaded("keyring", -EINVAL);
    memset(text, 'A', sizeof text);
    spill("keyring", text, sizeof text, 0644);
    assert_not_loaded("keyring", -EINVAL);
}

/* k4.pid-1 and k4.pid-2 of the official PASERK vectors. */
Test(keys, kid_is_the_paserk_id)
{
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES] = {0};
    char kid[ATES_KID_SIZE];

    ates_key_id(public_key, kid);
    cr_assert_str_eq(kid, "k4.pid.S_XQmeEwHbbvRmiyfXfHYpLGjXGzjTRSDoT1YtTakWFE");
    for (size_t i = 0; i < sizeof public_key; i++) {
        public_key[i] = (uint8_t)(0x70 + i);
    }
    ates_key_id(public_key, kid);
    cr_assert_str_eq(kid, "k4.pid.9ShR3xc8-qVJ_di0tc9nx0IDIqbatdeM2mqLFBJsKRHs");
}

static const char *folder_of(const char *data_dir)
{
    static char folder[128];

    ates_keys_folder(data_dir, folder, sizeof folder);
    return folder;
}

Test(keys, are_in_the_data_unless_systemd_gave_some)
{
    unsetenv("CREDENTIALS_DIRECTORY");
    cr_expect_str_eq(folder_of("/data"), "/data/keys");
    cr_assert_eq(create(), 0, "%s", error);
    setenv("CREDENTIALS_DIRECTORY", dir, 1);
    cr_expect_str_eq(folder_of("/data"), dir);
    setenv("CREDENTIALS_DIRECTORY", "keys", 1);
    cr_expect_str_eq(folder_of("/data"), "/data/keys", "systemd gives absolute paths");
    setenv("CREDENTIALS_DIRECTORY", parent, 1);
    cr_expect_str_eq(folder_of("/data"), "/data/keys", "other things than keys were given");
}

/* The mask of an access control list shows as the group's bits, where systemd has set one. */
Test(keys, a_given_key_may_show_a_mask_to_the_group)
{
    cr_assert_eq(create(), 0, "%s", error);
    cr_assert_eq(chmod(path_of("services.key"), 0440), 0);
    cr_assert_eq(chmod(path_of("fingerprint.key"), 0440), 0);
    assert_not_loaded("services.key", -EPERM);
    setenv("CREDENTIALS_DIRECTORY", dir, 1);
    cr_expect_eq(load("services.key"), 0, "%s", error);
    cr_expect_eq(load("fingerprint.key"), 0, "%s", error);
    cr_assert_eq(chmod(path_of("services.key"), 0444), 0);
    assert_not_loaded("services.key", -EPERM);
    cr_assert_eq(chmod(path_of("services.key"), 0460), 0);
    assert_not_loaded("services.key", -EPERM);
}

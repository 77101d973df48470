/* Keys on disk: making and loading them; see token.h for the files.
 *
 * Invariant: a file is there whole or not at all, and is never replaced. The keyring is made last,
 * so where it is, all the others are; an interrupted creation is completed by the next with the
 * keys that are there. Secrets are files of one PASERK line (k4.secret), the fingerprint key is raw
 * bytes. */
#include "core/token.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base64.h"

#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define BASE64_SIZE(BYTES) sodium_base64_ENCODED_LEN(BYTES, BASE64) /* with its NUL */

#define AUTH_KEY "auth.key"
#define SERVICES_KEY "services.key"
#define KEYRING "keyring"
#define FINGERPRINT "fingerprint.key"
#define NAME_SIZE 32u
#define SECRET_PREFIX "k4.secret."
#define SECRET_TEXT_SIZE (sizeof SECRET_PREFIX + BASE64_SIZE(crypto_sign_SECRETKEYBYTES))
#define KEYRING_SIZE (ATES_KEYS_MAX * 128u)

const struct ates_key_kind ates_key_kinds[] = {
    [ATES_KEY_USERS] = {AUTH_KEY, "users"},
    [ATES_KEY_SERVICES] = {SERVICES_KEY, "services"},
};

const char *const ates_key_files[] = {FINGERPRINT, AUTH_KEY, SERVICES_KEY, KEYRING, NULL};

/* The open folder of keys, and where its failures are told. */
struct folder {
    const char *path;
    int fd;
    bool is_given; /* by systemd */
    char *error;
    size_t error_size;
};

/* Tells that name (NULL: the folder itself) failed, and returns r. */
__attribute__((format(printf, 4, 5))) static int fail(const struct folder *folder, const char *name,
                                                      int r, const char *format, ...)
{
    char why[160];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(why, sizeof why, format, arguments);
    va_end(arguments);
    snprintf(folder->error, folder->error_size, "%s%s%s: %s", folder->path, name != NULL ? "/" : "",
             name != NULL ? name : "", why);
    return r;
}

static int fail_errno(const struct folder *folder, const char *name)
{
    const int r = -errno;

    return fail(folder, name, r, "%s", strerror(-r));
}

/* The folder of what systemd gave this process (LoadCredential=, systemd.exec(5)), or NULL. */
static const char *given_folder(void)
{
    const char *path = getenv("CREDENTIALS_DIRECTORY");

    return path != NULL && path[0] == '/' ? path : NULL;
}

void ates_keys_folder(const char *data_dir, char *out, size_t size)
{
    const char *given = given_folder();
    char path[PATH_MAX];

    /* Every service that needs keys needs this one; without it other things were given. */
    if (given != NULL &&
        snprintf(path, sizeof path, "%s/%s", given, ates_key_kinds[ATES_KEY_SERVICES].file) <
            (int)sizeof path &&
        access(path, F_OK) == 0) {
        snprintf(out, size, "%s", given);
    } else {
        snprintf(out, size, "%s/keys", data_dir);
    }
}

/* Whoever may write the folder could put a keyring of his own there, so only its owner may. */
static int folder_open(struct folder *folder)
{
    const char *given = given_folder();
    struct stat status;

    folder->is_given = given != NULL && strcmp(folder->path, given) == 0;
    folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder->fd < 0 || fstat(folder->fd, &status) != 0) {
        return fail_errno(folder, NULL);
    }
    if ((status.st_mode & 022) != 0) {
        return fail(folder, NULL, -EPERM, "mode %04o lets others write here; it needs 0700",
                    (unsigned)status.st_mode & 07777);
    }
    return 0;
}

static void folder_close(struct folder *folder)
{
    if (folder->fd >= 0) {
        close(folder->fd);
        folder->fd = -1;
    }
}

static bool is_there(const struct folder *folder, const char *name)
{
    struct stat status;

    return fstatat(folder->fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
}

static int read_all(int fd, uint8_t *out, size_t size)
{
    while (size > 0) {
        const ssize_t n = read(fd, out, size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            errno = n == 0 ? EIO : errno;
            return -1;
        }
        out += n;
        size -= (size_t)n;
    }
    return 0;
}

static int write_all(int fd, const uint8_t *data, size_t size)
{
    while (size > 0) {
        const ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return -1;
        }
        data += n;
        size -= (size_t)n;
    }
    return 0;
}

/* Reads a file of at most capacity bytes whose mode has none of the forbidden bits. What systemd
 * gives is root's, and the service may read it by an access control list, whose mask stands where
 * the group's bits do. */
static int read_file(const struct folder *folder, const char *name, mode_t forbidden, void *out,
                     size_t capacity, size_t *size)
{
    struct stat status;
    int r = 0;

    if (folder->is_given) {
        forbidden &= ~(mode_t)S_IRGRP;
    }
    /* Without O_NONBLOCK a FIFO would hold the program here. */
    const int fd = openat(folder->fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return fail_errno(folder, name);
    }
    if (fstat(fd, &status) != 0) {
        r = fail_errno(folder, name);
    } else if (!S_ISREG(status.st_mode)) {
        r = fail(folder, name, -EINVAL, "not a regular file");
    } else if ((status.st_mode & forbidden) != 0) {
        r = fail(folder, name, -EPERM, "mode %04o opens it to others; it needs %04o",
                 (unsigned)status.st_mode & 07777, 0666u & ~(unsigned)forbidden);
    } else if ((size_t)status.st_size > capacity) {
        r = fail(folder, name, -EINVAL, "longer than %zu bytes", capacity);
    } else if (read_all(fd, out, (size_t)status.st_size) != 0) {
        r = fail_errno(folder, name);
    } else {
        *size = (size_t)status.st_size;
    }
    close(fd);
    return r;
}

/* Writes a file that is not there yet: whole under another name, then linked, which never replaces.
 * The folder's lock is held, so what lies under that other name is left from a creation that was
 * cut short. */
static int write_file(const struct folder *folder, const char *name, mode_t mode, const void *data,
                      size_t size)
{
    char draft[NAME_SIZE];
    int r = 0;

    snprintf(draft, sizeof draft, ".%s.new", name);
    if (unlinkat(folder->fd, draft, 0) != 0 && errno != ENOENT) {
        return fail_errno(folder, draft);
    }
    const int fd = openat(folder->fd, draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0) {
        return fail_errno(folder, draft);
    }
    if (fchmod(fd, mode) != 0 || write_all(fd, data, size) != 0 || fsync(fd) != 0 ||
        linkat(folder->fd, draft, folder->fd, name, 0) != 0) {
        r = fail_errno(folder, name);
    }
    close(fd);
    if (unlinkat(folder->fd, draft, 0) != 0 && r == 0) {
        r = fail_errno(folder, draft);
    }
    if (r == 0 && fsync(folder->fd) != 0) {
        r = fail_errno(folder, NULL);
    }
    return r;
}

/* PASERK, types/pid.md and operations/ID.md. */
void ates_key_id(const uint8_t public_key[crypto_sign_PUBLICKEYBYTES], char kid[ATES_KID_SIZE])
{
    static const char prefix[] = "k4.pid.", public_prefix[] = "k4.public.";
    char text[sizeof prefix + sizeof public_prefix + BASE64_SIZE(crypto_sign_PUBLICKEYBYTES)];
    uint8_t digest[33];

    const int size = snprintf(text, sizeof text, "%s%s", prefix, public_prefix);
    sodium_bin2base64(text + size, sizeof text - (size_t)size, public_key,
                      crypto_sign_PUBLICKEYBYTES, BASE64);
    crypto_generichash(digest, sizeof digest, (const uint8_t *)text, strlen(text), NULL, 0);
    memcpy(kid, prefix, sizeof prefix - 1);
    sodium_bin2base64(kid + sizeof prefix - 1, ATES_KID_SIZE - (sizeof prefix - 1), digest,
                      sizeof digest, BASE64);
}

static bool decode_exactly(const char *text, size_t text_size, uint8_t *out, size_t out_size)
{
    size_t size;

    return ates_base64_read(text, text_size, out, out_size, &size) == 0 && size == out_size;
}

/* The halves of an Ed25519 secret key must belong together: signing with a foreign public half
 * would give the secret away. */
static bool parse_secret(const char *text, size_t size, uint8_t secret[crypto_sign_SECRETKEYBYTES])
{
    const size_t prefix_size = sizeof SECRET_PREFIX - 1;
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES], whole[crypto_sign_SECRETKEYBYTES];

    if (size > 0 && text[size - 1] == '\n') {
        size--;
    }
    if (size < prefix_size || memcmp(text, SECRET_PREFIX, prefix_size) != 0 ||
        !decode_exactly(text + prefix_size, size - prefix_size, secret,
                        crypto_sign_SECRETKEYBYTES)) {
        return false;
    }
    crypto_sign_seed_keypair(public_key, whole, secret);
    const bool good = sodium_memcmp(whole, secret, sizeof whole) == 0;
    sodium_memzero(whole, sizeof whole);
    return good;
}

static int load_secret(const struct folder *folder, enum ates_key_purpose purpose,
                       struct ates_secret_key *key)
{
    const char *name = ates_key_kinds[purpose].file;
    struct ates_secret_key loaded = {.purpose = purpose};
    char text[SECRET_TEXT_SIZE];
    size_t size;

    int r = read_file(folder, name, 077, text, sizeof text, &size);
    if (r == 0 && !parse_secret(text, size, loaded.secret)) {
        r = fail(folder, name, -EINVAL, "not an Ed25519 secret key (PASERK k4.secret)");
    }
    if (r == 0) {
        ates_key_id(loaded.secret + crypto_sign_SEEDBYTES, loaded.kid);
        *key = loaded;
        snprintf(key->dir, sizeof key->dir, "%s", folder->path);
    }
    sodium_memzero(text, sizeof text);
    sodium_memzero(&loaded, sizeof loaded);
    return r;
}

static int write_secret(const struct folder *folder, const char *name)
{
    uint8_t public_key[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
    const size_t prefix_size = sizeof SECRET_PREFIX - 1;
    char text[SECRET_TEXT_SIZE] = SECRET_PREFIX;

    crypto_sign_keypair(public_key, secret);
    sodium_bin2base64(text + prefix_size, sizeof text - prefix_size, secret, sizeof secret, BASE64);
    size_t size = strlen(text);
    text[size++] = '\n';
    const int r = write_file(folder, name, 0600, text, size);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(text, sizeof text);
    return r;
}

static int write_fingerprint(const struct folder *folder)
{
    uint8_t key[ATES_FINGERPRINT_KEY_SIZE];

    randombytes_buf(key, sizeof key);
    const int r = write_file(folder, FINGERPRINT, 0600, key, sizeof key);
    sodium_memzero(key, sizeof key);
    return r;
}

static int write_keyring(const struct folder *folder)
{
    char text[512];
    size_t size = 0;

    for (enum ates_key_purpose i = ATES_KEY_USERS; i <= ATES_KEY_SERVICES; i++) {
        struct ates_secret_key key;
        char public_key[BASE64_SIZE(crypto_sign_PUBLICKEYBYTES)];

        const int r = load_secret(folder, i, &key);
        if (r != 0) {
            return r;
        }
        sodium_bin2base64(public_key, sizeof public_key, key.secret + crypto_sign_SEEDBYTES,
                          crypto_sign_PUBLICKEYBYTES, BASE64);
        size += (size_t)snprintf(text + size, sizeof text - size, "%s %s %s\n", key.kid,
                                 ates_key_kinds[i].word, public_key);
        sodium_memzero(&key, sizeof key);
    }
    return write_file(folder, KEYRING, 0644, text, size);
}

/* A folder just made must outlive a power cut as its files do. */
static int sync_parent(const struct folder *folder)
{
    int r = 0;

    const int fd = openat(folder->fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0) {
        r = fail_errno(folder, NULL);
    }
    if (fd >= 0) {
        close(fd);
    }
    return r;
}

static int fill_folder(const struct folder *folder)
{
    if (flock(folder->fd, LOCK_EX) != 0) {
        return fail_errno(folder, NULL);
    }
    if (is_there(folder, KEYRING)) {
        return fail(folder, KEYRING, -EEXIST, "exists already; keys are made once");
    }
    int r = is_there(folder, FINGERPRINT) ? 0 : write_fingerprint(folder);
    for (enum ates_key_purpose i = ATES_KEY_USERS; r == 0 && i <= ATES_KEY_SERVICES; i++) {
        r = is_there(folder, ates_key_kinds[i].file) ? 0
                                                     : write_secret(folder, ates_key_kinds[i].file);
    }
    return r != 0 ? r : write_keyring(folder);
}

int ates_keys_create(const char *dir, char *error, size_t size)
{
    struct folder folder = {.path = dir, .fd = -1, .error = error, .error_size = size};

    const bool is_new = mkdir(dir, 0700) == 0;
    if (!is_new && errno != EEXIST) {
        return fail_errno(&folder, NULL);
    }
    int r = folder_open(&folder);
    if (r == 0 && is_new) {
        r = sync_parent(&folder);
    }
    if (r == 0) {
        r = fill_folder(&folder);
    }
    folder_close(&folder);
    return r;
}

int ates_keys_load_fingerprint(const char *dir, uint8_t key[ATES_FINGERPRINT_KEY_SIZE], char *error,
                               size_t size)
{
    struct folder folder = {.path = dir, .fd = -1, .error = error, .error_size = size};
    uint8_t loaded[ATES_FINGERPRINT_KEY_SIZE];
    size_t loaded_size;

    int r = folder_open(&folder);
    if (r == 0) {
        r = read_file(&folder, FINGERPRINT, 077, loaded, sizeof loaded, &loaded_size);
    }
    if (r == 0 && loaded_size != sizeof loaded) {
        r = fail(&folder, FINGERPRINT, -EINVAL, "not a key of %zu bytes", sizeof loaded);
    }
    if (r == 0) {
        memcpy(key, loaded, sizeof loaded);
    }
    sodium_memzero(loaded, sizeof loaded);
    folder_close(&folder);
    return r;
}

int ates_keys_load_secret(const char *dir, enum ates_key_purpose purpose,
                          struct ates_secret_key *key, char *error, size_t size)
{
    struct folder folder = {.path = dir, .fd = -1, .error = error, .error_size = size};

    int r = folder_open(&folder);
    if (r == 0) {
        r = load_secret(&folder, purpose, key);
    }
    folder_close(&folder);
    return r;
}

/* One line of the keyring, cut at its spaces in place. The kid is checked, lest a key answer for
 * another. */
static bool parse_public_key(char *line, struct ates_public_key *key)
{
    const char *kid = strsep(&line, " ");
    const char *word = strsep(&line, " ");
    const char *text = strsep(&line, " ");

    if (text == NULL || line != NULL ||
        !decode_exactly(text, strlen(text), key->bytes, sizeof key->bytes)) {
        return false;
    }
    ates_key_id(key->bytes, key->kid);
    if (strcmp(kid, key->kid) != 0) {
        return false;
    }
    for (enum ates_key_purpose i = ATES_KEY_USERS; i <= ATES_KEY_SERVICES; i++) {
        if (strcmp(word, ates_key_kinds[i].word) == 0) {
            key->purpose = i;
            return true;
        }
    }
    return false;
}

static int parse_keyring(const struct folder *folder, char *text, struct ates_public_key *keys,
                         size_t *count)
{
    size_t n = 0;

    for (char *line; (line = strsep(&text, "\n")) != NULL && (*line != '\0' || text != NULL); n++) {
        if (n == ATES_KEYS_MAX) {
            return fail(folder, KEYRING, -EINVAL, "more than %u keys", ATES_KEYS_MAX);
        }
        if (!parse_public_key(line, &keys[n])) {
            return fail(folder, KEYRING, -EINVAL, "line %zu is not KID PURPOSE BASE64URL", n + 1);
        }
        for (size_t i = 0; i < n; i++) {
            if (strcmp(keys[i].kid, keys[n].kid) == 0) {
                return fail(folder, KEYRING, -EINVAL, "line %zu repeats line %zu", n + 1, i + 1);
            }
        }
    }
    if (n == 0) {
        return fail(folder, KEYRING, -EINVAL, "holds no key");
    }
    *count = n;
    return 0;
}

int ates_keys_load_public(const char *dir, struct ates_public_key keys[ATES_KEYS_MAX],
                          size_t *count, char *error, size_t size)
{
    struct folder folder = {.path = dir, .fd = -1, .error = error, .error_size = size};
    struct ates_public_key loaded[ATES_KEYS_MAX];
    char text[KEYRING_SIZE + 1];
    size_t text_size, loaded_count = 0;

    int r = folder_open(&folder);
    if (r == 0) {
        r = read_file(&folder, KEYRING, 022, text, KEYRING_SIZE, &text_size);
    }
    if (r == 0) {
        text[text_size] = '\0';
        r = strlen(text) == text_size ? parse_keyring(&folder, text, loaded, &loaded_count)
                                      : fail(&folder, KEYRING, -EINVAL, "not a text file");
    }
    if (r == 0) {
        memcpy(keys, loaded, loaded_count * sizeof keys[0]);
        *count = loaded_count;
    }
    folder_close(&folder);
    return r;
}

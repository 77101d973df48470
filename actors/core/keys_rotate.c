/* Rotating keys; see token.h. Invariant: whatever a process was killed between, each token that was
 * signed and has not ended is signed by a key of the keyring, and each signer has a key that the
 * keyring knows. */
#include "core/token.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEYRING "keyring"
#define BASE64 sodium_base64_VARIANT_URLSAFE_NO_PADDING
#define SKEW_MS 10000 /* clocks, and a signature that was under way */
#define TEXT_SIZE (ATES_KEYS_MAX * 160u)

static int fail(int fault, const char *dir, const char *name, char *error, size_t size)
{
    snprintf(error, size, "%s/%s: %s", dir, name, strerror(-fault));
    return fault;
}

/* Puts a file, of the same owner as the folder, in another's place, synced. */
static int replace(const char *dir, int folder, const char *name, mode_t mode, const char *text,
                   char *error, size_t size)
{
    char path[PATH_MAX + 64], draft[sizeof path + 8];
    const size_t length = strlen(text);
    struct stat owner;
    int r = 0;

    snprintf(path, sizeof path, "%s/%s", dir, name);
    snprintf(draft, sizeof draft, "%s.XXXXXX", path);
    const int file = mkostemp(draft, O_CLOEXEC); /* mode 0600 */
    if (file < 0) {
        return fail(-errno, dir, name, error, size);
    }
    if (stat(path, &owner) != 0 || fchown(file, owner.st_uid, owner.st_gid) != 0 ||
        fchmod(file, mode) != 0 || write(file, text, length) != (ssize_t)length ||
        fsync(file) != 0 || rename(draft, path) != 0 || fsync(folder) != 0) {
        r = fail(errno != 0 ? -errno : -EIO, dir, name, error, size);
        unlink(draft);
    }
    close(file);
    return r;
}

static int write_keyring(const char *dir, int folder, const struct ates_public_key *keys,
                         size_t count, char *error, size_t size)
{
    char text[TEXT_SIZE], public_key[64];
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        sodium_bin2base64(public_key, sizeof public_key, keys[i].bytes, sizeof keys[i].bytes,
                          BASE64);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s %s %s\n", keys[i].kid,
                                 ates_key_kinds[keys[i].purpose].word, public_key);
    }
    return replace(dir, folder, KEYRING, 0644, text, error, size);
}

/* Opens the folder, which only one works on at a time, and reads the keyring. */
static int begin(const char *dir, int *folder, struct ates_public_key keys[ATES_KEYS_MAX],
                 size_t *count, char *error, size_t size)
{
    *folder = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*folder < 0 || flock(*folder, LOCK_EX) != 0) {
        return fail(-errno, dir, "", error, size);
    }
    return ates_keys_load_public(dir, keys, count, error, size);
}

int ates_keys_rotate(const char *dir, enum ates_key_purpose purpose, char *error, size_t size)
{
    struct ates_public_key keys[ATES_KEYS_MAX];
    uint8_t secret[crypto_sign_SECRETKEYBYTES];
    char text[160] = "k4.secret.";
    size_t count;
    int folder;
    int r = begin(dir, &folder, keys, &count, error, size);

    if (r == 0 && count == ATES_KEYS_MAX) {
        r = fail(-ENOSPC, dir, KEYRING, error, size);
    }
    if (r == 0) {
        struct ates_public_key *key = &keys[count];

        crypto_sign_keypair(key->bytes, secret);
        key->purpose = purpose;
        ates_key_id(key->bytes, key->kid);
        r = write_keyring(dir, folder, keys, count + 1, error, size);
    }
    if (r == 0) {
        sodium_bin2base64(text + strlen(text), sizeof text - strlen(text) - 1, secret,
                          sizeof secret, BASE64);
        strcat(text, "\n");
        r = replace(dir, folder, ates_key_kinds[purpose].file, 0600, text, error, size);
    }
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(text, sizeof text);
    if (folder >= 0) {
        close(folder);
    }
    return r;
}

int ates_keys_finish(const char *dir, enum ates_key_purpose purpose, int64_t now_ms,
                     int64_t life_ms, size_t *removed, int64_t *wait_ms, char *error, size_t size)
{
    struct ates_public_key keys[ATES_KEYS_MAX];
    struct ates_secret_key current;
    char path[PATH_MAX + 64];
    struct stat status;
    size_t count = 0, kept = 0;
    int folder;
    int r = begin(dir, &folder, keys, &count, error, size);

    if (r == 0) {
        r = ates_keys_load_secret(dir, purpose, &current, error, size);
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        if (keys[i].purpose != purpose || strcmp(keys[i].kid, current.kid) == 0) {
            keys[kept++] = keys[i];
        }
    }
    sodium_memzero(&current, sizeof current);
    snprintf(path, sizeof path, "%s/%s", dir, ates_key_kinds[purpose].file);
    if (r == 0 && kept < count) {
        r = stat(path, &status) == 0 ? 0
                                     : fail(-errno, dir, ates_key_kinds[purpose].file, error, size);
        const int64_t until_ms = r == 0 ? (int64_t)status.st_mtime * 1000 + life_ms + SKEW_MS : 0;
        if (r == 0 && now_ms < until_ms) {
            *wait_ms = until_ms - now_ms;
            r = fail(-EBUSY, dir, KEYRING, error, size);
        }
    }
    if (r == 0 && kept < count) {
        r = write_keyring(dir, folder, keys, kept, error, size);
    }
    if (r == 0) {
        *removed = count - kept;
    }
    if (folder >= 0) {
        close(folder);
    }
    return r;
}

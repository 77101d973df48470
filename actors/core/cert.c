/* CURVE key files; see cert.h. Invariant: a file is there whole or not at all; no secret passes
 * through one that others may read. */
#include "core/cert.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <czmq.h>
#include <sodium.h>

#include "core/file.h"

#define FILE_MAX 4096u
#define KEY_BYTES 32u

static int fail(int fault, const char *path, const char *why, char *error, size_t size)
{
    snprintf(error, size, "%s: %s", path, why != NULL ? why : strerror(-fault));
    return fault;
}

bool ates_cert_is_name(const char *name)
{
    const size_t size = strlen(name);

    return size > 0 && size <= ATES_CERT_NAME_MAX && name[0] != '.' &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") ==
               size;
}

int ates_cert_draw(struct ates_cert *cert)
{
    return zmq_curve_keypair(cert->public_key, cert->secret_key) == 0 ? 0 : -errno;
}

void ates_cert_wipe(struct ates_cert *cert)
{
    sodium_memzero(cert->secret_key, sizeof cert->secret_key);
}

static bool is_key(const char *text)
{
    uint8_t bytes[KEY_BYTES];

    return text != NULL && strlen(text) == ATES_CURVE_KEY_SIZE - 1 &&
           zmq_z85_decode(bytes, text) != NULL;
}

static bool belong_together(const struct ates_cert *cert)
{
    char derived[ATES_CURVE_KEY_SIZE];

    return zmq_curve_public(derived, cert->secret_key) == 0 &&
           strcmp(derived, cert->public_key) == 0;
}

/* Reads a small regular file whose mode has none of the forbidden bits, as text. */
static int read_text(const char *path, mode_t forbidden, char text[FILE_MAX + 1], char *error,
                     size_t size)
{
    struct stat status;
    const int file = ates_file_open(path, error, size);
    int r = 0;

    if (file < 0) {
        return file;
    }
    const ssize_t got = read(file, text, FILE_MAX + 1);
    if (fstat(file, &status) != 0 || got < 0) {
        r = fail(-errno, path, NULL, error, size);
    } else if ((status.st_mode & forbidden) != 0) {
        r = fail(-EPERM, path, "its mode opens it to others; try: chmod go= FILE", error, size);
    } else if (got > (ssize_t)FILE_MAX || memchr(text, '\0', (size_t)got) != NULL) {
        r = fail(-EINVAL, path, "not a CURVE certificate", error, size);
    } else {
        text[got] = '\0';
    }
    close(file);
    return r;
}

static int load(const char *path, mode_t forbidden, struct ates_cert *cert, char *error,
                size_t size)
{
    char text[FILE_MAX + 1];
    int r = read_text(path, forbidden, text, error, size);

    if (r != 0) {
        return r;
    }
    zconfig_t *root = zconfig_str_load(text);
    const char *public_key = root != NULL ? zconfig_get(root, "/curve/public-key", NULL) : NULL;
    const char *secret_key = root != NULL ? zconfig_get(root, "/curve/secret-key", NULL) : NULL;
    if (!is_key(public_key)) {
        r = fail(-EINVAL, path, "not a CURVE certificate", error, size);
    } else {
        *cert = (struct ates_cert){.secret_key = ""};
        strcpy(cert->public_key, public_key);
        if (is_key(secret_key)) {
            strcpy(cert->secret_key, secret_key);
        }
    }
    zconfig_destroy(&root);
    sodium_memzero(text, sizeof text);
    return r;
}

int ates_cert_load_public(const char *path, struct ates_cert *cert, char *error, size_t size)
{
    const int r = load(path, 022, cert, error, size);

    ates_cert_wipe(cert);
    return r;
}

int ates_cert_load_secret(const char *path, bool is_given, struct ates_cert *cert, char *error,
                          size_t size)
{
    struct ates_cert loaded = {.secret_key = ""};
    int r = load(path, is_given ? 037 : 077, &loaded, error, size);

    if (r == 0 && !belong_together(&loaded)) {
        r = fail(-EINVAL, path, "holds no secret key that belongs to its public one", error, size);
    }
    if (r == 0) {
        *cert = loaded;
    }
    ates_cert_wipe(&loaded);
    return r;
}

/* Quotes hold every character of Z85. */
static size_t write_text(char text[FILE_MAX], const char *name, const struct ates_cert *cert,
                         bool with_secret)
{
    int size = snprintf(text, FILE_MAX,
                        "#   ZeroMQ CURVE %s certificate%s\n"
                        "metadata\n"
                        "    name = \"%s\"\n"
                        "curve\n"
                        "    public-key = \"%s\"\n",
                        with_secret ? "**secret**" : "public",
                        with_secret ? ": for its owner's eyes only" : ": made to be given away",
                        name, cert->public_key);

    if (with_secret) {
        size += snprintf(text + size, FILE_MAX - (size_t)size, "    secret-key = \"%s\"\n",
                         cert->secret_key);
    }
    return (size_t)size;
}

static int sync_folder_of(const char *path)
{
    char folder[PATH_MAX];
    int r = 0;

    snprintf(folder, sizeof folder, "%s", path);
    char *slash = strrchr(folder, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    const int file = open(slash == NULL     ? "."
                          : slash == folder ? "/"
                                            : folder,
                          O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0 || fsync(file) != 0) {
        r = -errno;
    }
    if (file >= 0) {
        close(file);
    }
    return r;
}

int ates_cert_save(const char *path, const char *name, const struct ates_cert *cert,
                   bool with_secret, char *error, size_t size)
{
    const mode_t mode = with_secret ? 0600 : 0644;
    char text[FILE_MAX], draft[PATH_MAX];
    int r = 0;

    if (snprintf(draft, sizeof draft, "%s.XXXXXX", path) >= (int)sizeof draft) {
        return fail(-ENAMETOOLONG, path, NULL, error, size);
    }
    const int file = mkostemp(draft, O_CLOEXEC); /* mode 0600 */
    if (file < 0) {
        return fail(-errno, path, NULL, error, size);
    }
    const size_t length = write_text(text, name, cert, with_secret);
    if (write(file, text, length) != (ssize_t)length || fchmod(file, mode) != 0 ||
        fsync(file) != 0 || link(draft, path) != 0) {
        r = errno != 0 ? -errno : -EIO;
    }
    close(file);
    unlink(draft);
    sodium_memzero(text, sizeof text);
    r = r == 0 ? sync_folder_of(path) : r;
    return r == 0 ? 0 : fail(r, path, NULL, error, size);
}

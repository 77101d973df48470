/* A backup's manifest; see manifest.h. */
#include "core/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/datadir.h"
#include "core/file.h"

#define NAME ATES_MANIFEST
#define DRAFT ATES_MANIFEST ".new"
#define TEXT_MAX ((size_t)1 << 20)
#define HEX_SIZE (2 * ATES_HASH_SIZE + 1)

static int fail(const char *folder, const char *name, int fault, const char *what, char *error,
                size_t error_size)
{
    snprintf(error, error_size, "%s/%s: %s", folder, name, what);
    return fault;
}

static void hex(const uint8_t hash[ATES_HASH_SIZE], char out[HEX_SIZE])
{
    sodium_bin2hex(out, HEX_SIZE, hash, ATES_HASH_SIZE);
}

static json_t *log_to_json(const struct ates_manifest_log *log)
{
    char hash[HEX_SIZE], digest[HEX_SIZE];

    hex(log->head.hash, hash);
    hex(log->digest, digest);
    return json_pack("{s:s, s:s, s:I, s:I, s:I, s:s, s:I, s:s}", "service", log->service, "log_id",
                     log->log_id, "number", (json_int_t)log->head.number, "seq",
                     (json_int_t)log->head.seq, "time", (json_int_t)log->head.time, "hash", hash,
                     "size", (json_int_t)log->size, "digest", digest);
}

static json_t *key_to_json(const struct ates_manifest_key *key)
{
    char digest[HEX_SIZE];

    hex(key->digest, digest);
    return json_pack("{s:s, s:I, s:s}", "name", key->name, "size", (json_int_t)key->size, "digest",
                     digest);
}

/* All but the digest. */
static json_t *to_json(const struct ates_manifest *self)
{
    json_t *logs = json_array(), *keys = json_array();

    for (size_t i = 0; i < self->log_count; i++) {
        json_array_append_new(logs, log_to_json(&self->logs[i]));
    }
    for (size_t i = 0; i < self->key_count; i++) {
        json_array_append_new(keys, key_to_json(&self->keys[i]));
    }
    return json_pack("{s:i, s:s, s:I, s:s, s:o, s:o}", "format", ATES_BACKUP_FORMAT, "program",
                     self->program, "taken_at", (json_int_t)self->taken_at, "time_zone",
                     self->time_zone, "logs", logs, "keys", keys);
}

/* To be freed; NULL: out of memory. */
static char *to_text(const json_t *object)
{
    char *dumped = json_dumps(object, JSON_INDENT(2));
    char *text = NULL;

    if (dumped != NULL && asprintf(&text, "%s\n", dumped) < 0) {
        text = NULL;
    }
    free(dumped);
    return text;
}

/* The whole text, its digest in it. */
static char *compose(const struct ates_manifest *self)
{
    uint8_t digest[ATES_HASH_SIZE];
    char digest_hex[HEX_SIZE], *text = NULL;
    json_t *object = to_json(self);
    char *bare = object != NULL ? to_text(object) : NULL;

    if (bare != NULL) {
        crypto_generichash(digest, sizeof digest, (const uint8_t *)bare, strlen(bare), NULL, 0);
        hex(digest, digest_hex);
        if (json_object_set_new(object, "digest", json_string(digest_hex)) == 0) {
            text = to_text(object);
        }
    }
    free(bare);
    json_decref(object);
    return text;
}

static int write_text(const char *path, const char *text)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *file = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (file == NULL) {
        const int fault = -errno;

        if (fd >= 0) {
            close(fd);
        }
        return fault;
    }
    int r = fputs(text, file) >= 0 && fflush(file) == 0 && fsync(fd) == 0 ? 0 : -errno;
    fclose(file);
    return r;
}

int ates_manifest_write(const struct ates_manifest *manifest, const char *folder, char *error,
                        size_t error_size)
{
    char draft[4200], path[4200];
    char *text = compose(manifest);

    if (text == NULL) {
        return fail(folder, NAME, -ENOMEM, strerror(ENOMEM), error, error_size);
    }
    snprintf(draft, sizeof draft, "%s/" DRAFT, folder);
    snprintf(path, sizeof path, "%s/" NAME, folder);
    int r = write_text(draft, text);
    free(text);
    if (r == 0) {
        r = ates_sync_folder(folder, error, error_size);
    }
    if (r == 0 && rename(draft, path) != 0) {
        r = -errno;
    }
    if (r != 0) {
        unlink(draft);
        return fail(folder, NAME, r, strerror(-r), error, error_size);
    }
    r = ates_sync_folder(folder, error, error_size);
    if (r != 0) {
        unlink(path); /* who cannot know that it lasts must not leave it */
    }
    return r;
}

static bool read_hash(const char *text, uint8_t out[ATES_HASH_SIZE])
{
    size_t size;

    return strlen(text) == 2 * ATES_HASH_SIZE &&
           sodium_hex2bin(out, ATES_HASH_SIZE, text, 2 * ATES_HASH_SIZE, NULL, &size, NULL) == 0 &&
           size == ATES_HASH_SIZE;
}

static bool read_string(const char *text, char *out, size_t size)
{
    return strlen(text) > 0 && (size_t)snprintf(out, size, "%s", text) < size;
}

/* A name becomes a part of paths. */
static bool read_name(const char *text, char *out, size_t size)
{
    return text[0] != '.' && strchr(text, '/') == NULL && read_string(text, out, size);
}

static bool read_log(json_t *object, struct ates_manifest_log *log)
{
    const char *service, *log_id, *hash, *digest;
    json_int_t number, seq, time, size;

    if (json_unpack(object, "{s:s, s:s, s:I, s:I, s:I, s:s, s:I, s:s !}", "service", &service,
                    "log_id", &log_id, "number", &number, "seq", &seq, "time", &time, "hash", &hash,
                    "size", &size, "digest", &digest) != 0) {
        return false;
    }
    log->head.number = (uint64_t)number;
    log->head.seq = (uint64_t)seq;
    log->head.time = time;
    log->size = (uint64_t)size;
    return number >= 0 && seq >= 0 && size >= 0 &&
           read_name(service, log->service, sizeof log->service) &&
           read_string(log_id, log->log_id, sizeof log->log_id) &&
           read_hash(hash, log->head.hash) && read_hash(digest, log->digest);
}

static bool read_key(json_t *object, struct ates_manifest_key *key)
{
    const char *name, *digest;
    json_int_t size;

    if (json_unpack(object, "{s:s, s:I, s:s !}", "name", &name, "size", &size, "digest", &digest) !=
        0) {
        return false;
    }
    key->size = (uint64_t)size;
    return size >= 0 && read_name(name, key->name, sizeof key->name) &&
           read_hash(digest, key->digest);
}

static bool from_json(json_t *object, struct ates_manifest *self)
{
    const char *program, *time_zone, *digest;
    json_t *logs, *keys;
    json_int_t taken_at;
    int format;

    if (json_unpack(object, "{s:i, s:s, s:I, s:s, s:o, s:o, s:s !}", "format", &format, "program",
                    &program, "taken_at", &taken_at, "time_zone", &time_zone, "logs", &logs, "keys",
                    &keys, "digest", &digest) != 0 ||
        json_array_size(logs) > ATES_DOMAINS_MAX ||
        json_array_size(keys) > ATES_MANIFEST_KEYS_MAX ||
        !read_string(program, self->program, sizeof self->program) ||
        !read_string(time_zone, self->time_zone, sizeof self->time_zone)) {
        return false;
    }
    self->taken_at = taken_at;
    for (size_t i = 0; i < json_array_size(logs); i++) {
        if (!read_log(json_array_get(logs, i), &self->logs[self->log_count++])) {
            return false;
        }
    }
    for (size_t i = 0; i < json_array_size(keys); i++) {
        if (!read_key(json_array_get(keys, i), &self->keys[self->key_count++])) {
            return false;
        }
    }
    return true;
}

/* The text is what its own values would be written as: digest, order and spaces included. */
static bool parse(const char *text, json_t *object, struct ates_manifest *manifest)
{
    if (!from_json(object, manifest)) {
        return false;
    }
    char *again = compose(manifest);
    const bool is_same = again != NULL && strcmp(again, text) == 0;
    free(again);
    return is_same;
}

static int read_text(const char *folder, const char *path, char *text, char *error,
                     size_t error_size)
{
    const int fd = ates_file_open(path, error, error_size);

    if (fd == -ENOENT || fd == -ENOTDIR) {
        const bool is_folder = access(folder, F_OK) == 0;

        snprintf(error, error_size,
                 is_folder ? "%s: no " NAME " in it: it is no backup, or one that was interrupted"
                           : "%s: there is no such folder",
                 folder);
        return -ENOENT;
    }
    FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
    if (file == NULL) {
        return fd < 0 ? fd : fail(folder, NAME, -ENOMEM, strerror(ENOMEM), error, error_size);
    }
    const size_t size = fread(text, 1, TEXT_MAX, file);
    int r = ferror(file) ? fail(folder, NAME, -EIO, strerror(EIO), error, error_size) : 0;
    fclose(file);
    text[size] = '\0';
    if (r == 0 && strlen(text) != size) {
        r = fail(folder, NAME, -EBADMSG, "is damaged", error, error_size);
    }
    return r;
}

int ates_manifest_read(struct ates_manifest *manifest, const char *folder, char *error,
                       size_t error_size)
{
    struct ates_manifest read = {.log_count = 0};
    char path[4200], *text = malloc(TEXT_MAX + 1);

    if (text == NULL) {
        return fail(folder, NAME, -ENOMEM, strerror(ENOMEM), error, error_size);
    }
    snprintf(path, sizeof path, "%s/" NAME, folder);
    int r = read_text(folder, path, text, error, error_size);
    json_t *object = r == 0 ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const json_t *format = json_object_get(object, "format");
    if (r == 0 && json_is_integer(format) && json_integer_value(format) > ATES_BACKUP_FORMAT) {
        snprintf(error, error_size,
                 "%s: a backup of format %lld; this program reads format %d: restore it with the "
                 "aTES that made it, or a later one",
                 path, (long long)json_integer_value(format), ATES_BACKUP_FORMAT);
        r = -EPROTONOSUPPORT;
    } else if (r == 0 && (object == NULL || !parse(text, object, &read))) {
        r = fail(folder, NAME, -EBADMSG, "is damaged", error, error_size);
    }
    json_decref(object);
    free(text);
    if (r == 0) {
        *manifest = read;
    }
    return r;
}

const struct ates_manifest_log *ates_manifest_log(const struct ates_manifest *manifest,
                                                  const char *service)
{
    for (size_t i = 0; i < manifest->log_count; i++) {
        if (strcmp(manifest->logs[i].service, service) == 0) {
            return &manifest->logs[i];
        }
    }
    return NULL;
}

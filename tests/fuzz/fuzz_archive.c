/* A backup's files: a log's copy and the manifest. The first byte of an input chooses which, and whether
 * frames, hashes and digest are put right here, so that what they guard is reached too. */
#include "fuzz.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/archive.h"
#include "core/manifest.h"

#define HEADING "aTES-LOG-COPY-1\n"

static struct ates_arena *arena;
static char error[8192];

static void check_part(const struct ates_archive_part *part)
{
    static struct ates_buffer again;
    union {
        struct ates_archive_about about;
        struct ates_archive_row row;
        struct ates_record record;
    } value;
    const struct ates_message *message =
        part->kind == ATES_ARCHIVE_ABOUT ? &ates_archive_about_message
        : part->kind == ATES_ARCHIVE_ROW ? &ates_archive_row_message
                                         : &ates_record_message;

    const int r = ates_stored_decode(message, part->bytes.data, part->bytes.size, arena, &value);
    fuzz_require(r == 0 || r == -EBADMSG);
    if (r == 0) {
        again.size = 0;
        ates_stored_encode(message, &value, &again);
        fuzz_require(again.size <= part->bytes.size);
        fuzz_require(ates_stored_decode(message, again.data, again.size, arena, &value) == 0);
    }
}

static void run_archive(struct ates_bytes bytes)
{
    struct ates_archive_reader reader;
    struct ates_archive_part part;
    uint8_t digest[ATES_HASH_SIZE], expected[ATES_HASH_SIZE];
    uint64_t end = strlen(HEADING);

    const char *path = fuzz_file(bytes);
    int r = ates_archive_open(&reader, path, error, sizeof error);
    while (r == 0) {
        r = ates_archive_next(&reader, &part, error, sizeof error);
        if (r == 0) {
            fuzz_require(part.offset == end);
            end += 5 + part.bytes.size;
            fuzz_require(end <= bytes.size);
            check_part(&part);
        }
    }
    if (r == ATES_NOT_FOUND) {
        fuzz_require(end == bytes.size);
        ates_archive_digest(&reader, digest);
        crypto_generichash(expected, sizeof expected, bytes.data, bytes.size, NULL, 0);
        fuzz_require(memcmp(digest, expected, sizeof digest) == 0);
    } else {
        fuzz_require(r == -EBADMSG);
        fuzz_require(strncmp(error, path, strlen(path)) == 0 && strstr(error, "byte ") != NULL);
    }
    ates_archive_close(&reader);
}

/* Each part of the input (kind, size, bytes) framed and hashed. */
static void run_parts(struct fuzz_input *input)
{
    static const uint8_t kinds[] = {ATES_ARCHIVE_ABOUT, ATES_ARCHIVE_ROW, ATES_ARCHIVE_RECORD};
    static const uint8_t hash_key[crypto_shorthash_KEYBYTES];
    static struct ates_buffer file;

    file.size = 0;
    ates_buffer_append(&file, HEADING, strlen(HEADING));
    while (input->left > 0) {
        const uint8_t kind = kinds[fuzz_byte(input) % sizeof kinds];
        const struct ates_bytes part = fuzz_part(input);
        const uint32_t size = (uint32_t)(part.size + crypto_shorthash_BYTES);
        const uint8_t frame[] = {kind, (uint8_t)(size >> 24), (uint8_t)(size >> 16),
                                 (uint8_t)(size >> 8), (uint8_t)size};
        uint8_t hash[crypto_shorthash_BYTES];

        crypto_shorthash(hash, part.data, part.size, hash_key);
        ates_buffer_append(&file, frame, sizeof frame);
        ates_buffer_append(&file, part.data, part.size);
        ates_buffer_append(&file, hash, sizeof hash);
    }
    run_archive((struct ates_bytes){file.data, file.size});
}

static size_t read_back(const char *path, char *out, size_t capacity)
{
    FILE *file = fopen(path, "rb");
    fuzz_require(file != NULL);
    const size_t size = fread(out, 1, capacity, file);
    fclose(file);
    return size;
}

static void run_manifest(const void *text, size_t size)
{
    static char folder[128], path[160];
    static int descriptor = -1;
    static char again[65536];
    struct ates_manifest manifest;

    if (descriptor < 0) {
        snprintf(folder, sizeof folder, "%s/backup", fuzz_folder());
        snprintf(path, sizeof path, "%s/manifest.json", folder);
        fuzz_require(mkdir(folder, 0700) == 0);
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    }
    fuzz_require(ftruncate(descriptor, 0) == 0);
    fuzz_require(pwrite(descriptor, text, size, 0) == (ssize_t)size);
    const int r = ates_manifest_read(&manifest, folder, error, sizeof error);
    if (r != 0) {
        fuzz_require(r == -EBADMSG || r == -EPROTONOSUPPORT);
        fuzz_require(fuzz_is_line(error) && strstr(error, "manifest.json") != NULL);
        return;
    }
    fuzz_require(manifest.log_count <= ATES_DOMAINS_MAX &&
                 manifest.key_count <= ATES_MANIFEST_KEYS_MAX);
    for (size_t i = 0; i < manifest.log_count; i++) { /* names become a part of paths */
        fuzz_require(strchr(manifest.logs[i].service, '/') == NULL &&
                     manifest.logs[i].service[0] != '.' && manifest.logs[i].service[0] != '\0');
        fuzz_require(ates_manifest_log(&manifest, manifest.logs[i].service) != NULL);
    }
    for (size_t i = 0; i < manifest.key_count; i++) {
        fuzz_require(strchr(manifest.keys[i].name, '/') == NULL &&
                     manifest.keys[i].name[0] != '.' && manifest.keys[i].name[0] != '\0');
    }
    close(descriptor);
    fuzz_require(ates_manifest_write(&manifest, folder, error, sizeof error) == 0);
    fuzz_require(read_back(path, again, sizeof again) == size && memcmp(again, text, size) == 0);
    descriptor = open(path, O_RDWR | O_CLOEXEC);
    fuzz_require(descriptor >= 0);
}

/* The object written as a manifest is, with its digest. */
static void run_object(struct fuzz_input *input)
{
    json_t *object = json_loadb((const char *)input->at, input->left, JSON_REJECT_DUPLICATES, NULL);
    uint8_t digest[ATES_HASH_SIZE];
    char hex[2 * ATES_HASH_SIZE + 1], *text = NULL;

    if (!json_is_object(object)) {
        json_decref(object);
        return;
    }
    json_object_del(object, "digest");
    char *bare = json_dumps(object, JSON_INDENT(2));
    fuzz_require(bare != NULL && asprintf(&text, "%s\n", bare) > 0);
    crypto_generichash(digest, sizeof digest, (const uint8_t *)text, strlen(text), NULL, 0);
    sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    json_object_set_new(object, "digest", json_string(hex));
    free(bare);
    free(text);
    bare = json_dumps(object, JSON_INDENT(2));
    fuzz_require(bare != NULL && asprintf(&text, "%s\n", bare) > 0);
    run_manifest(text, strlen(text));
    free(bare);
    free(text);
    json_decref(object);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};

    if (arena == NULL) {
        fuzz_require(sodium_init() >= 0);
        arena = ates_arena_new();
    }
    ates_arena_reset(arena);
    switch (fuzz_byte(&input) % 4) {
    case 0:
        run_archive((struct ates_bytes){input.at, input.left});
        break;
    case 1:
        run_parts(&input);
        break;
    case 2:
        run_manifest(input.at, input.left);
        break;
    default:
        run_object(&input);
    }
    return 0;
}

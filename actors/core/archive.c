/* One log's copy in a backup; see archive.h. */
#include "core/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ates/status.h>

#include "core/file.h"

#define HEADING "aTES-LOG-COPY-1\n"
#define HEADING_SIZE (sizeof HEADING - 1)
#define FRAME_SIZE 5u /* of a part: kind and size */
#define FILE_BUFFER ((size_t)1 << 20)

static const struct ates_field ates_archive_about_fields[] = {
    {ATES_FIELD(ates_archive_about, service), .type = ATES_TEXT, .max = 64},
    {ATES_FIELD(ates_archive_about, log_id), .type = ATES_TEXT, .max = ATES_UUID_SIZE - 1},
    {ATES_OPTIONAL(ates_archive_about, base), .type = ATES_STRUCT,
     .message = &ates_stored_base_message},
};
ATES_MESSAGE(ates_archive_about, "about");

static const struct ates_field ates_archive_row_fields[] = {
    {ATES_FIELD(ates_archive_row, table), .type = ATES_TEXT, .max = 64},
    {ATES_FIELD(ates_archive_row, key), .type = ATES_BYTES},
    {ATES_FIELD(ates_archive_row, value), .type = ATES_BYTES},
};
ATES_MESSAGE(ates_archive_row, "row");

static int fail(const char *path, int fault, char *error, size_t error_size)
{
    snprintf(error, error_size, "%s: %s", path, strerror(-fault));
    return fault;
}

static int put(struct ates_archive_writer *self, const void *data, size_t size, char *error,
               size_t error_size)
{
    if (fwrite(data, 1, size, self->file) != size) {
        return fail(self->path, errno != 0 ? -errno : -EIO, error, error_size);
    }
    crypto_generichash_update(&self->digest, data, size);
    self->size += size;
    return 0;
}

int ates_archive_create(struct ates_archive_writer *writer, const char *path, char *error,
                        size_t error_size)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    *writer = (struct ates_archive_writer){.file = NULL};
    if (fd < 0) {
        return fail(path, -errno, error, error_size);
    }
    snprintf(writer->path, sizeof writer->path, "%s", path);
    crypto_generichash_init(&writer->digest, NULL, 0, ATES_HASH_SIZE);
    writer->file = fdopen(fd, "wb");
    if (writer->file == NULL) {
        close(fd);
        return fail(path, -ENOMEM, error, error_size);
    }
    setvbuf(writer->file, NULL, _IOFBF, FILE_BUFFER);
    return put(writer, HEADING, HEADING_SIZE, error, error_size);
}

int ates_archive_write(struct ates_archive_writer *self, enum ates_archive_kind kind,
                       struct ates_bytes part, char *error, size_t error_size)
{
    const uint32_t size = (uint32_t)part.size;
    const uint8_t frame[FRAME_SIZE] = {(uint8_t)kind, (uint8_t)(size >> 24), (uint8_t)(size >> 16),
                                       (uint8_t)(size >> 8), (uint8_t)size};

    if (part.size > ATES_ARCHIVE_PART_MAX) {
        return fail(self->path, -EFBIG, error, error_size);
    }
    int r = put(self, frame, sizeof frame, error, error_size);
    return r == 0 ? put(self, part.data, part.size, error, error_size) : r;
}

int ates_archive_write_message(struct ates_archive_writer *self, enum ates_archive_kind kind,
                               const struct ates_message *message, const void *value, char *error,
                               size_t error_size)
{
    self->part.size = 0;
    ates_stored_encode(message, value, &self->part);
    const struct ates_bytes part = {self->part.data, self->part.size};
    return ates_archive_write(self, kind, part, error, error_size);
}

int ates_archive_finish(struct ates_archive_writer *self, uint8_t digest[ATES_HASH_SIZE],
                        char *error, size_t error_size)
{
    int r = 0;

    if (fflush(self->file) != 0 || fsync(fileno(self->file)) != 0) {
        r = fail(self->path, -errno, error, error_size);
    }
    crypto_generichash_final(&self->digest, digest, ATES_HASH_SIZE);
    ates_archive_abandon(self);
    return r;
}

void ates_archive_abandon(struct ates_archive_writer *self)
{
    if (self->file != NULL) {
        fclose(self->file);
        self->file = NULL;
    }
    ates_buffer_release(&self->part);
}

static int damaged(const struct ates_archive_reader *self, const char *what, char *error,
                   size_t error_size)
{
    snprintf(error, error_size, "%s: byte %" PRIu64 ": %s", self->path, self->offset, what);
    return -EBADMSG;
}

/* size bytes are known to be there: a short read is the disk's. */
static int get(struct ates_archive_reader *self, void *out, size_t size, char *error,
               size_t error_size)
{
    errno = 0;
    if (fread(out, 1, size, self->file) != size) {
        return fail(self->path, errno != 0 ? -errno : -EIO, error, error_size);
    }
    crypto_generichash_update(&self->digest, out, size);
    self->offset += size;
    return 0;
}

int ates_archive_open(struct ates_archive_reader *reader, const char *path, char *error,
                      size_t error_size)
{
    char heading[HEADING_SIZE];
    struct stat status;

    *reader = (struct ates_archive_reader){.file = NULL};
    const int fd = ates_file_open(path, error, error_size);
    if (fd < 0) {
        return fd;
    }
    reader->file = fdopen(fd, "rb");
    if (reader->file == NULL) {
        close(fd);
        return fail(path, -ENOMEM, error, error_size);
    }
    if (fstat(fd, &status) != 0) {
        return fail(path, -errno, error, error_size);
    }
    snprintf(reader->path, sizeof reader->path, "%s", path);
    setvbuf(reader->file, NULL, _IOFBF, FILE_BUFFER);
    crypto_generichash_init(&reader->digest, NULL, 0, ATES_HASH_SIZE);
    reader->size = (uint64_t)status.st_size;
    if (reader->size < sizeof heading) {
        return damaged(reader, "too short for a log's copy", error, error_size);
    }
    int r = get(reader, heading, sizeof heading, error, error_size);
    if (r == 0 && memcmp(heading, HEADING, sizeof heading) != 0) {
        reader->offset = 0;
        r = damaged(reader, "not the heading of a log's copy", error, error_size);
    }
    return r;
}

static int reserve(struct ates_archive_reader *self, size_t size)
{
    if (size > self->capacity) {
        uint8_t *part = realloc(self->part, size * 2);

        if (part == NULL) {
            return -ENOMEM;
        }
        self->part = part;
        self->capacity = size * 2;
    }
    return 0;
}

int ates_archive_next(struct ates_archive_reader *self, struct ates_archive_part *part, char *error,
                      size_t error_size)
{
    const uint64_t begin = self->offset;
    uint8_t frame[FRAME_SIZE];

    if (self->offset == self->size) {
        return ATES_NOT_FOUND;
    }
    if (self->size - self->offset < sizeof frame) {
        return damaged(self, "the file ends within a part", error, error_size);
    }
    int r = get(self, frame, sizeof frame, error, error_size);
    if (r != 0) {
        return r;
    }
    const uint64_t size =
        (uint64_t)frame[1] << 24 | (uint64_t)frame[2] << 16 | (uint64_t)frame[3] << 8 | frame[4];
    if (frame[0] != ATES_ARCHIVE_ABOUT && frame[0] != ATES_ARCHIVE_ROW &&
        frame[0] != ATES_ARCHIVE_RECORD) {
        self->offset = begin;
        return damaged(self, "a part of no known kind", error, error_size);
    }
    if (size > ATES_ARCHIVE_PART_MAX || size > self->size - self->offset) {
        self->offset = begin;
        return damaged(self, "a part that is longer than the file", error, error_size);
    }
    r = reserve(self, (size_t)size);
    if (r != 0) {
        return fail(self->path, r, error, error_size);
    }
    r = get(self, self->part, (size_t)size, error, error_size);
    if (r == 0) {
        *part = (struct ates_archive_part){
            (enum ates_archive_kind)frame[0], {self->part, (size_t)size}, begin};
    }
    return r;
}

void ates_archive_digest(const struct ates_archive_reader *reader, uint8_t digest[ATES_HASH_SIZE])
{
    crypto_generichash_state state = reader->digest;

    crypto_generichash_final(&state, digest, ATES_HASH_SIZE);
}

void ates_archive_close(struct ates_archive_reader *self)
{
    if (self->file != NULL) {
        fclose(self->file);
        self->file = NULL;
    }
    free(self->part);
    self->part = NULL;
}

/* A log's copy is read as it was written, and every changed byte of it is found by someone: by the
 * frames, or by the digest. */
#include "core/archive.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "support/temp_folder.h"

static char folder[TEMP_FOLDER_SIZE], path[96], error[512];
static uint8_t digest[ATES_HASH_SIZE];

static void setup(void)
{
    cr_assert_geq(sodium_init(), 0);
    temp_folder_make(folder);
    snprintf(path, sizeof path, "%s/toy.log", folder);
}

static void teardown(void)
{
    temp_folder_remove(folder);
}

TestSuite(archive, .init = setup, .fini = teardown);

static const char *const parts[] = {"", "one", "a longer part"};
#define PARTS (sizeof parts / sizeof parts[0])

static uint64_t write_parts(void)
{
    struct ates_archive_writer writer;

    cr_assert_eq(ates_archive_create(&writer, path, error, sizeof error), 0, "%s", error);
    for (size_t i = 0; i < PARTS; i++) {
        const struct ates_bytes part = {(const uint8_t *)parts[i], strlen(parts[i])};

        cr_assert_eq(ates_archive_write(&writer, i == 1 ? ATES_ARCHIVE_ROW : ATES_ARCHIVE_RECORD,
                                        part, error, sizeof error),
                     0);
    }
    const uint64_t size = writer.size;
    cr_assert_eq(ates_archive_finish(&writer, digest, error, sizeof error), 0);
    return size;
}

/* How many parts are read before the end or the first fault, which is returned. */
static int read_parts(size_t *count, uint8_t out[ATES_HASH_SIZE])
{
    struct ates_archive_reader reader;
    struct ates_archive_part part;
    int r = ates_archive_open(&reader, path, error, sizeof error);

    *count = 0;
    while (r == 0 && (r = ates_archive_next(&reader, &part, error, sizeof error)) == 0) {
        ++*count;
    }
    ates_archive_digest(&reader, out);
    ates_archive_close(&reader);
    return r;
}

Test(archive, is_read_as_it_was_written)
{
    struct ates_archive_reader reader;
    struct ates_archive_part part;
    uint8_t read[ATES_HASH_SIZE];
    struct stat status;
    const uint64_t size = write_parts();

    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq((uint64_t)status.st_size, size);
    cr_expect_eq(status.st_mode & 0777, 0600);
    cr_assert_eq(ates_archive_open(&reader, path, error, sizeof error), 0, "%s", error);
    for (size_t i = 0; i < PARTS; i++) {
        cr_assert_eq(ates_archive_next(&reader, &part, error, sizeof error), 0, "%s", error);
        cr_expect_eq(part.kind, i == 1 ? ATES_ARCHIVE_ROW : ATES_ARCHIVE_RECORD);
        cr_assert_eq(part.bytes.size, strlen(parts[i]));
        cr_expect(part.bytes.size == 0 || memcmp(part.bytes.data, parts[i], part.bytes.size) == 0);
    }
    cr_expect_eq(ates_archive_next(&reader, &part, error, sizeof error), ATES_NOT_FOUND);
    ates_archive_digest(&reader, read);
    cr_expect_arr_eq(read, digest, sizeof read);
    ates_archive_close(&reader);
}

Test(archive, a_changed_byte_changes_the_digest_or_stops_the_reading)
{
    const uint64_t size = write_parts();

    for (uint64_t i = 0; i < size; i++) {
        FILE *file = fopen(path, "r+");
        uint8_t byte, read[ATES_HASH_SIZE];
        size_t count;

        cr_assert(fseek(file, (long)i, SEEK_SET) == 0 && fread(&byte, 1, 1, file) == 1);
        byte ^= 0x10;
        cr_assert(fseek(file, (long)i, SEEK_SET) == 0 && fwrite(&byte, 1, 1, file) == 1);
        cr_assert_eq(fclose(file), 0);
        const int r = read_parts(&count, read);
        cr_expect(r == -EBADMSG || memcmp(read, digest, sizeof read) != 0, "byte %lu",
                  (unsigned long)i);
        cr_assert_eq(unlink(path), 0);
        write_parts();
    }
}

Test(archive, a_file_cut_short_names_the_byte)
{
    const uint64_t size = write_parts();
    uint8_t read[ATES_HASH_SIZE];
    size_t count;

    cr_assert_eq(truncate(path, (off_t)size - 1), 0);
    cr_expect_eq(read_parts(&count, read), -EBADMSG);
    cr_expect_eq(count, PARTS - 1);
    cr_expect_not_null(strstr(error, "longer than the file"), "%s", error);
    cr_assert_eq(truncate(path, (off_t)(size - strlen(parts[2]) - 2)), 0);
    cr_expect_eq(read_parts(&count, read), -EBADMSG);
    cr_expect_not_null(strstr(error, "ends within a part"), "%s", error);
    cr_assert_eq(truncate(path, 3), 0);
    cr_expect_eq(read_parts(&count, read), -EBADMSG);
}

Test(archive, a_fifo_in_its_place_is_refused_not_waited_for)
{
    struct ates_archive_reader reader;

    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_expect_eq(ates_archive_open(&reader, path, error, sizeof error), -EINVAL);
    cr_expect_not_null(strstr(error, path));
    ates_archive_close(&reader);
}

Test(archive, replaces_no_file)
{
    struct ates_archive_writer writer;

    write_parts();
    cr_expect_eq(ates_archive_create(&writer, path, error, sizeof error), -EEXIST);
    cr_expect_not_null(strstr(error, path));
    ates_archive_abandon(&writer);
}

Test(archive, a_full_disk_is_told)
{
    static uint8_t much[1 << 20];
    struct ates_archive_writer writer = {.file = fopen("/dev/full", "wb")};
    const struct ates_bytes part = {much, sizeof much};

    crypto_generichash_init(&writer.digest, NULL, 0, ATES_HASH_SIZE);
    strcpy(writer.path, "/dev/full");
    int r = ates_archive_write(&writer, ATES_ARCHIVE_RECORD, part, error, sizeof error);
    cr_expect_eq(r == 0 ? ates_archive_finish(&writer, digest, error, sizeof error) : r, -ENOSPC);
    cr_expect_not_null(strstr(error, "No space left"), "%s", error);
    ates_archive_abandon(&writer);
}

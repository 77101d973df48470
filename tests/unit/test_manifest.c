/* A manifest is read as it was written; any other byte in it is damage. */
#include "core/manifest.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "support/temp_folder.h"

static char folder[TEMP_FOLDER_SIZE], path[96], error[512];

static const struct ates_manifest sample = {
    .program = "0.1.0",
    .taken_at = INT64_C(1700000000123),
    .time_zone = "Europe/Moscow",
    .log_count = 2,
    .logs = {{"tasks",
              "018bcfe5-6800-7000-8000-000000000001",
              {7, 9, 1700000000000, {1, 2}},
              4711,
              {3}},
             {"auth", "018bcfe5-6800-7000-8000-000000000002", {0, 0, 0, {0}}, 80, {4}}},
    .key_count = 1,
    .keys = {{"auth.key", 97, {5}}},
};

static void setup(void)
{
    cr_assert_geq(sodium_init(), 0);
    temp_folder_make(folder);
    snprintf(path, sizeof path, "%s/manifest.json", folder);
}

static void teardown(void)
{
    temp_folder_remove(folder);
}

TestSuite(manifest, .init = setup, .fini = teardown);

static int read_it(struct ates_manifest *manifest)
{
    return ates_manifest_read(manifest, folder, error, sizeof error);
}

static char *text(size_t *size)
{
    FILE *file = fopen(path, "r");
    char *bytes = calloc(1, 65536);

    cr_assert_not_null(file);
    *size = fread(bytes, 1, 65535, file);
    fclose(file);
    return bytes;
}

static void put_text(const char *bytes, size_t size)
{
    FILE *file = fopen(path, "w");

    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

Test(manifest, is_read_as_it_was_written)
{
    struct ates_manifest read;
    struct stat status;

    cr_assert_eq(ates_manifest_write(&sample, folder, error, sizeof error), 0, "%s", error);
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_mode & 0777, 0600);
    cr_assert_eq(read_it(&read), 0, "%s", error);
    cr_expect_eq(read.taken_at, sample.taken_at);
    cr_expect_str_eq(read.time_zone, sample.time_zone);
    cr_assert_eq(read.log_count, 2);
    cr_expect(ates_log_head_equal(&read.logs[0].head, &sample.logs[0].head));
    cr_expect_eq(read.logs[0].size, 4711);
    cr_expect_arr_eq(read.logs[0].digest, sample.logs[0].digest, ATES_HASH_SIZE);
    cr_expect_str_eq(read.logs[1].log_id, sample.logs[1].log_id);
    cr_assert_eq(read.key_count, 1);
    cr_expect_str_eq(read.keys[0].name, "auth.key");
    cr_expect_eq(ates_manifest_log(&read, "auth"), &read.logs[1]);
    cr_expect_null(ates_manifest_log(&read, "payment"));
}

Test(manifest, every_changed_byte_is_found)
{
    struct ates_manifest read;
    size_t size;

    cr_assert_eq(ates_manifest_write(&sample, folder, error, sizeof error), 0);
    char *bytes = text(&size);
    for (size_t i = 0; i < size; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            bytes[i] ^= (char)(1u << bit);
            put_text(bytes, size);
            const int r = read_it(&read);
            cr_assert(r == -EBADMSG || r == -EPROTONOSUPPORT, "byte %zu, bit %u: %d", i, bit, r);
            cr_assert_not_null(strstr(error, "manifest.json"));
            bytes[i] ^= (char)(1u << bit);
        }
    }
    put_text(bytes, size);
    cr_expect_eq(read_it(&read), 0);
    free(bytes);
}

Test(manifest, one_cut_short_or_with_more_behind_it_is_damaged)
{
    struct ates_manifest read;
    size_t size;

    cr_assert_eq(ates_manifest_write(&sample, folder, error, sizeof error), 0);
    char *bytes = text(&size);
    for (size_t cut = 0; cut < size; cut++) {
        put_text(bytes, cut);
        cr_assert_eq(read_it(&read), -EBADMSG, "%zu", cut);
    }
    bytes[size] = '\n';
    put_text(bytes, size + 1);
    cr_expect_eq(read_it(&read), -EBADMSG);
    free(bytes);
}

Test(manifest, without_one_the_backup_was_interrupted)
{
    struct ates_manifest read;

    cr_expect_eq(read_it(&read), -ENOENT);
    cr_expect_not_null(strstr(error, "interrupted"), "%s", error);
    cr_expect_eq(ates_manifest_read(&read, "/nowhere/at/all", error, sizeof error), -ENOENT);
    cr_expect_not_null(strstr(error, "no such folder"), "%s", error);
}

Test(manifest, a_fifo_or_a_folder_in_its_place_is_refused)
{
    struct ates_manifest read;

    cr_assert_eq(mkfifo(path, 0600), 0);
    cr_expect_eq(read_it(&read), -EINVAL);
    cr_expect_not_null(strstr(error, path), "%s", error);
    cr_assert_eq(unlink(path), 0);
    cr_assert_eq(mkdir(path, 0700), 0);
    cr_expect_eq(read_it(&read), -EINVAL);
}

Test(manifest, a_newer_format_is_refused_with_what_to_do)
{
    static const char newer[] = "{\"format\": 2, \"what\": [\"nobody knows yet\"]}\n";
    struct ates_manifest read;

    put_text(newer, sizeof newer - 1);
    cr_expect_eq(read_it(&read), -EPROTONOSUPPORT);
    cr_expect_not_null(strstr(error, "format 2; this program reads format 1"), "%s", error);
}

Test(manifest, names_stay_within_the_folder)
{
    static const char *const names[] = {"../keys", "a/b", ".hidden", ""};
    struct ates_manifest read;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct ates_manifest bad = sample;

        snprintf(bad.keys[0].name, sizeof bad.keys[0].name, "%s", names[i]);
        cr_assert_eq(ates_manifest_write(&bad, folder, error, sizeof error), 0);
        cr_expect_eq(read_it(&read), -EBADMSG, "%s", names[i]);
        cr_assert_eq(unlink(path), 0);
    }
}

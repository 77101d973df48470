/* A flipped bit anywhere in a record of the log or a row of the state is found; one anywhere else in the
 * files either is found too, or has changed nothing that is read; and none ends the program that
 * looks. */
#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include <ates/tasks.h>

#include "core/check.h"
#include "core/rebuild.h"
#include "support/damage.h"
#include "tasks/tasks.h"

#define TASKS 400u
#define FLIPS 60u
#define FLIPS_LONG 5000u

static struct fixture fixture;
static uint8_t state_digest[ATES_HASH_SIZE], log_digest[ATES_HASH_SIZE];
static char error[1024];

/* The bytes of the files as they were, to be put back. */
static struct file {
    char path[160];
    uint8_t *bytes;
    size_t size;
} files[2];
static const char *const parts[] = {"log", "state"};

static void digest_log(uint8_t digest[ATES_HASH_SIZE])
{
    crypto_generichash_state hash;
    struct ates_log_reader reader;
    struct ates_stored_record stored;

    crypto_generichash_init(&hash, NULL, 0, ATES_HASH_SIZE);
    cr_assert_eq(ates_log_read_open(&reader, ates_engine_log(fixture.engine)), 0);
    while (ates_log_read_next(&reader, &stored) == 0) {
        crypto_generichash_update(&hash, stored.bytes.data, stored.bytes.size);
    }
    ates_log_read_close(&reader);
    crypto_generichash_final(&hash, digest, ATES_HASH_SIZE);
}

static void keep(struct file *file, const char *part)
{
    snprintf(file->path, sizeof file->path, "%s/tasks/%s/data.mdb", fixture.folder, part);
    FILE *stream = fopen(file->path, "rb");
    cr_assert_not_null(stream);
    cr_assert_eq(fseek(stream, 0, SEEK_END), 0);
    file->size = (size_t)ftell(stream);
    file->bytes = malloc(file->size);
    rewind(stream);
    cr_assert_eq(fread(file->bytes, 1, file->size, stream), file->size);
    fclose(stream);
}

static void put_back(const struct file *file)
{
    FILE *stream = fopen(file->path, "wb");

    cr_assert_not_null(stream);
    cr_assert_eq(fwrite(file->bytes, 1, file->size, stream), file->size);
    cr_assert_eq(fclose(stream), 0);
}

static void open_fixture(void)
{
    fixture_open(&fixture, &tasks_domain);
    fixture_register_user(&fixture, 1, ATES_DEVELOPER);
    for (unsigned i = 0; i < TASKS; i++) {
        char name[64];
        snprintf(name, sizeof name, "Feed parrot %u with %u seeds", i, i * 7);
        const struct tasks_create_task body = {.name = ates_text_from(name)};

        fixture_do(&fixture, fixture_caller(1, ATES_DEVELOPER), "create_task", &body, NULL);
    }
    fixture_state_digest(&fixture, state_digest);
    digest_log(log_digest);
    ates_engine_close(&fixture.engine);
    for (size_t i = 0; i < 2; i++) {
        keep(&files[i], parts[i]);
    }
}

static void close_fixture(void)
{
    for (size_t i = 0; i < 2; i++) {
        free(files[i].bytes);
    }
    fixture_close(&fixture);
}

TestSuite(check_flips, .init = open_fixture, .fini = close_fixture, .timeout = 3000);

static int check(void)
{
    struct ates_check_report report;

    return ates_check(&tasks_domain, &fixture.config, NULL, &report, error, sizeof error);
}

static unsigned flips(void)
{
    const char *given = getenv("ATES_LONG");

    return given != NULL && atoi(given) > 0 ? FLIPS_LONG : FLIPS;
}

static void flip(const struct file *file, uint64_t offset)
{
    FILE *stream = fopen(file->path, "r+b");
    const uint8_t byte = file->bytes[offset] ^ (uint8_t)(1u << fixture_draw(&fixture, 8));

    cr_assert(fseek(stream, (long)offset, SEEK_SET) == 0 && fwrite(&byte, 1, 1, stream) == 1);
    cr_assert_eq(fclose(stream), 0);
}

Test(check_flips, within_a_record_or_a_row_each_is_found)
{
    for (unsigned i = 0; i < flips(); i++) {
        const size_t part = i % 2;
        const uint64_t offset = damage_find_byte(&fixture, parts[part]);

        cr_assert_lt(offset, files[part].size);
        flip(&files[part], offset);
        cr_assert_eq(check(), -EBADMSG, "byte %" PRIu64 " of the %s's file", offset, parts[part]);
        put_back(&files[0]); /* a check may have written to the state */
        put_back(&files[1]);
    }
    cr_expect_eq(check(), 0, "%s", error);
}

Test(check_flips, anywhere_in_the_files_each_is_found_or_harmless)
{
    unsigned found = 0, harmless = 0;

    for (unsigned i = 0; i < flips(); i++) {
        const size_t part = i % 2;
        const uint64_t offset = fixture_draw(&fixture, files[part].size);
        uint8_t digest[ATES_HASH_SIZE];

        flip(&files[part], offset);
        const int r = check();
        cr_assert(r == 0 || r == -EBADMSG, "byte %" PRIu64 " of the %s's file: %d, %s", offset,
                  parts[part], r, error);
        found += r != 0;
        harmless += r == 0;
        if (r == 0) {
            fixture_reopen(&fixture);
            fixture_state_digest(&fixture, digest);
            cr_assert_arr_eq(digest, state_digest, sizeof digest, "byte %" PRIu64, offset);
            digest_log(digest);
            cr_assert_arr_eq(digest, log_digest, sizeof digest, "byte %" PRIu64, offset);
            ates_engine_close(&fixture.engine);
        }
        put_back(&files[0]);
        put_back(&files[1]);
    }
    printf("%u flips were found, %u had changed nothing that is read\n", found, harmless);
}

/* Whatever is wrong with the state's file, the log is enough. */
Test(check_flips, a_rebuild_mends_any_damage_to_the_state)
{
    static struct ates_rebuild_report report;

    for (unsigned i = 0; i < flips() / 3; i++) {
        flip(&files[1], fixture_draw(&fixture, files[1].size));
        cr_assert_eq(
            ates_rebuild(&tasks_domain, &fixture.config, NULL, &report, error, sizeof error), 0,
            "%s", error);
        cr_assert_eq(check(), 0, "%s", error);
        put_back(&files[0]);
        put_back(&files[1]);
    }
}

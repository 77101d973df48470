/* The log: append, reopen, and read from any event on. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/log.h"
#include "support/temp_folder.h"

#define MAP_SIZE ((size_t)64 << 20)

static char folder[TEMP_FOLDER_SIZE];
static struct ates_log *log_;
static struct ates_source source;

static int open_log(size_t map_size)
{
    char error[256] = "";
    const int r = ates_log_open(&log_, folder, map_size, &source, error, sizeof error);

    cr_assert(r == 0 || error[0] != '\0');
    return r;
}

static void setup(void)
{
    source = ates_source_system();
    temp_folder_make(folder);
    cr_assert_eq(open_log(MAP_SIZE), 0);
}

static void teardown(void)
{
    ates_log_close(&log_);
    cr_assert_null(log_);
    ates_log_close(&log_);
    temp_folder_remove(folder);
}

TestSuite(log, .init = setup, .fini = teardown);

/* Appends one record with this many events, each of size bytes. */
static int append(size_t events, size_t size)
{
    const struct ates_log_head before = *ates_log_head(log_);
    struct ates_log_head head = before;
    struct ates_bytes items[16];
    uint8_t *envelope = calloc(1, size);
    struct ates_buffer bytes = {0};

    cr_assert_leq(events, 16);
    for (size_t i = 0; i < events; i++) {
        items[i] = (struct ates_bytes){envelope, size};
    }
    head.number++;
    head.seq += events;
    head.time += 10;
    head.hash[0] = (uint8_t)head.seq;
    const struct ates_record record = {.number = head.number,
                                       .time = head.time,
                                       .first_seq = before.seq + 1,
                                       .head = {head.hash, sizeof head.hash},
                                       .events = {items, events}};
    ates_record_encode(&record, &bytes);
    const struct ates_stored_record stored = {
        record.number, record.first_seq, {bytes.data, bytes.size}};
    const int r = ates_log_append(log_, &before, &stored, 1, &head);
    ates_buffer_release(&bytes);
    free(envelope);
    return r;
}

/* The records: 1 {1 2}, 2 {}, 3 {}, 4 {3}, 5 {4 5 6}, 6 {}, 7 {7}, 8 {}. */
static void append_some(void)
{
    static const size_t events[] = {2, 0, 0, 1, 3, 0, 1, 0};

    for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) {
        cr_assert_eq(append(events[i], 10), 0);
    }
}

Test(log, a_new_one_is_empty_and_keeps_its_id)
{
    char id[ATES_UUID_SIZE];
    struct ates_log_reader reader;
    struct ates_stored_record record;

    strcpy(id, ates_log_id(log_));
    cr_assert_eq(strlen(id), 36);
    cr_assert(ates_log_head(log_)->number == 0 && ates_log_head(log_)->seq == 0);
    cr_assert_eq(ates_log_read_open(&reader, log_), 0);
    cr_assert_eq(ates_log_read_next(&reader, &record), ATES_NOT_FOUND);
    cr_assert_eq(ates_log_read_seek(&reader, 1), 0);
    cr_assert_eq(ates_log_read_next(&reader, &record), ATES_NOT_FOUND);
    ates_log_read_close(&reader);
    ates_log_read_close(&reader);
    ates_log_close(&log_);
    cr_assert_eq(open_log(MAP_SIZE), 0);
    cr_assert_str_eq(ates_log_id(log_), id);
}

Test(log, its_head_survives)
{
    append_some();
    const struct ates_log_head head = *ates_log_head(log_);
    cr_assert(head.number == 8 && head.seq == 7 && head.time == 80 && head.hash[0] == 7);
    ates_log_close(&log_);
    cr_assert_eq(open_log(MAP_SIZE), 0);
    const struct ates_log_head *again = ates_log_head(log_);
    cr_assert(again->number == 8 && again->seq == 7 && again->time == 80);
    cr_assert_arr_eq(again->hash, head.hash, sizeof head.hash);
    cr_assert_eq(append(1, 10), 0);
}

Test(log, seek_finds_the_record_of_an_event)
{
    static const uint64_t record_of[] = {0, 1, 1, 4, 5, 5, 5, 7};
    struct ates_log_reader reader;
    struct ates_stored_record record;

    append_some();
    cr_assert_eq(ates_log_read_open(&reader, log_), 0);
    for (uint64_t seq = 7; seq >= 1; seq--) {
        cr_assert_eq(ates_log_read_seek(&reader, seq), 0);
        cr_assert_eq(ates_log_read_next(&reader, &record), 0);
        cr_assert_eq(record.number, record_of[seq], "seq %d: %d", (int)seq, (int)record.number);
        for (uint64_t number = record.number + 1; number <= 8; number++) {
            cr_assert_eq(ates_log_read_next(&reader, &record), 0);
            cr_assert_eq(record.number, number);
        }
        cr_assert_eq(ates_log_read_next(&reader, &record), ATES_NOT_FOUND);
        cr_assert_eq(ates_log_read_next(&reader, &record), ATES_NOT_FOUND);
    }
    for (uint64_t seq = 8; seq < 12; seq++) {
        cr_assert_eq(ates_log_read_seek(&reader, seq), 0);
        cr_assert_eq(ates_log_read_next(&reader, &record), ATES_NOT_FOUND);
    }
    ates_log_read_close(&reader);
}

Test(log, seek_record_finds_it_or_the_next)
{
    struct ates_log_reader reader;
    struct ates_stored_record record;
    struct ates_arena *arena = ates_arena_new();
    struct ates_record decoded;

    append_some();
    cr_assert_eq(ates_log_read_open(&reader, log_), 0);
    cr_assert_eq(ates_log_read_next(&reader, &record), 0);
    cr_assert_eq(record.number, 1);
    cr_assert_eq(ates_log_read_seek_record(&reader, 3, 3), 0);
    cr_assert_eq(ates_log_read_next(&reader, &record), 0);
    cr_assert(record.number == 3 && record.first_seq == 3);
    cr_assert_eq(ates_record_decode(record.bytes.data, record.bytes.size, arena, &decoded), 0);
    cr_assert(decoded.number == 3 && decoded.events.count == 0);
    cr_assert_eq(ates_log_read_seek_record(&reader, 2, 9), 0);
    cr_assert_eq(ates_log_read_next(&reader, &record), 0);
    cr_assert_eq(record.number, 2);
    cr_assert_eq(ates_log_read_seek_record(&reader, 8, 9), 0);
    cr_assert_eq(ates_log_read_next(&reader, &record), ATES_NOT_FOUND);
    ates_log_read_close(&reader);
    ates_arena_free(&arena);
}

Test(log, a_writer_with_an_old_head_is_refused)
{
    struct ates_log_head old = *ates_log_head(log_), next = {.number = 2, .seq = 1};
    const struct ates_stored_record stored = {2, 1, {(const uint8_t *)"x", 1}};

    cr_assert_eq(append(1, 10), 0);
    cr_assert_eq(ates_log_append(log_, &old, &stored, 1, &next), -ESTALE);
    old = *ates_log_head(log_);
    old.seq++;
    cr_assert_eq(ates_log_append(log_, &old, &stored, 1, &next), -ESTALE);
    cr_assert(ates_log_head(log_)->number == 1 && ates_log_head(log_)->seq == 1);
}

/* Records only ever go to the end: a repeated place writes nothing. */
Test(log, a_record_in_a_place_that_is_taken_is_a_fault)
{
    const struct ates_stored_record stored[] = {{9, 8, {(const uint8_t *)"new", 3}},
                                                {4, 3, {(const uint8_t *)"old", 3}}};
    const struct ates_log_head next = {.number = 9, .seq = 8};
    struct ates_log_reader reader;
    struct ates_stored_record record;

    append_some();
    const struct ates_log_head head = *ates_log_head(log_);
    cr_assert_lt(ates_log_append(log_, &head, stored, 2, &next), 0);
    cr_assert_eq(ates_log_head(log_)->number, 8);
    cr_assert_eq(ates_log_read_open(&reader, log_), 0);
    cr_assert_eq(ates_log_read_seek_record(&reader, 8, 9), 0);
    cr_assert_eq(ates_log_read_next(&reader, &record), ATES_NOT_FOUND);
    ates_log_read_close(&reader);
}

Test(log, a_full_one_writes_nothing_and_goes_on)
{
    ates_log_close(&log_);
    cr_assert_eq(open_log(256 * 1024), 0);
    const unsigned empty = ates_log_used_permille(log_);
    while (append(1, 20000) == 0) {
    }
    const struct ates_log_head full = *ates_log_head(log_);
    cr_assert_eq(append(1, 20000), -ENOSPC);
    cr_assert_eq(append(10, 20000), -ENOSPC);
    cr_assert_eq(ates_log_head(log_)->number, full.number);
    cr_assert_gt(ates_log_used_permille(log_), empty);
    ates_log_close(&log_);
    cr_assert_eq(open_log(MAP_SIZE), 0);
    cr_assert_eq(ates_log_head(log_)->number, full.number);
    cr_assert_eq(append(10, 20000), 0);
}

/* Flips a bit of the place in the file where the text stands. */
static void damage(const char *text)
{
    char path[sizeof folder + 16];
    static uint8_t bytes[1 << 20];
    size_t hits = 0;

    snprintf(path, sizeof path, "%s/data.mdb", folder);
    const int file = open(path, O_RDWR);
    cr_assert_geq(file, 0);
    const ssize_t size = read(file, bytes, sizeof bytes);
    cr_assert(size > 0 && size < (ssize_t)sizeof bytes);
    for (ssize_t i = 0; i + (ssize_t)strlen(text) <= size; i++) {
        if (memcmp(bytes + i, text, strlen(text)) == 0) {
            const uint8_t flipped = bytes[i] ^ 1;
            cr_assert_eq(pwrite(file, &flipped, 1, i), 1);
            hits++;
        }
    }
    cr_assert_gt(hits, 0);
    close(file);
}

static void append_text(const char *text)
{
    const struct ates_log_head before = *ates_log_head(log_);
    struct ates_log_head head = before;
    struct ates_bytes event = {(const uint8_t *)text, strlen(text)};
    struct ates_buffer bytes = {0};

    head.number++;
    head.seq++;
    const struct ates_record record = {.number = head.number,
                                       .first_seq = head.seq,
                                       .head = {head.hash, sizeof head.hash},
                                       .events = {&event, 1}};
    ates_record_encode(&record, &bytes);
    const struct ates_stored_record stored = {
        record.number, record.first_seq, {bytes.data, bytes.size}};
    cr_assert_eq(ates_log_append(log_, &before, &stored, 1, &head), 0);
    ates_buffer_release(&bytes);
}

Test(log, a_flipped_bit_is_found)
{
    struct ates_log_reader reader;
    struct ates_stored_record stored;
    struct ates_record record;
    struct ates_arena *arena = ates_arena_new();

    append_text("some popug");
    append_text("another one");
    ates_log_close(&log_);
    damage("some popug");
    cr_assert_eq(open_log(MAP_SIZE), 0);
    cr_assert_eq(ates_log_read_open(&reader, log_), 0);
    cr_assert_eq(ates_log_read_next(&reader, &stored), 0);
    cr_assert_eq(ates_record_decode(stored.bytes.data, stored.bytes.size, arena, &record),
                 -EBADMSG);
    cr_assert_eq(ates_log_read_next(&reader, &stored), 0);
    cr_assert_eq(ates_record_decode(stored.bytes.data, stored.bytes.size, arena, &record), 0);
    ates_log_read_close(&reader);
    ates_log_close(&log_);
    damage("another one");
    cr_assert_eq(open_log(MAP_SIZE), -EUCLEAN);
    ates_arena_free(&arena);
}

static off_t file_size(void)
{
    char path[TEMP_FOLDER_SIZE + 16];
    struct stat status;

    snprintf(path, sizeof path, "%s/data.mdb", folder);
    cr_assert_eq(stat(path, &status), 0);
    return status.st_size;
}

/* Another process reads, and is killed meanwhile. */
static void die_reading(void)
{
    char error[256] = "";
    struct ates_log_reader reader;
    struct ates_log *log = NULL;
    int status;

    const pid_t child = fork();
    if (child == 0) {
        if (ates_log_open_read(&log, folder, error, sizeof error) == 0 &&
            ates_log_read_open(&reader, log) == 0) {
            kill(getpid(), SIGKILL);
        }
        _exit(1);
    }
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

Test(log, a_reader_that_was_killed_holds_no_pages_back_once_it_is_dropped)
{
    const unsigned commits = 300;

    cr_assert_eq(append(1, 100), 0);
    die_reading();
    const off_t before = file_size();
    for (unsigned i = 0; i < commits; i++) {
        cr_assert_eq(append(1, 100), 0);
    }
    const off_t held = file_size() - before;
    ates_log_drop_dead_readers(log_);
    for (unsigned i = 0; i < commits; i++) {
        cr_assert_eq(append(1, 100), 0);
    }
    cr_expect_gt(held, commits * 4096, "what is held back was to be seen");
    cr_expect_lt(file_size() - before - held, held / 10);
}

Test(log, belongs_to_one_service)
{
    char error[256] = "";

    cr_assert_eq(ates_log_claim(log_, "tasks", error, sizeof error), 0, "%s", error);
    append_text("some popug");
    ates_log_close(&log_);
    cr_assert_eq(open_log(MAP_SIZE), 0);
    cr_assert_eq(ates_log_claim(log_, "tasks", error, sizeof error), 0, "%s", error);
    cr_assert_eq(ates_log_claim(log_, "accounting", error, sizeof error), -EUCLEAN);
    cr_assert_not_null(strstr(error, "tasks's"), "%s", error);
    cr_assert_eq(ates_log_head(log_)->number, 1);
}

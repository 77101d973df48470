/* A log record comes back as it was stored, and a damaged one is known as such. */
#include <criterion/criterion.h>
#include <errno.h>
#include <sodium.h>
#include <string.h>

#include "core/record.h"
#include "support/sample.h"

static const uint8_t hash[ATES_HASH_SIZE] = {1, 2, 3};
static const uint8_t empty_map[] = {0x80};

static bool same(struct ates_bytes a, struct ates_bytes b)
{
    return a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

static struct ates_record full_record(struct ates_bytes *events,
                                      struct ates_private_event *privates)
{
    events[0] = (struct ates_bytes){(const uint8_t *)"first", 5};
    events[1] = (struct ates_bytes){(const uint8_t *)"second", 6};
    privates[0] = (struct ates_private_event){
        .name = ates_text_from("password_set"), .version = 2, .data = {empty_map, 1}};
    return (struct ates_record){
        .number = 7,
        .time = 1700000000000,
        .first_seq = 5,
        .head = {hash, sizeof hash},
        .has_user_id = true,
        .user_id = 9,
        .has_command = true,
        .command = ates_text_from("put"),
        .has_request_id = true,
        .request_id = ates_text_from("id-1"),
        .has_fingerprint = true,
        .fingerprint = {hash, ATES_FINGERPRINT_SIZE},
        .has_reply = true,
        .reply = {empty_map, 1},
        .has_job = true,
        .job = 3,
        .has_job_done = true,
        .job_done = 4,
        .has_followed = true,
        .followed = {.producer = ates_text_from("auth"),
                     .log_id = ates_text_from("018bcfe5-6800-7000-8000-000000000001"),
                     .seq = 12,
                     .hash = {hash, sizeof hash}},
        .events = {events, 2},
        .privates = {privates, 1},
        .has_dead = true,
        .dead = {.producer = ates_text_from("auth"),
                 .seq = 13,
                 .event_name = ates_text_from("user_changed"),
                 .reason = ates_text_from("NOT_FOUND"),
                 .message = ates_text_from("no such user"),
                 .envelope = {(const uint8_t *)"envelope", 8}},
    };
}

Test(record, comes_back_whole)
{
    struct ates_arena *arena = ates_arena_new();
    struct ates_bytes events[2];
    struct ates_private_event privates[1];
    const struct ates_record record = full_record(events, privates);
    struct ates_buffer stored = {0};
    struct ates_record got;

    ates_buffer_append(&stored, "before", 6);
    ates_record_encode(&record, &stored);
    cr_assert_eq(ates_record_decode(stored.data + 6, stored.size - 6, arena, &got), 0);
    cr_assert(got.number == 7 && got.time == record.time && got.first_seq == 5);
    cr_assert_eq(ates_record_last_seq(&got), 6);
    cr_assert(same(got.head, record.head) && same(got.fingerprint, record.fingerprint));
    cr_assert(got.user_id == 9 && got.job == 3 && got.job_done == 4 && got.has_reply);
    cr_assert(ates_text_equal(got.command, record.command));
    cr_assert(ates_text_equal(got.request_id, record.request_id));
    cr_assert(got.has_followed && got.followed.seq == 12);
    cr_assert(ates_text_equal(got.followed.log_id, record.followed.log_id));
    cr_assert(got.events.count == 2 && got.privates.count == 1);
    cr_assert(same(((struct ates_bytes *)got.events.items)[1], events[1]));
    const struct ates_private_event *private = got.privates.items;
    cr_assert(private->version == 2 && same(private->data, privates[0].data));
    cr_assert(got.has_dead && same(got.dead.envelope, record.dead.envelope));
    ates_buffer_release(&stored);
    ates_arena_free(&arena);
}

Test(record, an_empty_one_takes_no_seq)
{
    struct ates_arena *arena = ates_arena_new();
    const struct ates_record record = {
        .number = 1, .time = 5, .first_seq = 1, .head = {hash, sizeof hash}};
    struct ates_buffer stored = {0};
    struct ates_record got;

    ates_record_encode(&record, &stored);
    cr_assert_eq(ates_record_decode(stored.data, stored.size, arena, &got), 0);
    cr_assert_eq(ates_record_last_seq(&got), 0);
    cr_assert(!got.has_user_id && !got.has_reply && !got.has_followed && !got.has_dead);
    cr_assert(got.events.count == 0 && got.privates.count == 0);
    ates_buffer_release(&stored);
    ates_arena_free(&arena);
}

/* One command may do more than fits a frame: thousands of reassignments. */
Test(record, may_be_larger_than_a_frame)
{
    struct ates_arena *arena = ates_arena_new();
    static uint8_t envelope[500];
    static struct ates_bytes events[4000];
    struct ates_record record = {
        .number = 1, .time = 5, .first_seq = 1, .head = {hash, sizeof hash}};
    struct ates_buffer stored = {0};
    struct ates_record got;

    for (size_t i = 0; i < 4000; i++) {
        events[i] = (struct ates_bytes){envelope, sizeof envelope};
    }
    record.events = (struct ates_list){events, 4000};
    ates_record_encode(&record, &stored);
    cr_assert_gt(stored.size, 4 * ATES_FRAME_MAX);
    cr_assert_eq(ates_record_decode(stored.data, stored.size, arena, &got), 0);
    cr_assert_eq(ates_record_last_seq(&got), 4000);
    ates_buffer_release(&stored);
    ates_arena_free(&arena);
}

Test(record, every_flipped_bit_and_every_cut_is_found)
{
    struct ates_arena *arena = ates_arena_new();
    struct ates_bytes events[2];
    struct ates_private_event privates[1];
    const struct ates_record record = full_record(events, privates);
    struct ates_buffer stored = {0};
    struct ates_record got = {.number = 99};

    ates_record_encode(&record, &stored);
    for (size_t i = 0; i < 8 * stored.size; i++) {
        stored.data[i / 8] ^= (uint8_t)(1u << (i % 8));
        cr_assert_eq(ates_record_decode(stored.data, stored.size, arena, &got), -EBADMSG, "%zu", i);
        stored.data[i / 8] ^= (uint8_t)(1u << (i % 8));
        ates_arena_reset(arena);
    }
    for (size_t size = 0; size < stored.size; size++) {
        uint8_t *cut = malloc(size + 1); /* exact, for the sanitizer to see */
        memcpy(cut, stored.data, size);
        cr_assert_eq(ates_record_decode(cut, size, arena, &got), -EBADMSG);
        free(cut);
    }
    cr_assert_eq(got.number, 99);
    cr_assert_eq(ates_record_decode(stored.data, stored.size, arena, &got), 0);
    ates_buffer_release(&stored);
    ates_arena_free(&arena);
}

Test(record, a_right_check_does_not_make_a_record)
{
    struct ates_arena *arena = ates_arena_new();
    static const uint8_t key[crypto_shorthash_KEYBYTES];
    uint8_t stored[1 + crypto_shorthash_BYTES] = {0x80};
    struct ates_record got;

    crypto_shorthash(stored + 1, stored, 1, key);
    cr_assert_eq(ates_record_decode(stored, sizeof stored, arena, &got), -EBADMSG);
    ates_arena_free(&arena);
}

/* BLAKE2b-256 of "abc", as Python's hashlib.blake2b(digest_size=32) gives it. */
Test(record, envelopes_are_hashed_with_blake2b_256)
{
    static const uint8_t expected[] = {0xbd, 0xdd, 0x81, 0x3c, 0x63, 0x42, 0x39, 0x72};
    uint8_t got[ATES_HASH_SIZE];

    ates_envelope_hash("abc", 3, got);
    cr_assert_arr_eq(got, expected, sizeof expected);
}

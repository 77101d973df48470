/* The ring is bounded in events and bytes, and knows where it begins in every producer's log. */
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "support/seed.h"
#include "web/web_ring.h"

static struct web_event *make(unsigned producer, uint64_t seq, size_t size)
{
    struct web_event *event = calloc(1, sizeof *event + size);

    event->references = 1;
    event->producer = producer;
    event->seq = seq;
    event->size = size;
    return event;
}

Test(web_ring, the_oldest_event_makes_room)
{
    struct web_ring *ring = web_ring_new(3, 1u << 20);

    cr_assert_not_null(ring);
    cr_expect_eq(web_ring_first(ring), web_ring_next(ring));
    for (uint64_t seq = 1; seq <= 5; seq++) {
        cr_expect_eq(web_ring_add(ring, make(0, seq, 10)), seq - 1);
    }
    cr_expect_eq(web_ring_first(ring), 2);
    cr_expect_eq(web_ring_next(ring), 5);
    for (uint64_t place = 2; place < 5; place++) {
        cr_expect_eq(web_ring_at(ring, place)->seq, place + 1);
    }
    cr_expect_eq(web_ring_before(ring)->seq[0], 2);
    cr_expect_eq(web_ring_bytes(ring), 3 * (sizeof(struct web_event) + 10));
    web_ring_free(&ring);
    cr_expect_null(ring);
    web_ring_free(&ring);
}

Test(web_ring, many_make_room_for_one_that_is_large)
{
    const size_t small = 100, events = 10, bytes = events * (sizeof(struct web_event) + small);
    struct web_ring *ring = web_ring_new(1000, bytes);

    for (uint64_t seq = 1; seq <= events; seq++) {
        web_ring_add(ring, make(1, seq, small));
    }
    cr_expect_eq(web_ring_first(ring), 0);
    cr_expect_eq(web_ring_bytes(ring), bytes);
    web_ring_add(ring, make(1, 11, small));
    cr_expect_eq(web_ring_before(ring)->seq[1], 1);
    web_ring_add(ring, make(2, 1, 3 * small));
    cr_expect_leq(web_ring_bytes(ring), bytes);
    cr_expect_eq(web_ring_at(ring, web_ring_next(ring) - 1)->producer, 2);

    web_ring_add(ring, make(2, 2, 2 * bytes)); /* larger than the ring: it is held alone */
    cr_expect_eq(web_ring_next(ring) - web_ring_first(ring), 1);
    cr_expect_eq(web_ring_before(ring)->seq[1], 11);
    cr_expect_eq(web_ring_before(ring)->seq[2], 1);
    web_ring_add(ring, make(2, 3, small));
    cr_expect_eq(web_ring_next(ring) - web_ring_first(ring), 1);
    web_ring_free(&ring);
}

Test(web_ring, an_event_that_is_held_outlives_its_place)
{
    struct web_ring *ring = web_ring_new(2, 1u << 20);
    struct web_event *event = make(0, 1, 5);

    memcpy(event->text, "hello", 5);
    web_ring_add(ring, event);
    struct web_event *held = web_event_hold(web_ring_at(ring, 0));
    web_ring_free(&ring);
    cr_expect_arr_eq(held->text, "hello", 5);
    cr_expect_eq(held->references, 1);
    web_event_drop(&held);
    cr_expect_null(held);
}

Test(web_ring, cleared_it_goes_on_from_where_it_is_told)
{
    const struct web_vector before = {{7, 8}};
    struct web_ring *ring = web_ring_new(4, 1u << 20);

    web_ring_add(ring, make(0, 1, 1));
    web_ring_add(ring, make(1, 1, 1));
    web_ring_clear(ring, &before);
    cr_expect_eq(web_ring_first(ring), 2);
    cr_expect_eq(web_ring_next(ring), 2);
    cr_expect_eq(web_ring_bytes(ring), 0);
    cr_expect_eq(web_ring_before(ring)->seq[0], 7);
    cr_expect_eq(web_ring_before(ring)->seq[1], 8);
    cr_expect_eq(web_ring_add(ring, make(1, 9, 1)), 2);
    web_ring_free(&ring);
}

/* Whatever comes: bounds hold, and of each producer there is all after `before`. */
Test(web_ring, is_whole_after_any_events)
{
    uint64_t seed = seed_start();

    for (int round = 0; round < 50; round++) {
        const size_t events_max = 1 + seed_draw(&seed, 20);
        const size_t bytes_max = 1 + seed_draw(&seed, 4000);
        struct web_ring *ring = web_ring_new(events_max, bytes_max);
        struct web_vector at = {{0}};

        for (int i = 0; i < 200; i++) {
            const unsigned producer = (unsigned)seed_draw(&seed, WEB_PRODUCERS_MAX);

            web_ring_add(ring, make(producer, ++at.seq[producer], seed_draw(&seed, 500)));
            const uint64_t count = web_ring_next(ring) - web_ring_first(ring);
            cr_assert(count >= 1 && count <= events_max);
            cr_assert(count == 1 || web_ring_bytes(ring) <= bytes_max);
            struct web_vector seen = *web_ring_before(ring);
            cr_assert(web_vector_covers(&at, &seen));
            for (uint64_t place = web_ring_first(ring); place < web_ring_next(ring); place++) {
                const struct web_event *event = web_ring_at(ring, place);

                cr_assert_eq(event->seq, ++seen.seq[event->producer]);
            }
            cr_assert_arr_eq(seen.seq, at.seq, sizeof at.seq);
        }
        web_ring_free(&ring);
    }
}

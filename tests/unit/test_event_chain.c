/* The verifier that flow tests rely on must itself be able to fail. */
#include <string.h>

#include <criterion/criterion.h>
#include <sodium.h>

#include <ates/service.h>

#include "support/event_chain.h"

#define LOG_ID "01890a5d-ac96-774b-bcce-b302099a8057"
#define TIME INT64_C(1700000000000)

static struct event_chain chain;
static struct ates_buffer bytes;

/* The next good envelope; the test changes it before it is encoded. */
static struct ates_envelope next(void)
{
    static const uint8_t nothing = 0x80;

    return (struct ates_envelope){
        .event_id = ates_text_from("018bcfe5-687b-7fff-bfff-ffffffffffff"),
        .event_name = ates_text_from("task_created"),
        .event_version = 1,
        .event_time = TIME,
        .producer = ates_text_from("tasks"),
        .log_id = ates_text_from(LOG_ID),
        .seq = chain.seq + 1,
        .prev = {chain.hash, sizeof chain.hash},
        .data = {&nothing, 1},
    };
}

static const char *take(const struct ates_envelope *envelope)
{
    bytes.size = 0;
    ates_message_encode(&ates_envelope_message, envelope, &bytes);
    return event_chain_take(&chain, bytes.data, bytes.size);
}

static void begin(void)
{
    cr_assert_geq(sodium_init(), 0);
    event_chain_begin(&chain, "tasks", LOG_ID);
    for (int i = 0; i < 3; i++) {
        const struct ates_envelope envelope = next();

        cr_assert_null(take(&envelope));
    }
}

static void end(void)
{
    ates_buffer_release(&bytes);
}

TestSuite(event_chain, .init = begin, .fini = end);

Test(event_chain, takes_what_follows)
{
    struct ates_envelope envelope = next();

    envelope.has_cause = true;
    envelope.cause = (struct ates_cause){.has_user_id = true, .user_id = 7};
    cr_assert_null(take(&envelope));
    cr_assert_eq(chain.seq, 4);
}

#define REFUSES(NAME, CHANGE)                                                                      \
    Test(event_chain, refuses_##NAME)                                                              \
    {                                                                                              \
        struct ates_envelope envelope = next();                                                    \
                                                                                                   \
        CHANGE;                                                                                    \
        cr_assert_not_null(take(&envelope));                                                       \
        cr_assert_eq(chain.seq, 3, "the chain is unchanged");                                      \
    }

REFUSES(a_gap, envelope.seq++)
REFUSES(a_duplicate, envelope.seq--)
REFUSES(another_producer, envelope.producer = ates_text_from("auth"))
REFUSES(another_log, envelope.log_id = ates_text_from("01890a5d-ac96-774b-bcce-b302099a8058"))
REFUSES(time_that_goes_back, envelope.event_time = TIME - 1)
REFUSES(an_id_of_another_kind,
        envelope.event_id = ates_text_from("018bcfe5-687b-4fff-bfff-ffffffffffff"))
REFUSES(no_name, envelope.event_name.size = 0)
REFUSES(no_version, envelope.event_version = 0)
REFUSES(a_short_hash, envelope.prev.size--)

Test(event_chain, refuses_a_changed_hash)
{
    uint8_t hash[32];
    struct ates_envelope envelope = next();

    memcpy(hash, chain.hash, sizeof hash);
    hash[31] ^= 1;
    envelope.prev.data = hash;
    cr_assert_not_null(take(&envelope));
}

/* One bit of the envelope before breaks the link to it, wherever it is. */
Test(event_chain, refuses_what_follows_a_changed_envelope)
{
    const struct event_chain before = chain;
    const struct ates_envelope envelope = next();

    cr_assert_null(take(&envelope));
    const struct ates_envelope after = next();
    struct ates_buffer kept = {0};
    ates_message_encode(&ates_envelope_message, &after, &kept);
    uint8_t *name = memmem(bytes.data, bytes.size, "task_created", 12);
    cr_assert_not_null(name);
    name[3] ^= 1;
    struct event_chain other = before;
    cr_assert_null(event_chain_take(&other, bytes.data, bytes.size), "well-formed by itself");
    cr_assert_not_null(event_chain_take(&other, kept.data, kept.size));
    ates_buffer_release(&kept);
}

Test(event_chain, refuses_bytes_that_are_no_envelope)
{
    const struct ates_envelope envelope = next();

    bytes.size = 0;
    ates_message_encode(&ates_envelope_message, &envelope, &bytes);
    ates_buffer_append(&bytes, "\xc0", 1);
    cr_assert_not_null(event_chain_take(&chain, bytes.data, bytes.size), "trailing bytes");
    for (size_t size = 0; size < bytes.size - 1; size++) {
        cr_assert_not_null(event_chain_take(&chain, bytes.data, size), "cut at %zu", size);
    }
    cr_assert_null(event_chain_take(&chain, bytes.data, bytes.size - 1));
}

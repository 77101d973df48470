/* Draws are fair, and UUIDs are RFC 9562's version 7. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "core/random.h"
#include "support/sample.h"

static int64_t fixed_now(void *context)
{
    (void)context;
    return 42;
}

static void seeded(void *context, void *out, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        ((uint8_t *)out)[i] = (uint8_t)(seed_next(context) >> 56);
    }
}

/* Gives the words of a list, one a draw. */
struct script {
    const uint64_t *words;
    size_t next;
};

static void scripted(void *context, void *out, size_t size)
{
    struct script *script = context;

    cr_assert_eq(size, sizeof(uint64_t));
    memcpy(out, &script->words[script->next++], size);
}

/* Pearson's chi-square of 60,000 draws; the limit is that of 1 in a million at 999 degrees. */
static double chi_square(const struct ates_source *source, uint64_t bound)
{
    static uint64_t seen[1000];
    const double expected = 60000.0 / (double)bound;
    double sum = 0;

    memset(seen, 0, sizeof seen);
    for (int i = 0; i < 60000; i++) {
        const uint64_t value = ates_random_uniform(source, bound);

        cr_assert_lt(value, bound);
        seen[value]++;
    }
    for (uint64_t i = 0; i < bound; i++) {
        const double off = (double)seen[i] - expected;

        sum += off * off / expected;
    }
    return sum;
}

Test(random, draws_are_uniform)
{
    uint64_t state = seed_start();
    const struct ates_source sources[] = {
        ates_source_system(), {.now_ms = fixed_now, .random = seeded, .context = &state}};

    for (int i = 0; i < 2; i++) {
        const double many = chi_square(&sources[i], 1000), few = chi_square(&sources[i], 7);

        cr_assert(many > 800 && many < 1225, "%f", many);
        cr_assert(few < 40, "%f", few);
    }
}

Test(random, values_that_would_be_too_likely_are_drawn_again)
{
    /* 2^64 mod 3 = 1: only 0 is unfair; 2^64 mod (2^63 + 1) = 2^63 - 1: almost half is. */
    const uint64_t words[] = {0, 4, UINT64_C(1) << 62, (UINT64_C(1) << 63) - 2,
                              (UINT64_C(1) << 63) - 1};
    struct script script = {.words = words};
    const struct ates_source source = {.random = scripted, .context = &script};

    cr_assert_eq(ates_random_uniform(&source, 3), 1);
    cr_assert_eq(script.next, 2);
    cr_assert_eq(ates_random_uniform(&source, (UINT64_C(1) << 63) + 1), (UINT64_C(1) << 63) - 1);
    cr_assert_eq(script.next, 5);
}

Test(random, bounds)
{
    const struct ates_source source = ates_source_system();
    bool high = false, low = false;

    for (int i = 0; i < 200; i++) {
        cr_assert_eq(ates_random_uniform(&source, 1), 0);
        const uint64_t value = ates_random_uniform(&source, UINT64_MAX);
        high |= value >> 63;
        low |= !(value >> 63);
        cr_assert_lt(ates_random_uniform(&source, 2), 2);
    }
    cr_assert(high && low);
}

Test(random, uuid7_has_its_form_and_order)
{
    const struct ates_source source = ates_source_system();
    char uuid[ATES_UUID_SIZE], before[ATES_UUID_SIZE] = "", head[32];
    const int64_t times[] = {0, 1, 255, 1700000000000, 1700000000001, (INT64_C(1) << 48) - 1};

    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        for (int n = 0; n < 100; n++) {
            ates_uuid7(&source, times[i], uuid);
            cr_assert_eq(strlen(uuid), 36);
            snprintf(head, sizeof head, "%08llx-%04llx", (unsigned long long)times[i] >> 16,
                     (unsigned long long)times[i] & 0xffff);
            cr_assert_eq(strncmp(uuid, head, 13), 0, "%s", uuid);
            cr_assert(uuid[13] == '-' && uuid[14] == '7' && uuid[18] == '-' && uuid[23] == '-');
            cr_assert_not_null(strchr("89ab", uuid[19]));
            cr_assert_eq(strspn(uuid, "0123456789abcdef-"), 36);
            cr_assert_str_neq(uuid, before);
            cr_assert(n > 0 || strcmp(before, uuid) < 0, "%s before %s", before, uuid);
            strcpy(before, uuid);
        }
    }
}

Test(random, the_system_clock_is_in_ms)
{
    const struct ates_source source = ates_source_system();
    const int64_t before = (int64_t)time(NULL);
    const int64_t now = ates_now_ms(&source);

    cr_assert(now >= before * 1000 && now <= ((int64_t)time(NULL) + 1) * 1000);
    const int64_t start = ates_monotonic_us();
    cr_assert_geq(ates_monotonic_us(), start);
}

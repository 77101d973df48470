/* Figures as they are collected: labels, types once, limits. */
#include <criterion/criterion.h>

#include "core/figures.h"
#include "core/text.h"

static struct ates_arena *arena;
static struct ates_figures *figures;

static void set_up(void)
{
    arena = ates_arena_new();
    figures = ates_figures_new(arena, "toy");
}

static void tear_down(void)
{
    ates_arena_free(&arena);
}

TestSuite(figures, .init = set_up, .fini = tear_down);

static const struct ates_figure some = {"ates_some", ATES_GAUGE, "Some."};
static const struct ates_figure times = {"ates_times_microseconds", ATES_HISTOGRAM, "Times."};

static void check_labels(const struct ates_metric *item, const char *expected)
{
    cr_expect(ates_text_equal(item->labels, ates_text_from(expected)), "%.*s",
              (int)item->labels.size, item->labels.data);
}

Test(figures, the_first_of_a_name_has_its_type_and_help)
{
    struct ates_histogram histogram = {.sum = 0};

    ates_figures_add(figures, &some, 1, NULL);
    ates_histogram_add(&histogram, &ates_time_scale, 70);
    ates_figures_add_histogram(figures, &times, &histogram, &ates_time_scale, NULL);
    ates_figures_add(figures, &some, -2, "of=\"%s\"", "x");
    const struct ates_metrics_result result = ates_figures_result(figures);
    const struct ates_metric *items = result.items.items;
    cr_assert_eq(result.items.count, 3);
    cr_expect(items[0].has_type && items[0].has_help && items[1].has_type && !items[2].has_type &&
              !items[2].has_help);
    cr_expect_eq(items[1].type, ATES_HISTOGRAM);
    cr_expect_eq(items[2].value, -2);
    check_labels(&items[0], "service=\"toy\"");
    check_labels(&items[2], "service=\"toy\",of=\"x\"");
    cr_expect(items[1].has_histogram && !items[0].has_histogram);
    cr_expect_eq(items[1].value, 1);
    cr_expect_eq(items[1].histogram.sum, 70);
    cr_expect_eq(items[1].histogram.bounds.count, ates_time_scale.count);
    cr_expect_eq(items[1].histogram.counts.count, ates_time_scale.count + 1);
    cr_expect_eq(((const uint64_t *)items[1].histogram.counts.items)[1], 1);
}

/* The reply passes the table that clients read it by. */
Test(figures, as_many_as_there_may_be_can_be_sent)
{
    struct ates_buffer bytes = {0};
    struct ates_metrics_result result;

    for (unsigned i = 0; i <= ATES_FIGURES_MAX; i++) {
        ates_figures_add(figures, &some, i, "i=\"%u\"", i);
    }
    result = ates_figures_result(figures);
    cr_assert_eq(result.items.count, ATES_FIGURES_MAX);
    ates_message_encode(&ates_metrics_result_message, &result, &bytes);
    cr_assert_leq(bytes.size, ATES_FRAME_MAX);
    cr_assert_eq(ates_message_decode(&ates_metrics_result_message, bytes.data, bytes.size,
                                     ATES_UNKNOWN_REFUSED, arena, &result, NULL),
                 0);
    ates_buffer_release(&bytes);
}

/* Figures as Prometheus's text: the form of each line, and what Prometheus's linter says of what a
 * real service counts. */
#include <criterion/criterion.h>

#include "support/promtool.h"
#include "support/toy_actor.h"
#include "web/web_metrics.h"

static struct ates_arena *arena;
static struct web_metrics *metrics;
static struct ates_buffer text;

static void set_up(void)
{
    arena = ates_arena_new();
    metrics = web_metrics_new(arena);
}

static void tear_down(void)
{
    ates_buffer_release(&text);
    ates_arena_free(&arena);
}

TestSuite(web_metrics, .init = set_up, .fini = tear_down, .timeout = 120);

static void check(const char *expected)
{
    web_metrics_write(metrics, &text);
    ates_buffer_append(&text, "", 1);
    cr_assert_str_eq((const char *)text.data, expected);
}

static void add(const char *name, const char *labels, int64_t value)
{
    struct ates_metric metric = {.name = ates_text_from(name), .value = value};

    if (labels != NULL) {
        metric.has_labels = true;
        metric.labels = ates_text_from(labels);
    }
    web_metrics_add(metrics, &metric);
}

Test(web_metrics, nothing_is_an_empty_text)
{
    check("");
}

Test(web_metrics, figures_of_a_name_stand_together)
{
    web_metrics_put(metrics, "ates_a_total", ATES_COUNTER, "As.", 1, "service=\"%s\"", "x");
    web_metrics_put(metrics, "ates_b", ATES_GAUGE, "Bs.", 2, NULL);
    web_metrics_put(metrics, "ates_a_total", ATES_COUNTER, "As again.", 3, "service=\"%s\"", "y");
    check("# HELP ates_a_total As.\n# TYPE ates_a_total counter\n"
          "ates_a_total{service=\"x\"} 1\nates_a_total{service=\"y\"} 3\n"
          "# HELP ates_b Bs.\n# TYPE ates_b gauge\nates_b 2\n");
}

Test(web_metrics, a_histogram_is_cumulated_and_in_base_units)
{
    static const uint64_t bounds[] = {50, 1000000};
    const struct ates_histogram_scale scale = {bounds, 2};
    struct ates_histogram histogram = {.sum = 0};

    ates_histogram_add(&histogram, &scale, 50);
    ates_histogram_add(&histogram, &scale, 51);
    ates_histogram_add(&histogram, &scale, 1000001);
    web_metrics_put_histogram(metrics, "ates_wait_microseconds", "H.", &histogram, &scale);
    check("# HELP ates_wait_seconds H.\n# TYPE ates_wait_seconds histogram\n"
          "ates_wait_seconds_bucket{le=\"0.000050\"} 1\n"
          "ates_wait_seconds_bucket{le=\"1.000000\"} 2\n"
          "ates_wait_seconds_bucket{le=\"+Inf\"} 3\n"
          "ates_wait_seconds_sum 1.000102\nates_wait_seconds_count 3\n");
    promtool_check((const char *)text.data, text.size - 1);
}

/* Whatever a service sends, the others' lines stay readable. */
Test(web_metrics, a_histogram_that_makes_no_sense_is_left_out)
{
    static uint64_t bounds[] = {1, 2}, falling[] = {2, 1}, counts[] = {1, 1, 1};
    const struct ates_metric_histogram wrong[] = {
        {.bounds = {bounds, 2}, .counts = {counts, 2}},
        {.bounds = {bounds, 2}, .counts = {NULL, 0}},
        {.bounds = {falling, 2}, .counts = {counts, 3}},
    };

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const struct ates_metric metric = {
            .name = ates_text_from("ates_wrong"),
            .has_type = true,
            .type = ATES_HISTOGRAM,
            .has_histogram = true,
            .histogram = wrong[i],
        };
        web_metrics_add(metrics, &metric);
    }
    check("# TYPE ates_wrong histogram\n");
}

Test(web_metrics, units_become_base_units)
{
    web_metrics_put(metrics, "ates_wait_microseconds_total", ATES_COUNTER, "H.", 1234567, NULL);
    web_metrics_put(metrics, "ates_wait_microseconds_total", ATES_COUNTER, "H.", 5, NULL);
    web_metrics_put(metrics, "ates_used_permille", ATES_GAUGE, "H.", 1000, NULL);
    add("ates_used_permille", NULL, -1);
    add("ates_used_permille", NULL, INT64_MIN);
    check("# HELP ates_wait_seconds_total H.\n# TYPE ates_wait_seconds_total counter\n"
          "ates_wait_seconds_total 1.234567\nates_wait_seconds_total 0.000005\n"
          "# HELP ates_used_ratio H.\n# TYPE ates_used_ratio gauge\n"
          "ates_used_ratio 1.000\nates_used_ratio -0.001\n"
          "ates_used_ratio -9223372036854775.808\n");
}

Test(web_metrics, help_is_escaped_and_may_be_absent)
{
    web_metrics_put(metrics, "ates_a", ATES_GAUGE, "a\\b", UINT64_MAX, NULL);
    add("ates_b", "k=\"v\"", -5);
    check("# HELP ates_a a\\\\b\n# TYPE ates_a gauge\nates_a 9223372036854775807\n"
          "# TYPE ates_b untyped\nates_b{k=\"v\"} -5\n");
}

Test(web_metrics, a_later_source_may_tell_the_type)
{
    add("ates_a_total", "service=\"old\"", 1);
    web_metrics_put(metrics, "ates_a_total", ATES_COUNTER, "As.", 2, "service=\"new\"");
    check("# HELP ates_a_total As.\n# TYPE ates_a_total counter\n"
          "ates_a_total{service=\"old\"} 1\nates_a_total{service=\"new\"} 2\n");
}

Test(web_metrics, names_that_would_spoil_the_text_are_left_out)
{
    char longest[129 + 1];

    memset(longest, 'a', 129);
    longest[129] = '\0';
    add("", NULL, 1);
    add("1a", NULL, 1);
    add("a b", NULL, 1);
    add("a\nb", NULL, 1);
    add("a{b", NULL, 1);
    add("A", NULL, 1);
    add(longest, NULL, 1);
    check("");
    ates_buffer_release(&text);
    add(longest + 1, NULL, 1);
    web_metrics_write(metrics, &text);
    cr_assert_gt(text.size, 128);
}

/* A family is found again however many there are, in whatever order they come. */
Test(web_metrics, many_names)
{
    char name[32], line[96];

    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 200; i++) {
            snprintf(name, sizeof name, "ates_family_%d", round == 1 ? 199 - i : i);
            add(name, NULL, round);
        }
    }
    web_metrics_write(metrics, &text);
    ates_buffer_append(&text, "", 1);
    for (int i = 0; i < 200; i++) {
        snprintf(line, sizeof line, "ates_family_%d 0\nates_family_%d 1\nates_family_%d 2\n", i, i,
                 i);
        cr_assert_not_null(strstr((const char *)text.data, line), "%s", line);
    }
}

Test(web_metrics, prometheus_takes_what_a_service_counts)
{
    struct ates_metrics_result result;
    struct toy_actor toy;

    toy_actor_open(&toy);
    toy_actor_start(&toy);
    toy_put_value(&toy, "k", "v");
    cr_assert_eq(toy_call(&toy, ATES_DEVELOPER, "metrics", NULL, NULL, NULL),
                 ATES_PERMISSION_DENIED);
    cr_assert_eq(toy_call(&toy, ATES_ADMINISTRATOR, "metrics", NULL, NULL, &result), ATES_OK);
    const struct ates_metric *items = result.items.items;
    for (size_t i = 0; i < result.items.count; i++) {
        web_metrics_add(metrics, &items[i]);
        cr_assert_not_null(memmem(items[i].labels.data, items[i].labels.size, "service=\"toy\"",
                                  strlen("service=\"toy\"")));
    }
    web_metrics_write(metrics, &text);
    toy_actor_close(&toy);
    ates_buffer_append(&text, "", 1);
    cr_assert_null(strstr((const char *)text.data, "untyped"), "%s", (const char *)text.data);
    cr_assert_not_null(strstr((const char *)text.data, "ates_command_duration_seconds_bucket{"));
    promtool_check((const char *)text.data, text.size - 1);
}

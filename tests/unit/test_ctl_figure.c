/* Figures by their names and labels. */
#include <criterion/criterion.h>

#include "atesctl/figure.h"

static struct ates_metric metric(const char *name, const char *labels, int64_t value)
{
    return (struct ates_metric){.name = ates_text_from(name),
                                .has_labels = labels != NULL,
                                .labels = ates_text_from(labels != NULL ? labels : ""),
                                .value = value};
}

Test(ctl_figure, are_summed_by_name_and_labels)
{
    struct ates_metric items[] = {
        metric("ates_lag", "service=\"a\",producer=\"tasks\"", 3),
        metric("ates_lag", "service=\"a\",producer=\"auth\"", 4),
        metric("ates_lag_total", "service=\"a\"", 100),
        metric("ates_room", NULL, 1),
    };
    const struct ates_metrics_result metrics = {.items = {items, 4}};

    cr_expect_eq(ctl_figure_sum(&metrics, "ates_lag", NULL), 7);
    cr_expect_eq(ctl_figure_sum(&metrics, "ates_lag", "producer=\"auth\""), 4);
    cr_expect_eq(ctl_figure_sum(&metrics, "ates_room", NULL), 1);
    cr_expect_eq(ctl_figure_sum(&metrics, "ates_room", "producer=\"auth\""), 0);
    cr_expect_eq(ctl_figure_sum(&metrics, "ates_none", NULL), 0);
}

/* Figures found by name; see figure.h. */
#include "figure.h"

#include <string.h>

bool ctl_figure_is(const struct ates_metric *metric, const char *name, const char *labels)
{
    return ates_text_equal(metric->name, ates_text_from(name)) &&
           (labels == NULL ||
            (metric->has_labels &&
             memmem(metric->labels.data, metric->labels.size, labels, strlen(labels)) != NULL));
}

int64_t ctl_figure_sum(const struct ates_metrics_result *metrics, const char *name,
                       const char *labels)
{
    const struct ates_metric *items = metrics->items.items;
    int64_t sum = 0;

    for (size_t i = 0; i < metrics->items.count; i++) {
        sum += ctl_figure_is(&items[i], name, labels) ? items[i].value : 0;
    }
    return sum;
}

/* What a service's `metrics` tell, found again. */
#ifndef CTL_FIGURE_H
#define CTL_FIGURE_H

#include <ates/service.h>

/* The sum of the figures of this name whose labels hold this text (NULL: of all); of a histogram:
 * how many were observed. 0 where there is none. */
int64_t ctl_figure_sum(const struct ates_metrics_result *metrics, const char *name,
                       const char *labels);

/* Whether the figure has this name and, in its labels, this text (NULL: any). */
bool ctl_figure_is(const struct ates_metric *metric, const char *name, const char *labels);

#endif

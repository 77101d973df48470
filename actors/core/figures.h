/* The figures that a service's `metrics` gives, while they are collected. */
#ifndef ATES_FIGURES_H
#define ATES_FIGURES_H

#include <ates/service.h>

#include "core/histogram.h"

/* What figures of one name tell, in Prometheus's manner; names end in their unit, counters' in
 * _total. Figures in _microseconds or _permille are shown in base units (web_metrics.h). */
struct ates_figure {
    const char *name;
    enum ates_metric_type type;
    const char *help;
};

struct ates_figures;

/* Everything lives in arena; service is the first label of each. */
struct ates_figures *ates_figures_new(struct ates_arena *arena, const char *service);

/* Adds one. labels (printf) are what tells it from others of its name, without the service:
 * producer="tasks"; NULL: none. figure must outlive the collection. What is beyond
 * ATES_FIGURES_MAX is left out. */
#define ATES_FIGURES_MAX 1024u
__attribute__((format(printf, 4, 5))) void ates_figures_add(struct ates_figures *self,
                                                            const struct ates_figure *figure,
                                                            int64_t value, const char *labels, ...);
/* The same for a histogram, which is copied. */
__attribute__((format(printf, 5, 6))) void
ates_figures_add_histogram(struct ates_figures *self, const struct ates_figure *figure,
                           const struct ates_histogram *histogram,
                           const struct ates_histogram_scale *scale, const char *labels, ...);

struct ates_metrics_result ates_figures_result(const struct ates_figures *self);

#endif

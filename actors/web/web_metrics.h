/* Figures of many sources as one text in Prometheus's exposition format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/). */
#ifndef WEB_METRICS_H
#define WEB_METRICS_H

#include <ates/service.h>

#include "core/histogram.h"

#define WEB_METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct web_metrics;

/* What is collected lives in arena. */
struct web_metrics *web_metrics_new(struct ates_arena *arena);

/* Adds a service's figure (copied). One whose name is not lower snake case is left out: it would
 * spoil the others. */
void web_metrics_add(struct web_metrics *self, const struct ates_metric *metric);

/* Adds a figure of this service; labels NULL: none. */
__attribute__((format(printf, 6, 7))) void
web_metrics_put(struct web_metrics *self, const char *name, enum ates_metric_type type,
                const char *help, uint64_t value, const char *labels, ...);

void web_metrics_put_histogram(struct web_metrics *self, const char *name, const char *help,
                               const struct ates_histogram *histogram,
                               const struct ates_histogram_scale *scale);

/* Appends the text: figures of a name stand together, after their help and type. A name that says
 * _microseconds or _permille says _seconds or _ratio there, with the value as a decimal fraction,
 * since Prometheus wants base units. */
void web_metrics_write(const struct web_metrics *self, struct ates_buffer *out);

#endif

/* Prometheus's text of all figures. Invariant: whatever a service sends, each line is of the
 * format, and a family's lines are in one place. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web/web_metrics.h"

#define NAME_MAX_SIZE 128
#define LABELS_MAX 1024

struct figure {
    struct figure *next;
    int64_t value;
    struct ates_text labels;
    const struct ates_metric_histogram *histogram; /* NULL: none, or one that makes no sense */
};

struct family {
    struct family *next;
    struct ates_text name;
    bool has_type;
    int type;
    struct ates_text help;
    struct figure *first, *last;
};

struct web_metrics {
    struct ates_arena *arena;
    struct family *first, *last;
    struct family *latest; /* of the figure before: figures of a family mostly come together */
};

struct web_metrics *web_metrics_new(struct ates_arena *arena)
{
    struct web_metrics *self = ates_arena_alloc(arena, sizeof *self);

    self->arena = arena;
    return self;
}

static bool is_name(struct ates_text name)
{
    for (size_t i = 0; i < name.size; i++) {
        const char c = name.data[i];

        if (!(c >= 'a' && c <= 'z') && c != '_' && (i == 0 || !(c >= '0' && c <= '9'))) {
            return false;
        }
    }
    return name.size > 0 && name.size <= NAME_MAX_SIZE;
}

static struct ates_text copy(struct ates_arena *arena, struct ates_text text)
{
    return (struct ates_text){ates_arena_copy(arena, text.data, text.size), text.size};
}

static struct family *find_family(struct web_metrics *self, struct ates_text name)
{
    struct family *family = self->latest;

    if (family != NULL && ates_text_equal(family->name, name)) {
        return family;
    }
    for (family = self->first; family != NULL; family = family->next) {
        if (ates_text_equal(family->name, name)) {
            return self->latest = family;
        }
    }
    family = ates_arena_alloc(self->arena, sizeof *family);
    family->name = copy(self->arena, name);
    if (self->last != NULL) {
        self->last->next = family;
    } else {
        self->first = family;
    }
    self->last = self->latest = family;
    return family;
}

/* A copy; NULL where its buckets do not fit each other. */
static const struct ates_metric_histogram *copy_histogram(struct ates_arena *arena,
                                                          const struct ates_metric_histogram *from)
{
    const uint64_t *bounds = from->bounds.items;

    if (from->counts.count != from->bounds.count + 1) {
        return NULL;
    }
    for (size_t i = 1; i < from->bounds.count; i++) {
        if (bounds[i] <= bounds[i - 1]) {
            return NULL;
        }
    }
    struct ates_metric_histogram *histogram = ates_arena_alloc(arena, sizeof *histogram);
    *histogram = *from;
    histogram->bounds.items = ates_arena_copy(arena, bounds, from->bounds.count * sizeof *bounds);
    histogram->counts.items =
        ates_arena_copy(arena, from->counts.items, from->counts.count * sizeof *bounds);
    return histogram;
}

void web_metrics_add(struct web_metrics *self, const struct ates_metric *metric)
{
    if (!is_name(metric->name)) {
        return;
    }
    struct family *family = find_family(self, metric->name);
    struct figure *figure = ates_arena_alloc(self->arena, sizeof *figure);

    figure->value = metric->value;
    if (metric->has_histogram) {
        figure->histogram = copy_histogram(self->arena, &metric->histogram);
    }
    if (metric->has_labels) {
        figure->labels = copy(self->arena, metric->labels);
    }
    if (metric->has_type && !family->has_type) {
        family->has_type = true;
        family->type = metric->type;
    }
    if (metric->has_help && family->help.size == 0) {
        family->help = copy(self->arena, metric->help);
    }
    if (family->last != NULL) {
        family->last->next = figure;
    } else {
        family->first = figure;
    }
    family->last = figure;
}

void web_metrics_put_histogram(struct web_metrics *self, const char *name, const char *help,
                               const struct ates_histogram *histogram,
                               const struct ates_histogram_scale *scale)
{
    const struct ates_metric metric = {
        .name = ates_text_from(name),
        .value = (int64_t)ates_histogram_count(histogram),
        .has_type = true,
        .type = ATES_HISTOGRAM,
        .has_help = true,
        .help = ates_text_from(help),
        .has_histogram = true,
        .histogram = {.bounds = {(void *)scale->bounds, scale->count},
                      .counts = {(void *)histogram->counts, scale->count + 1},
                      .sum = histogram->sum},
    };

    web_metrics_add(self, &metric);
}

void web_metrics_put(struct web_metrics *self, const char *name, enum ates_metric_type type,
                     const char *help, uint64_t value, const char *labels, ...)
{
    char text[LABELS_MAX];
    va_list arguments;
    struct ates_metric metric = {
        .name = ates_text_from(name),
        .value = value > INT64_MAX ? INT64_MAX : (int64_t)value,
        .has_type = true,
        .type = (int)type,
        .has_help = true,
        .help = ates_text_from(help),
    };

    if (labels != NULL) {
        va_start(arguments, labels);
        vsnprintf(text, sizeof text, labels, arguments);
        va_end(arguments);
        metric.has_labels = true;
        metric.labels = ates_text_from(text);
    }
    web_metrics_add(self, &metric);
}

static void append(struct ates_buffer *out, const char *text)
{
    ates_buffer_append(out, text, strlen(text));
}

static void append_text(struct ates_buffer *out, struct ates_text text)
{
    ates_buffer_append(out, text.data, text.size);
}

/* A name's unit, the base unit in its place, and how many of the value's digits then stand behind
 * the point. */
struct unit {
    const char *name;
    const char *base;
    int digits;
};

static const struct unit units[] = {
    {"_microseconds", "_seconds", 6},
    {"_permille", "_ratio", 3},
};

/* The name as it is shown, into out[NAME_MAX_SIZE + 1]; returns the digits behind the point. */
static int base_name(struct ates_text name, char *out)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        const struct unit *unit = &units[i];
        const char *at = memmem(name.data, name.size, unit->name, strlen(unit->name));

        if (at != NULL) {
            const int before = (int)(at - name.data);
            const char *after = at + strlen(unit->name);

            snprintf(out, NAME_MAX_SIZE + 1, "%.*s%s%.*s", before, name.data, unit->base,
                     (int)(name.data + name.size - after), after);
            return unit->digits;
        }
    }
    snprintf(out, NAME_MAX_SIZE + 1, "%.*s", (int)name.size, name.data);
    return 0;
}

/* The value as it is shown, with so many digits behind the point. */
static void append_number(struct ates_buffer *out, int64_t value, int digits)
{
    const uint64_t size = value < 0 ? -(uint64_t)value : (uint64_t)value;
    char text[48];
    uint64_t scale = 1;

    for (int i = 0; i < digits; i++) {
        scale *= 10;
    }
    if (digits == 0) {
        snprintf(text, sizeof text, "%" PRId64, value);
    } else {
        snprintf(text, sizeof text, "%s%" PRIu64 ".%0*" PRIu64, value < 0 ? "-" : "", size / scale,
                 digits, size % scale);
    }
    append(out, text);
}

static void append_help(struct ates_buffer *out, const char *name, struct ates_text help)
{
    append(out, "# HELP ");
    append(out, name);
    append(out, " ");
    for (size_t i = 0; i < help.size; i++) {
        if (help.data[i] == '\\') {
            append(out, "\\");
        }
        ates_buffer_append(out, help.data + i, 1);
    }
    append(out, "\n");
}

/* One line. */
static void append_sample(struct ates_buffer *out, const char *name, const char *suffix,
                          struct ates_text labels, int64_t value, int digits)
{
    append(out, name);
    append(out, suffix);
    if (labels.size > 0) {
        append(out, "{");
        append_text(out, labels);
        append(out, "}");
    }
    append(out, " ");
    append_number(out, value, digits);
    append(out, "\n");
}

/* The line of a bucket: how many observations were at most this. bound NULL: all of them. */
static void append_bucket(struct ates_buffer *out, const char *name, struct ates_text labels,
                          const uint64_t *bound, int64_t count, int digits)
{
    append(out, name);
    append(out, "_bucket{");
    append_text(out, labels);
    append(out, labels.size > 0 ? ",le=\"" : "le=\"");
    if (bound != NULL) {
        append_number(out, (int64_t)*bound, digits);
    } else {
        append(out, "+Inf");
    }
    append(out, "\"} ");
    append_number(out, count, 0);
    append(out, "\n");
}

static void append_histogram(struct ates_buffer *out, const char *name, const struct figure *figure,
                             int digits)
{
    const struct ates_metric_histogram *histogram = figure->histogram;
    const uint64_t *bounds = histogram->bounds.items, *counts = histogram->counts.items;
    int64_t count = 0;

    for (size_t i = 0; i < histogram->counts.count; i++) {
        const bool is_last = i == histogram->bounds.count;

        count += (int64_t)counts[i];
        append_bucket(out, name, figure->labels, is_last ? NULL : &bounds[i], count, digits);
    }
    append_sample(out, name, "_sum", figure->labels, (int64_t)histogram->sum, digits);
    append_sample(out, name, "_count", figure->labels, count, 0);
}

static void append_family(struct ates_buffer *out, const struct family *family)
{
    static const char *const types[] = {[ATES_COUNTER] = " counter\n",
                                        [ATES_GAUGE] = " gauge\n",
                                        [ATES_HISTOGRAM] = " histogram\n"};
    char name[NAME_MAX_SIZE + 1];
    const int digits = base_name(family->name, name);

    if (family->help.size > 0) {
        append_help(out, name, family->help);
    }
    append(out, "# TYPE ");
    append(out, name);
    append(out, family->has_type ? types[family->type] : " untyped\n");
    for (const struct figure *figure = family->first; figure != NULL; figure = figure->next) {
        if (figure->histogram != NULL) {
            append_histogram(out, name, figure, digits);
        } else if (!family->has_type || family->type != ATES_HISTOGRAM) {
            append_sample(out, name, "", figure->labels, figure->value, digits);
        }
    }
}

void web_metrics_write(const struct web_metrics *self, struct ates_buffer *out)
{
    for (const struct family *family = self->first; family != NULL; family = family->next) {
        append_family(out, family);
    }
}

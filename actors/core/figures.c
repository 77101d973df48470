/* Figures in the making. Invariant: the first of a name, and no other, has its type and help. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/figures.h"

#define NAMES_MAX 64u
#define LABELS_SIZE 256u

struct ates_figures {
    struct ates_arena *arena;
    const char *service;
    struct ates_metric *items;
    size_t count;
    const struct ates_figure *told[NAMES_MAX];
    size_t told_count;
};

struct ates_figures *ates_figures_new(struct ates_arena *arena, const char *service)
{
    struct ates_figures *self = ates_arena_alloc(arena, sizeof *self);

    self->arena = arena;
    self->service = service;
    self->items = ates_arena_alloc(arena, ATES_FIGURES_MAX * sizeof *self->items);
    return self;
}

/* Whether nothing of this name was added yet; it is, from now on. */
static bool is_first(struct ates_figures *self, const struct ates_figure *figure)
{
    for (size_t i = 0; i < self->told_count; i++) {
        if (self->told[i] == figure) {
            return false;
        }
    }
    if (self->told_count < NAMES_MAX) {
        self->told[self->told_count++] = figure;
    }
    return true;
}

static struct ates_text labels_of(const struct ates_figures *self, const char *labels,
                                  va_list arguments)
{
    char *text = ates_arena_alloc(self->arena, LABELS_SIZE);
    int size = snprintf(text, LABELS_SIZE, "service=\"%s\"%s", self->service, labels ? "," : "");

    if (labels != NULL) {
        vsnprintf(text + size, LABELS_SIZE - (size_t)size, labels, arguments);
    }
    return ates_text_from(text);
}

/* NULL where there is no room. */
static struct ates_metric *add(struct ates_figures *self, const struct ates_figure *figure,
                               int64_t value, const char *labels, va_list arguments)
{
    if (self->count == ATES_FIGURES_MAX) {
        return NULL;
    }
    const bool first = is_first(self, figure);
    struct ates_metric *item = &self->items[self->count++];

    *item = (struct ates_metric){
        .name = ates_text_from(figure->name),
        .has_labels = true,
        .labels = labels_of(self, labels, arguments),
        .value = value,
        .has_type = first,
        .type = (int)figure->type,
        .has_help = first,
        .help = ates_text_from(figure->help),
    };
    return item;
}

void ates_figures_add(struct ates_figures *self, const struct ates_figure *figure, int64_t value,
                      const char *labels, ...)
{
    va_list arguments;

    va_start(arguments, labels);
    add(self, figure, value, labels, arguments);
    va_end(arguments);
}

void ates_figures_add_histogram(struct ates_figures *self, const struct ates_figure *figure,
                                const struct ates_histogram *histogram,
                                const struct ates_histogram_scale *scale, const char *labels, ...)
{
    const size_t bounds_size = scale->count * sizeof *scale->bounds;
    const size_t counts_size = (scale->count + 1) * sizeof *histogram->counts;
    va_list arguments;

    va_start(arguments, labels);
    struct ates_metric *item =
        add(self, figure, (int64_t)ates_histogram_count(histogram), labels, arguments);
    va_end(arguments);
    if (item != NULL) {
        item->has_histogram = true;
        item->histogram = (struct ates_metric_histogram){
            .bounds = {ates_arena_copy(self->arena, scale->bounds, bounds_size), scale->count},
            .counts = {ates_arena_copy(self->arena, histogram->counts, counts_size),
                       scale->count + 1},
            .sum = histogram->sum,
        };
    }
}

struct ates_metrics_result ates_figures_result(const struct ates_figures *self)
{
    return (struct ates_metrics_result){.items = {self->items, self->count}};
}

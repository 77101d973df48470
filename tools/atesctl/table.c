/* Tables that fit; see table.h. Invariant: a line is never wider than the terminal, and a text that
 * was cut shows it. */
#include "table.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include <libsmartcols.h>

#include "ctl.h"

#define TEXT_WIDTH_MIN 16u /* of a text that was cut */
#define WIDTH_DEFAULT 80u
#define HEIGHT_DEFAULT 24u

struct layout {
    const struct ctl_column *columns;
    size_t column_count;
    char **cells;
    size_t rows;
    size_t *widths; /* by column; 0: left out */
    bool is_whole;  /* also columns that hold nothing are shown */
};

size_t ctl_terminal_width(void)
{
    struct winsize size;

    if (isatty(STDOUT_FILENO) != 1) {
        return 0;
    }
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col
                                                                           : WIDTH_DEFAULT;
}

size_t ctl_terminal_height(void)
{
    struct winsize size;

    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row
                                                                           : HEIGHT_DEFAULT;
}

/* One character's bytes and width; a byte that is none has its own place. */
static size_t measure(const char *text, size_t *width)
{
    mbstate_t state = {0};
    wchar_t c;
    const size_t size = mbrtowc(&c, text, strlen(text), &state);

    if (size == 0 || size > MB_LEN_MAX) {
        *width = 1;
        return 1;
    }
    const int columns = wcwidth(c);
    *width = columns > 0 ? (size_t)columns : 0;
    return size;
}

size_t ctl_text_width(const char *text)
{
    size_t sum = 0, width;

    while (*text != '\0') {
        text += measure(text, &width);
        sum += width;
    }
    return sum;
}

/* Cuts to the width, the ellipsis included. Returns NULL when out of memory. */
static char *cut(char *text, size_t width)
{
    size_t used = 0, bytes = 0, next;

    if (ctl_text_width(text) <= width) {
        return text;
    }
    while (text[bytes] != '\0') {
        const size_t size = measure(text + bytes, &next);

        if (used + next + 1 > width) {
            break;
        }
        used += next;
        bytes += size;
    }
    char *grown = realloc(text, bytes + sizeof "…");
    if (grown != NULL) {
        strcpy(grown + bytes, "…");
    }
    return grown;
}

static char *cell_at(const struct layout *self, size_t row, size_t column)
{
    return self->cells[row * self->column_count + column];
}

static void measure_columns(struct layout *self)
{
    for (size_t i = 0; i < self->column_count; i++) {
        const size_t heading = ctl_text_width(self->columns[i].heading);

        self->widths[i] = 0;
        for (size_t row = 0; row < self->rows; row++) {
            const char *cell = cell_at(self, row, i);
            const size_t width = cell != NULL ? ctl_text_width(cell) : 0;

            self->widths[i] = width > self->widths[i] ? width : self->widths[i];
        }
        if ((self->widths[i] > 0 || self->is_whole) && self->widths[i] < heading) {
            self->widths[i] = heading;
        }
    }
}

static size_t total_of(const struct layout *self)
{
    size_t sum = 0, shown = 0;

    for (size_t i = 0; i < self->column_count; i++) {
        sum += self->widths[i];
        shown += self->widths[i] > 0;
    }
    return sum + (shown > 0 ? shown - 1 : 0);
}

/* Takes room from the widest text, until the line fits or every text is as short as may be. */
static bool shrink(struct layout *self, size_t width)
{
    size_t total;

    while ((total = total_of(self)) > width) {
        size_t widest = self->column_count;

        for (size_t i = 0; i < self->column_count; i++) {
            if (self->columns[i].is_text && self->widths[i] > TEXT_WIDTH_MIN &&
                (widest == self->column_count || self->widths[i] > self->widths[widest])) {
                widest = i;
            }
        }
        if (widest == self->column_count) {
            return false;
        }
        self->widths[widest]--;
    }
    return true;
}

/* Leaves out the column that is needed least. */
static bool drop_one(struct layout *self)
{
    size_t least = self->column_count;

    for (size_t i = 0; i < self->column_count; i++) {
        if (self->columns[i].drop > 0 && self->widths[i] > 0 &&
            (least == self->column_count || self->columns[i].drop < self->columns[least].drop)) {
            least = i;
        }
    }
    if (least == self->column_count) {
        return false;
    }
    self->widths[least] = 0;
    return true;
}

/* Whether a line with as many of the columns as there is room for can be made. */
static bool fit(struct layout *self, size_t width)
{
    size_t *whole = calloc(self->column_count + 1, sizeof *whole);
    bool fits = whole != NULL;

    measure_columns(self);
    while (fits && width > 0) {
        memcpy(whole, self->widths, self->column_count * sizeof *whole);
        if (shrink(self, width)) {
            break;
        }
        memcpy(self->widths, whole, self->column_count * sizeof *whole);
        fits = drop_one(self);
    }
    free(whole);
    return fits;
}

static int print_rows(struct layout *self)
{
    struct libscols_table *table = scols_new_table();
    int r = table != NULL ? 0 : -ENOMEM;

    for (size_t i = 0; i < self->column_count && r == 0; i++) {
        if (self->widths[i] > 0 &&
            scols_table_new_column(table, self->columns[i].heading, 0,
                                   self->columns[i].is_number ? SCOLS_FL_RIGHT : 0) == NULL) {
            r = -ENOMEM;
        }
    }
    for (size_t row = 0; row < self->rows && r == 0; row++) {
        struct libscols_line *line = scols_table_new_line(table, NULL);
        size_t at = 0;

        r = line != NULL ? 0 : -ENOMEM;
        for (size_t i = 0; i < self->column_count && r == 0; i++) {
            char **cell = &self->cells[row * self->column_count + i];

            if (self->widths[i] > 0 && *cell != NULL) {
                char *shown = cut(*cell, self->widths[i]);

                *cell = shown != NULL ? shown : *cell;
                r = scols_line_set_data(line, at, *cell);
            }
            at += self->widths[i] > 0;
        }
    }
    if (r == 0) {
        r = scols_print_table(table);
    }
    scols_unref_table(table);
    return r;
}

int ctl_table_print_fields(const struct ctl_column *columns, size_t column_count, char **cells)
{
    struct libscols_table *table = scols_new_table();
    struct libscols_column *values;
    int r = -ENOMEM;

    if (table != NULL && scols_table_new_column(table, "", 0, 0) != NULL &&
        (values = scols_table_new_column(table, "", 0, SCOLS_FL_WRAP)) != NULL) {
        scols_column_set_wrapfunc(values, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
        scols_column_set_safechars(values, "\n");
        scols_table_enable_noheadings(table, 1);
        r = 0;
        for (size_t i = 0; i < column_count && r == 0; i++) {
            if (cells[i] == NULL || cells[i][0] == '\0') {
                continue;
            }
            struct libscols_line *line = scols_table_new_line(table, NULL);

            r = line == NULL || scols_line_set_data(line, 0, columns[i].heading) != 0 ||
                        scols_line_set_data(line, 1, cells[i]) != 0
                    ? -ENOMEM
                    : 0;
        }
        r = r == 0 ? scols_print_table(table) : r;
    }
    scols_unref_table(table);
    return r;
}

/* What is not shown can be had. */
static void tell_left_out(const struct layout *self, const size_t *wanted)
{
    char names[256] = "";
    size_t used = 0;

    for (size_t i = 0; i < self->column_count && used < sizeof names; i++) {
        if (wanted[i] > 0 && self->widths[i] == 0) {
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s",
                                     used > 0 ? ", " : "", self->columns[i].heading);
        }
    }
    if (used > 0) {
        ctl_say("no room for %s: a wider terminal or -o wide shows all", names);
    }
}

int ctl_table_print(const struct ctl_column *columns, size_t column_count, char **cells,
                    size_t rows, size_t width)
{
    size_t *widths = calloc(2 * column_count + 1, sizeof *widths);
    struct layout self = {columns, column_count, cells, rows, widths, width == CTL_WIDTH_ALL};
    int r = 0;

    if (widths == NULL) {
        return -ENOMEM;
    }
    scols_init_debug(0);
    measure_columns(&self);
    memcpy(widths + column_count, widths, column_count * sizeof *widths);
    if (fit(&self, width)) {
        r = print_rows(&self);
        if (r == 0 && fflush(stdout) == 0) {
            tell_left_out(&self, widths + column_count);
        }
    } else {
        for (size_t row = 0; row < rows && r == 0; row++) {
            fputs(row > 0 ? "\n" : "", stdout);
            r = ctl_table_print_fields(columns, column_count, cells + row * column_count);
        }
    }
    free(widths);
    return r;
}

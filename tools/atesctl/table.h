/* A table of texts for people on stdout, as wide as the terminal: the one place that knows how much
 * room there is. */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ctl_column {
    const char *heading;
    bool is_number;
    bool is_text; /* a long one, which may be cut */
    int drop;     /* where there is too little room: 1 is left out first; 0 never */
};

/* cells are rows * columns, row by row; NULL or "" is nothing. They may be changed. Columns that
 * hold nothing are left out. Where the terminal is too narrow, texts are cut and end in "…", then
 * columns are left out, then each row becomes lines. Elsewhere nothing is cut. width 0: no terminal;
 * CTL_WIDTH_ALL: every column is shown whole, whatever it holds. Returns 0 or -errno. */
#define CTL_WIDTH_ALL SIZE_MAX
int ctl_table_print(const struct ctl_column *columns, size_t column_count, char **cells,
                    size_t rows, size_t width);

/* A heading a line, with its one cell. As above, but nothing is cut: texts go on in new lines. */
int ctl_table_print_fields(const struct ctl_column *columns, size_t column_count, char **cells);

/* The terminal's width, 0 where stdout is none, and its lines. */
size_t ctl_terminal_width(void);
size_t ctl_terminal_height(void);
/* How many columns a text takes there. */
size_t ctl_text_width(const char *text);

#endif

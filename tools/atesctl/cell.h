/* The columns of a message, and the texts that stand in them. */
#ifndef CTL_CELL_H
#define CTL_CELL_H

#include <jansson.h>

#include <ates/message.h>

#include "table.h"

/* A field's text, to be freed: for people (amounts, times and yes or no in words), or as programs
 * read it. NULL: the field is absent. */
char *ctl_cell_new(const struct ates_field *field, const json_t *value, bool for_people);

/* The columns of the fields that people see, after one for the label (NULL: none). Returns how many,
 * 0 when out of memory. */
size_t ctl_columns_new(const struct ates_message *message, const char *label,
                       struct ctl_column **out);
void ctl_columns_free(struct ctl_column *columns, size_t count);

/* The cells of one value by those columns, to be freed; is_listed: each is of one line. */
void ctl_cells_make(const struct ates_message *message, const json_t *json, bool is_listed,
                    char **cells);

#endif

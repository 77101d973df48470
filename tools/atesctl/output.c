/* Every format of what goes to stdout; see output.h. Invariant: a value becomes JSON first, by its
 * table, and what other formats show is made from that. */
#include "output.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "cell.h"
#include "core/message_json.h"
#include "table.h"

struct ctl_listing {
    const struct ates_message *message;
    const char *label;
    enum ctl_format format;
    bool is_wide;
    size_t count;
    struct ctl_column *columns; /* of CTL_TABLE, as the rest */
    size_t column_count;
    char **cells;
    size_t capacity; /* rows */
};

void ctl_csv_field(struct ates_buffer *out, const char *data, size_t size)
{
    bool quoted = false;

    for (size_t i = 0; i < size; i++) {
        quoted = quoted || strchr(",\"\r\n", data[i]) != NULL;
    }
    if (!quoted) {
        ates_buffer_append(out, data, size);
        return;
    }
    ates_buffer_append(out, "\"", 1);
    for (size_t i = 0; i < size; i++) {
        ates_buffer_append(out, "\"\"", data[i] == '"' ? 2 : 0);
        ates_buffer_append(out, &data[i], data[i] == '"' ? 0 : 1);
    }
    ates_buffer_append(out, "\"", 1);
}

static void write_csv_row(const struct ates_buffer *row)
{
    fwrite(row->data, 1, row->size, stdout);
    fputs("\r\n", stdout);
}

static void write_csv_head(const struct ctl_listing *self)
{
    struct ates_buffer row = {0};

    if (self->label != NULL) {
        ctl_csv_field(&row, self->label, strlen(self->label));
    }
    for (size_t i = 0; i < self->message->count; i++) {
        const struct ates_field *field = &self->message->fields[i];

        if (!field->secret) {
            ates_buffer_append(&row, ",", row.size > 0 ? 1 : 0);
            ctl_csv_field(&row, field->name, strlen(field->name));
        }
    }
    write_csv_row(&row);
    ates_buffer_release(&row);
}

struct ctl_listing *ctl_listing_new(const struct ctl *ctl, const struct ates_message *message,
                                    const char *label)
{
    struct ctl_listing *self = calloc(1, sizeof *self);

    if (self == NULL) {
        return NULL;
    }
    self->message = message;
    self->label = label;
    self->format = ctl->format;
    self->is_wide = ctl->is_wide;
    if (self->format == CTL_CSV) {
        write_csv_head(self);
    } else if (self->format == CTL_TABLE) {
        self->column_count = ctl_columns_new(message, label, &self->columns);
        if (self->column_count == 0) {
            ctl_listing_free(&self);
        }
    }
    return self;
}

static void add_csv(struct ctl_listing *self, const char *label_value, const json_t *json)
{
    struct ates_buffer row = {0};
    bool first = true;

    if (self->label != NULL) {
        ctl_csv_field(&row, label_value, strlen(label_value));
        first = false;
    }
    for (size_t i = 0; i < self->message->count; i++) {
        const struct ates_field *field = &self->message->fields[i];

        if (field->secret) {
            continue;
        }
        char *cell = ctl_cell_new(field, json_object_get(json, field->name), false);
        ates_buffer_append(&row, ",", first ? 0 : 1);
        if (cell != NULL) {
            ctl_csv_field(&row, cell, strlen(cell));
        }
        free(cell);
        first = false;
    }
    write_csv_row(&row);
    ates_buffer_release(&row);
}

static void add_row(struct ctl_listing *self, const char *label_value, const json_t *json)
{
    const size_t width = self->column_count * sizeof *self->cells;

    if (self->count == self->capacity) {
        self->capacity = self->capacity == 0 ? 256 : 2 * self->capacity;
        char **grown = realloc(self->cells, self->capacity * width);

        assert(grown != NULL); /* as in an arena: what was received is bounded */
        self->cells = grown;
    }
    char **cells = self->cells + self->count * self->column_count;
    memset(cells, 0, width);
    if (self->label != NULL) {
        *cells++ = strdup(label_value);
    }
    ctl_cells_make(self->message, json, true, cells);
}

/* By its table a value's first field is what it is called by. */
static void add_name(const struct ctl_listing *self, const char *label_value, const json_t *json)
{
    for (size_t i = 0; i < self->message->count; i++) {
        const struct ates_field *field = &self->message->fields[i];

        if (!field->secret && field->type != ATES_STRUCT && field->type != ATES_LIST) {
            char *name = ctl_cell_new(field, json_object_get(json, field->name), false);

            printf("%s%s%s\n", self->label != NULL ? label_value : "",
                   self->label != NULL ? "/" : "", name != NULL ? name : "");
            free(name);
            return;
        }
    }
}

/* Takes json. */
static void add_json(const struct ctl_listing *self, const char *label_value, json_t *json)
{
    if (self->label != NULL) {
        json_t *labelled = json_pack("{s:s}", self->label, label_value);

        json_object_update_new(labelled, json);
        json = labelled;
    }
    if (self->format == CTL_JSON) {
        fputs(self->count == 0 ? "[\n  " : ",\n  ", stdout);
    }
    json_dumpf(json, stdout, JSON_COMPACT);
    if (self->format == CTL_NDJSON) {
        fputc('\n', stdout);
    }
    json_decref(json);
}

void ctl_listing_add(struct ctl_listing *self, const char *label_value, const void *value)
{
    json_t *json = ates_message_to_json_public(self->message, value);

    switch (self->format) {
    case CTL_TABLE:
    case CTL_WIDE:
        add_row(self, label_value, json);
        break;
    case CTL_CSV:
        add_csv(self, label_value, json);
        break;
    case CTL_NAME:
        add_name(self, label_value, json);
        break;
    case CTL_JSON:
    case CTL_NDJSON:
    case CTL_CLOUDEVENTS: /* no command has both values and events */
        add_json(self, label_value, json_incref(json));
        break;
    }
    self->count++;
    json_decref(json);
}

bool ctl_listing_is_over(const struct ctl_listing *self)
{
    return self->format != CTL_TABLE && ferror(stdout) != 0;
}

int ctl_listing_end(struct ctl_listing *self, const char *nothing)
{
    if (self->format == CTL_JSON) {
        fputs(self->count == 0 ? "[]\n" : "\n]\n", stdout);
    } else if (self->format == CTL_TABLE && self->count == 0) {
        if (nothing != NULL) {
            ctl_say("%s", nothing);
        }
    } else if (self->format == CTL_TABLE &&
               ctl_table_print(self->columns, self->column_count, self->cells, self->count,
                               self->is_wide ? CTL_WIDTH_ALL : ctl_terminal_width()) != 0) {
        return ctl_fail(CTL_REFUSED, "-o json", "cannot print the table");
    }
    return ctl_flush();
}

static void free_cells(char **cells, size_t count)
{
    for (size_t i = 0; cells != NULL && i < count; i++) {
        free(cells[i]);
    }
    free(cells);
}

void ctl_listing_free(struct ctl_listing **self)
{
    if (self != NULL && *self != NULL) {
        free_cells((*self)->cells, (*self)->count * (*self)->column_count);
        ctl_columns_free((*self)->columns, (*self)->column_count);
        free(*self);
        *self = NULL;
    }
}

/* A line a field, texts whole: newlines begin new lines in their column. */
static int print_fields(const struct ates_message *message, const json_t *json)
{
    struct ctl_column *columns = NULL;
    const size_t count = ctl_columns_new(message, NULL, &columns);
    char **cells = calloc(count + 1, sizeof *cells);
    int r = -ENOMEM;

    if (cells != NULL && count > 0) {
        ctl_cells_make(message, json, false, cells);
        r = ctl_table_print_fields(columns, count, cells);
    }
    free_cells(cells, count);
    ctl_columns_free(columns, count);
    return r;
}

int ctl_print(const struct ctl *ctl, const struct ates_message *message, const void *value)
{
    if (ctl->format == CTL_CSV || ctl->format == CTL_NDJSON || ctl->format == CTL_NAME) {
        struct ctl_listing *listing = ctl_listing_new(ctl, message, NULL);

        if (listing == NULL) {
            return ctl_fail(CTL_REFUSED, NULL, "out of memory");
        }
        ctl_listing_add(listing, NULL, value);
        ctl_listing_free(&listing);
        return ctl_flush();
    }
    json_t *json = ates_message_to_json_public(message, value);
    if (ctl->format == CTL_JSON) {
        json_dumpf(json, stdout, JSON_INDENT(2));
        fputc('\n', stdout);
    } else if (print_fields(message, json) != 0) {
        json_decref(json);
        return ctl_fail(CTL_REFUSED, "-o json", "cannot print the table");
    }
    json_decref(json);
    return ctl_flush();
}

int ctl_print_number(uint64_t number)
{
    if (isatty(STDOUT_FILENO) == 1 && isatty(STDERR_FILENO) == 1) {
        return CTL_OK;
    }
    printf("%" PRIu64 "\n", number);
    return ctl_flush();
}

int ctl_flush(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return CTL_OK;
    }
    return errno == EPIPE ? CTL_OK
                          : ctl_fail(CTL_REFUSED, NULL, "cannot write: %s", strerror(errno));
}

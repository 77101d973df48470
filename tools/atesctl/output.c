/* Tables, JSON and CSV; see output.h. Invariant: a value becomes JSON first, by its table, and
 * cells are made from that: no field is known here by more than the end of its name. */
#include "output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>
#include <libsmartcols.h>

#include "core/message_json.h"

struct ctl_listing {
    const struct ates_message *message;
    const char *label;
    enum ctl_format format;
    struct libscols_table *table; /* of CTL_TABLE */
    size_t count;
};

void ctl_format_time(int64_t time_ms, char out[CTL_TIME_SIZE])
{
    const time_t seconds = time_ms / 1000 - (time_ms % 1000 < 0);
    struct tm local;

    if (localtime_r(&seconds, &local) == NULL ||
        strftime(out, CTL_TIME_SIZE, "%Y-%m-%d %H:%M", &local) == 0) {
        snprintf(out, CTL_TIME_SIZE, "%" PRId64, time_ms);
    }
}

void ctl_format_cents(int64_t cents, char out[CTL_TIME_SIZE])
{
    const uint64_t size = cents < 0 ? -(uint64_t)cents : (uint64_t)cents;

    snprintf(out, CTL_TIME_SIZE, "%s%" PRIu64 ".%02" PRIu64, cents < 0 ? "-" : "", size / 100,
             size % 100);
}

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

static bool ends_with(const char *name, const char *end)
{
    const size_t name_size = strlen(name), end_size = strlen(end);

    return name_size >= end_size && strcmp(name + name_size - end_size, end) == 0;
}

static bool is_time(const char *name)
{
    return strcmp(name, "timestamp") == 0 || ends_with(name, "_at");
}

/* Bytes are for programs: a table would be all hex. */
static bool is_for_people(const struct ates_field *field)
{
    return field->type != ATES_BYTES && field->type != ATES_RAW && field->type != ATES_LIST;
}

static char *copy_text(const json_t *value)
{
    return strdup(json_string_value(value));
}

/* A cell's text, to be freed. NULL: the field is absent. */
static char *make_cell(const struct ates_field *field, const json_t *value, bool for_people)
{
    char text[CTL_TIME_SIZE];

    if (value == NULL) {
        return NULL;
    }
    if (json_is_string(value)) {
        return copy_text(value);
    }
    if (json_is_boolean(value)) {
        return strdup(for_people            ? json_is_true(value) ? "yes" : "no"
                      : json_is_true(value) ? "true"
                                            : "false");
    }
    if (!json_is_integer(value)) {
        return json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    }
    const int64_t number = json_integer_value(value);
    if (for_people && is_time(field->name)) {
        ctl_format_time(number, text);
    } else if (for_people && ends_with(field->name, "_cents")) {
        ctl_format_cents(number, text);
    } else {
        snprintf(text, sizeof text, "%" PRId64, number);
    }
    return strdup(text);
}

/* A tab has no width of its own. In a list, a text is told by its first line. */
static void fit_cell(char *cell, bool first_line)
{
    char *end = strchr(cell, '\n');

    if (end != NULL && first_line) {
        /* An ellipsis has room: "…" takes as many bytes as are cut, or the line is left as it is.
         */
        if (strlen(end) > strlen("…")) {
            strcpy(end, "…");
        } else {
            *end = '\0';
        }
    }
    for (; *cell != '\0'; cell++) {
        if (*cell == '\t') {
            *cell = ' ';
        }
    }
}

static struct libscols_column *add_column(struct libscols_table *table, const char *name,
                                          bool is_number, bool is_long)
{
    return scols_table_new_column(table, name, is_long ? 0.2 : 0,
                                  is_number ? SCOLS_FL_RIGHT
                                  : is_long ? SCOLS_FL_TRUNC
                                            : 0);
}

static struct libscols_table *new_table(const struct ates_message *message, const char *label)
{
    struct libscols_table *table = scols_new_table();
    bool made = table != NULL && (label == NULL || add_column(table, label, false, false) != NULL);

    for (size_t i = 0; made && i < message->count; i++) {
        const struct ates_field *field = &message->fields[i];
        const bool is_number =
            (field->type == ATES_UINT || field->type == ATES_INT) && !is_time(field->name);
        const bool is_long = field->type == ATES_TEXT && (field->max == 0 || field->max > 100);

        if (is_for_people(field) && !field->secret) {
            made = add_column(table, field->name, is_number, is_long) != NULL;
        }
    }
    if (!made) {
        scols_unref_table(table);
        return NULL;
    }
    return table;
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
    if (self->format == CTL_CSV) {
        write_csv_head(self);
    } else if (self->format == CTL_TABLE) {
        scols_init_debug(0);
        self->table = new_table(message, label);
        if (self->table == NULL) {
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
        char *cell = make_cell(field, json_object_get(json, field->name), false);
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

static void add_line(struct ctl_listing *self, const char *label_value, const json_t *json)
{
    struct libscols_line *line = scols_table_new_line(self->table, NULL);
    size_t column = 0;

    if (line == NULL) {
        return;
    }
    if (self->label != NULL) {
        scols_line_set_data(line, column++, label_value);
    }
    for (size_t i = 0; i < self->message->count; i++) {
        const struct ates_field *field = &self->message->fields[i];

        if (!is_for_people(field) || field->secret) {
            continue;
        }
        char *cell = make_cell(field, json_object_get(json, field->name), true);
        if (cell != NULL) {
            fit_cell(cell, true);
            scols_line_refer_data(line, column, cell); /* the line frees it */
        }
        column++;
    }
}

void ctl_listing_add(struct ctl_listing *self, const char *label_value, const void *value)
{
    json_t *json = ates_message_to_json_public(self->message, value);

    if (self->format == CTL_TABLE) {
        add_line(self, label_value, json);
    } else if (self->format == CTL_CSV) {
        add_csv(self, label_value, json);
    } else {
        if (self->label != NULL) {
            json_t *labelled = json_pack("{s:s}", self->label, label_value);

            json_object_update_new(labelled, json);
            json = labelled;
        }
        fputs(self->count == 0 ? "[\n  " : ",\n  ", stdout);
        json_dumpf(json, stdout, JSON_COMPACT);
    }
    self->count++;
    json_decref(json);
}

int ctl_listing_end(struct ctl_listing *self)
{
    if (self->format == CTL_JSON) {
        fputs(self->count == 0 ? "[]\n" : "\n]\n", stdout);
    } else if (self->format == CTL_TABLE && self->count == 0) {
        ctl_say("nothing found");
    } else if (self->format == CTL_TABLE && scols_print_table(self->table) != 0) {
        return ctl_fail(CTL_REFUSED, "-o json", "cannot print the table");
    }
    return ctl_flush();
}

void ctl_listing_free(struct ctl_listing **self)
{
    if (self != NULL && *self != NULL) {
        scols_unref_table((*self)->table);
        free(*self);
        *self = NULL;
    }
}

/* A line a field, texts whole: newlines begin new lines in their column. */
static int print_lines(const struct ates_message *message, const json_t *json)
{
    struct libscols_table *table = scols_new_table();
    struct libscols_column *values;
    int r = -ENOMEM;

    if (table != NULL && scols_table_new_column(table, "field", 0, 0) != NULL &&
        (values = scols_table_new_column(table, "value", 0, SCOLS_FL_WRAP)) != NULL) {
        scols_column_set_wrapfunc(values, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
        scols_column_set_safechars(values, "\n");
        scols_table_enable_noheadings(table, 1);
        for (size_t i = 0; i < message->count; i++) {
            const struct ates_field *field = &message->fields[i];
            struct libscols_line *line;
            char *cell = is_for_people(field) && !field->secret
                             ? make_cell(field, json_object_get(json, field->name), true)
                             : NULL;

            if (cell != NULL && (line = scols_table_new_line(table, NULL)) != NULL) {
                fit_cell(cell, false);
                scols_line_set_data(line, 0, field->name);
                scols_line_refer_data(line, 1, cell);
            }
        }
        r = scols_print_table(table);
    }
    scols_unref_table(table);
    return r;
}

int ctl_print(const struct ctl *ctl, const struct ates_message *message, const void *value)
{
    if (ctl->format == CTL_CSV) {
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
    } else if (print_lines(message, json) != 0) {
        json_decref(json);
        return ctl_fail(CTL_REFUSED, "-o json", "cannot print the table");
    }
    json_decref(json);
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

/* Tables, JSON and CSV; see output.h. Invariant: a value becomes JSON first, by its table, and
 * cells are made from that: no field is known here by more than the end of its name. */
#include "output.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "core/message_json.h"
#include "table.h"

struct ctl_listing {
    const struct ates_message *message;
    const char *label;
    enum ctl_format format;
    size_t count;
    struct ctl_column *columns; /* of CTL_TABLE, as the rest */
    size_t column_count;
    char **cells;
    size_t capacity; /* rows */
};

/* How columns are headed that are not called by their field's name in capitals, and which are left
 * out first where there is no room (see table.h). */
static const struct {
    const char *field, *heading; /* NULL: as others */
    int drop;
} headings[] = {
    {"actor_id", "BY", 0},
    {"assigned_to", "TO", 0},
    {"attempts", "TRIES", 1},
    {"balance_cents", "BALANCE", 0},
    {"business_date", "DAY", 1},
    {"complete_price_cents", "PRICE", 0},
    {"completed_at", "COMPLETED", 2},
    {"created_at", "CREATED", 4},
    {"created_by", "BY", 3},
    {"delta_cents", "AMOUNT", 0},
    {"description", NULL, 2},
    {"disabled", NULL, 3},
    {"email", NULL, 3},
    {"finished_at", "FINISHED", 3},
    {"first_key", "FIRST KEY", 1},
    {"from_user_id", "FROM", 0},
    {"income_cents", "INCOME", 0},
    {"is_finished", "DONE", 0},
    {"last_error", "ERROR", 0},
    {"message", NULL, 2},
    {"next_attempt_at", "NEXT TRY", 5},
    {"rows_before", "BEFORE", 0},
    {"sent_at", "SENT", 5},
    {"subject", NULL, 6},
    {"task_id", "TASK", 3},
    {"timestamp", "TIME", 0},
    {"to_user_id", "TO", 0},
    {"today_cents", "TODAY", 0},
    {"user_id", "USER", 0},
};

static void format_time(int64_t time_ms, const char *format, char out[CTL_TIME_SIZE])
{
    const time_t seconds = time_ms / 1000 - (time_ms % 1000 < 0);
    struct tm local;

    if (localtime_r(&seconds, &local) == NULL ||
        strftime(out, CTL_TIME_SIZE, format, &local) == 0) {
        snprintf(out, CTL_TIME_SIZE, "%" PRId64, time_ms);
    }
}

void ctl_format_time(int64_t time_ms, char out[CTL_TIME_SIZE])
{
    format_time(time_ms, "%Y-%m-%d %H:%M %Z", out);
}

void ctl_format_moment(int64_t time_ms, char out[CTL_TIME_SIZE])
{
    format_time(time_ms, "%Y-%m-%d %H:%M:%S %Z", out);
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

static bool is_shown(const struct ates_field *field)
{
    return is_for_people(field) && !field->secret;
}

/* The heading is to be freed. */
static struct ctl_column make_column(const struct ates_field *field)
{
    const bool is_integer = field->type == ATES_UINT || field->type == ATES_INT;
    struct ctl_column column = {
        .is_number = is_integer && !is_time(field->name),
        .is_text = field->type == ATES_TEXT && (field->max == 0 || field->max > 100),
    };
    const char *heading = NULL;

    for (size_t i = 0; i < sizeof headings / sizeof headings[0]; i++) {
        if (strcmp(headings[i].field, field->name) == 0) {
            heading = headings[i].heading;
            column.drop = headings[i].drop;
        }
    }
    char *words = strdup(heading != NULL ? heading : field->name);
    for (char *c = words; c != NULL && *c != '\0'; c++) {
        *c = (char)(*c == '_' ? ' ' : toupper((unsigned char)*c));
    }
    column.heading = words;
    return column;
}

/* Their headings are to be freed. Returns how many, 0 when out of memory. */
static size_t make_columns(const struct ates_message *message, const char *label,
                           struct ctl_column **out)
{
    struct ctl_column *columns = calloc(message->count + 1, sizeof *columns);
    const struct ates_field named = {.name = label, .type = ATES_ENUM};
    size_t count = 0;
    bool made = columns != NULL;

    if (made && label != NULL) {
        columns[count++] = make_column(&named);
    }
    for (size_t i = 0; made && i < message->count; i++) {
        if (is_shown(&message->fields[i])) {
            columns[count++] = make_column(&message->fields[i]);
            made = columns[count - 1].heading != NULL;
        }
    }
    *out = columns;
    return made ? count : 0;
}

static void free_columns(struct ctl_column *columns, size_t count)
{
    for (size_t i = 0; columns != NULL && i < count; i++) {
        free((char *)columns[i].heading);
    }
    free(columns);
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
        self->column_count = make_columns(message, label, &self->columns);
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

/* The cells of one value, by columns: those of a list are of one line. */
static void make_cells(const struct ates_message *message, const json_t *json, bool listed,
                       char **cells)
{
    size_t column = 0;

    for (size_t i = 0; i < message->count; i++) {
        const struct ates_field *field = &message->fields[i];

        if (is_shown(field)) {
            char *cell = make_cell(field, json_object_get(json, field->name), true);

            if (cell != NULL) {
                fit_cell(cell, listed);
            }
            cells[column++] = cell;
        }
    }
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
    make_cells(self->message, json, true, cells);
}

void ctl_listing_add(struct ctl_listing *self, const char *label_value, const void *value)
{
    json_t *json = ates_message_to_json_public(self->message, value);

    if (self->format == CTL_TABLE) {
        add_row(self, label_value, json);
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
                               ctl_terminal_width()) != 0) {
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
        free_columns((*self)->columns, (*self)->column_count);
        free(*self);
        *self = NULL;
    }
}

/* A line a field, texts whole: newlines begin new lines in their column. */
static int print_fields(const struct ates_message *message, const json_t *json)
{
    struct ctl_column *columns = NULL;
    const size_t count = make_columns(message, NULL, &columns);
    char **cells = calloc(count + 1, sizeof *cells);
    int r = -ENOMEM;

    if (cells != NULL && count > 0) {
        make_cells(message, json, false, cells);
        r = ctl_table_print_fields(columns, count, cells);
    }
    free_cells(cells, count);
    free_columns(columns, count);
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

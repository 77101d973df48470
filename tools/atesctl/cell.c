/* What stands in a table's cells; see cell.h. Invariant: a value becomes JSON first, by its table, and
 * cells are made from that: no field is known here by more than the end of its name. */
#include "cell.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "output.h"

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
    {"exit_code", "EXIT", 1},
    {"finished_at", "FINISHED", 3},
    {"first_key", "FIRST KEY", 1},
    {"from_user_id", "FROM", 0},
    {"income_cents", "INCOME", 0},
    {"is_finished", "DONE", 0},
    {"jira_id", "JIRA", 1},
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

char *ctl_cell_new(const struct ates_field *field, const json_t *value, bool for_people)
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

size_t ctl_columns_new(const struct ates_message *message, const char *label,
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

void ctl_columns_free(struct ctl_column *columns, size_t count)
{
    for (size_t i = 0; columns != NULL && i < count; i++) {
        free((char *)columns[i].heading);
    }
    free(columns);
}

void ctl_cells_make(const struct ates_message *message, const json_t *json, bool is_listed,
                    char **cells)
{
    size_t column = 0;

    for (size_t i = 0; i < message->count; i++) {
        const struct ates_field *field = &message->fields[i];

        if (is_shown(field)) {
            char *cell = ctl_cell_new(field, json_object_get(json, field->name), true);

            if (cell != NULL) {
                fit_cell(cell, is_listed);
            }
            cells[column++] = cell;
        }
    }
}

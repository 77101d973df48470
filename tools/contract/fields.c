/* The tables of fields; see fields.h. */
#include "fields.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/contract.h"
#include "domains.h"

#define SHAPES_MAX 32u /* nested messages of a service */

/* One table while it is written: nested messages follow, once each. */
struct table {
    FILE *out;
    const struct ates_message *shapes[SHAPES_MAX];
    size_t shape_count, printed;
};

/* "1-64", "from 1", "up to 64"; nothing where there is no limit. */
static void print_range(FILE *out, int64_t min, int64_t max)
{
    if (min == max && max != 0) {
        fprintf(out, " %" PRId64, max);
    } else if (max != 0) {
        fprintf(out, " %" PRId64 "-%" PRId64, min, max);
    } else if (min != 0) {
        fprintf(out, " from %" PRId64, min);
    }
}

static void print_text(FILE *out, const struct ates_field *field)
{
    static const char *const types[] = {
        [ATES_RULE_LOGIN] = "login", [ATES_RULE_EMAIL] = "email", [ATES_RULE_DATE] = "date"};
    static const char *const rules[] = {
        [ATES_RULE_TEXT] = "",
        [ATES_RULE_LINE] = ", a line",
        [ATES_RULE_ASCII] = ", ASCII",
        [ATES_RULE_TITLE] = ", without [ and ]",
        [ATES_RULE_ISSUE] = ", like JIRA-123",
    };

    if (field->rule >= ATES_RULE_LOGIN && field->rule <= ATES_RULE_DATE) {
        fputs(types[field->rule], out);
        return;
    }
    fputs("str", out);
    print_range(out, field->min, field->max);
    fputs(rules[field->rule], out);
}

static void print_number(FILE *out, const struct ates_field *field)
{
    const bool is_whole = field->min == -ATES_INTEGER_MAX && field->max == 0;

    switch (field->unit) {
    case ATES_UNIT_ID:
        fputs(field->min == 1 ? "id" : "id or 0", out);
        return;
    case ATES_UNIT_TIME:
        fputs("time", out);
        return;
    case ATES_UNIT_CENTS:
        fputs("money", out);
        break;
    case ATES_UNIT_MILLISECONDS:
        fputs("uint (ms)", out);
        break;
    case ATES_UNIT_NONE:
        fputs(field->type == ATES_UINT ? "uint" : "int", out);
        break;
    }
    if (!is_whole) {
        print_range(out, field->min, field->max);
    }
}

static const char *shape(struct table *self, const struct ates_message *message)
{
    for (size_t i = 0; i < self->shape_count; i++) {
        if (self->shapes[i] == message) {
            return message->name;
        }
    }
    assert(self->shape_count < SHAPES_MAX);
    self->shapes[self->shape_count++] = message;
    return message->name;
}

static void print_list(struct table *self, const struct ates_field *field)
{
    fputs("list of", self->out);
    print_range(self->out, field->min, field->max);
    if (field->item == ATES_STRUCT) {
        fprintf(self->out, " `%s`", shape(self, field->message));
    } else {
        fputs(field->item == ATES_TEXT      ? " str"
              : field->item == ATES_BYTES   ? " bin"
              : field->unit == ATES_UNIT_ID ? " id"
                                            : " uint",
              self->out);
    }
}

static void print_words(FILE *out, const struct ates_field *field)
{
    for (size_t i = field->names[0] == NULL; field->names[i] != NULL; i++) {
        fprintf(out, "%s%s", i > (field->names[0] == NULL) ? ", " : "enum: ", field->names[i]);
    }
}

static void print_type(struct table *self, const struct ates_field *field)
{
    switch (field->type) {
    case ATES_BOOL:
        fputs("bool", self->out);
        break;
    case ATES_UINT:
    case ATES_INT:
        print_number(self->out, field);
        break;
    case ATES_ENUM:
        print_words(self->out, field);
        break;
    case ATES_TEXT:
        print_text(self->out, field);
        break;
    case ATES_BYTES:
        fputs("bin", self->out);
        print_range(self->out, field->min, field->max);
        break;
    case ATES_RAW:
        fputs("map", self->out);
        break;
    case ATES_STRUCT:
        fprintf(self->out, "`%s`", shape(self, field->message));
        break;
    case ATES_LIST:
        print_list(self, field);
        break;
    }
    fputs(field->secret ? ", secret" : "", self->out);
}

/* A row a field; the message is named in the first one. */
static void print_message(struct table *self, const char *name, const char *note,
                          const struct ates_message *message)
{
    if (message->count == 0) {
        fprintf(self->out, "| `%s`%s | - | | |\n", name, note);
    }
    for (size_t i = 0; i < message->count; i++) {
        const struct ates_field *field = &message->fields[i];

        if (i == 0) {
            fprintf(self->out, "| `%s`%s |", name, note);
        } else {
            fputs("| |", self->out);
        }
        fprintf(self->out, " `%s%s` | ", field->name, field->optional ? "?" : "");
        print_type(self, field);
        fprintf(self->out, " | %s |\n", field->summary != NULL ? field->summary : "");
    }
}

static void print_shapes(struct table *self)
{
    for (; self->printed < self->shape_count; self->printed++) {
        const struct ates_message *message = self->shapes[self->printed];

        print_message(self, message->name, ", a map", message);
    }
}

static void begin(struct table *self, unsigned number, const char *heading)
{
    fprintf(self->out, "\n### 12.%u %s\n\n| message | field | type | means |\n|---|---|---|---|\n",
            number, heading);
}

static void print_service(FILE *out, unsigned number, const struct ates_service *service,
                          const char *heading)
{
    struct table self = {.out = out};
    struct ates_contract_entry entry;

    begin(&self, number, heading);
    for (size_t i = 0; ates_contract_at(service, i, &entry); i++) {
        print_message(&self, entry.name, "", entry.message);
        if (entry.command != NULL && entry.command->result->count > 0) {
            print_message(&self, entry.name, ", result", entry.command->result);
        }
    }
    print_shapes(&self);
}

void contract_print_fields(FILE *out)
{
    struct table self = {.out = out};
    const struct ates_message *frame;
    unsigned number = 1;

    begin(&self, number++, "Frames");
    for (size_t i = 0; (frame = ates_contract_frame(i)) != NULL; i++) {
        print_message(&self, frame->name, "", frame);
    }
    print_shapes(&self);
    print_service(out, number++, &ates_common_service, "Every service");
    for (size_t i = 0; ates_domains[i] != NULL; i++) {
        const struct ates_service *service = ates_domains[i]->service;

        print_service(out, number++, service, service->name);
    }
}

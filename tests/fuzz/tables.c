/* Every message table of the program; see tables.h. Core's come first: what a new command adds to the
 * services' moves none of them. */
#include "tables.h"

#include "core/archive.h"
#include "core/message_json.h"
#include "core/message_schema.h"
#include "core/record.h"
#include "domains.h"
#include "fuzz.h"
#include "support/sample.h"
#include "support/schema_values.h"

#define TABLES_MAX 256u

static const struct ates_message *const core_tables[] = {
    &sample_message,
    &ates_envelope_message,
    &ates_request_meta_message,
    &ates_reply_meta_message,
    &ates_refusal_body_message,
    &ates_record_message,
    &ates_head_message,
    &ates_archive_about_message,
    &ates_archive_row_message,
    &ates_user_changed_message,
};

static struct {
    const struct ates_message *message;
    size_t growth;
} tables[TABLES_MAX];
static size_t table_count;

/* The largest item of a list within the message; an item may be one byte long. */
static size_t largest_item(const struct ates_message *message)
{
    size_t largest = 64; /* a key of a map with many unknown ones, a text of a list */

    for (size_t i = 0; i < message->count; i++) {
        const struct ates_field *field = &message->fields[i];

        if (field->message != NULL) {
            const size_t within = largest_item(field->message);
            const size_t own = field->type == ATES_LIST ? field->message->size : 0;

            largest = own + within > largest ? own + within : largest;
        }
    }
    return largest;
}

static void add(const struct ates_message *message)
{
    for (size_t i = 0; i < table_count; i++) {
        if (tables[i].message == message) {
            return;
        }
    }
    fuzz_require(table_count < TABLES_MAX);
    tables[table_count].message = message;
    tables[table_count++].growth = largest_item(message);
}

static void add_service(const struct ates_service *service)
{
    for (size_t i = 0; i < service->command_count; i++) {
        add(service->commands[i].body);
        add(service->commands[i].result);
    }
    for (size_t i = 0; i < service->event_count; i++) {
        add(service->events[i].data);
    }
    for (size_t i = 0; i < service->snapshot_count; i++) {
        add(service->snapshots[i].data);
    }
}

static void make(void)
{
    for (size_t i = 0; i < sizeof core_tables / sizeof core_tables[0]; i++) {
        add(core_tables[i]);
    }
    add_service(&ates_common_service);
    for (size_t i = 0; ates_domains[i] != NULL; i++) {
        add_service(ates_domains[i]->service);
    }
}

void fuzz_put_value(const struct ates_message *message, bool all, struct ates_buffer *out)
{
    struct ates_arena *arena = ates_arena_new();
    struct ates_refusal refusal;
    json_t *schema = ates_message_schema(message, ATES_UNKNOWN_REFUSED);
    json_t *json = all ? schema_most(schema) : schema_least(schema);
    void *value = ates_arena_alloc(arena, message->size);

    if (ates_message_from_json(message, json, arena, value, &refusal) == 0) {
        ates_message_encode(message, value, out);
    }
    json_decref(json);
    json_decref(schema);
    ates_arena_free(&arena);
}

size_t fuzz_table_count(void)
{
    if (table_count == 0) {
        make();
    }
    return table_count;
}

const struct ates_message *fuzz_table(size_t index)
{
    return tables[index % fuzz_table_count()].message;
}

size_t fuzz_table_growth(size_t index)
{
    return tables[index % fuzz_table_count()].growth;
}

/* admin describe: what a running service understands and publishes, as it tells itself. Invariant:
 * nothing here comes from atesctl's own tables, as the service may be of another version. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "events.h"
#include "operate.h"
#include "output.h"
#include "remote.h"

#define CALLERS_SIZE 160u

/* For people, who read schemas one at a time. */
struct row {
    struct ates_text name;
    int kind;
    bool has_callers;
    struct ates_text callers;
};
static const struct ates_field row_fields[] = {
    {ATES_FIELD(row, name), .type = ATES_TEXT},
    {ATES_FIELD(row, kind), .type = ATES_ENUM, .names = ates_described_names},
    {ATES_OPTIONAL(row, callers), .type = ATES_TEXT, .summary = "whose tokens may call it"},
};
static ATES_MESSAGE(row, "described");

static struct ates_text list_callers(struct ctl *ctl, const struct ates_described *item)
{
    const struct ates_text *roles = item->roles.items;
    char *text = ates_arena_alloc(ctl->arena, CALLERS_SIZE);
    size_t used = 0;

    if (!item->needs_token) {
        return ates_text_from("no token is needed");
    }
    if (item->roles.count == ATES_ROLE_COUNT) {
        return ates_text_from("any role");
    }
    for (size_t i = 0; i < item->roles.count && used < CALLERS_SIZE; i++) {
        used += (size_t)snprintf(text + used, CALLERS_SIZE - used, "%s%.*s", i > 0 ? ", " : "",
                                 (int)roles[i].size, roles[i].data);
    }
    return ates_text_from(text);
}

static void add(struct ctl *ctl, const struct ates_described *item, struct ctl_listing *listing)
{
    if (ctl->format != CTL_TABLE) {
        ctl_listing_add(listing, NULL, item);
        return;
    }
    const struct row row = {
        .name = item->name,
        .kind = item->kind,
        .has_callers = item->has_roles,
        .callers = item->has_roles ? list_callers(ctl, item) : ates_text_from(""),
    };
    ctl_listing_add(listing, NULL, &row);
}

/* A schema over many lines, or as it came where it is no JSON. */
static void print_schema(struct ates_text text)
{
    json_t *schema = json_loadb(text.data, text.size, 0, NULL);

    if (schema == NULL) {
        printf("%.*s\n", (int)text.size, text.data);
        return;
    }
    json_dumpf(schema, stdout, JSON_INDENT(2));
    fputc('\n', stdout);
    json_decref(schema);
}

static void show(struct ctl *ctl, bool whole, const struct ates_list *items,
                 struct ctl_listing *listing)
{
    for (size_t i = 0; i < items->count; i++) {
        const struct ates_described *item = (const struct ates_described *)items->items + i;

        if (!whole) {
            add(ctl, item, listing);
            continue;
        }
        print_schema(item->schema);
        if (item->has_result_schema) {
            print_schema(item->result_schema);
        }
    }
}

static int run(struct ctl *ctl, const struct ctl_input *input)
{
    struct ates_describe body = {.has_name = input->count > 1};
    const bool whole = body.has_name && ctl->format == CTL_TABLE;
    struct ates_describe_result page = {.has_next = false};
    const struct ates_service *service;
    int code = events_service(input->arguments[0], &service);

    if (code == CTL_OK && body.has_name) {
        const struct ates_command *command = ctl_command(service, "describe");

        code = ctl_set(ctl, command, &body, "name", input->arguments[1], "NAME");
    }
    if (code != CTL_OK) {
        return code;
    }
    struct ctl_listing *listing = ctl_listing_new(
        ctl, ctl->format == CTL_TABLE ? &row_message : &ates_described_message, NULL);
    if (listing == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    do {
        body.has_after = page.has_next;
        body.after = page.next;
        code = ctl_query(ctl, service, "describe", &body, &page);
        if (code == CTL_OK) {
            show(ctl, whole, &page.items, listing);
        }
    } while (code == CTL_OK && page.has_next);
    if (code == CTL_OK) {
        code = whole ? ctl_flush() : ctl_listing_end(listing, NULL);
    }
    ctl_listing_free(&listing);
    return code;
}

static void tell_words(const struct ctl_input *input, ctl_word_fn *tell, void *context)
{
    if (input->count == 0) {
        ctl_tell_services(tell, context);
    }
}

const struct ctl_command admin_describe_command = {
    .name = "describe",
    .arguments = "SERVICE [NAME]",
    .summary = "Show the commands and events of a running service, or the schema of one",
    .notes = "\nNobody need be signed in. NAME is a command, an event or a snapshot item, with or "
             "without\n"
             "the service and the version; its JSON Schema is shown, then that of a command's "
             "result.\n",
    .examples = "atesctl admin describe tasks\n"
                "atesctl admin describe tasks create_task\n"
                "atesctl admin describe accounting accounting.transfer_recorded.v1\n"
                "atesctl admin describe auth -o json",
    .min = 1,
    .max = 2,
    .run = run,
    .words = tell_words,
};

/* Events as streams send them; see web_event.h. */
#include "web/web_event.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/journal.h"
#include "core/message_json.h"
#include "web/web_messages.h"

/* What an envelope holds for streams. */
struct opened {
    const struct ates_event_type *type; /* NULL: nothing */
    void *data;
    struct web_audience audience;
};

static const struct ates_event_type *find_type(const struct ates_service *service,
                                               const struct ates_envelope *envelope)
{
    for (size_t i = 0; i < service->event_count; i++) {
        const struct ates_event_type *type = &service->events[i];

        if (!type->is_private && type->version == envelope->event_version &&
            ates_text_equal(ates_text_from(type->data->name), envelope->event_name)) {
            return type;
        }
    }
    return NULL;
}

static struct opened open_envelope(const struct ates_service *service,
                                   const struct ates_envelope *envelope, struct ates_arena *scratch)
{
    struct opened opened = {.type = find_type(service, envelope)};
    struct ates_refusal refusal;

    if (opened.type == NULL) {
        return opened;
    }
    opened.data = ates_arena_alloc(scratch, opened.type->data->size);
    if (ates_message_decode(opened.type->data, envelope->data.data, envelope->data.size,
                            ATES_UNKNOWN_IGNORED, scratch, opened.data, &refusal) != 0) {
        const struct ates_log_field fields[] = {{"seq", NULL, (int64_t)envelope->seq},
                                                {"reason", refusal.reason, 0},
                                                {"field", refusal.field, 0},
                                                {NULL, NULL, 0}};

        ates_journal(ATES_WARNING, "web", fields, "%s.%s cannot be read: not shown", service->name,
                     opened.type->data->name);
        opened.type = NULL;
        return opened;
    }
    opened.audience = web_audience_of(service, opened.type, opened.data);
    return opened;
}

/* The JSON text; NULL where the data has none. */
static char *render(const struct ates_service *service, const struct ates_envelope *envelope,
                    const struct opened *opened)
{
    const struct web_stream_event event = {
        .producer = ates_text_from(service->name),
        .seq = envelope->seq,
        .event_name = ates_text_from(opened->type->data->name),
        .event_version = envelope->event_version,
        .event_time = envelope->event_time,
    };
    json_t *data = ates_message_to_json_public(opened->type->data, opened->data);
    json_t *json = ates_message_to_json_public(&web_stream_event_message, &event);
    char *text =
        json_object_set_new(json, "data", data) == 0 ? json_dumps(json, JSON_COMPACT) : NULL;

    json_decref(json);
    return text;
}

static struct web_event *make(const struct ates_service *service, unsigned producer,
                              const struct ates_envelope *envelope, const struct opened *opened)
{
    static const char before[] = "data: ", after[] = "\n\n";
    char *json = opened->type != NULL && !web_audience_is_empty(&opened->audience)
                     ? render(service, envelope, opened)
                     : NULL;
    const size_t json_size = json != NULL ? strlen(json) : 0;
    const size_t size = json != NULL ? sizeof before - 1 + json_size + sizeof after - 1 : 0;
    struct web_event *event = malloc(sizeof *event + size + 1);

    if (event == NULL) {
        abort(); /* as where an arena has no more memory */
    }
    *event = (struct web_event){
        .references = 1, .producer = producer, .seq = envelope->seq, .size = size};
    if (json != NULL) {
        event->audience = opened->audience;
        snprintf(event->text, size + 1, "%s%s%s", before, json, after);
    }
    if (opened->type != NULL && opened->type->data == &ates_user_changed_message) {
        event->changed_user = ((const struct ates_user_changed *)opened->data)->user_id;
    }
    free(json);
    return event;
}

struct web_event *web_event_new(const struct ates_service *service, unsigned producer,
                                const struct ates_envelope *envelope, struct ates_arena *scratch)
{
    const struct opened opened = open_envelope(service, envelope, scratch);

    return make(service, producer, envelope, &opened);
}

struct web_event *web_event_new_for(const struct ates_service *service, unsigned producer,
                                    const struct ates_envelope *envelope,
                                    struct ates_arena *scratch, uint64_t user_id, unsigned role)
{
    const struct opened opened = open_envelope(service, envelope, scratch);

    if (opened.type == NULL || !web_audience_has(&opened.audience, user_id, role)) {
        return NULL;
    }
    struct web_event *event = make(service, producer, envelope, &opened);
    if (event->size == 0) {
        web_event_drop(&event);
    }
    return event;
}

struct web_event *web_event_hold(struct web_event *event)
{
    event->references++;
    return event;
}

void web_event_drop(struct web_event **event)
{
    if (*event != NULL && --(*event)->references == 0) {
        free(*event);
    }
    *event = NULL;
}

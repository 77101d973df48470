/* Events, a line each; see event_lines.h. */
#include "event_lines.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "cloudevent.h"
#include "core/message_json.h"
#include "output.h"

void ctl_event_begin(const struct ctl *ctl, FILE *out)
{
    if (ctl->format == CTL_CSV) {
        fputs("time,topic,seq,data\r\n", out);
    }
}

static void write_csv(FILE *out, const char *topic, int64_t time_ms, uint64_t seq, const char *data)
{
    struct ates_buffer field = {0};

    ctl_csv_field(&field, data, strlen(data));
    fprintf(out, "%" PRId64 ",%s,%" PRIu64 ",%.*s\r\n", time_ms, topic, seq, (int)field.size,
            (const char *)field.data);
    ates_buffer_release(&field);
}

static void write_people(FILE *out, const char *topic, int64_t time_ms, uint64_t seq,
                         const char *data)
{
    char time[CTL_TIME_SIZE] = "-";

    if (time_ms != 0) {
        ctl_format_moment(time_ms, time);
    }
    fprintf(out, "%s  %s  %" PRIu64 "  %s\n", time, topic, seq, data);
}

/* json: of the event whole, for JSON; data: of its own fields, for the others. */
static void write_line(const struct ctl *ctl, FILE *out, const char *topic, int64_t time_ms,
                       uint64_t seq, const json_t *json, const json_t *data)
{
    char *text = json_dumps(data, JSON_COMPACT);
    const char *shown = text != NULL ? text : "";

    switch (ctl->format) {
    case CTL_TABLE:
    case CTL_WIDE:
        write_people(out, topic, time_ms, seq, shown);
        break;
    case CTL_CSV:
        write_csv(out, topic, time_ms, seq, shown);
        break;
    case CTL_NAME: /* as --from takes it */
        fprintf(out, "%.*s:%" PRIu64 "\n", (int)strcspn(topic, "."), topic, seq);
        break;
    case CTL_JSON:
    case CTL_NDJSON:
    case CTL_CLOUDEVENTS:
        json_dumpf(json, out, JSON_COMPACT);
        fputc('\n', out);
        break;
    }
    free(text);
}

void ctl_event_write(const struct ctl *ctl, FILE *out, const struct ates_envelope *envelope)
{
    char topic[CTL_TOPIC_SIZE];
    json_t *whole = ates_message_to_json_public(&ates_envelope_message, envelope);
    json_t *json;

    ctl_topic(envelope, topic);
    if (ctl->format == CTL_CLOUDEVENTS) {
        json = ctl_cloudevent(envelope);
    } else {
        json = json_pack("{s:s}", "topic", topic);
        json_object_update(json, whole);
    }
    write_line(ctl, out, topic, envelope->event_time, envelope->seq, json,
               json_object_get(whole, "data"));
    json_decref(json);
    json_decref(whole);
}

void ctl_head_write(const struct ctl *ctl, FILE *out, const char *service,
                    const struct ates_head *head)
{
    char topic[CTL_TOPIC_SIZE];
    json_t *data = ates_message_to_json_public(&ates_head_message, head);
    json_t *json = json_object();

    snprintf(topic, sizeof topic, "%s.head.v1", service);
    json_object_set_new(json, "topic", json_string(topic));
    json_object_update(json, data);
    write_line(ctl, out, topic, 0, head->seq, json, data);
    json_decref(json);
    json_decref(data);
}

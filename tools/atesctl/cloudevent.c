/* CloudEvents; see cloudevent.h. */
#include "cloudevent.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "core/message_json.h"

const char *ctl_topic(const struct ates_envelope *envelope, char out[CTL_TOPIC_SIZE])
{
    snprintf(out, CTL_TOPIC_SIZE, "%.*s.%.*s.v%" PRIu64, (int)envelope->producer.size,
             envelope->producer.data, (int)envelope->event_name.size, envelope->event_name.data,
             envelope->event_version);
    return out;
}

/* RFC 3339, with milliseconds. */
static void format_time(int64_t time_ms, char out[40])
{
    const int64_t ms = ((time_ms % 1000) + 1000) % 1000;
    const time_t seconds = (time_t)((time_ms - ms) / 1000);
    struct tm parts;
    char text[32];

    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
    snprintf(out, 40, "%s.%03dZ", text, (int)ms);
}

/* "task/12": whom or what the event is about, by the first id in it. Whether there is one. */
static bool find_subject(const json_t *data, char out[CTL_TOPIC_SIZE])
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)data, key, value)
    {
        const size_t size = strlen(key);

        if (json_is_integer(value) && size > 3 && strcmp(key + size - 3, "_id") == 0) {
            snprintf(out, CTL_TOPIC_SIZE, "%.*s/%" JSON_INTEGER_FORMAT, (int)size - 3, key,
                     json_integer_value(value));
            return true;
        }
        const json_t *id = json_object_get(value, "id");
        if (json_is_integer(id)) {
            snprintf(out, CTL_TOPIC_SIZE, "%s/%" JSON_INTEGER_FORMAT, key, json_integer_value(id));
            return true;
        }
    }
    return false;
}

json_t *ctl_cloudevent(const struct ates_envelope *envelope)
{
    char topic[CTL_TOPIC_SIZE], source[CTL_TOPIC_SIZE], subject[CTL_TOPIC_SIZE];
    char sequence[24], time[40];
    json_t *whole = ates_message_to_json_public(&ates_envelope_message, envelope);
    json_t *data = json_object_get(whole, "data");

    snprintf(source, sizeof source, "/ates/%.*s/%.*s", (int)envelope->producer.size,
             envelope->producer.data, (int)envelope->log_id.size, envelope->log_id.data);
    /* As wide as the largest that there can be: the extension orders sequences as texts. */
    snprintf(sequence, sizeof sequence, "%016" PRIu64, envelope->seq);
    format_time(envelope->event_time, time);
    json_t *event = json_pack("{s:s, s:O, s:s, s:s, s:s}", "specversion", "1.0", "id",
                              json_object_get(whole, "event_id"), "source", source, "type",
                              ctl_topic(envelope, topic), "time", time);
    if (event != NULL && find_subject(data, subject)) {
        json_object_set_new(event, "subject", json_string(subject));
    }
    if (event != NULL) {
        json_object_set_new(event, "sequence", json_string(sequence));
        json_t *trace = json_object_get(json_object_get(whole, "cause"), "traceparent");
        if (trace != NULL) {
            json_object_set(event, "traceparent", trace);
        }
        json_object_set_new(event, "datacontenttype", json_string("application/json"));
        json_object_set(event, "data", data);
    }
    json_decref(whole);
    return event;
}

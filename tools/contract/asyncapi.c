/* The AsyncAPI document; see asyncapi.h. Invariant: it is of the application aTES, so that `send` is
 * what its services publish. Every schema in it keeps to words that AsyncAPI's own dialect (JSON
 * Schema draft 7) has too. */
#include "asyncapi.h"

#include <stdio.h>

#include "core/contract.h"
#include "core/json_make.h"
#include "domains.h"

#define CONTENT_TYPE "application/vnd.msgpack"

static json_t *refer(const char *where, const char *name)
{
    char path[ATES_CONTRACT_NAME_SIZE + 64];
    json_t *reference = json_object();

    /* A channel's name has neither ~ nor /, which a pointer would have to escape. */
    snprintf(path, sizeof path, "#/%s/%s", where, name);
    ates_json_set_text(reference, "$ref", path);
    return reference;
}

static json_t *constant(const char *text)
{
    return json_pack("{s:s, s:s}", "type", "string", "const", text);
}

/* A schema as a part of this document: what names a document of its own is left out. */
static json_t *embed(json_t *schema)
{
    json_object_del(schema, "$schema");
    json_object_del(schema, "$id");
    return schema;
}

/* The envelope with this event's name and data in it. */
static json_t *make_payload(const struct ates_contract_entry *entry)
{
    json_t *properties = json_object();
    json_t *whole = json_array();

    ates_json_set(properties, "producer", constant(entry->service->name));
    ates_json_set(properties, "event_name", constant(entry->message->name));
    ates_json_set(
        properties, "event_version",
        json_pack("{s:s, s:I}", "type", "integer", "const", (json_int_t)entry->type->version));
    ates_json_set(properties, "data", refer("components/schemas", entry->name));
    ates_json_append(whole, refer("components/schemas", ates_envelope_message.name));
    ates_json_append(whole, json_pack("{s:s, s:o}", "type", "object", "properties", properties));
    return json_pack("{s:o}", "allOf", whole);
}

struct parts {
    json_t *channels, *operations, *messages, *schemas;
};

/* One topic: its channel, what is sent there, and that aTES sends it. */
static void add_topic(struct parts *self, const char *topic, const char *summary, json_t *payload)
{
    char channel[ATES_CONTRACT_NAME_SIZE + 32];
    json_t *messages = json_object();
    json_t *sent = json_array();

    ates_json_set(self->messages, topic,
                  json_pack("{s:s, s:s, s:s, s:s, s:o}", "name", topic, "title", topic, "summary",
                            summary, "contentType", CONTENT_TYPE, "payload", payload));
    ates_json_set(messages, topic, refer("components/messages", topic));
    ates_json_set(self->channels, topic,
                  json_pack("{s:s, s:s, s:o}", "address", topic, "description",
                            "Frame 1 of the message; a subscription is its beginning.", "messages",
                            messages));
    snprintf(channel, sizeof channel, "channels/%s/messages", topic);
    ates_json_append(sent, refer(channel, topic));
    snprintf(channel, sizeof channel, "send_%s", topic);
    ates_json_set(self->operations, channel,
                  json_pack("{s:s, s:o, s:s, s:o}", "action", "send", "channel",
                            refer("channels", topic), "summary", summary, "messages", sent));
}

static void add_service(struct parts *self, const struct ates_service *service)
{
    struct ates_contract_entry entry;
    char topic[ATES_CONTRACT_NAME_SIZE];

    for (size_t i = 0; ates_contract_at(service, i, &entry); i++) {
        if (entry.kind == ATES_DESCRIBED_EVENT) {
            ates_json_set(self->schemas, entry.name, embed(ates_contract_schema(&entry)));
            add_topic(self, entry.name, entry.type->summary, make_payload(&entry));
        }
    }
    snprintf(topic, sizeof topic, "%s.head.v1", service->name);
    add_topic(self, topic, "Where the producer's log ends, once a second.",
              refer("components/schemas", ates_head_message.name));
}

static json_t *make_info(void)
{
    return json_pack(
        "{s:s, s:s, s:s, s:{s:s}}", "title", "aTES events", "version", "1.0.0", "description",
        "What the services of aTES publish through its broker, as two frames: the topic, and a "
        "MessagePack map, the envelope. Bytes (`prev`, `hash`) are of MessagePack's type bin; "
        "their "
        "schema says how JSON shows them. Messages may be lost: PROTOCOL.md, section 3, says how a "
        "follower reads the missing ones from the producer's log by `read_events`.",
        "license", "name", "MIT");
}

static json_t *make_servers(void)
{
    return json_pack("{s:{s:s, s:s, s:s, s:s, s:{s:{s:s, s:s}}}}", "broker", "host", "{run}",
                     "pathname", "/events.sock", "protocol", "zeromq", "description",
                     "An XPUB socket at ipc://RUN/events.sock; connect a SUB to it.", "variables",
                     "run", "default", "/run/ates", "description",
                     "The folder of the services' sockets.");
}

json_t *contract_asyncapi(void)
{
    struct parts parts = {json_object(), json_object(), json_object(), json_object()};
    const struct ates_message *const frames[] = {&ates_envelope_message, &ates_head_message};

    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        ates_json_set(parts.schemas, frames[i]->name, embed(ates_contract_frame_schema(frames[i])));
    }
    for (size_t i = 0; ates_domains[i] != NULL; i++) {
        add_service(&parts, ates_domains[i]->service);
    }
    return json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:{s:o, s:o}}", "asyncapi", "3.0.0", "info",
                     make_info(), "defaultContentType", CONTENT_TYPE, "servers", make_servers(),
                     "channels", parts.channels, "operations", parts.operations, "components",
                     "messages", parts.messages, "schemas", parts.schemas);
}

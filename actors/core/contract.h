/* What a service promises to the programs of others: each of its commands, events and snapshot items
 * by the name that goes over the wire, with a JSON Schema of what belongs to it. `describe`, the
 * files of schemas/ and PROTOCOL.md's tables are made of it. Invariant: nothing is in it but what the
 * message tables say, and nothing of theirs that others see is left out. */
#ifndef ATES_CONTRACT_H
#define ATES_CONTRACT_H

#include <jansson.h>

#include <ates/service.h>

#define ATES_CONTRACT_NAME_SIZE 160u /* with its NUL */
/* Before the names of the common commands, whose schemas are one for all services. */
#define ATES_CONTRACT_COMMON "SERVICE"
#define ATES_SCHEMA_DIALECT "https://json-schema.org/draft/2020-12/schema"

struct ates_contract_entry {
    enum ates_described_kind kind;
    const struct ates_service *service;
    const struct ates_command *command; /* of a command; else NULL */
    const struct ates_event_type *type; /* of an event or a snapshot item; else NULL */
    const struct ates_message *message; /* its body or data */
    char name[ATES_CONTRACT_NAME_SIZE]; /* "tasks.create_task", "tasks.task_created.v1" */
};

/* The entry of this service by index: commands, public events, snapshot items, in the order of the
 * tables. False beyond the last one; entry is untouched then. */
bool ates_contract_at(const struct ates_service *service, size_t index,
                      struct ates_contract_entry *entry);

/* Its schema, whole with $schema, $id, title and description: closed for a command's body, open for
 * what a consumer reads. New objects, the caller's; never NULL. */
json_t *ates_contract_schema(const struct ates_contract_entry *entry);
json_t *ates_contract_result_schema(const struct ates_contract_entry *entry); /* of a command */

/* The maps of the frames, which are no service's: request_meta, reply_meta, refusal, envelope and
 * head, in this order; NULL beyond the last one. */
const struct ates_message *ates_contract_frame(size_t index);
json_t *ates_contract_frame_schema(const struct ates_message *frame);

/* How a message is to be read: a service refuses unknown fields in what it is sent, a consumer
 * ignores them. */
enum ates_unknown ates_contract_unknown(const struct ates_contract_entry *entry);
enum ates_unknown ates_contract_frame_unknown(const struct ates_message *frame);

/* Whether name means this entry: it in full, or without the service, the version or both. */
bool ates_contract_is(const struct ates_contract_entry *entry, struct ates_text name);

#endif

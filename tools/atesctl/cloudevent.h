/* Events as CloudEvents 1.0 in JSON (github.com/cloudevents/spec, formats/json-format.md);
 * PROTOCOL.md section 3 says which attribute comes from where. */
#ifndef CTL_CLOUDEVENT_H
#define CTL_CLOUDEVENT_H

#include <jansson.h>

#include <ates/service.h>

/* The topic under which an envelope is published: SERVICE.EVENT.vN. Returns out. */
#define CTL_TOPIC_SIZE 160u
const char *ctl_topic(const struct ates_envelope *envelope, char out[CTL_TOPIC_SIZE]);

/* A new object, the caller's; NULL when out of memory, or where the envelope holds what decoding
 * would have refused. */
json_t *ctl_cloudevent(const struct ates_envelope *envelope);

#endif

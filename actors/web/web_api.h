/* Routes that pass a command on: its body made of path, query and JSON, its result as JSON. */
#ifndef WEB_API_H
#define WEB_API_H

#include "web/web_route.h"

/* Makes the command's value (message->size bytes) of the request, checked by its table. Refuses
 * INVALID_ARGUMENT as ates_message_from_json does, BODY_INVALID, and MEDIA_TYPE_UNSUPPORTED, with
 * *is_media_type_wrong, where the body is of another type than JSON. A GET's body is not looked at. */
int web_api_read(struct web_request *request, const struct web_match *match,
                 const struct ates_message *message, void *value, bool *is_media_type_wrong,
                 struct ates_refusal *refusal);

/* The request's Idempotency-Key, NULL where it has none. Refuses one that is no request id. */
int web_api_read_key(const struct web_request *request, const char **key,
                     struct ates_refusal *refusal);

/* Answers a request of the route by having its command called. */
void web_api_pass(struct web_request *request, const struct web_match *match);

/* Answers a refusal of web_api_read. */
void web_api_refuse(struct web_request *request, bool is_media_type_wrong,
                    const struct ates_refusal *refusal);

/* Whether the request brings no fields, for a route that has none; else it is answered. */
bool web_api_takes_nothing(struct web_request *request, const struct web_route *route);

/* Answers with JSON; of a GET with an ETag, or 304 where the client has it already. headers: more of
 * them, or NULL. */
void web_respond_json(struct web_request *request, unsigned status, struct ates_bytes json,
                      const struct web_header *headers, size_t header_count);

/* The same with the value of a message. */
void web_respond_message(struct web_request *request, unsigned status,
                         const struct ates_message *message, const void *value,
                         const struct web_header *headers, size_t header_count);

/* 204. */
void web_respond_empty(struct web_request *request, const struct web_header *headers,
                       size_t header_count);

#endif

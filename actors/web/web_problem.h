/* Refusals as RFC 9457 problem details: {type, title, status, detail, reason, field?,
 * retry_after_ms?}. One table maps the statuses of PROTOCOL.md section 4 to HTTP's. */
#ifndef WEB_PROBLEM_H
#define WEB_PROBLEM_H

#include "web/web_request.h"

unsigned web_problem_status(enum ates_status status);

/* Answers with the refusal; Retry-After where a time is advised (UNAVAILABLE: always). */
void web_respond_problem(struct web_request *request, const struct ates_refusal *refusal);

/* The same with an HTTP status of its own (405, 413, 415 ...), and up to one header more. */
void web_respond_problem_as(struct web_request *request, unsigned status,
                            const struct ates_refusal *refusal, const char *header,
                            const char *value);

/* No reply came in time: 503 / NO_REPLY with Retry-After. Whether the command had its effect is
 * unknown, which the detail says. */
void web_respond_no_reply(struct web_request *request);

#endif

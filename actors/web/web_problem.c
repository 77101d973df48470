/* Refusals as problem details; see web_problem.h. */
#include "web/web_problem.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "core/json_make.h"

#define RETRY_DEFAULT_S 1u /* where no time is advised: services restart within a second or so */
#define RETRY_SIZE 16u

/* FAILED_PRECONDITION is 409 rather than 412, which speaks of a request's If-Match and the like. */
static const struct {
    unsigned status;
    const char *title;
} statuses[ATES_STATUS_COUNT] = {
    [ATES_OK] = {200, "OK"},
    [ATES_INVALID_ARGUMENT] = {400, "The request is not right"},
    [ATES_UNAUTHENTICATED] = {401, "Sign in first"},
    [ATES_PERMISSION_DENIED] = {403, "Not allowed"},
    [ATES_NOT_FOUND] = {404, "Not found"},
    [ATES_ALREADY_EXISTS] = {409, "It exists already"},
    [ATES_FAILED_PRECONDITION] = {409, "Not in this state"},
    [ATES_RESOURCE_EXHAUSTED] = {429, "Too much at once"},
    [ATES_DEADLINE_EXCEEDED] = {503, "It took too long"},
    [ATES_UNAVAILABLE] = {503, "Not available now"},
    [ATES_UNIMPLEMENTED] = {501, "Not known here"},
    [ATES_INTERNAL] = {500, "Something failed"},
    [ATES_DATA_LOSS] = {500, "Data are damaged"},
};

unsigned web_problem_status(enum ates_status status)
{
    return statuses[status].status;
}

void web_respond_problem_as(struct web_request *request, unsigned status,
                            const struct ates_refusal *refusal, const char *header,
                            const char *value)
{
    struct web_response response = {.status = status, .content_type = "application/problem+json"};
    json_t *json = json_object();
    char type[sizeof refusal->reason + 32], retry[RETRY_SIZE];

    snprintf(type, sizeof type, "urn:ates:problem:%s", refusal->reason);
    ates_json_set_text(json, "type", type);
    ates_json_set_text(json, "title", statuses[refusal->status].title);
    ates_json_set(json, "status", json_integer(status));
    /* What a message quotes of a request may be cut in the middle of a character. */
    json_t *detail = json_string(refusal->message);
    ates_json_set(json, "detail", detail != NULL ? detail : json_string("(unreadable)"));
    ates_json_set_text(json, "reason", refusal->reason);
    if (refusal->field[0] != '\0') {
        json_t *field = json_string(refusal->field);
        ates_json_set(json, "field", field != NULL ? field : json_string("?"));
    }
    if (refusal->retry_after_ms > 0) {
        ates_json_set(json, "retry_after_ms", json_integer(refusal->retry_after_ms));
    }
    char *text = json_dumps(json, JSON_COMPACT);
    ates_json_require(text != NULL ? 0 : -1);
    response.body = (struct ates_bytes){(const uint8_t *)text, __builtin_strlen(text)};
    web_response_add(&response, "Cache-Control", "no-store");
    if (status == 401) {
        web_response_add(&response, "WWW-Authenticate", "Bearer");
    }
    if (status == 503 || refusal->retry_after_ms > 0) {
        const unsigned seconds =
            refusal->retry_after_ms / 1000 + (refusal->retry_after_ms % 1000 != 0);

        snprintf(retry, sizeof retry, "%u", seconds > 0 ? seconds : RETRY_DEFAULT_S);
        web_response_add(&response, "Retry-After", retry);
    }
    if (header != NULL) {
        web_response_add(&response, header, value);
    }
    web_respond(request, &response);
    free(text);
    json_decref(json);
}

void web_respond_problem(struct web_request *request, const struct ates_refusal *refusal)
{
    web_respond_problem_as(request, web_problem_status(refusal->status), refusal, NULL, NULL);
}

void web_respond_no_reply(struct web_request *request)
{
    struct ates_refusal refusal = {.status = ATES_OK};

    ates_refusal_set(
        &refusal, ATES_UNAVAILABLE, "NO_REPLY", NULL,
        "a service gave no reply in time, so that it is unknown whether this was done: "
        "repeat it with the same Idempotency-Key");
    web_respond_problem(request, &refusal);
}

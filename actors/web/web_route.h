/* The routes of PROTOCOL.md section 9: one table of method, path and command. Gateway, OpenAPI and
 * tests read it; a new command of the API is one line there. */
#ifndef WEB_ROUTE_H
#define WEB_ROUTE_H

#include <ates/service.h>

#include "web/web_request.h"

struct web_route {
    enum web_method method;
    const char *path;                   /* below /api/v1: "/tasks/{task_id}/complete" */
    const struct ates_service *service; /* &web_service: the web service's own (web_messages.h) */
    const char *command;                /* its name */
    const char *operation;              /* operationId, where not the command's name; else NULL */
    const struct ates_message *result;  /* where it is not the command's; else NULL */
    unsigned success;                   /* HTTP status of OK: 200, 201 or 204 (empty results) */
    /* Answers in another way than by passing the command on: signing in and out, streams,
     * documents. NULL: passed on (web_api.c). */
    void (*handle)(struct web_request *request, const struct web_route *route);
    bool is_mine;    /* about the caller: the command's user_id has no place */
    const char *tag; /* the group in the OpenAPI document */
};

extern const struct web_route web_routes[];
extern const size_t web_route_count;

/* A route's command. Never NULL. */
const struct ates_command *web_route_command(const struct web_route *route);

/* What a path says: the route of method and path below /api/v1, with the texts that stand in the
 * place of its {fields}. Returns 0; ATES_NOT_FOUND; or ATES_UNIMPLEMENTED where the path is known,
 * but with other methods (allow then lists them, for the Allow header). */
#define WEB_PARAMETERS_MAX 2u
struct web_match {
    const struct web_route *route;
    struct web_pair parameters[WEB_PARAMETERS_MAX];
    size_t parameter_count;
    char allow[64];
};
int web_route_match(enum web_method method, const struct ates_text *segments, size_t count,
                    struct web_match *match);

#endif

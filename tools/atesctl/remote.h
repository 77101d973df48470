/* Calls of services as the signed-in user. What goes wrong is said on stderr; the return value is
 * the exit code. */
#ifndef CTL_REMOTE_H
#define CTL_REMOTE_H

#include "ctl.h"

/* The command of this name, which the service must have. */
const struct ates_command *ctl_command(const struct ates_service *service, const char *name);

/* The service of this name, NULL where there is none; and the service by index, NULL at the end. */
const struct ates_service *ctl_service(const char *name, size_t name_size);
const struct ates_service *ctl_service_at(size_t index);

/* Makes ctl->client, with the session's token where there is one. */
int ctl_connect(struct ctl *ctl);

/* Renews the session's token where it has expired or soon will. Whether that could be done shows in
 * the replies to come. Drops the reply that the client holds. */
void ctl_renew(struct ctl *ctl);

/* Checks the body and calls. Texts of the result live as long as ctl->arena, lists too. A query is
 * sent once; a change may be sent again within the timeout, under a request id of its own. */
int ctl_query(struct ctl *ctl, const struct ates_service *service, const char *name,
              const void *body, void *result);
int ctl_change(struct ctl *ctl, const struct ates_service *service, const char *name,
               const void *body, void *result);

/* The same with the request id given (NULL: none), and with what the result lives in. */
int ctl_call(struct ctl *ctl, const struct ates_service *service,
             const struct ates_command *command, const char *request_id, const void *body,
             struct ates_arena *arena, void *result);

/* A change that may take minutes: asks again, under the same request id, for as long as the service
 * shows that it lives. */
int ctl_change_slowly(struct ctl *ctl, const struct ates_service *service, const char *name,
                      const void *body, void *result);

/* Says why there was no reply (-errno of the client library). */
int ctl_unreached(const struct ctl *ctl, const char *service, int fault);

/* Says why a command was refused, and which exit code that is. */
int ctl_refused(const char *service, const char *command, const struct ates_refusal *refusal);

/* Sets a field of a command's body from text, of which the command line says what it is: "--role".
 */
int ctl_set(struct ctl *ctl, const struct ates_command *command, void *body, const char *field,
            const char *text, const char *what);

/* Sets a time field to where a business date begins, or (end) ends. */
int ctl_set_date(const struct ates_command *command, void *body, const char *field,
                 const char *date, bool end);

/* The id of a user given as id or login. */
int ctl_find_user(struct ctl *ctl, const char *user, uint64_t *user_id);

#endif

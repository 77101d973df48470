/* Calls of services as the signed-in user. What goes wrong is said on stderr; the return value is
 * the exit code. */
#ifndef CTL_REMOTE_H
#define CTL_REMOTE_H

#include "ctl.h"
#include "served.h"

/* The command of this name, which the service must have. */
const struct ates_command *ctl_command(const struct ates_service *service, const char *name);

/* Tells every service's name. */
void ctl_tell_services(ctl_word_fn *tell, void *context);

/* The service of this name, NULL where there is none; and the service by index, NULL at the end. */
const struct ates_service *ctl_service(const char *name, size_t name_size);
const struct ates_service *ctl_service_at(size_t index);

/* Makes ctl->client, with the session's token where there is one. */
int ctl_connect(struct ctl *ctl);

/* Renews the session's token where it has expired or soon will. Whether that could be done shows in
 * the replies to come. Drops the reply that the client holds. */
void ctl_renew(struct ctl *ctl);

/* Reads the keys for services that are reached over tcp. CTL_OK, or a code with the reason said. */
int ctl_take_keys(struct ctl *ctl);

/* A client of the services that the configuration leads to, without a token; NULL with errno. */
struct ates_client *ctl_client_new(const struct ctl *ctl);

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

/* The same, but a refusal is not said: it is in *refusal, whose status is ATES_OK otherwise. */
int ctl_try(struct ctl *ctl, const struct ates_service *service, const struct ates_command *command,
            const char *request_id, const void *body, struct ates_arena *arena, void *result,
            struct ates_refusal *refusal);

/* Says why there was no reply (-errno of the client library) to a query or a change. */
int ctl_unreached(const struct ctl *ctl, const char *service, bool query, int fault);

/* Sets a field of a command's body from text, of which the command line says what it is: "--role".
 */
int ctl_set(struct ctl *ctl, const struct ates_command *command, void *body, const char *field,
            const char *text, const char *what);

/* Sets a time field to where a business date begins, or (end) ends. */
int ctl_set_date(const struct ates_command *command, void *body, const char *field,
                 const char *date, bool end);

/* Whether dates given as options (each may be NULL) are dates, and in order. */
int ctl_check_period(const char *from, const char *to);

/* The id of a user given as id or login. */
int ctl_find_user(struct ctl *ctl, const char *user, uint64_t *user_id);

/* "ann (user 3)" where the caller may know, else "user 3". Drops the reply that the client holds.
 */
#define CTL_USER_WORDS_SIZE 112u
const char *ctl_user_words(struct ctl *ctl, uint64_t user_id, char out[CTL_USER_WORDS_SIZE]);

#endif

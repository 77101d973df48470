/* Calls of services; see remote.h. Invariant: a change is sent under one request id, however often
 * it is sent, so that it happens once. */
#include "remote.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <ates/auth.h>

#include "core/calendar.h"
#include "core/endpoint.h"
#include "core/message_json.h"
#include "core/random.h"
#include "domains.h"
#include "session_store.h"

#define RENEW_BEFORE_MS (2 * 60 * 1000)

const struct ates_command *ctl_command(const struct ates_service *service, const char *name)
{
    const struct ates_command *command = ates_service_command(service, name, strlen(name));

    assert(command != NULL);
    return command;
}

const struct ates_service *ctl_service_at(size_t index)
{
    return ates_domains[index] != NULL ? ates_domains[index]->service : NULL;
}

const struct ates_service *ctl_service(const char *name, size_t name_size)
{
    const struct ates_service *service;

    for (size_t i = 0; (service = ctl_service_at(i)) != NULL; i++) {
        if (strlen(service->name) == name_size && memcmp(service->name, name, name_size) == 0) {
            return service;
        }
    }
    return NULL;
}

static int64_t now_ms(void)
{
    const struct ates_source source = ates_source_system();

    return ates_now_ms(&source);
}

int ctl_connect(struct ctl *ctl)
{
    if (ctl->client != NULL) {
        return CTL_OK;
    }
    const int code = ctl_session_load(ctl);
    if (code != CTL_OK) {
        return code;
    }
    ctl->client = ates_client_new(ctl->config.run_dir);
    if (ctl->client == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "cannot make a client: %s", strerror(errno));
    }
    ates_client_set_timeout(ctl->client, ctl->timeout_ms);
    /* The token of a session that is over would only hide that nobody is signed in. */
    if (ctl->session->token[0] != '\0' && ctl->session->session_expires_at > now_ms()) {
        ates_client_set_token(ctl->client, ctl->session->token);
        ctl_renew(ctl);
    }
    return CTL_OK;
}

void ctl_renew(struct ctl *ctl)
{
    struct ctl_session *session = ctl->session;
    const int64_t now = now_ms();
    struct auth_renew_token_result result;
    const struct ates_empty body = {0};
    struct ates_reply reply;

    if (session->token[0] == '\0' || session->session_expires_at <= now ||
        session->expires_at - now > RENEW_BEFORE_MS) {
        return;
    }
    const int r =
        ates_client_invoke(ctl->client, &auth_service, ctl_command(&auth_service, "renew_token"),
                           NULL, &body, ctl->arena, &result, &reply);
    /* A token of the session's last minutes is the last one: asking again gives no longer one. */
    if (r != 0 || result.token.size >= sizeof session->token) {
        return;
    }
    memcpy(session->token, result.token.data, result.token.size);
    session->token[result.token.size] = '\0';
    session->expires_at = result.expires_at;
    ctl_session_save(ctl);
    ates_client_set_token(ctl->client, session->token);
}

int ctl_unreached(const struct ctl *ctl, const char *service, int fault)
{
    char endpoint[256], why[512] = "";

    if (fault == -ENAMETOOLONG) {
        return ctl_fail(CTL_UNREACHABLE, "a run folder with a shorter name",
                        "cannot reach %s below %s: the path is too long for a socket", service,
                        ctl->config.run_dir);
    }
    if (fault == -EMSGSIZE) {
        return ctl_fail(CTL_USAGE, NULL, "the command is too long to be sent");
    }
    if (fault != -ETIMEDOUT) {
        return ctl_fail(CTL_UNREACHABLE, "is it another version of aTES?",
                        "cannot understand %s below %s: %s", service, ctl->config.run_dir,
                        strerror(-fault));
    }
    /* Only a guess at the cause, so it is made after the whole time was given. */
    if (ates_endpoint(ctl->config.run_dir, service, endpoint, sizeof endpoint) == 0 &&
        access(endpoint + strlen("ipc://"), W_OK) != 0) {
        snprintf(why, sizeof why, " (%s: %s)", endpoint + strlen("ipc://"), strerror(errno));
    }
    return ctl_fail(CTL_UNREACHABLE, "is atesd running? see --run",
                    "cannot reach %s below %s: no reply within %g s%s", service,
                    ctl->config.run_dir, (double)ctl->timeout_ms / 1000, why);
}

static enum ctl_exit exit_code(enum ates_status status)
{
    switch (status) {
    case ATES_OK:
        return CTL_OK;
    case ATES_UNAUTHENTICATED:
        return CTL_NOT_SIGNED_IN;
    case ATES_PERMISSION_DENIED:
        return CTL_FORBIDDEN;
    case ATES_NOT_FOUND:
        return CTL_NOT_FOUND;
    case ATES_ALREADY_EXISTS:
    case ATES_FAILED_PRECONDITION:
        return CTL_CONFLICT;
    case ATES_DEADLINE_EXCEEDED:
    case ATES_UNAVAILABLE:
        return CTL_UNREACHABLE;
    default:
        return CTL_REFUSED;
    }
}

static const char *advice_for(const struct ates_refusal *refusal, char *buffer, size_t size)
{
    if (refusal->retry_after_ms > 0) {
        snprintf(buffer, size, "again in %u s", (refusal->retry_after_ms + 999) / 1000);
        return buffer;
    }
    if (strcmp(refusal->reason, "BAD_CREDENTIALS") == 0) {
        return "check the login and the password";
    }
    if (refusal->status == ATES_UNAUTHENTICATED) {
        return "atesctl login";
    }
    if (refusal->status == ATES_PERMISSION_DENIED) {
        return "atesctl whoami shows who you are";
    }
    return refusal->status == ATES_UNAVAILABLE ? "again in a while" : NULL;
}

int ctl_refused(const char *service, const char *command, const struct ates_refusal *refusal)
{
    char buffer[64];

    return ctl_fail(
        exit_code(refusal->status), advice_for(refusal, buffer, sizeof buffer),
        "%s.%s refused: %s (%s)", service, command,
        refusal->message[0] != '\0' ? refusal->message : ates_status_name(refusal->status),
        refusal->reason[0] != '\0' ? refusal->reason : ates_status_name(refusal->status));
}

int ctl_call(struct ctl *ctl, const struct ates_service *service,
             const struct ates_command *command, const char *request_id, const void *body,
             struct ates_arena *arena, void *result)
{
    struct ates_refusal refusal;
    struct ates_reply reply;

    if (ates_message_check(command->body, body, &refusal) != 0) {
        return ctl_fail(CTL_USAGE, NULL, "%s.%s: %s", service->name, command->name,
                        refusal.message);
    }
    const int code = ctl_connect(ctl);
    if (code != CTL_OK) {
        return code;
    }
    const int r =
        ates_client_invoke(ctl->client, service, command, request_id, body, arena, result, &reply);
    if (r < 0) {
        return ctl_unreached(ctl, service->name, r);
    }
    return r == 0 ? CTL_OK : ctl_refused(service->name, command->name, &reply.refusal);
}

int ctl_query(struct ctl *ctl, const struct ates_service *service, const char *name,
              const void *body, void *result)
{
    return ctl_call(ctl, service, ctl_command(service, name), NULL, body, ctl->arena, result);
}

int ctl_change(struct ctl *ctl, const struct ates_service *service, const char *name,
               const void *body, void *result)
{
    char request_id[37];

    ates_request_id_new(request_id);
    return ctl_call(ctl, service, ctl_command(service, name), request_id, body, ctl->arena, result);
}

int ctl_change_slowly(struct ctl *ctl, const struct ates_service *service, const char *name,
                      const void *body, void *result)
{
    const struct ates_command *command = ctl_command(service, name);
    struct ates_reply reply;
    char request_id[37];

    int r = ctl_connect(ctl);
    if (r != CTL_OK) {
        return r;
    }
    ates_request_id_new(request_id);
    for (;;) {
        const struct ates_empty nothing = {0};

        r = ates_client_invoke(ctl->client, service, command, request_id, body, ctl->arena, result,
                               &reply);
        if (r != -ETIMEDOUT) {
            break;
        }
        const int alive = ates_client_invoke(ctl->client, service, ctl_command(service, "health"),
                                             NULL, &nothing, ctl->arena, NULL, &reply);
        if (alive < 0) {
            return ctl_unreached(ctl, service->name, alive);
        }
        ctl_say("%s is still at it", service->name);
    }
    if (r < 0) {
        return ctl_unreached(ctl, service->name, r);
    }
    return r == 0 ? CTL_OK : ctl_refused(service->name, command->name, &reply.refusal);
}

int ctl_set(struct ctl *ctl, const struct ates_command *command, void *body, const char *field,
            const char *text, const char *what)
{
    struct ates_refusal refusal;

    if (ates_message_set_text(command->body, body, field, text, ctl->arena, &refusal) != 0) {
        const size_t size = strlen(field);
        const bool named = strncmp(refusal.message, field, size) == 0 &&
                           strncmp(refusal.message + size, ": ", 2) == 0;

        /* The field is called by what the user knows of it. */
        return ctl_fail(CTL_USAGE, NULL, "%s: %s", what, refusal.message + (named ? size + 2 : 0));
    }
    return CTL_OK;
}

int ctl_set_date(const struct ates_command *command, void *body, const char *field,
                 const char *date, bool end)
{
    const struct ates_field *known = ates_message_field(command->body, field, strlen(field));
    ates_day day;

    assert(known != NULL && known->type == ATES_INT && known->optional);
    if (ates_day_parse(date, strlen(date), &day) != 0) {
        return ctl_fail(CTL_USAGE, NULL, "'%.40s' is no date: YYYY-MM-DD is expected", date);
    }
    *(int64_t *)((char *)body + known->offset) = ates_day_start(end ? day + 1 : day);
    *(bool *)((char *)body + known->present) = true;
    return CTL_OK;
}

/* Looks for the login among what the page holds. */
static bool find_login(const struct auth_show_all_users_result *page, const char *login,
                       uint64_t *user_id)
{
    const struct auth_user *users = page->items.items;

    for (size_t i = 0; i < page->items.count; i++) {
        if (users[i].login.size == strlen(login) &&
            strncasecmp(users[i].login.data, login, users[i].login.size) == 0) {
            *user_id = users[i].id;
            return true;
        }
    }
    return false;
}

int ctl_find_user(struct ctl *ctl, const char *user, uint64_t *user_id)
{
    struct auth_show_all_users body = {.has_limit = true, .limit = 1000};
    struct auth_show_all_users_result page;

    if (user[strspn(user, "0123456789")] == '\0') {
        return ctl_parse_number(user, "user id", 1, ATES_INTEGER_MAX, user_id);
    }
    int code = ctl_connect(ctl);
    if (code != CTL_OK) {
        return code;
    }
    /* Who may not list the users may still name themselves. */
    if (strcasecmp(ctl->session->login, user) == 0) {
        *user_id = ctl->session->user_id;
        return CTL_OK;
    }
    /* A login without letters and digits has no words to look for. */
    if (strcspn(user, "._-") > 0 || user[strspn(user, "._-")] != '\0') {
        body.has_query = true;
        body.query = ates_text_from(user);
    }
    do {
        code = ctl_query(ctl, &auth_service, "show_all_users", &body, &page);
        if (code != CTL_OK) {
            return code;
        }
        if (find_login(&page, user, user_id)) {
            return CTL_OK;
        }
        body.has_after = page.has_next;
        body.after = page.next;
    } while (page.has_next);
    return ctl_fail(CTL_NOT_FOUND, "atesctl user ls", "there is no user '%.64s'", user);
}

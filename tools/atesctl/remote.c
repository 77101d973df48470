/* Calls of services; see remote.h. Invariant: a change is sent under one request id, however often
 * it is sent, so that it happens once. */
#include "remote.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <ates/auth.h>

#include "core/calendar.h"
#include "core/client_private.h"
#include "core/curve.h"
#include "core/message_json.h"
#include "core/random.h"
#include "domains.h"
#include "refusal.h"
#include "served.h"
#include "session_store.h"
#include "suggest.h"

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

void ctl_tell_services(ctl_word_fn *tell, void *context)
{
    for (size_t i = 0; ctl_service_at(i) != NULL; i++) {
        tell(context, ctl_service_at(i)->name, NULL);
    }
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

int ctl_take_keys(struct ctl *ctl)
{
    char error[8192] = "";

    return ates_curve_load(&ctl->config, error, sizeof error) == 0
               ? CTL_OK
               : ctl_fail(CTL_USAGE, "atesctl context show", "%s", error);
}

struct ates_client *ctl_client_new(const struct ctl *ctl)
{
    struct ates_reach reach;

    ates_config_reach(&ctl->config, &reach);
    struct ates_client *client = ates_client_new_at(&reach);
    if (client != NULL) {
        ates_client_set_timeout(client, ctl->timeout_ms);
    }
    sodium_memzero(&reach, sizeof reach);
    return client;
}

int ctl_connect(struct ctl *ctl)
{
    if (ctl->client != NULL) {
        return CTL_OK;
    }
    int code = ctl_take_keys(ctl);
    if (code == CTL_OK) {
        code = ctl_session_load(ctl);
    }
    if (code != CTL_OK) {
        return code;
    }
    ctl->client = ctl_client_new(ctl);
    if (ctl->client == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "cannot make a client: %s", strerror(errno));
    }
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
        session->expires_at - now > RENEW_BEFORE_MS || !ctl_is_served(ctl, "auth")) {
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

int ctl_unreached(const struct ctl *ctl, const char *service, bool query, int fault)
{
    const char *look = ctl->command != NULL ? ctl->command->look : NULL;
    const double timeout_s = (double)ctl->timeout_ms / 1000;
    char advice[240];

    if (fault == -ENAMETOOLONG) {
        return ctl_unserved(ctl, service, ENAMETOOLONG);
    }
    if (fault == -EMSGSIZE) {
        return ctl_fail(CTL_USAGE, NULL, "the command is too long to be sent");
    }
    if (fault != -ETIMEDOUT) {
        return ctl_fail(CTL_UNREACHABLE, "is it another version of aTES?",
                        "cannot understand %s below %s: %s", service, ctl->config.run_dir,
                        strerror(-fault));
    }
    if (query) {
        char where[CTL_WHERE_SIZE];

        return ctl_fail(CTL_UNREACHABLE,
                        ctl_is_far(ctl, service)
                            ? "is this client's key allowed there (atesctl admin keys allow), and "
                              "curve/server_file that server's?"
                            : "again, or with a longer --timeout",
                        "no reply from %s within %g s", ctl_where(ctl, service, where), timeout_s);
    }
    snprintf(advice, sizeof advice, "%s%slook before you repeat it%s", look != NULL ? look : "",
             look != NULL ? "; " : "",
             ctl_is_far(ctl, service)
                 ? "; a key that is not allowed there gets no reply (atesctl admin keys allow)"
                 : "");
    return ctl_fail(CTL_UNREACHABLE, advice,
                    "no reply from %s within %g s: it may have been done, or still be at work",
                    service, timeout_s);
}

int ctl_try(struct ctl *ctl, const struct ates_service *service, const struct ates_command *command,
            const char *request_id, const void *body, struct ates_arena *arena, void *result,
            struct ates_refusal *refusal)
{
    struct ates_reply reply;

    if (ates_message_check(command->body, body, refusal) != 0) {
        const int code =
            ctl_fail(CTL_USAGE, NULL, "%s.%s: %s", service->name, command->name, refusal->message);

        refusal->status = ATES_OK;
        return code;
    }
    refusal->status = ATES_OK;
    if (!ctl_is_served(ctl, service->name)) {
        return ctl_unserved(ctl, service->name, errno);
    }
    const int code = ctl_connect(ctl);
    if (code != CTL_OK) {
        return code;
    }
    const int r =
        ates_client_invoke(ctl->client, service, command, request_id, body, arena, result, &reply);
    if (r < 0) {
        return ctl_unreached(ctl, service->name, command->is_query, r);
    }
    *refusal = reply.refusal;
    refusal->status = reply.status;
    return r == 0 ? CTL_OK : CTL_REFUSED;
}

int ctl_call(struct ctl *ctl, const struct ates_service *service,
             const struct ates_command *command, const char *request_id, const void *body,
             struct ates_arena *arena, void *result)
{
    struct ates_refusal refusal;

    const int code = ctl_try(ctl, service, command, request_id, body, arena, result, &refusal);
    return refusal.status == ATES_OK ? code : ctl_refused(service->name, command, body, &refusal);
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

int ctl_set(struct ctl *ctl, const struct ates_command *command, void *body, const char *field,
            const char *text, const char *what)
{
    struct ates_refusal refusal;

    if (ates_message_set_text(command->body, body, field, text, ctl->arena, &refusal) == 0) {
        return CTL_OK;
    }
    const struct ates_field *known = ates_message_field(command->body, field, strlen(field));
    const char *near =
        known != NULL && known->type == ATES_ENUM ? ctl_suggest_name(known->names, text) : NULL;
    const size_t size = strlen(field);
    const bool named =
        strncmp(refusal.message, field, size) == 0 && strncmp(refusal.message + size, ": ", 2) == 0;

    /* The field is called by what the user knows of it. */
    return ctl_fail(CTL_USAGE, near, "%s: %s%s%s%s", what, refusal.message + (named ? size + 2 : 0),
                    near != NULL ? ": did you mean '" : "", near != NULL ? near : "",
                    near != NULL ? "'?" : "");
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

int ctl_check_period(const char *from, const char *to)
{
    const char *const dates[] = {from, to};
    ates_day days[2] = {INT32_MIN, INT32_MAX};

    for (size_t i = 0; i < 2; i++) {
        if (dates[i] != NULL && ates_day_parse(dates[i], strlen(dates[i]), &days[i]) != 0) {
            return ctl_fail(CTL_USAGE, NULL, "%s: '%.40s' is no date: YYYY-MM-DD is expected",
                            i == 0 ? "--from" : "--to", dates[i]);
        }
    }
    return days[0] <= days[1] ? CTL_OK
                              : ctl_fail(CTL_USAGE, NULL, "--from is after --to: %s, %s", from, to);
}

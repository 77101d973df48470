/* Users by what people call them: their id or login. Invariant: what a role may not look up is
 * refused in words that say what it may give instead. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <ates/auth.h>

#include "refusal.h"
#include "remote.h"
#include "session_store.h"

#define DIGITS "0123456789"

static int refused(const char *user, const struct auth_find_logins *body,
                   const struct ates_refusal *refusal)
{
    if (strcmp(refusal->reason, "ROLE_NOT_ALLOWED") == 0) {
        return ctl_fail(CTL_FORBIDDEN, NULL,
                        "your role cannot look up logins ('%.64s'); give the user's id", user);
    }
    return ctl_refused("auth", ctl_command(&auth_service, "find_logins"), body, refusal);
}

static bool is_first(const struct auth_find_logins_result *found, struct ates_text login)
{
    const struct auth_found_login *first = found->items.items;

    return found->items.count > 0 && first->login.size == login.size &&
           strncasecmp(first->login.data, login.data, login.size) == 0;
}

static int find_login(struct ctl *ctl, const char *login, uint64_t *user_id)
{
    const struct ates_command *command = ctl_command(&auth_service, "find_logins");
    const struct auth_find_logins body = {.prefix = ates_text_from(login)};
    struct auth_find_logins_result found = {.items = {.count = 0}};
    struct ates_refusal refusal = {.status = ATES_OK};

    /* What can be no login is nobody's. */
    if (ates_message_check(command->body, &body, &refusal) == 0) {
        const int code =
            ctl_try(ctl, &auth_service, command, NULL, &body, ctl->arena, &found, &refusal);

        if (code != CTL_OK) {
            return refusal.status != ATES_OK ? refused(login, &body, &refusal) : code;
        }
    }
    if (!is_first(&found, body.prefix)) {
        return ctl_fail(CTL_NOT_FOUND, "atesctl user ls", "there is no user '%.64s'", login);
    }
    *user_id = ((const struct auth_found_login *)found.items.items)->id;
    return CTL_OK;
}

/* A number may be a login too, but is an id first. A role that may not ask whose id it is may use
 * it all the same. */
static int find_number(struct ctl *ctl, const char *number, uint64_t *user_id)
{
    struct auth_show_user body = {.has_user_id = true};
    struct ates_refusal refusal = {.status = ATES_OK};
    struct auth_user found;

    if (strlen(number) > 15 || sscanf(number, "%" SCNu64, &body.user_id) != 1 ||
        body.user_id == 0) {
        return find_login(ctl, number, user_id);
    }
    const int code = ctl_try(ctl, &auth_service, ctl_command(&auth_service, "show_user"), NULL,
                             &body, ctl->arena, &found, &refusal);
    if (refusal.status == ATES_NOT_FOUND) {
        return find_login(ctl, number, user_id);
    }
    if (code != CTL_OK && refusal.status == ATES_OK) {
        return code; /* it was said why */
    }
    if (code != CTL_OK && refusal.status != ATES_PERMISSION_DENIED) {
        return ctl_refused("auth", ctl_command(&auth_service, "show_user"), &body, &refusal);
    }
    *user_id = body.user_id;
    return CTL_OK;
}

int ctl_find_user(struct ctl *ctl, const char *user, uint64_t *user_id)
{
    const int code = ctl_connect(ctl);

    if (code != CTL_OK) {
        return code;
    }
    /* Who may not look up logins may still name themselves. */
    if (strcasecmp(ctl->session->login, user) == 0 && user[strspn(user, DIGITS)] != '\0') {
        *user_id = ctl->session->user_id;
        return CTL_OK;
    }
    return user[0] != '\0' && user[strspn(user, DIGITS)] == '\0' ? find_number(ctl, user, user_id)
                                                                 : find_login(ctl, user, user_id);
}

const char *ctl_user_words(struct ctl *ctl, uint64_t user_id, char out[CTL_USER_WORDS_SIZE])
{
    const struct auth_show_user body = {.has_user_id = true, .user_id = user_id};
    const struct ates_command *command = ctl_command(&auth_service, "show_user");
    struct ates_reply reply;
    struct auth_user user;

    if (ctl_is_served(ctl, "auth") && ctl_connect(ctl) == CTL_OK &&
        ates_client_invoke(ctl->client, &auth_service, command, NULL, &body, ctl->arena, &user,
                           &reply) == 0) {
        snprintf(out, CTL_USER_WORDS_SIZE, "%.*s (user %" PRIu64 ")", (int)user.login.size,
                 user.login.data, user_id);
    } else {
        snprintf(out, CTL_USER_WORDS_SIZE, "user %" PRIu64, user_id);
    }
    return out;
}

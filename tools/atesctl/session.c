/* Signing in and out. Invariant: the password is never an argument, and is wiped when it was sent.
 */
#include <stdio.h>
#include <string.h>

#include <ates/auth.h>

#include <sodium.h>

#include "ctl.h"
#include "output.h"
#include "remote.h"
#include "session_store.h"

static int keep(struct ctl *ctl, const struct auth_auth_user_result *result)
{
    struct ctl_session *session = ctl->session;

    if (result->token.size >= sizeof session->token ||
        result->user.login.size >= sizeof session->login) {
        return ctl_fail(CTL_REFUSED, NULL, "auth gave a token that is too long");
    }
    *session = (struct ctl_session){
        .expires_at = result->expires_at,
        .session_expires_at = result->session_expires_at,
        .user_id = result->user.id,
    };
    memcpy(session->token, result->token.data, result->token.size);
    memcpy(session->login, result->user.login.data, result->user.login.size);
    return ctl_session_save(ctl);
}

static int sign_in(struct ctl *ctl, const char *login, const char *password)
{
    const struct auth_auth_user body = {.login = ates_text_from(login),
                                        .password = ates_text_from(password)};
    struct auth_auth_user_result result;
    char until[CTL_TIME_SIZE];

    int code = ctl_connect(ctl);
    if (code != CTL_OK) {
        return code;
    }
    ates_client_set_token(ctl->client, NULL); /* an old one could only be refused */
    /* Without a request id: the service need not keep this reply. */
    code = ctl_query(ctl, &auth_service, "auth_user", &body, &result);
    if (code == CTL_OK) {
        code = keep(ctl, &result);
    }
    if (code != CTL_OK) {
        return code;
    }
    ctl_format_time(result.session_expires_at, until);
    ctl_say("signed in as %s (%s) until %s", ctl->session->login, ates_role_names[result.user.role],
            until);
    if (ctl->format == CTL_NAME) {
        const struct ates_field *user =
            ates_message_field(&auth_auth_user_result_message, "user", strlen("user"));

        return ctl_print(ctl, user->message, &result.user);
    }
    return ctl->format == CTL_TABLE ? CTL_OK
                                    : ctl_print(ctl, &auth_auth_user_result_message, &result);
}

static int run_login(struct ctl *ctl, const struct ctl_input *input)
{
    char asked[128], prompt[192], password[CTL_PASSWORD_SIZE];
    const char *login = input->count > 0 ? input->arguments[0] : asked;

    int code = input->count > 0 ? CTL_OK : ctl_read_line(ctl, "Login", asked, sizeof asked);
    if (code != CTL_OK) {
        return code;
    }
    snprintf(prompt, sizeof prompt, "Password of %.64s", login);
    const struct ctl_password_source source = {ctl_value(input, "password-file"),
                                               "--password-file FILE (-: stdin)", prompt, false};
    code = ctl_read_password(ctl, &source, password);
    if (code == CTL_OK) {
        code = sign_in(ctl, login, password);
    }
    sodium_memzero(password, sizeof password);
    return code;
}

static const struct ctl_option login_options[] = {
    {"password-file", "FILE", "read the password from a file's first line (-: stdin)"},
    {NULL, NULL, NULL},
};
static const struct ctl_command login_command = {
    .name = "login",
    .arguments = "[LOGIN]",
    .summary = "Sign in",
    .examples = "atesctl login\n"
                "atesctl login ann --password-file ~/.ates-password",
    .options = login_options,
    .max = 1,
    .run = run_login,
};

static int run_logout(struct ctl *ctl, const struct ctl_input *input)
{
    const struct auth_revoke_sessions body = {.has_user_id = false};
    struct ates_empty result;
    bool was;

    if (ctl_value(input, "everywhere") != NULL) {
        const int code = ctl_change(ctl, &auth_service, "revoke_sessions", &body, &result);

        if (code != CTL_OK) {
            return code;
        }
        ctl_say("every session of yours has ended");
    }
    const int code = ctl_session_forget(ctl, &was);
    if (code == CTL_OK) {
        ctl_say(was ? "signed out: the token kept here was deleted"
                    : "you were not signed in here");
    }
    return code;
}

static const struct ctl_option logout_options[] = {
    {"everywhere", NULL, "end every session of yours, on every machine"},
    {NULL, NULL, NULL},
};
static const struct ctl_command logout_command = {
    .name = "logout",
    .summary = "Sign out: delete the token that is kept here",
    .examples = "atesctl logout\n"
                "atesctl logout --everywhere",
    .look = "atesctl whoami",
    .options = logout_options,
    .run = run_logout,
};

static int run_whoami(struct ctl *ctl, const struct ctl_input *input)
{
    const struct auth_show_user body = {.has_user_id = false};
    struct auth_user user;

    (void)input;
    const int code = ctl_query(ctl, &auth_service, "show_user", &body, &user);
    return code == CTL_OK ? ctl_print(ctl, &auth_user_message, &user) : code;
}

static const struct ctl_command whoami_command = {
    .name = "whoami",
    .summary = "Show who is signed in",
    .examples = "atesctl whoami",
    .run = run_whoami,
};

static const struct ctl_command *const commands[] = {&login_command, &logout_command,
                                                     &whoami_command, NULL};
const struct ctl_group session_group = {.summary = "Signing in", .commands = commands};

/* Users: who there is, what they may do, and their passwords. */
#include <stdio.h>

#include <ates/auth.h>

#include <sodium.h>

#include "ctl.h"
#include "output.h"
#include "remote.h"

static const struct ctl_option add_options[] = {
    {"email", "EMAIL", "where payout mails go", .is_needed = true},
    {"role", "ROLE", "administrator, manager, developer, boss, accountant or other",
     ates_role_names, .is_needed = true},
    {"password-file", "FILE", "read the password from a file's first line (-: stdin)"},
    {NULL, NULL, NULL},
};

static int run_add(struct ctl *ctl, const struct ctl_input *input)
{
    const struct ates_command *command = ctl_command(&auth_service, "register_user");
    const char *login = input->arguments[0];
    struct auth_register_user body = {.role = ATES_OTHER};
    struct auth_register_user_result result;
    char password[CTL_PASSWORD_SIZE], prompt[192];

    int code = ctl_set(ctl, command, &body, "login", login, "LOGIN");
    if (code == CTL_OK) {
        code = ctl_set(ctl, command, &body, "email", ctl_value(input, "email"), "--email");
    }
    if (code == CTL_OK) {
        code = ctl_set(ctl, command, &body, "role", ctl_value(input, "role"), "--role");
    }
    if (code != CTL_OK) {
        return code;
    }
    snprintf(prompt, sizeof prompt, "Password of %.64s", login);
    const struct ctl_password_source source = {ctl_value(input, "password-file"),
                                               "--password-file FILE (-: stdin)", prompt, true};
    code = ctl_read_password(ctl, &source, password);
    if (code == CTL_OK) {
        body.password = ates_text_from(password);
        code = ctl_change(ctl, &auth_service, "register_user", &body, &result);
    }
    sodium_memzero(password, sizeof password);
    if (code != CTL_OK) {
        return code;
    }
    ctl_say("%s is user %llu", login, (unsigned long long)result.user_id);
    if (ctl->format != CTL_TABLE) {
        return ctl_print(ctl, &auth_register_user_result_message, &result);
    }
    return ctl_print_number(result.user_id);
}

static const struct ctl_command add_command = {
    .name = "add",
    .arguments = "LOGIN",
    .summary = "Register a user",
    .examples = "atesctl user add ann --email ann@example.com --role developer",
    .look = "atesctl user show LOGIN",
    .options = add_options,
    .min = 1,
    .max = 1,
    .run = run_add,
};

static const struct ctl_option ls_options[] = {
    {"role", "ROLE", "only users with this role", ates_role_names},
    {"query", "WORDS", "only users in whose login or e-mail words begin so"},
    {"limit", "N", "at most so many (default: all)"},
    {NULL, NULL, NULL},
};

static int run_ls(struct ctl *ctl, const struct ctl_input *input)
{
    const struct ates_command *command = ctl_command(&auth_service, "show_all_users");
    struct auth_show_all_users body = {.has_role = false};
    int code = CTL_OK;

    if (ctl_value(input, "role") != NULL) {
        code = ctl_set(ctl, command, &body, "role", ctl_value(input, "role"), "--role");
    }
    if (code == CTL_OK && ctl_value(input, "query") != NULL) {
        code = ctl_set(ctl, command, &body, "query", ctl_value(input, "query"), "--query");
    }
    return code == CTL_OK
               ? ctl_list(ctl, input, &auth_service, "show_all_users", &body, "no such users")
               : code;
}

static const struct ctl_command ls_command = {
    .name = "ls",
    .summary = "List users",
    .examples = "atesctl user ls --role developer\n"
                "atesctl user ls --query ann -o json",
    .options = ls_options,
    .run = run_ls,
};

static int run_show(struct ctl *ctl, const struct ctl_input *input)
{
    struct auth_show_user body = {.has_user_id = input->count > 0};
    struct auth_user user;

    int code = body.has_user_id ? ctl_find_user(ctl, input->arguments[0], &body.user_id) : CTL_OK;
    if (code == CTL_OK) {
        code = ctl_query(ctl, &auth_service, "show_user", &body, &user);
    }
    return code == CTL_OK ? ctl_print(ctl, &auth_user_message, &user) : code;
}

static const struct ctl_command show_command = {
    .name = "show",
    .arguments = "[USER]",
    .summary = "Show a user, given by id or login; without one, yourself",
    .examples = "atesctl user show ann\n"
                "atesctl user show 7",
    .max = 1,
    .run = run_show,
};

/* Says what was done; JSON and CSV show the user as they are now. */
static int report(struct ctl *ctl, uint64_t user_id, const char *words)
{
    const struct auth_show_user body = {.has_user_id = true, .user_id = user_id};
    struct auth_user user;

    char name[CTL_USER_WORDS_SIZE];

    ctl_say("%s %s", ctl_user_words(ctl, user_id, name), words);
    if (ctl->format == CTL_TABLE) {
        return ctl_print_number(user_id);
    }
    const int code = ctl_query(ctl, &auth_service, "show_user", &body, &user);
    return code == CTL_OK ? ctl_print(ctl, &auth_user_message, &user) : code;
}

static int run_set_role(struct ctl *ctl, const struct ctl_input *input)
{
    const struct ates_command *command = ctl_command(&auth_service, "change_role");
    struct auth_change_role body = {.user_id = 0};
    struct ates_empty result;
    char words[64];

    int code = ctl_set(ctl, command, &body, "role", input->arguments[1], "ROLE");
    if (code == CTL_OK) {
        code = ctl_find_user(ctl, input->arguments[0], &body.user_id);
    }
    if (code == CTL_OK) {
        code = ctl_change(ctl, &auth_service, "change_role", &body, &result);
    }
    snprintf(words, sizeof words, "has the role %s now", ates_role_names[body.role]);
    return code == CTL_OK ? report(ctl, body.user_id, words) : code;
}

static void tell_roles(const struct ctl_input *input, ctl_word_fn *tell, void *context)
{
    if (input->count == 1) {
        ctl_tell_names(ates_role_names, tell, context);
    }
}

static const struct ctl_command set_role_command = {
    .name = "set-role",
    .arguments = "USER ROLE",
    .summary = "Give a user another role",
    .examples = "atesctl user set-role ann manager",
    .look = "atesctl user show USER",
    .min = 2,
    .max = 2,
    .run = run_set_role,
    .words = tell_roles,
};

static const struct ctl_option passwd_options[] = {
    {"password-file", "FILE", "read the new password from a file's first line (-: stdin)"},
    {"old-password-file", "FILE", "read your present one likewise, where it is yours to change"},
    {NULL, NULL, NULL},
};

static int change_own(struct ctl *ctl, const struct ctl_input *input)
{
    struct auth_change_password body;
    struct ates_empty result;
    char old_password[CTL_PASSWORD_SIZE], new_password[CTL_PASSWORD_SIZE];

    const struct ctl_password_source old = {ctl_value(input, "old-password-file"),
                                            "--old-password-file FILE (-: stdin)",
                                            "Your present password", false};
    const struct ctl_password_source new = {ctl_value(input, "password-file"),
                                            "--password-file FILE (-: stdin)", "Your new password",
                                            true};

    int code = ctl_read_password(ctl, &old, old_password);
    if (code == CTL_OK) {
        code = ctl_read_password(ctl, &new, new_password);
    }
    if (code == CTL_OK) {
        body.old_password = ates_text_from(old_password);
        body.new_password = ates_text_from(new_password);
        code = ctl_change(ctl, &auth_service, "change_password", &body, &result);
    }
    sodium_memzero(old_password, sizeof old_password);
    sodium_memzero(new_password, sizeof new_password);
    if (code == CTL_OK) {
        ctl_say("your password was changed, and your sessions have ended; next: atesctl login");
    }
    return code;
}

static int reset_other(struct ctl *ctl, const struct ctl_input *input, uint64_t user_id)
{
    struct auth_reset_password body = {.user_id = user_id};
    struct ates_empty result;
    char password[CTL_PASSWORD_SIZE], prompt[192];

    snprintf(prompt, sizeof prompt, "New password of %.64s", input->arguments[0]);
    const struct ctl_password_source source = {ctl_value(input, "password-file"),
                                               "--password-file FILE (-: stdin)", prompt, true};
    int code = ctl_read_password(ctl, &source, password);
    if (code == CTL_OK) {
        body.new_password = ates_text_from(password);
        code = ctl_change(ctl, &auth_service, "reset_password", &body, &result);
    }
    sodium_memzero(password, sizeof password);
    return code == CTL_OK ? report(ctl, user_id, "has a new password") : code;
}

static int run_passwd(struct ctl *ctl, const struct ctl_input *input)
{
    uint64_t user_id;

    if (input->count == 0) {
        return change_own(ctl, input);
    }
    const int code = ctl_find_user(ctl, input->arguments[0], &user_id);
    return code == CTL_OK ? reset_other(ctl, input, user_id) : code;
}

static const struct ctl_command passwd_command = {
    .name = "passwd",
    .arguments = "[USER]",
    .summary = "Change your password or, as an administrator, set another user's",
    .examples = "atesctl user passwd\n"
                "atesctl user passwd ann",
    .look = "atesctl login",
    .options = passwd_options,
    .max = 1,
    .run = run_passwd,
};

static int run_disable(struct ctl *ctl, const struct ctl_input *input)
{
    struct auth_disable_user body;
    struct ates_empty result;

    int code = ctl_find_user(ctl, input->arguments[0], &body.user_id);
    if (code == CTL_OK) {
        code = ctl_change(ctl, &auth_service, "disable_user", &body, &result);
    }
    return code == CTL_OK ? report(ctl, body.user_id, "is disabled") : code;
}

static const struct ctl_command disable_command = {
    .name = "disable",
    .arguments = "USER",
    .summary = "Shut a user out",
    .examples = "atesctl user disable ann",
    .look = "atesctl user show USER",
    .min = 1,
    .max = 1,
    .run = run_disable,
};

static int run_enable(struct ctl *ctl, const struct ctl_input *input)
{
    struct auth_enable_user body;
    struct ates_empty result;

    int code = ctl_find_user(ctl, input->arguments[0], &body.user_id);
    if (code == CTL_OK) {
        code = ctl_change(ctl, &auth_service, "enable_user", &body, &result);
    }
    return code == CTL_OK ? report(ctl, body.user_id, "is enabled") : code;
}

static const struct ctl_command enable_command = {
    .name = "enable",
    .arguments = "USER",
    .summary = "Let a disabled user in again",
    .examples = "atesctl user enable ann",
    .look = "atesctl user show USER",
    .min = 1,
    .max = 1,
    .run = run_enable,
};

static const struct ctl_command *const commands[] = {
    &add_command,    &ls_command,      &show_command,   &set_role_command,
    &passwd_command, &disable_command, &enable_command, NULL};
const struct ctl_group user_group = {.name = "user", .summary = "Users", .commands = commands};

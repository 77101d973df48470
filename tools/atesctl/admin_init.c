/* atesctl admin init: the data folder, its keys and the first administrator. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include <ates/auth.h>

#include "admin.h"
#include "auth/auth.h"
#include "core/datadir.h"
#include "core/engine.h"
#include "owner.h"
#include "refusal.h"
#include "remote.h"

#define DRAWN_CHARACTERS 20

static const struct ctl_option init_options[] = {
    {"data", "DIR", "where the services keep their data"},
    {"login", "LOGIN", "the administrator's login", .is_needed = true},
    {"email", "EMAIL", "the administrator's e-mail address", .is_needed = true},
    {"password-file", "FILE",
     "read the password from a file's first line (-: stdin); without it one is drawn"},
    {NULL, NULL, NULL},
};

static int refused(const char *command, const void *body, int result,
                   const struct ates_refusal *refusal)
{
    return result < 0 ? admin_fail(result, "")
                      : ctl_refused("auth", ctl_command(&auth_service, command), body, refusal);
}

static const struct ates_caller init_caller = {.signed_in = true, .role = ATES_INTERNALSERVICE};

static int refuse_second(struct ctl *ctl, struct ates_engine *engine)
{
    const struct auth_show_all_users body = {
        .has_role = true, .role = ATES_ADMINISTRATOR, .has_limit = true, .limit = 1};
    struct auth_show_all_users_result result = {.has_next = false};
    struct ates_refusal refusal = {.status = ATES_OK};
    int r = ates_engine_invoke(engine, &init_caller, "show_all_users", &body, ctl->arena, &result,
                               &refusal);

    if (r != 0) {
        return refused("show_all_users", &body, r, &refusal);
    }
    if (result.items.count > 0) {
        const struct auth_user *user = result.items.items;

        return ctl_fail(CTL_CONFLICT, "atesctl login",
                        "there is an administrator already, %.*s; new users come from atesctl user "
                        "add",
                        (int)user->login.size, user->login.data);
    }
    return CTL_OK;
}

/* No letter or digit that is taken for another. */
static void draw_password(char out[CTL_PASSWORD_SIZE])
{
    static const char alphabet[] = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

    for (unsigned i = 0; i < DRAWN_CHARACTERS; i++) {
        out[i] = alphabet[randombytes_uniform(sizeof alphabet - 1)];
    }
    out[DRAWN_CHARACTERS] = '\0';
}

/* Shown before it counts: after an interruption either nobody has this password, and the next run
 * draws another, or it was shown. */
static int show_password(const char *password)
{
    ctl_say("The password below is shown this once: keep it.");
    if (puts(password) < 0 || fflush(stdout) != 0) {
        return ctl_fail(CTL_REFUSED, NULL, "the password cannot be shown: %s", strerror(errno));
    }
    return CTL_OK;
}

static int register_first(struct ctl *ctl, const struct ctl_input *input,
                          struct ates_engine *engine, const char *password, bool drawn)
{
    const struct auth_register_user body = {
        .login = ates_text_from(ctl_value(input, "login")),
        .email = ates_text_from(ctl_value(input, "email")),
        .password = ates_text_from(password),
        .role = ATES_ADMINISTRATOR,
    };
    struct auth_register_user_result result = {.user_id = 0};
    struct ates_refusal refusal = {.status = ATES_OK};

    int r = ates_message_check(&auth_register_user_message, &body, &refusal);
    if (r != 0) {
        return refused("register_user", &body, r, &refusal);
    }
    int code = drawn ? show_password(password) : CTL_OK;
    if (code != CTL_OK) {
        return code;
    }
    r = ates_engine_invoke(engine, &init_caller, "register_user", &body, ctl->arena, &result,
                           &refusal);
    if (r != 0) {
        return refused("register_user", &body, r, &refusal);
    }
    ctl_say("%.*s is the administrator (user %" PRIu64 "); once atesd runs: atesctl login %.*s",
            (int)body.login.size, body.login.data, result.user_id, (int)body.login.size,
            body.login.data);
    return CTL_OK;
}

static int take_password(const struct ctl *ctl, const struct ctl_input *input,
                         char password[CTL_PASSWORD_SIZE])
{
    const struct ctl_password_source source = {
        ctl_value(input, "password-file"), "--password-file FILE (-: stdin)", "Password", false};

    if (source.file != NULL) {
        return ctl_read_password(ctl, &source, password);
    }
    draw_password(password);
    return CTL_OK;
}

static int make_keys(const char *keys_dir, char *error)
{
    const int r = ates_keys_create(keys_dir, error, ADMIN_ERROR_SIZE);

    return r == -EEXIST ? 0 : r;
}

/* Root may keep the keys for itself, for systemd to hand them out: then they are made as root. */
static bool are_roots(const char *keys_dir)
{
    struct stat status;

    return stat(keys_dir, &status) == 0 && status.st_uid == 0;
}

/* keys_dir: NULL where the keys are made. */
static int make_data(struct ctl *ctl, const struct ctl_input *input,
                     const struct ates_config *config, const char *keys_dir, const char *password)
{
    const struct ates_source source = ates_source_system();
    struct ates_engine *engine = NULL;
    char error[ADMIN_ERROR_SIZE] = "";
    int r = ates_datadir_create(config->data_dir, error, sizeof error);

    if (r == 0 && keys_dir != NULL) {
        r = make_keys(keys_dir, error);
    }
    if (r == 0) {
        r = ates_engine_open_offline(&engine, &auth_domain, config, &source, "state", error,
                                     sizeof error);
    }
    if (r == 0) {
        r = ates_engine_start(engine);
    }
    int code = r == 0 ? refuse_second(ctl, engine) : admin_fail(r, error);
    if (code == CTL_OK) {
        code =
            register_first(ctl, input, engine, password, ctl_value(input, "password-file") == NULL);
    }
    ates_engine_close(&engine);
    return code;
}

static int run_init(struct ctl *ctl, const struct ctl_input *input)
{
    struct ates_config config;
    char keys[sizeof config.data_dir + 8], error[ADMIN_ERROR_SIZE] = "";
    char password[CTL_PASSWORD_SIZE];
    bool made = false;

    int code = admin_take_data(ctl, input, &config);
    if (code == CTL_OK) {
        code = take_password(ctl, input, password);
    }
    if (code != CTL_OK) {
        return code;
    }
    snprintf(keys, sizeof keys, "%s/keys", config.data_dir);
    if (are_roots(keys)) {
        const int r = make_keys(keys, error);

        code = r == 0 ? CTL_OK : admin_fail(r, error);
        made = true;
    }
    if (code == CTL_OK) {
        code = ctl_become_owner(config.data_dir);
    }
    if (code == CTL_OK) {
        code = make_data(ctl, input, &config, made ? NULL : keys, password);
    }
    sodium_memzero(password, sizeof password);
    return code;
}

const struct ctl_command admin_init_command = {
    .name = "init",
    .summary = "Make the data folder, its keys and the first administrator",
    .examples =
        "atesctl admin init --data /var/lib/ates --login root --email root@uberpopug.example",
    .options = init_options,
    .run = run_init,
};

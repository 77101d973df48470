/* atesctl admin: works on a data folder itself, while no daemon has it. Invariant: each command can
 * be run again after it was interrupted anywhere. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include <ates/auth.h>

#include "auth/auth.h"
#include "core/check.h"
#include "core/datadir.h"
#include "core/rebuild.h"
#include "core/setting.h"
#include "ctl.h"
#include "domains.h"
#include "output.h"
#include "owner.h"
#include "refusal.h"
#include "remote.h"

#define ERROR_SIZE 8192u
#define DRAWN_CHARACTERS 20

static const struct ctl_option init_options[] = {
    {"data", "DIR", "where the services keep their data"},
    {"login", "LOGIN", "the administrator's login", .is_needed = true},
    {"email", "EMAIL", "the administrator's e-mail address", .is_needed = true},
    {"password-file", "FILE",
     "read the password from a file's first line (-: stdin); without it one is drawn"},
    {NULL, NULL, NULL},
};
static const struct ctl_option data_options[] = {
    {"data", "DIR", "where the services keep their data"},
    {NULL, NULL, NULL},
};

/* The configuration with --data in it. */
static int take_data(const struct ctl *ctl, const struct ctl_input *input,
                     struct ates_config *config)
{
    const struct ates_setting_type *type = &ates_setting_types[ates_setting_find("data")];
    const char *data = ctl_value(input, "data");
    char why[256] = "";

    *config = ctl->config;
    if (data != NULL &&
        type->read(type, data, (char *)config + type->offset, why, sizeof why) != 0) {
        return ctl_fail(CTL_USAGE, NULL, "--data: %s", why);
    }
    return CTL_OK;
}

/* What went wrong with a folder, as an exit code. */
static int fail(int fault, const char *error)
{
    return ctl_fail(fault == -ENOENT  ? CTL_NOT_FOUND
                    : fault == -EBUSY ? CTL_CONFLICT
                                      : CTL_REFUSED,
                    fault == -EBUSY ? "again once atesd is stopped" : NULL, "%s",
                    error[0] != '\0' ? error : strerror(-fault));
}

static int refused(const char *command, const void *body, int result,
                   const struct ates_refusal *refusal)
{
    return result < 0 ? fail(result, "")
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
    const int r = ates_keys_create(keys_dir, error, ERROR_SIZE);

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
    char error[ERROR_SIZE] = "";
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
    int code = r == 0 ? refuse_second(ctl, engine) : fail(r, error);
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
    char keys[sizeof config.data_dir + 8], error[ERROR_SIZE] = "";
    char password[CTL_PASSWORD_SIZE];
    bool made = false;

    int code = take_data(ctl, input, &config);
    if (code == CTL_OK) {
        code = take_password(ctl, input, password);
    }
    if (code != CTL_OK) {
        return code;
    }
    snprintf(keys, sizeof keys, "%s/keys", config.data_dir);
    if (are_roots(keys)) {
        const int r = make_keys(keys, error);

        code = r == 0 ? CTL_OK : fail(r, error);
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

/* How far a service's work has come, on stderr: in one line of a terminal, else now and then. */
struct meter {
    const char *service;
    const char *doing;
    int64_t told_us;
    bool terminal;
    bool shown;
};

static void tell(void *context, uint64_t done, uint64_t total)
{
    struct meter *self = context;
    const int64_t now = ates_monotonic_us();

    if (now - self->told_us < (self->terminal ? 100000 : 5000000) || total == 0) {
        return;
    }
    self->told_us = now;
    self->shown = self->terminal;
    fprintf(stderr, "%s%s: %s, %" PRIu64 " of %" PRIu64 " records (%" PRIu64 " %%)%s",
            self->terminal ? "\r" : "", self->service, self->doing, done, total, done * 100 / total,
            self->terminal ? "\033[K" : "\n");
}

static struct meter meter_begin(const char *service, const char *doing)
{
    return (struct meter){.service = service,
                          .doing = doing,
                          .told_us = ates_monotonic_us(),
                          .terminal = isatty(STDERR_FILENO) == 1};
}

static void meter_end(const struct meter *self)
{
    if (self->shown) {
        fputs("\r\033[K", stderr);
    }
}

/* What is printed of one service's check. */
struct check_row {
    struct ates_text service;
    struct ates_text result;
    bool has_records, has_events;
    uint64_t records, events; /* read where the log is sound */
    bool has_damage;
    struct ates_text damage;
};
static const struct ates_field check_row_fields[] = {
    {ATES_FIELD(check_row, service), .type = ATES_TEXT},
    {ATES_FIELD(check_row, result), .type = ATES_TEXT, .summary = "sound or damaged"},
    {ATES_OPTIONAL(check_row, records), .type = ATES_UINT},
    {ATES_OPTIONAL(check_row, events), .type = ATES_UINT},
    {ATES_OPTIONAL(check_row, damage), .type = ATES_TEXT, .summary = "the first place of it"},
};
static ATES_MESSAGE(check_row, "check");

/* Of one table of a rebuilt state. */
struct rebuild_row {
    struct ates_text service;
    struct ates_text table;
    uint64_t rows, rows_before, differences;
    bool has_first_key;
    struct ates_text first_key;
};
static const struct ates_field rebuild_row_fields[] = {
    {ATES_FIELD(rebuild_row, service), .type = ATES_TEXT},
    {ATES_FIELD(rebuild_row, table), .type = ATES_TEXT},
    {ATES_FIELD(rebuild_row, rows), .type = ATES_UINT},
    {ATES_FIELD(rebuild_row, rows_before), .type = ATES_UINT},
    {ATES_FIELD(rebuild_row, differences), .type = ATES_UINT},
    {ATES_OPTIONAL(rebuild_row, first_key), .type = ATES_TEXT, .summary = "hex: where they begin"},
};
static ATES_MESSAGE(rebuild_row, "rebuild");

static int check_one(const struct ates_domain *domain, const struct ates_config *config,
                     bool for_people, struct ctl_listing *listing)
{
    const char *name = domain->service->name;
    (void)for_people;
    struct meter meter = meter_begin(name, "reading the log");
    const struct ates_progress progress = {tell, &meter};
    struct ates_check_report report = {.records = 0};
    char error[ERROR_SIZE] = "";
    const int r = ates_check(domain, config, &progress, &report, error, sizeof error);

    meter_end(&meter);
    if (r != 0 && r != -EBADMSG) {
        return fail(r, error);
    }
    const struct check_row row = {
        .service = ates_text_from(name),
        .result = ates_text_from(r != 0 ? "damaged" : "sound"),
        .has_records = r == 0,
        .has_events = r == 0,
        .records = report.records,
        .events = report.events,
        .has_damage = r != 0,
        .damage = ates_text_from(error),
    };
    ctl_listing_add(listing, NULL, &row);
    return r == 0 ? CTL_OK : ctl_fail(CTL_REFUSED, NULL, "%s is damaged: %s", name, error);
}

/* People are told of tables that differ, programs of all. */
static int rebuild_one(const struct ates_domain *domain, const struct ates_config *config,
                       bool for_people, struct ctl_listing *listing)
{
    const char *name = domain->service->name;
    struct meter meter = meter_begin(name, "replaying the log");
    const struct ates_progress progress = {tell, &meter};
    struct ates_rebuild_report report;
    char error[ERROR_SIZE] = "";
    const int r = ates_rebuild(domain, config, &progress, &report, error, sizeof error);

    meter_end(&meter);
    if (r != 0) {
        return fail(r, error);
    }
    for (size_t i = 0; i < report.table_count; i++) {
        const struct ates_table_comparison *rows = &report.tables[i].rows;

        if (for_people && rows->differences == 0) {
            continue;
        }
        const struct rebuild_row row = {
            .service = ates_text_from(name),
            .table = ates_text_from(report.tables[i].name),
            .rows = rows->right_rows,
            .rows_before = rows->left_rows,
            .differences = rows->differences,
            .has_first_key = rows->differences > 0,
            .first_key = ates_text_from(rows->first_key),
        };
        ctl_listing_add(listing, NULL, &row);
    }
    if (report.unreadable[0] != '\0') {
        ctl_say("%s: the state that was there could not be read: %s", name, report.unreadable);
    }
    ctl_say("%s: rebuilt from %" PRIu64 " records, %s", name, report.records,
            report.differs ? "not as it was: the rebuilt state has taken its place"
                           : "the same in every table");
    return report.differs ? CTL_REFUSED : CTL_OK;
}

typedef int work_fn(const struct ates_domain *domain, const struct ates_config *config,
                    bool for_people, struct ctl_listing *listing);

/* Goes on after a service with damage, so that one run tells of all; the first code but 0 is the
 * whole's. Data in use are so as a whole. */
static int each_service(const struct ates_config *config, work_fn *work, bool for_people,
                        struct ctl_listing *listing)
{
    char folder[sizeof config->data_dir + 64];
    int code = CTL_OK;

    for (size_t i = 0; ates_domains[i] != NULL && code != CTL_CONFLICT; i++) {
        const char *name = ates_domains[i]->service->name;

        snprintf(folder, sizeof folder, "%s/%s/log", config->data_dir, name);
        if (access(folder, F_OK) != 0) {
            ctl_say("%s has no data yet", name);
            continue;
        }
        const int found = work(ates_domains[i], config, for_people, listing);
        code = code != CTL_OK ? code : found;
    }
    return code;
}

static int list_work(const struct ctl *ctl, const struct ctl_input *input,
                     const struct ates_message *row, work_fn *work)
{
    struct ates_config config;
    char error[ERROR_SIZE] = "";
    int code = take_data(ctl, input, &config);

    if (code == CTL_OK) {
        code = ctl_become_owner(config.data_dir);
    }
    if (code != CTL_OK) {
        return code;
    }
    const int r = ates_datadir_check(config.data_dir, error, sizeof error);
    if (r != 0) {
        return fail(r, error);
    }
    struct ctl_listing *listing = ctl_listing_new(ctl, row, NULL);
    if (listing == NULL) {
        return ctl_fail(CTL_REFUSED, NULL, "out of memory");
    }
    code = each_service(&config, work, ctl->format == CTL_TABLE, listing);
    const int ended = ctl_listing_end(listing, NULL);
    ctl_listing_free(&listing);
    return code != CTL_OK ? code : ended;
}

static int run_check(struct ctl *ctl, const struct ctl_input *input)
{
    return list_work(ctl, input, &check_row_message, check_one);
}

static int run_rebuild(struct ctl *ctl, const struct ctl_input *input)
{
    return list_work(ctl, input, &rebuild_row_message, rebuild_one);
}

static const struct ctl_command init_command = {
    .name = "init",
    .summary = "Make the data folder, its keys and the first administrator",
    .examples =
        "atesctl admin init --data /var/lib/ates --login root --email root@uberpopug.example",
    .options = init_options,
    .run = run_init,
};
static const struct ctl_command rebuild_command = {
    .name = "rebuild",
    .summary = "Make every service's state anew from its log, and compare the two",
    .examples = "atesctl admin rebuild --data /var/lib/ates",
    .options = data_options,
    .run = run_rebuild,
};
static const struct ctl_command check_command = {
    .name = "check",
    .summary = "Look through every service's log and state for damage",
    .examples = "atesctl admin check --data /var/lib/ates",
    .options = data_options,
    .run = run_check,
};
static const struct ctl_command *const commands[] = {
    &init_command,
    &rebuild_command,
    &check_command,
    NULL,
};

const struct ctl_group admin_group = {
    .name = "admin",
    .summary = "Work on a data folder while no daemon has it",
    .commands = commands,
};

/* atesctl admin as those who operate a data folder meet it: the first administrator, and what check
 * and rebuild say of sound and of damaged data. */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include <ates/tasks.h>

#include "accounting/accounting.h"
#include "support/damage.h"
#include "support/flow.h"
#include "support/temp_folder.h"

#define ARGUMENTS_MAX 16
#define DRAWN_CHARACTERS 20u
#define TASKS 10u
#define OTHER 65534 /* a user who is not root */

static struct flow flow;
static struct flow_output output;

static void open_flow(void)
{
    flow_open(&flow);
}

static void close_flow(void)
{
    flow_close(&flow);
}

TestSuite(admin, .init = open_flow, .fini = close_flow, .timeout = 300);

static int run(const char *const *words)
{
    const char *given = getenv("ATESCTL");
    const char *argv[ARGUMENTS_MAX + 1] = {given != NULL ? given : ATESCTL_PATH, "--run",
                                           flow.run_dir, "--no-input"};
    size_t count = 4;

    while (*words != NULL) {
        cr_assert_lt(count, ARGUMENTS_MAX);
        argv[count++] = *words++;
    }
    flow_run(&flow, argv, NULL, &output);
    return output.code;
}
#define ATESCTL(...) run((const char *const[]){__VA_ARGS__, NULL})

static void assert_said(const char *said, const char *words)
{
    cr_assert_not_null(strstr(said, words), "'%s' is not in: %s", words, said);
}

/* A file in the test's folder that holds this line. */
static const char *file_with(const char *line)
{
    static char path[128];

    snprintf(path, sizeof path, "%s/line", flow.folder);
    FILE *file = fopen(path, "w");
    cr_assert_not_null(file);
    fprintf(file, "%s\n", line);
    cr_assert_eq(fclose(file), 0);
    return path;
}

/* From now on the services' data is a folder that is not there yet. */
static void begin_anew(void)
{
    snprintf(flow.data_dir, sizeof flow.data_dir, "%s/anew", flow.folder);
}

#define INIT(...)                                                                                  \
    ATESCTL("admin", "init", "--data", flow.data_dir, "--email", "root@uberpopug.example",         \
            __VA_ARGS__)

Test(admin, init_draws_a_password_that_signs_in_and_makes_one_administrator_only)
{
    char password[DRAWN_CHARACTERS + 1];

    begin_anew();
    cr_assert_eq(INIT("--login", "root"), 0, "%s", output.err);
    assert_said(output.err, "shown this once");
    cr_assert_eq(strlen(output.out), DRAWN_CHARACTERS + 1, "%s", output.out);
    memcpy(password, output.out, DRAWN_CHARACTERS);
    password[DRAWN_CHARACTERS] = '\0';

    cr_expect_eq(INIT("--login", "second"), 5);
    assert_said(output.err, "there is an administrator already, root");
    cr_expect_str_empty(output.out);

    flow_start(&flow, "auth");
    cr_expect_eq(ATESCTL("login", "root", "--password-file", file_with(password)), 0, "%s",
                 output.err);
    assert_said(output.err, "administrator");
}

Test(admin, init_can_be_run_again_after_it_got_half_way)
{
    begin_anew();
    cr_assert_eq(INIT("--login", "root", "--password-file", file_with("short")), 1);
    assert_said(output.err, "password");
    cr_expect_eq(INIT("--login", "no such thing"), 1);
    assert_said(output.err, "login");
    cr_expect_str_empty(output.out, "a password was shown that nobody has");
    cr_expect_eq(INIT("--login", "root", "--password-file", file_with("polly wants a cracker")), 0,
                 "%s", output.err);
    cr_expect_str_empty(output.out);
}

Test(admin, init_needs_login_and_email)
{
    begin_anew();
    cr_expect_eq(ATESCTL("admin", "init", "--data", flow.data_dir, "--login", "root"), 2);
    cr_expect_eq(access(flow.data_dir, F_OK), -1, "a wrong command line made a folder");
}

static void make_tasks(void)
{
    const struct tasks_create_task body = {.name = ates_text_from("Count the parrots"),
                                           .description = ates_text_from("")};

    flow_start_all(&flow);
    flow_catch_up(&flow);
    for (unsigned i = 0; i < TASKS; i++) {
        flow_do(&flow, FLOW_MANAGER, &tasks_service, "create_task", &body, NULL);
    }
    flow_catch_up(&flow);
}

/* What damage.h works on. */
static struct fixture accounting_data(void)
{
    struct fixture fixture = {.domain = &accounting_domain,
                              .config = {.map_size = INT64_C(1) << 34}};

    cr_assert_lt(snprintf(fixture.folder, sizeof fixture.folder, "%s", flow.data_dir),
                 (int)sizeof fixture.folder);
    return fixture;
}

Test(admin, check_and_rebuild_find_nothing_in_sound_data)
{
    make_tasks();
    cr_expect_eq(ATESCTL("admin", "check", "--data", flow.data_dir), 5);
    assert_said(output.err, "in use by another process");
    cr_expect_eq(ATESCTL("admin", "rebuild", "--data", flow.data_dir), 5);
    assert_said(output.err, "in use by another process");
    flow_stop_all(&flow);

    cr_expect_eq(ATESCTL("admin", "check", "--data", flow.data_dir, "-o", "csv"), 0, "%s%s",
                 output.out, output.err);
    assert_said(output.out, "\nauth,sound,");
    assert_said(output.out, "\ntasks,sound,");
    assert_said(output.out, "\naccounting,sound,");
    assert_said(output.out, "\nanalytics,sound,");
    assert_said(output.out, "\npayment,sound,");
    cr_expect_eq(ATESCTL("admin", "rebuild", "--data", flow.data_dir, "-o", "csv"), 0, "%s%s",
                 output.out, output.err);
    assert_said(output.out, "\ntasks,tasks,10,10,0,");
    assert_said(output.out, "\naccounting,transfers,10,10,0,");
    assert_said(output.out, "\nanalytics,users,8,8,0,");
    assert_said(output.out, "\npayment,schedule,1,1,0,");
    assert_said(output.err, "accounting: rebuilt from ");
}

Test(admin, check_names_the_place_of_damage_and_goes_on_to_other_services)
{
    make_tasks();
    flow_stop_all(&flow);
    struct fixture fixture = accounting_data();
    damage_flip_record(&fixture, 11);
    cr_expect_eq(ATESCTL("admin", "check", "--data", flow.data_dir, "-o", "csv"), 1);
    assert_said(output.out, "\ntasks,sound,");
    assert_said(output.out, "\naccounting,damaged,");
    assert_said(output.err, "accounting is damaged: record 11 ");
    cr_expect_eq(ATESCTL("admin", "rebuild", "--data", flow.data_dir), 1);
    assert_said(output.err, "accounting/log cannot be replayed");
}

Test(admin, rebuild_tells_of_a_difference_and_mends_it)
{
    const struct ates_key user = ates_key_u64(FLOW_DEVELOPER);

    make_tasks();
    flow_stop_all(&flow);
    struct fixture fixture = accounting_data();
    damage_row(&fixture, ATES_TABLE_USERS, &user, NULL, 0);
    cr_expect_eq(ATESCTL("admin", "rebuild", "--data", flow.data_dir, "-o", "csv"), 1);
    assert_said(output.out, "\naccounting,users,8,7,1,0000000000000004");
    assert_said(output.err, "accounting: rebuilt from ");
    cr_expect_eq(ATESCTL("admin", "rebuild", "--data", flow.data_dir, "-o", "csv"), 0, "%s%s",
                 output.out, output.err);
    flow_start_all(&flow);
}

Test(admin, refuses_folders_that_are_none_or_of_others)
{
    cr_expect_eq(ATESCTL("admin", "check", "--data", "/nowhere/at/all"), 3);
    assert_said(output.err, "no aTES data here");
}

/* Gives all of the folder away, for root to become its owner. */
static int give_away(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return lchown(path, OTHER, OTHER);
}

static unsigned others_files;

static int count_owner(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)path;
    (void)type;
    (void)ftw;
    others_files += status->st_uid == OTHER;
    return status->st_uid == OTHER || status->st_uid == 0 ? 0 : -1;
}

Test(admin, root_becomes_the_owner_of_the_data)
{
    char parent[] = "/tmp/ates-owner-XXXXXX", data[64], keys[64], path[96];
    struct stat status;

    if (geteuid() != 0) {
        cr_skip_test("only root can give a folder away");
    }
    cr_assert_not_null(mkdtemp(parent));
    cr_assert_eq(chmod(parent, 0755), 0);
    snprintf(data, sizeof data, "%s/data", parent);
    snprintf(keys, sizeof keys, "%s/keys", parent);
    snprintf(path, sizeof path, "%s/keys", data);
    cr_assert(mkdir(data, 0750) == 0 && mkdir(keys, 0700) == 0 && symlink(keys, path) == 0);
    cr_assert_eq(nftw(data, give_away, 8, FTW_PHYS), 0);

    /* The keys are root's, as is the folder in which they are made; all else is the owner's. */
    cr_expect_eq(ATESCTL("admin", "init", "--data", data, "--login", "admin", "--email", "a@b.cd"),
                 0, "%s", output.err);
    snprintf(path, sizeof path, "%s/auth.key", keys);
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_uid, 0);
    cr_expect_eq(ATESCTL("admin", "check", "--data", data), 0, "%s", output.err);
    cr_expect_eq(ATESCTL("admin", "rebuild", "--data", data), 0, "%s", output.err);
    cr_assert_eq(nftw(data, count_owner, 8, FTW_PHYS), 0);
    cr_expect_gt(others_files, 5u);
    snprintf(path, sizeof path, "%s/version", data);
    cr_assert_eq(stat(path, &status), 0);
    cr_expect_eq(status.st_uid, OTHER);
    temp_folder_remove(parent);
}

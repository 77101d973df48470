/* Where a session is kept, for whom, and that nobody else can read it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "atesctl/folder.h"
#include "atesctl/session_store.h"
#include "core/setting.h"

static struct ctl ctl;
static char folder[64];

static void set_up(void)
{
    strcpy(folder, "/tmp/ates-session-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    setenv("XDG_STATE_HOME", folder, 1);
    unsetenv("ATES_TOKEN_FILE");
    ctl = (struct ctl){.timeout_ms = 1};
    strcpy(ctl.config.run_dir, "/run/one");
}

static void tear_down(void)
{
    char command[128];

    ctl_session_close(&ctl);
    snprintf(command, sizeof command, "rm -r '%s'", folder);
    cr_assert_eq(system(command), 0);
}

TestSuite(session_store, .init = set_up, .fini = tear_down);

static void sign_in(const char *token)
{
    cr_assert_eq(ctl_session_load(&ctl), CTL_OK);
    strcpy(ctl.session->token, token);
    strcpy(ctl.session->login, "ann");
    ctl.session->user_id = 7;
    ctl.session->expires_at = 100;
    ctl.session->session_expires_at = 200;
    cr_assert_eq(ctl_session_save(&ctl), CTL_OK);
    ctl_session_close(&ctl);
}

static mode_t mode_of(const char *path)
{
    struct stat status;

    cr_assert_eq(stat(path, &status), 0, "%s", path);
    return status.st_mode & 07777;
}

Test(session_store, keeps_and_forgets)
{
    bool was;

    cr_assert_eq(ctl_session_load(&ctl), CTL_OK);
    cr_expect_str_eq(ctl.session->token, "", "nobody is signed in at first");
    sign_in("v4.public.token");
    cr_assert_eq(ctl_session_load(&ctl), CTL_OK);
    cr_expect_str_eq(ctl.session->token, "v4.public.token");
    cr_expect_str_eq(ctl.session->login, "ann");
    cr_expect_eq(ctl.session->user_id, 7);
    cr_expect_eq(ctl.session->expires_at, 100);
    cr_expect_eq(ctl.session->session_expires_at, 200);
    cr_assert_eq(ctl_session_forget(&ctl, &was), CTL_OK);
    cr_expect(was);
    cr_assert_eq(ctl_session_forget(&ctl, &was), CTL_OK);
    cr_expect_not(was);
}

Test(session_store, one_for_each_run_folder)
{
    sign_in("first");
    strcpy(ctl.config.run_dir, "/run/two");
    cr_assert_eq(ctl_session_load(&ctl), CTL_OK);
    cr_expect_str_eq(ctl.session->token, "");
}

Test(session_store, for_its_owner_alone)
{
    char path[4096], parent[128];

    umask(0);
    sign_in("secret");
    cr_assert_eq(ctl_state_path(&ctl, "token", "", path, sizeof path), CTL_OK);
    cr_expect_eq(mode_of(path), 0600);
    snprintf(parent, sizeof parent, "%s/ates", folder);
    cr_expect_eq(mode_of(parent), 0700);
}

Test(session_store, token_file_is_taken_from_the_environment)
{
    char path[128];

    snprintf(path, sizeof path, "%s/elsewhere", folder);
    setenv("ATES_TOKEN_FILE", path, 1);
    sign_in("there");
    cr_expect_eq(access(path, F_OK), 0);
    cr_expect_eq(mode_of(path), 0600);
}

Test(session_store, nonsense_is_like_nothing)
{
    static const char *const texts[] = {"", "{", "[]", "{\"token\":7,\"expires_at\":\"x\"}"};
    char path[128];

    snprintf(path, sizeof path, "%s/elsewhere", folder);
    setenv("ATES_TOKEN_FILE", path, 1);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        cr_assert_eq(ctl_replace_file(path, texts[i]), 0);
        cr_assert_eq(ctl_session_load(&ctl), CTL_OK);
        cr_expect_str_eq(ctl.session->token, "", "%s", texts[i]);
        ctl_session_close(&ctl);
    }
}

/* A context's token is for the services that it names, and no others. */
Test(session_store, one_for_each_context)
{
    char path[4096];

    sign_in("of the run folder");
    strcpy(ctl.context, "books");
    ctl.origins[ates_setting_find("run")] = ATES_FROM_CONTEXT;
    cr_assert_eq(ctl_session_load(&ctl), CTL_OK);
    cr_expect_str_eq(ctl.session->token, "");
    sign_in("of the context");
    cr_assert_eq(ctl_token_path(&ctl, path, sizeof path), CTL_OK);
    cr_expect_not_null(strstr(path, "/ates/tokens/books"), "%s", path);
    cr_expect_eq(mode_of(path), 0600);
    ctl.origins[ates_setting_find("run")] = ATES_FROM_FLAG;
    cr_assert_eq(ctl_session_load(&ctl), CTL_OK);
    cr_expect_str_eq(ctl.session->token, "of the run folder", "--run goes elsewhere");
}

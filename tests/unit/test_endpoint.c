/* Endpoints fit a socket address, or are refused; addresses on tcp are told in a file. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "core/endpoint.h"
#include "support/temp_folder.h"

Test(endpoint, names_a_socket_below_the_run_folder)
{
    char endpoint[128];
    cr_assert_eq(ates_endpoint("/run/ates", "tasks", endpoint, sizeof endpoint), 0);
    cr_expect_str_eq(endpoint, "ipc:///run/ates/tasks.sock");
    cr_assert_eq(ates_endpoint("/run/ates", "private/publish", endpoint, sizeof endpoint), 0);
    cr_expect_str_eq(endpoint, "ipc:///run/ates/private/publish.sock");
}

Test(endpoint, a_path_of_107_bytes_is_the_longest)
{
    char run_dir[128], endpoint[256] = "as it was";
    const size_t longest = 107 - strlen("/tasks.sock");
    memset(run_dir, 'r', sizeof run_dir);
    run_dir[0] = '/';
    run_dir[longest + 1] = '\0';
    cr_expect_eq(ates_endpoint(run_dir, "tasks", endpoint, sizeof endpoint), -ENAMETOOLONG);
    cr_expect_str_eq(endpoint, "as it was");
    run_dir[longest] = '\0';
    cr_expect_eq(ates_endpoint(run_dir, "tasks", endpoint, sizeof endpoint), 0);
    cr_expect_eq(strlen(endpoint), strlen("ipc://") + 107);
}

Test(endpoint, must_fit_the_callers_bytes)
{
    char endpoint[64] = "as it was";
    const char *whole = "ipc:///run/ates/tasks.sock";
    cr_expect_eq(ates_endpoint("/run/ates", "tasks", endpoint, strlen(whole)), -ENAMETOOLONG);
    cr_expect_str_eq(endpoint, "as it was");
    cr_expect_eq(ates_endpoint("/run/ates", "tasks", endpoint, strlen(whole) + 1), 0);
    cr_expect_str_eq(endpoint, whole);
}

Test(endpoint, tells_its_address_until_it_is_forgotten)
{
    char folder[TEMP_FOLDER_SIZE], path[128], line[64] = "", error[256] = "";

    temp_folder_make(folder);
    snprintf(path, sizeof path, "%s/tasks.address", folder);
    cr_assert_eq(ates_endpoint_tell(folder, "tasks", "tcp://127.0.0.1:1", error, sizeof error), 0);
    cr_assert_eq(ates_endpoint_tell(folder, "tasks", "tcp://127.0.0.1:2", error, sizeof error), 0);
    FILE *file = fopen(path, "re");
    cr_assert_not_null(file);
    cr_expect_not_null(fgets(line, sizeof line, file));
    fclose(file);
    cr_expect_str_eq(line, "tcp://127.0.0.1:2\n");
    ates_endpoint_forget(folder, "tasks");
    cr_expect_neq(access(path, F_OK), 0);
    temp_folder_remove(folder);
    cr_expect_eq(ates_endpoint_tell(folder, "tasks", "tcp://127.0.0.1:1", error, sizeof error),
                 -ENOENT);
    cr_expect_not_null(strstr(error, path), "%s", error);
}

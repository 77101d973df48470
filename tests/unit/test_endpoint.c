/* Endpoints fit a socket address, or are refused. */
#include <errno.h>
#include <string.h>

#include <criterion/criterion.h>

#include "core/endpoint.h"

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

/* Colours: for terminals that have them, unless somebody does not want them; whom bulk changes ask;
 * and how a question ends. */
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include "atesctl/ctl.h"

/* What bad news look like on a terminal of their own. NULL: the variable is not set. */
static const char *told(const char *terminal, const char *no_color)
{
    static char shown[256];
    size_t used = 0;
    ssize_t got;
    int side, status;

    const pid_t child = forkpty(&side, NULL, NULL, NULL);
    cr_assert_geq(child, 0);
    if (child == 0) {
        (terminal != NULL ? setenv("TERM", terminal, 1) : unsetenv("TERM"));
        (no_color != NULL ? setenv("NO_COLOR", no_color, 1) : unsetenv("NO_COLOR"));
        ctl_tell(true, "overdue");
        fflush(stdout);
        _exit(0);
    }
    while (used + 1 < sizeof shown &&
           (got = read(side, shown + used, sizeof shown - used - 1)) > 0) {
        used += (size_t)got;
    }
    shown[used] = '\0';
    close(side);
    cr_assert_eq(waitpid(child, &status, 0), child);
    return shown;
}

Test(ctl_terminal, colours)
{
    cr_expect_str_eq(told("xterm", NULL), "\033[31moverdue\033[0m\r\n");
    cr_expect_str_eq(told("xterm", ""), "\033[31moverdue\033[0m\r\n", "empty is not set");
    cr_expect_str_eq(told("xterm", "1"), "overdue\r\n");
    cr_expect_str_eq(told("dumb", NULL), "overdue\r\n");
    cr_expect_str_eq(told("", NULL), "overdue\r\n");
    cr_expect_str_eq(told(NULL, NULL), "overdue\r\n");
}

Test(ctl_terminal, no_colours_elsewhere)
{
    cr_redirect_stdout();
    setenv("TERM", "xterm", 1);
    ctl_tell(true, "overdue");
    fflush(stdout);
    cr_expect_stdout_eq_str("overdue\n");
}

Test(ctl_terminal, consent)
{
    struct ctl ctl = {.no_input = true, .group = &task_group, .command = task_group.commands[0]};

    cr_redirect_stderr();
    cr_expect_eq(ctl_check_consent(&ctl, "this changes much"), CTL_USAGE);
    cr_expect_eq(ctl_confirm(&ctl, "Go on?", "nothing was changed"), CTL_REFUSED);
    ctl.yes = true;
    cr_expect_eq(ctl_check_consent(&ctl, "this changes much"), CTL_OK);
    cr_expect_eq(ctl_confirm(&ctl, "Go on?", "nothing was changed"), CTL_OK);
    fflush(stderr);
    cr_expect_stderr_eq_str(
        "atesctl: this changes much, and there is nobody to ask; try: the same with --yes\n"
        "atesctl: nothing was changed: there is nobody to ask; try: --yes\n");
}

/* Whether a process has a handler for SIGINT (proc(5), SigCgt). */
static bool catches_int(pid_t process)
{
    unsigned long long caught = 0;
    char name[64], line[256];

    snprintf(name, sizeof name, "/proc/%d/status", (int)process);
    FILE *status = fopen(name, "r");
    cr_assert_not_null(status);
    while (fgets(line, sizeof line, status) != NULL && sscanf(line, "SigCgt: %llx", &caught) != 1) {
    }
    fclose(status);
    return (caught >> (SIGINT - 1) & 1) != 0;
}

/* The terminal takes no output until the signal is there: it comes before the line is waited for. */
Test(ctl_terminal, an_interruption_while_the_prompt_is_written, .timeout = 60)
{
    struct ctl ctl = {0};
    char line[16], shown[64];
    int side, terminal, status;

    cr_assert_eq(openpty(&side, &terminal, NULL, NULL, NULL), 0);
    cr_assert_eq(tcflow(terminal, TCOOFF), 0);
    const pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        close(side);
        _exit(login_tty(terminal) == 0 ? ctl_read_line(&ctl, "Login", line, sizeof line) : 99);
    }
    while (!catches_int(child)) {
        cr_assert_eq(waitpid(child, &status, WNOHANG), 0, "it has ended");
    }
    cr_assert_eq(kill(child, SIGINT), 0);
    cr_assert_eq(tcflow(terminal, TCOON), 0);
    close(terminal);
    while (read(side, shown, sizeof shown) > 0) {
    }
    close(side);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == CTL_INTERRUPTED, "wait status %#x",
              status);
}

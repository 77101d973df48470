/* What atesctl says to its user and asks them. Invariants: words hold no control characters of
 * anybody else's; a password is never echoed, and the terminal is left as it was
 * found. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>

#include "ctl.h"

#define PASSWORD_TRIES 3

/* A newline or an escape sequence from a service must not become ours. */
static void print_words(FILE *out, const char *format, va_list arguments)
{
    char words[8192];

    vsnprintf(words, sizeof words, format, arguments);
    for (char *c = words; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20 || *c == 0x7f) {
            *c = '?';
        }
    }
    fputs(words, out);
}

int ctl_fail(enum ctl_exit code, const char *advice, const char *format, ...)
{
    va_list arguments;

    fflush(stdout);
    fputs("atesctl: ", stderr);
    va_start(arguments, format);
    print_words(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "%s%s\n", advice != NULL ? "; try: " : "", advice != NULL ? advice : "");
    return (int)code;
}

void ctl_say(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_words(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

bool ctl_is_terminal(FILE *stream)
{
    const char *terminal = getenv("TERM");

    return isatty(fileno(stream)) == 1 && terminal != NULL && terminal[0] != '\0' &&
           strcmp(terminal, "dumb") != 0;
}

static bool has_colours(void)
{
    const char *none = getenv("NO_COLOR");

    return ctl_is_terminal(stdout) && (none == NULL || none[0] == '\0');
}

void ctl_tell(bool is_bad, const char *format, ...)
{
    const bool is_red = is_bad && has_colours();
    va_list arguments;

    fputs(is_red ? "\033[31m" : "", stdout);
    va_start(arguments, format);
    print_words(stdout, format, arguments);
    va_end(arguments);
    fputs(is_red ? "\033[0m\n" : "\n", stdout);
}

/* The terminal to ask on, -1 where there is none. Stdin may be a file that is imported. */
static int open_terminal(const struct ctl *ctl)
{
    return ctl->no_input ? -1 : open("/dev/tty", O_RDWR | O_CLOEXEC);
}

static bool can_ask(const struct ctl *ctl)
{
    const int terminal = open_terminal(ctl);

    if (terminal >= 0) {
        close(terminal);
    }
    return terminal >= 0 && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

int ctl_check_consent(const struct ctl *ctl, const char *what)
{
    if (ctl->yes || can_ask(ctl)) {
        return CTL_OK;
    }
    /* Not a command to copy: without its options it would change something else. */
    return ctl_fail(CTL_USAGE, "the same with --yes", "%s, and there is nobody to ask", what);
}

/* Reads up to a newline, which is left out. Signals that the mask leaves open end the wait for it
 * (NULL: as they do elsewhere). Returns its size; -EINTR, -EPIPE at the end of input, -EMSGSIZE
 * where it does not fit size bytes with its NUL. */
static ssize_t read_line(int file, const sigset_t *mask, char *out, size_t size)
{
    struct pollfd input = {.fd = file, .events = POLLIN};
    size_t used = 0;
    bool fits = true;

    for (;;) {
        char c;

        if (mask != NULL && ppoll(&input, 1, NULL, mask) < 0) {
            return -errno;
        }
        const ssize_t got = read(file, &c, 1);

        if (got < 0) {
            return -errno;
        }
        if (got == 0 && used == 0) {
            return -EPIPE;
        }
        if (got == 0 || c == '\n') {
            break;
        }
        fits = fits && used + 1 < size;
        if (fits) {
            out[used++] = c;
        }
    }
    if (used > 0 && out[used - 1] == '\r') {
        used--;
    }
    out[used] = '\0';
    return fits ? (ssize_t)used : -EMSGSIZE;
}

/* Nothing to do: it ends the wait. */
static void interrupt(int number)
{
    (void)number;
}

/* Shows the prompt and reads a line, with or without echo. Returns as read_line. An interruption
 * leaves the line that was begun, and the terminal as it was; one that comes before the wait for
 * the line is kept for it. */
static ssize_t ask(int terminal, const char *prompt, bool echo, char *out, size_t size)
{
    const struct sigaction ending = {.sa_handler = interrupt};
    struct sigaction before_int, before_term;
    struct termios before, silent;
    sigset_t taken, mask;

    if (tcgetattr(terminal, &before) != 0) {
        return -errno;
    }
    silent = before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    sigemptyset(&taken);
    sigaddset(&taken, SIGINT);
    sigaddset(&taken, SIGTERM);
    sigprocmask(SIG_BLOCK, &taken, &mask);
    sigaction(SIGINT, &ending, &before_int);
    sigaction(SIGTERM, &ending, &before_term);
    dprintf(terminal, "%s: ", prompt);
    if (!echo) {
        tcsetattr(terminal, TCSAFLUSH, &silent);
    }
    const ssize_t got = read_line(terminal, &mask, out, size);
    if (!echo) {
        tcsetattr(terminal, TCSAFLUSH, &before);
    }
    sigaction(SIGINT, &before_int, NULL);
    sigaction(SIGTERM, &before_term, NULL);
    sigprocmask(SIG_SETMASK, &mask, NULL);
    if (!echo || got < 0) {
        dprintf(terminal, "\n");
    }
    return got;
}

static int explain(ssize_t fault, const char *what)
{
    if (fault == -EINTR) {
        return CTL_INTERRUPTED;
    }
    return ctl_fail(CTL_USAGE, NULL, "cannot read %s: %s", what,
                    fault == -EPIPE      ? "nothing was given"
                    : fault == -EMSGSIZE ? "too long"
                    : fault == -EBADMSG  ? "the two were not the same"
                                         : strerror((int)-fault));
}

int ctl_confirm(const struct ctl *ctl, const char *question, const char *unchanged)
{
    char answer[16] = "", prompt[256];

    if (ctl->yes) {
        return CTL_OK;
    }
    const int terminal = open_terminal(ctl);
    if (terminal < 0) {
        return ctl_fail(CTL_REFUSED, "--yes", "%s: there is nobody to ask", unchanged);
    }
    snprintf(prompt, sizeof prompt, "%s [y/N]", question);
    const ssize_t got = ask(terminal, prompt, true, answer, sizeof answer);
    close(terminal);
    if (got > 0 && (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0)) {
        return CTL_OK;
    }
    return ctl_fail(got == -EINTR ? CTL_INTERRUPTED : CTL_REFUSED, NULL, "%s", unchanged);
}

int ctl_read_line(const struct ctl *ctl, const char *prompt, char *out, size_t size)
{
    const int terminal = open_terminal(ctl);

    if (terminal < 0) {
        return ctl_fail(CTL_USAGE, "give it as an argument", "cannot ask for %s: %s", prompt,
                        ctl->no_input ? "--no-input was given" : "there is no terminal");
    }
    const ssize_t got = ask(terminal, prompt, true, out, size);
    close(terminal);
    return got < 0 ? explain(got, prompt) : CTL_OK;
}

static int read_password_file(const char *name, char *out)
{
    const bool is_stdin = strcmp(name, "-") == 0;
    const int file = is_stdin ? STDIN_FILENO : open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);

    if (file < 0) {
        return ctl_fail(CTL_USAGE, NULL, "cannot read the password file %s: %s", name,
                        strerror(errno));
    }
    const ssize_t got = read_line(file, NULL, out, CTL_PASSWORD_SIZE);
    if (!is_stdin) {
        close(file);
    }
    return got < 0 ? explain(got, "the password") : CTL_OK;
}

/* Asks until both are the same. Returns as read_line; -EBADMSG where they never were. */
static ssize_t ask_password(int terminal, const struct ctl_password_source *source, char *out)
{
    char again[CTL_PASSWORD_SIZE];

    for (unsigned i = 0; i < PASSWORD_TRIES; i++) {
        ssize_t got = ask(terminal, source->prompt, false, out, CTL_PASSWORD_SIZE);

        if (got < 0 || !source->confirm) {
            return got;
        }
        got = ask(terminal, "The same again", false, again, sizeof again);
        const bool alike = got >= 0 && strcmp(out, again) == 0;
        sodium_memzero(again, sizeof again);
        if (got < 0 || alike) {
            return got;
        }
        dprintf(terminal, "The two are not the same.\n");
    }
    return -EBADMSG;
}

int ctl_read_password(const struct ctl *ctl, const struct ctl_password_source *source,
                      char out[CTL_PASSWORD_SIZE])
{
    if (source->file != NULL) {
        return read_password_file(source->file, out);
    }
    const int terminal = open_terminal(ctl);
    if (terminal < 0) {
        return ctl_fail(CTL_USAGE, source->instead, "cannot ask for '%s': %s", source->prompt,
                        ctl->no_input ? "--no-input was given" : "there is no terminal");
    }
    const ssize_t got = ask_password(terminal, source, out);
    close(terminal);
    return got < 0 ? explain(got, "the password") : CTL_OK;
}

int ctl_parse_number(const char *text, const char *what, uint64_t min, uint64_t max, uint64_t *out)
{
    const size_t digits = strspn(text, "0123456789");

    /* Eighteen digits fit the type, whatever they are. */
    if (digits > 0 && digits <= 18 && text[digits] == '\0') {
        const uint64_t number = strtoull(text, NULL, 10);

        if (number >= min && number <= max) {
            *out = number;
            return CTL_OK;
        }
    }
    return ctl_fail(CTL_USAGE, NULL, "'%.60s' is no %s: a number from %llu to %llu is expected",
                    text, what, (unsigned long long)min, (unsigned long long)max);
}

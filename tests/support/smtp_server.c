/* A scripted SMTP server for a test; see smtp_server.h. */
#include "support/smtp_server.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>

#define OPTIONS_MAX 8u
/* Debian's, for which python3-aiosmtpd is; another one in the PATH need not have it. */
#define PYTHON "/usr/bin/python3"

/* The child: its input and output are the pipes' other ends. */
static void run(const struct smtp_server *server, const char *const *options, int in, int out)
{
    const char *argv[4 + OPTIONS_MAX + 2] = {PYTHON, SMTP_SERVER_PATH, server->folder};
    char port[32];
    size_t count = 3;

    for (size_t i = 0; options != NULL && options[i] != NULL && i < OPTIONS_MAX; i++) {
        argv[count++] = options[i];
    }
    snprintf(port, sizeof port, "--port=%d", server->port);
    argv[count] = port;
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    execv(PYTHON, (char *const *)argv);
    fprintf(stderr, "%s: %s\n", PYTHON, strerror(errno));
    _exit(127);
}

static void spawn(struct smtp_server *server, const char *const *options)
{
    const pid_t parent = getpid();
    int in[2], out[2];

    cr_assert(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    server->pid = fork();
    cr_assert_geq(server->pid, 0, "fork: %s", strerror(errno));
    if (server->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() == parent) {
            run(server, options, in[0], out[1]);
        }
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    server->in = fdopen(in[1], "w");
    server->out = fdopen(out[0], "r");
    cr_assert(server->in != NULL && server->out != NULL);
}

static bool has_option(const char *const *options, const char *option)
{
    for (size_t i = 0; options != NULL && options[i] != NULL; i++) {
        if (strcmp(options[i], option) == 0) {
            return true;
        }
    }
    return false;
}

void smtp_server_restart(struct smtp_server *server, const char *const *options)
{
    char line[64] = "";

    spawn(server, options);
    cr_assert(fgets(line, sizeof line, server->out) != NULL &&
                  sscanf(line, "READY %d", &server->port) == 1,
              "the SMTP server did not start; its own words are above");
    snprintf(server->url, sizeof server->url, "%s://127.0.0.1:%d",
             has_option(options, "--smtps") ? "smtps" : "smtp", server->port);
}

void smtp_server_start(struct smtp_server *server, const char *const *options)
{
    *server = (struct smtp_server){0};
    temp_folder_make(server->folder);
    snprintf(server->ca_file, sizeof server->ca_file, "%s/ca.pem", server->folder);
    smtp_server_restart(server, options);
}

void smtp_server_kill(struct smtp_server *server)
{
    kill(server->pid, SIGKILL);
    cr_assert_eq(waitpid(server->pid, NULL, 0), server->pid);
    server->pid = 0;
    fclose(server->in);
    fclose(server->out);
}

void smtp_server_stop(struct smtp_server *server)
{
    if (server->pid != 0) {
        smtp_server_kill(server);
    }
    temp_folder_remove(server->folder);
}

void smtp_server_tell(struct smtp_server *server, const char *format, ...)
{
    char answer[256] = "";
    va_list values;

    va_start(values, format);
    vfprintf(server->in, format, values);
    va_end(values);
    fputc('\n', server->in);
    fflush(server->in);
    cr_assert(fgets(answer, sizeof answer, server->out) != NULL && strcmp(answer, "OK\n") == 0,
              "the SMTP server said to '%s': %s", format, answer);
}

static const char *text_of(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));

    return text != NULL ? text : "";
}

json_t *smtp_server_log(const struct smtp_server *server, const char *event)
{
    json_t *entries = json_array(), *entry;
    json_error_t error;
    char path[96];

    snprintf(path, sizeof path, "%s/log", server->folder);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    while ((entry = json_loadf(file, JSON_DISABLE_EOF_CHECK, &error)) != NULL) {
        if (strcmp(text_of(entry, "event"), event) == 0) {
            json_array_append(entries, entry);
        }
        json_decref(entry);
    }
    cr_assert(feof(file), "%s: %s", path, error.text);
    fclose(file);
    return entries;
}

/* Counts an event's entries with this text under key; key NULL: all. */
static size_t count(const struct smtp_server *server, const char *event, const char *key,
                    const char *text)
{
    json_t *entries = smtp_server_log(server, event), *entry;
    size_t i, found = 0;

    json_array_foreach(entries, i, entry)
    {
        found += key == NULL || strcmp(text_of(entry, key), text) == 0;
    }
    json_decref(entries);
    return found;
}

size_t smtp_server_count(const struct smtp_server *server, const char *event)
{
    return count(server, event, NULL, NULL);
}

size_t smtp_server_count_outcome(const struct smtp_server *server, const char *outcome)
{
    return count(server, "message", "outcome", outcome);
}

size_t smtp_server_count_command(const struct smtp_server *server, const char *verb)
{
    return count(server, "command", "verb", verb);
}

struct ates_buffer smtp_server_message(const struct smtp_server *server, unsigned number)
{
    struct ates_buffer message = {0};
    char path[96], block[4096];
    size_t size;

    snprintf(path, sizeof path, "%s/%06u.eml", server->folder, number);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s: %s", path, strerror(errno));
    while ((size = fread(block, 1, sizeof block, file)) > 0) {
        ates_buffer_append(&message, block, size);
    }
    fclose(file);
    return message;
}

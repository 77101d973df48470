/* For tests of atesctl's commands: runs a command line against a service that answers by a script,
 * and keeps what it asked and wrote. */
#ifndef CTL_FIXTURE_H
#define CTL_FIXTURE_H

#include <criterion/criterion.h>
#include <locale.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "atesctl/line.h"
#include "atesctl/session_store.h"
#include "core/calendar.h"
#include "support/fake_service.h"

#define CTL_SCRIPT_MAX 8
#define CTL_OUTPUT_SIZE 8192

/* The answers in their order; the last one is given again and again. */
static struct {
    const struct ates_message *message; /* of the result; NULL: refused */
    const void *result;
    enum ates_status status;
    struct ates_refusal_body refusal;
} ctl_script[CTL_SCRIPT_MAX];

/* What came of it. */
static struct {
    int code;
    char out[CTL_OUTPUT_SIZE], err[CTL_OUTPUT_SIZE];
    struct fake_request asked[CTL_SCRIPT_MAX];
    struct fake_service service; /* stopped: what it has seen */
} ctl_run;

static inline void ctl_behave(struct fake_service *self, const struct fake_request *request)
{
    const size_t number = self->request_count - 1;
    size_t step = 0;
    struct ates_buffer body = {0};

    while (step < number && step + 1 < CTL_SCRIPT_MAX &&
           (ctl_script[step + 1].message != NULL || ctl_script[step + 1].status != ATES_OK)) {
        step++;
    }
    if (number < CTL_SCRIPT_MAX) {
        ctl_run.asked[number] = *request;
    }
    if (ctl_script[step].message != NULL) {
        ates_message_encode(ctl_script[step].message, ctl_script[step].result, &body);
    } else {
        ates_message_encode(&ates_refusal_body_message, &ctl_script[step].refusal, &body);
    }
    fake_send_reply(self, request, ates_status_name(ctl_script[step].status), body.data, body.size);
    ates_buffer_release(&body);
}

static inline void ctl_answer(size_t step, const struct ates_message *message, const void *result)
{
    ctl_script[step].message = message;
    ctl_script[step].result = result;
}

static inline void ctl_refuse(size_t step, enum ates_status status, const char *reason,
                              uint64_t retry_after_ms)
{
    ctl_script[step].status = status;
    ctl_script[step].refusal =
        (struct ates_refusal_body){.reason = ates_text_from(reason),
                                   .message = ates_text_from("its own words"),
                                   .has_retry_after_ms = retry_after_ms > 0,
                                   .retry_after_ms = retry_after_ms};
}

/* Takes the arguments apart and runs their command; words must not hold spaces. */
static inline int ctl_run_line(struct ctl *ctl, const char *words)
{
    struct ctl_line line = {.group = NULL};
    char text[256], *arguments[32] = {"atesctl"};
    int count = 1;

    snprintf(text, sizeof text, "%s", words);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        arguments[count++] = word;
    }
    int code = ctl_line_parse(ctl, &line, count, arguments);
    if (code == CTL_OK) {
        code = ctl_line_check(&line);
    }
    if (code != CTL_OK) {
        return code;
    }
    if (ctl->timeout_ms == 0) {
        ctl->timeout_ms = line.command->timeout_ms > 0 ? line.command->timeout_ms : CTL_TIMEOUT_MS;
    }
    return line.command->run(ctl, &line.input);
}

/* Puts a file in memory in the place of stdout or stderr; returns what was there. */
static inline int ctl_capture(FILE *stream)
{
    const int file = memfd_create("captured", 0);
    const int before = dup(fileno(stream));

    fflush(stream);
    cr_assert(file >= 0 && before >= 0 && dup2(file, fileno(stream)) >= 0);
    close(file);
    return before;
}

static inline void ctl_release(FILE *stream, int before, char out[CTL_OUTPUT_SIZE])
{
    fflush(stream);
    const ssize_t size = pread(fileno(stream), out, CTL_OUTPUT_SIZE - 1, 0);
    cr_assert_geq(size, 0);
    out[size] = '\0';
    dup2(before, fileno(stream));
    close(before);
}

/* Runs a line against the service of this name: asking on the terminal and writing where stdout and
 * stderr are, or with nobody to ask and the output in ctl_run. */
static inline int ctl_run_with(const char *service, const char *words, bool may_ask)
{
    struct ctl ctl = {.no_input = !may_ask, .arena = ates_arena_new()};
    char token[96];

    memset(&ctl_run, 0, sizeof ctl_run);
    setlocale(LC_CTYPE, "C.UTF-8");
    cr_assert_eq(ates_calendar_open("Europe/Moscow"), 0);
    ctl_run.service.name = service;
    fake_service_start(&ctl_run.service, ctl_behave);
    strcpy(ctl.config.run_dir, ctl_run.service.run_dir);
    snprintf(token, sizeof token, "%s/token", ctl_run.service.run_dir);
    setenv("ATES_TOKEN_FILE", token, 1); /* not there: nobody is signed in */
    const int out = may_ask ? -1 : ctl_capture(stdout), err = may_ask ? -1 : ctl_capture(stderr);
    ctl_run.code = ctl_run_line(&ctl, words);
    if (!may_ask) {
        ctl_release(stdout, out, ctl_run.out);
        ctl_release(stderr, err, ctl_run.err);
    }
    ates_client_free(&ctl.client);
    ctl_session_close(&ctl);
    ates_arena_free(&ctl.arena);
    fake_service_stop(&ctl_run.service);
    fake_service_clean(&ctl_run.service);
    return ctl_run.code;
}

static inline int ctl_run_against(const char *service, const char *words)
{
    return ctl_run_with(service, words, false);
}

/* Runs check in a process with a terminal of its own, types the answer at the question, and keeps
 * all that the terminal showed. Returns what check did. Neither process has other threads at the
 * fork. */
static inline int ctl_at_terminal(int (*check)(bool is_agreed), const char *answer, bool is_agreed,
                                  char *shown, size_t size)
{
    int terminal, status = -1;
    size_t used = 0;
    bool typed = false;
    ssize_t got;

    const pid_t child = forkpty(&terminal, NULL, NULL, NULL);
    cr_assert_geq(child, 0);
    if (child == 0) {
        _exit(check(is_agreed));
    }
    while (used + 1 < size && (got = read(terminal, shown + used, size - used - 1)) > 0) {
        used += (size_t)got;
        shown[used] = '\0';
        if (!typed && strstr(shown, "[y/N]: ") != NULL) {
            cr_assert_eq(write(terminal, answer, strlen(answer)), (ssize_t)strlen(answer));
            typed = true;
        }
    }
    shown[used] = '\0';
    close(terminal);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(typed, "%s", shown);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The body that was asked with; it lives in the arena. */
static inline void ctl_asked(size_t step, const struct ates_message *message,
                             struct ates_arena *arena, void *body)
{
    const struct fake_request *request = &ctl_run.asked[step];

    cr_assert_eq(ates_message_decode(message, request->data[request->first + 3],
                                     request->size[request->first + 3], ATES_UNKNOWN_REFUSED, arena,
                                     body, NULL),
                 0);
}

#endif
